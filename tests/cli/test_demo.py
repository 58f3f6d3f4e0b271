from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from filar.cli import console, demo, main
from filar.errors import ParameterError


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the demo runs, without running it."""
    ran: list[list[str]] = []
    monkeypatch.setattr(demo, "_run", lambda *words: ran.append([str(w) for w in words]))
    return ran


def invoke(*arguments: object):
    console.set_verbosity(0)
    return CliRunner().invoke(main.app, ["demo", *map(str, arguments)])


def test_the_commands_exist_and_each_finds_what_the_others_made(
    commands: list[list[str]], tmp_path: Path
) -> None:
    done = invoke("-o", tmp_path / "demo", "--exposures", 9, "--chip", "PC")
    assert done.exit_code == 0
    assert f"Open {tmp_path / 'demo' / 'report.html'}" in done.stdout.replace("\n", "")
    group = typer.main.get_command(main.app)
    for words in commands:
        command, left = group, words
        while hasattr(command, "commands") or command is group:
            context = typer.Context(command, info_name="filar")
            _, command, left = command.resolve_command(context, left)
        command.make_context("filar", list(left))  # refuses options that there are not
    names = [" ".join(word for word in words[:2] if "/" not in word) for words in commands]
    assert names == ["simulate dithers", "psf build", "measure", "train centering", "measure",
                     "mean", "evaluate centering"]  # fmt: skip
    _, _, classic, train, network, mean, evaluate = commands
    assert classic[1:10] == network[1:10] == train[2:11]
    assert classic[1] == str(tmp_path / "demo" / "set" / "dither_001_c0m.fits")
    outputs = [words[words.index("-o") + 1] for words in commands]
    assert network[network.index("--model") + 1] == outputs[3]
    assert mean[1] == outputs[2]
    assert mean[mean.index("--compare") + 1] == f"network={outputs[4]}"
    assert evaluate[2] == str(tmp_path / "demo" / "model_training" / "stamps")


@pytest.mark.parametrize("arguments", [["--exposures", 7], ["--stars", 100]])
def test_too_few(commands: list[list[str]], tmp_path: Path, arguments: list[object]) -> None:
    done = invoke("-o", tmp_path / "demo", *arguments)
    assert isinstance(done.exception, ParameterError)
    assert not commands
    assert not (tmp_path / "demo").exists()


def test_a_failure_ends_it(tmp_path: Path) -> None:
    done = invoke("-o", tmp_path / "demo", "--chip", "WF5")
    assert isinstance(done.exception, ParameterError)
    assert "WF5" in str(done.exception)


def test_many_exposures_are_shown_as_a_pattern() -> None:
    words = ["measure", "a/x_001_c0m.fits", "a/x_002_c0m.fits", "-o", "b.parquet"]
    assert demo._short(words) == ["measure", "a/*_c0m.fits", "-o", "b.parquet"]
    assert demo._short(["psf", "build"]) == ["psf", "build"]
