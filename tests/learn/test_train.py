"""Training: the same bits each time, also after a kill; averaging, schedules, early stops."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.checkpoint import NAME
from filar.learn.history import read_history
from filar.learn.settings import TrainingSettings
from filar.learn.train import Progress, TrainResult, train
from tests.learn.small import SETTINGS, Small, batches, data, validation

CPU: dict[str, Any] = {"accelerator": "cpu", "devices": 1, "tensorboard": False}
ROOT = Path(__file__).resolve().parents[2]


def changed(**tables: dict[str, Any]) -> TrainingSettings:
    """The small settings with others in some tables."""
    content = SETTINGS.model_dump()
    for table, values in tables.items():
        content[table] |= values
    return TrainingSettings.model_validate(content)


def run(folder: Path, settings: TrainingSettings = SETTINGS, **options: Any) -> TrainResult:
    return train(Small(), batches, validation, settings, folder, **({"seed": 5} | CPU | options))


def same(first: TrainResult, second: TrainResult) -> bool:
    """Whether two trainings gave the same bits, in weights and figures."""
    timeless = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in result.history]
        for result in (first, second)
    ]
    return timeless[0] == timeless[1] and all(
        torch.equal(value, second.state_dict[name]) for name, value in first.state_dict.items()
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """A training that nothing disturbed."""
    return run(tmp_path_factory.mktemp("whole"))


def test_the_network_learns(whole: TrainResult) -> None:
    first, last = whole.history[0], whole.history[-1]
    assert last["validation_loss"] < 0.5 * first["validation_loss"]
    assert [row["epoch"] for row in whole.history] == list(range(6))
    assert whole.seconds == pytest.approx(sum(row["seconds"] for row in whole.history))


def test_the_result_is_what_the_module_holds_and_its_loss_is_that_of_the_best_epoch(
    tmp_path: Path, whole: TrainResult
) -> None:
    module = Small()
    result = train(module, batches, validation, SETTINGS, tmp_path, seed=5, **CPU)
    assert all(torch.equal(v, result.state_dict[k]) for k, v in module.state_dict().items())
    assert not module.training
    loss = module.loss(validation()[0])[0].item()
    losses = [row["validation_loss"] for row in result.history]
    assert loss == pytest.approx(min(losses), rel=1e-6)
    assert result.best == losses.index(min(losses))
    assert same(result, whole)


@pytest.mark.parametrize(("epoch", "step"), [(3, 2)])
def test_killed_and_resumed_it_ends_in_the_same_bits(
    tmp_path: Path, whole: TrainResult, epoch: int, step: int
) -> None:
    command = [sys.executable, "-m", "tests.learn.small", str(tmp_path), str(epoch), str(step)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(read_history(tmp_path / "history.csv")) == epoch
    resumed = run(tmp_path, resume=True)
    assert same(resumed, whole)
    assert len(read_history(tmp_path / "history.csv")) == 6


class StopError(Exception):
    pass


def stopped_at(number: int) -> Any:
    """Batches that fail in an epoch."""

    def source(epoch: int) -> Iterator[dict[str, Tensor]]:
        if epoch == number:
            raise StopError
        return batches(epoch)

    return source


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("epoch", [1, 5])
def test_stopped_between_epochs_it_ends_in_the_same_bits(
    tmp_path: Path, momentum: float, epoch: int
) -> None:
    settings = changed(ema={"momentum": momentum})
    undisturbed = run(tmp_path / "whole", settings)
    options: dict[str, Any] = {"seed": 5, "checkpoint_seconds": 0} | CPU
    folder = tmp_path / "stopped"
    with pytest.raises(StopError):
        train(Small(), stopped_at(epoch), validation, settings, folder, **options)
    assert same(run(folder, settings, resume=True), undisturbed)


def test_an_interrupt_stays_one_and_is_resumed_from(tmp_path: Path, whole: TrainResult) -> None:
    def source(number: int) -> Iterator[dict[str, Tensor]]:
        if number == 2:
            raise KeyboardInterrupt
        return batches(number)

    handler = signal.getsignal(signal.SIGINT)
    options: dict[str, Any] = {"seed": 5, "checkpoint_seconds": 0} | CPU
    with pytest.raises(KeyboardInterrupt):
        train(Small(), source, validation, SETTINGS, tmp_path, **options)
    assert signal.getsignal(signal.SIGINT) is handler
    assert same(run(tmp_path, resume=True), whole)


def test_every_pass_is_asked_for_once_in_order_also_after_resuming(tmp_path: Path) -> None:
    asked: list[int] = []

    def source(number: int) -> Iterator[dict[str, Tensor]]:
        asked.append(number)
        if asked == [0, 1, 2, 3]:
            raise StopError
        return batches(number)

    options: dict[str, Any] = {"checkpoint_seconds": 0} | CPU
    with pytest.raises(StopError):
        train(Small(), source, validation, SETTINGS, tmp_path, **options)
    train(Small(), source, validation, SETTINGS, tmp_path, resume=True, **options)
    assert asked == [0, 1, 2, 3, 3, 4, 5]


def test_a_finished_training_is_not_trained_further(tmp_path: Path) -> None:
    done = run(tmp_path)

    def none(number: int) -> Any:
        raise AssertionError("asked for batches")

    again = train(Small(), none, validation, SETTINGS, tmp_path, seed=5, resume=True, **CPU)
    assert same(done, again)


def test_without_resume_it_begins_anew(tmp_path: Path, whole: TrainResult) -> None:
    run(tmp_path, seed=6)
    assert same(run(tmp_path), whole)


def test_resuming_without_a_checkpoint_begins(tmp_path: Path, whole: TrainResult) -> None:
    assert same(run(tmp_path, resume=True), whole)


def test_another_seed_gives_other_weights(tmp_path: Path, whole: TrainResult) -> None:
    assert not same(run(tmp_path, seed=6), whole)


def test_the_callers_random_numbers_are_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(11)
    module, before = Small(), torch.random.get_rng_state()
    train(module, batches, validation, changed(budget={"epochs": 1}), tmp_path, **CPU)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    "other",
    [
        {"settings": changed(optimiser={"lr": 1e-3})},
        {"settings": changed(budget={"epochs": 8})},
        {"seed": 6},
        {"data": "others"},
    ],
    ids=["rate", "epochs of a schedule", "seed", "data"],
)
def test_resuming_something_else_is_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    run(tmp_path)
    with pytest.raises(ParameterError, match="another folder"):
        run(tmp_path, resume=True, **other)


def test_resuming_from_other_first_weights_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(ParameterError, match="another folder"):
        train(Small(4), batches, validation, SETTINGS, tmp_path, seed=5, resume=True, **CPU)


def test_with_a_constant_rate_more_epochs_can_be_asked_for(tmp_path: Path) -> None:
    def constant(epochs: int) -> TrainingSettings:
        return changed(optimiser={"schedule": "constant"}, budget={"epochs": epochs})

    run(tmp_path / "a", constant(3))
    longer = run(tmp_path / "a", constant(5), resume=True)
    assert same(longer, run(tmp_path / "b", constant(5)))


def test_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    run(tmp_path)
    path = tmp_path / NAME
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputFileError, match=r"damaged.*delete it"):
        run(tmp_path, resume=True)


def test_checkpoint_that_would_execute_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"filar": Evil()}, tmp_path / NAME)
    with pytest.raises(InputFileError, match="delete it"):
        run(tmp_path, resume=True)
    assert not (tmp_path / "executed").exists()


def test_average_is_an_exponential_one_of_the_weights_after_each_step(tmp_path: Path) -> None:
    """Against an average by hand: plain Adam without randomness, four steps."""

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = torch.nn.Parameter(torch.zeros(1))

        def loss(self, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            return (self.slope * batch[:, 0] - batch[:, 1]).square().mean(), {}

    batch = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    by_hand = Line()
    optimiser = torch.optim.Adam(by_hand.parameters(), lr=0.1)
    average = math.nan
    for step in range(4):
        optimiser.zero_grad()
        by_hand.loss(batch)[0].backward()
        optimiser.step()
        slope = by_hand.slope.item()
        average = slope if step == 0 else 0.95 * average + 0.05 * slope
    settings = TrainingSettings.model_validate(
        {
            "optimiser": {"name": "adam", "lr": 0.1},
            "ema": {"momentum": 0.95},
            "budget": {"epochs": 2},
        }
    )
    result = train(Line(), lambda number: [batch, batch], None, settings, tmp_path, **CPU)
    assert result.state_dict["slope"].item() == pytest.approx(average, rel=1e-5)


def test_patience_ends_a_training_that_gets_no_better(tmp_path: Path) -> None:
    settings = changed(optimiser={"lr": 1e-12}, ema={"momentum": 0.0}, budget={"epochs": 50})
    patient = settings.model_copy(
        update={"budget": settings.budget.model_copy(update={"patience": 3})}
    )
    module = torch.nn.Module()
    module.register_parameter("weight", torch.nn.Parameter(torch.ones(1)))
    module.loss = lambda batch: ((module.weight - batch["x"]).abs().mean(), {})  # type: ignore[assignment]
    result = train(module, batches, validation, patient, tmp_path, **CPU)
    assert len(result.history) == result.best + 1 + 3 < 50


def test_time_limit_ends_a_training(tmp_path: Path) -> None:
    result = run(tmp_path, changed(budget={"max_minutes": 1e-9}))
    assert len(result.history) == 1


def test_steps_per_epoch_cut_and_repeat_the_data(tmp_path: Path) -> None:
    passes: list[tuple[int, int]] = []

    def source(number: int) -> Iterator[dict[str, Tensor]]:
        for count, batch in enumerate(batches(number)):
            passes.append((number, count))
            yield batch

    settings = changed(budget={"epochs": 2, "steps_per_epoch": 11})
    train(Small(), source, None, settings, tmp_path, **CPU)
    first = [(0, i) for i in range(8)] + [(2, i) for i in range(3)]
    second = [(1, i) for i in range(8)] + [(3, i) for i in range(3)]
    assert passes == first + second


def test_figures_are_means_over_rows(tmp_path: Path) -> None:
    """Batches of unequal length: the mean over all rows, not over batches."""
    rows = data(1)
    uneven = [{k: v[:200] for k, v in rows.items()}, {k: v[200:] for k, v in rows.items()}]
    settings = changed(budget={"epochs": 1})
    module = Small()
    result = train(module, batches, lambda: uneven, settings, tmp_path, **CPU)
    whole = module.loss(rows)[0].item()
    assert result.history[0]["validation_loss"] == pytest.approx(whole, rel=1e-5)


def test_a_loss_that_is_no_number_ends_the_training_with_advice(tmp_path: Path) -> None:
    def poisoned(number: int) -> Iterator[dict[str, Tensor]]:
        for batch in batches(number):
            yield batch | {"y": batch["y"] * math.nan}

    with pytest.raises(ParameterError, match=r"optimiser.lr.*train_loss is nan in epoch 0"):
        train(Small(), poisoned, validation, SETTINGS, tmp_path, **CPU)


def test_a_validation_part_without_rows_is_as_none(tmp_path: Path) -> None:
    short = changed(budget={"epochs": 2})
    options: dict[str, Any] = {"seed": 5} | CPU
    empty = train(Small(), batches, list, short, tmp_path / "a", **options)
    none = train(Small(), batches, None, short, tmp_path / "b", **options)
    assert same(empty, none)
    assert none.best == 1


def test_processes_that_would_lose_what_they_learnt_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="ddp in a script"):
        run(tmp_path, devices=2, strategy="ddp_spawn")


def test_no_batches_are_told(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="at least one batch"):
        train(Small(), lambda number: [], validation, SETTINGS, tmp_path, **CPU)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="another folder"):
        run(tmp_path / "file")


def test_progress_and_logs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    run(tmp_path, changed(budget={"epochs": 2}), progress=told.append, tensorboard=True)
    ends = [item for item in told if item.step == 0]
    assert [(item.epoch, item.epochs) for item in ends] == [(1, 2), (2, 2)]
    assert ends[-1].figures["validation_loss"] > 0
    assert list((tmp_path / "tensorboard").iterdir())
    rows = read_history(tmp_path / "history.csv")
    assert [row["validation_loss"] for row in rows] == [e.figures["validation_loss"] for e in ends]
    assert capfd.readouterr() == ("", "")


class Plain(Small):
    """Without what makes gradients vanish, and if asked with the weights' squares in its loss."""

    def __init__(self, l2: float = 0.0) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
        self.l2 = l2

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        loss, figures = super().loss(batch)
        squares = [weight.square().sum() for weight in self.parameters() if weight.ndim > 1]
        return loss + 0.5 * self.l2 * torch.stack(squares).sum(), figures


