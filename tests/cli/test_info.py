import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli import console, main
from tests.instruments import files


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command line as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from filar.cli.main import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    shape = (4, *files.SHAPE)
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros(shape, np.int16))
    return files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(shape))


def test_shows_what_was_understood(cube: Path) -> None:
    status, out, err = run("info", cube)
    assert (status, err) == (0, "")
    for text in ("OMEGA-CEN", "6941", "F555W", "7.12", "5.51", "u4_c1f.fits", "22.571", "1997"):
        assert text in out
    assert all(chip in out for chip in ("PC", "WF2", "WF3", "WF4"))


def test_good_files_are_shown_although_another_fails(cube: Path, tmp_path: Path) -> None:
    (tmp_path / "text.fits").write_text("no image")
    status, out, err = run("info", tmp_path / "text.fits", cube, tmp_path / "absent.fits")
    assert status == 1
    assert "OMEGA-CEN" in out
    assert [line.split(": ")[1] for line in err.splitlines()] == ["error", "error"]
    assert "text.fits: not a FITS file" in err
    assert "absent.fits: no such file" in err


def test_options_reach_the_reader(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels())
    status, _, err = run("info", path)
    assert status == 1
    assert "--gain" in err
    status, out, _ = run("info", path, "--gain", 3, "--read-noise", 4.5, "--exptime", 12)
    assert status == 0
    assert all(text in out for text in ("4.50", "12"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["info"],
        ["info", "a.fits", "--gain", "much"],
        ["info", "a.fits", "--gain", "-1"],
        ["info", "a.fits", "--nonsense"],
        ["nonsense"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main.app, arguments).exit_code == 2


def test_warnings_are_lines_on_stderr_and_quiet_leaves_them_out(tmp_path: Path) -> None:
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels((4, *files.SHAPE)))
    status, _, err = run("info", path)
    assert status == 0
    assert err.startswith(f"filar: warning: {path}: no quality file u4_c1f.fits")
    assert len(err.splitlines()) == 1
    for arguments in (["-q", path], [path, "--quiet"]):
        assert run("info", *arguments)[2] == ""


def test_every_command_has_help_with_an_example() -> None:
    runner = CliRunner()
    page = runner.invoke(main.app, ["--help"])
    assert page.exit_code == 0
    group = main.LazyGroup(name="filar")
    for name in group.list_commands(None):
        assert name in page.output
        own = runner.invoke(main.app, [name, "--help"])
        assert own.exit_code == 0
        command = group.get_command(None, name)
        leaves = list(getattr(command, "commands", {name: command}).values())
        for leaf in leaves:
            assert "Example" in f"{leaf.help} {leaf.epilog}", leaf.name
            options = {option for parameter in leaf.params for option in parameter.opts}
            assert {"-v", "--verbose", "-q", "--quiet"} <= options


def test_version() -> None:
    from filar import __version__

    assert __version__ in CliRunner().invoke(main.app, ["--version"]).output


def test_library_errors_become_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from filar.errors import FilarError, ParameterError

    for error, status in ((FilarError("no\nstars"), 1), (ParameterError("box", 4, "odd"), 2)):

        def fail(error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(main, "app", fail)
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert ended.value.code == status
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("filar: error: ")


def test_path_is_no_markup(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a[red].fits", files.pixels(), OBJECT="M[bold]13")
    _, out, _ = run("info", path, "--gain", 1, "--read-noise", 1)
    flat = "".join(out.split())
    assert "a[red].fits" in flat
    assert "M[bold]13" in flat


@pytest.fixture(autouse=True)
def _normal_verbosity() -> None:
    console.set_verbosity(0)