def test_l2_is_a_penalty_on_weights_that_leaves_biases_alone(tmp_path: Path) -> None:
    options: dict[str, Any] = {"seed": 5} | CPU

    def weights(l2: float, in_loss: float) -> dict[str, Tensor]:
        optimiser = {"name": "adam", "weight_decay": 0.0, "clip": 0.0, "l2": l2}
        settings = changed(optimiser=optimiser)
        return train(Plain(in_loss), batches, None, settings, tmp_path, **options).state_dict

    by_option, by_loss, without = weights(0.3, 0.0), weights(0.0, 0.3), weights(0.0, 0.0)
    for name, weight in by_loss.items():
        torch.testing.assert_close(by_option[name], weight, rtol=1e-3, atol=1e-4)
    assert by_option["net.0.weight"].norm() < 0.7 * without["net.0.weight"].norm()


def test_a_stepped_training_uses_its_phases_rates(tmp_path: Path) -> None:
    phases = [{"part": 0.5, "rates": [1e-2, 1e-3], "steps": 2, "epochs": 2},
              {"rates": [5e-3, 5e-3], "epochs": 2}]  # fmt: skip
    optimiser = {"name": "adam", "weight_decay": 0.0, "lr": 1e-2, "schedule": "stepped",
                 "phases": phases}  # fmt: skip
    settings = changed(optimiser=optimiser)
    rates = [row["rate"] for row in run(tmp_path, settings).history]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 5e-3, 5e-3])
