"""Training by Lightning: any network with a loss, from ready batches, to the same bits."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filar.errors import OutputFileError, ParameterError
from filar.learn.history import Row
from filar.learn.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from filar.learn.feed import Batches


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch, epochs : int
        Epochs done, and at most.
    step, steps : int
        Steps of the running epoch done, and all of them (0: not known).
    figures : dict of str to float
        Of the last epoch done: train_NAME and validation_NAME.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    figures: Row


@dataclass(frozen=True)
class TrainResult:
    """A trained network.

    Attributes
    ----------
    state_dict : dict of str to tensor
        The (averaged) weights of the epoch with the least validation loss; without validation
        those of the last epoch. On the CPU.
    history : list of dict of str to float
        Per epoch: epoch, seconds, rate, train_NAME, validation_NAME.
    best : int
        The epoch of the weights.
    seconds : float
        Spent on training, over all resumed runs.
    """

    state_dict: dict[str, Tensor]
    history: list[Row]
    best: int
    seconds: float


def train(
    module: Module,
    train_batches: Batches,
    validation_batches: Callable[[], Iterable[Any]] | None,
    settings: TrainingSettings,
    folder: str | PathLike[str],
    *,
    seed: int = 0,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
    accelerator: str = "auto",
    devices: int | str | list[int] = "auto",
    strategy: str = "auto",
    data: str = "",
    checkpoint_seconds: float = 20.0,
    tensorboard: bool = True,
) -> TrainResult:
    """Train a network.

    Parameters
    ----------
    module : torch.nn.Module
        With `loss(batch)` that gives the loss (a scalar tensor) and a dict of further figures
        (scalar tensors). Holds the result's weights afterwards, on the CPU, in evaluation mode.
    train_batches : callable
        From the number of a pass through the data to its batches: tensors, or tuples, lists or
        dicts of tensors, each with its rows first. The same number must give the same batches.
    validation_batches : callable, optional
        Gives the validation batches.
    settings : TrainingSettings
        Optimiser, averaging and budget; see `Recipe.training`.
    folder : str or path-like
        For the checkpoint, history.csv and TensorBoard events; made if need be.
    seed : int, optional
        Of all randomness while training; the first weights are the module's.
    resume : bool, optional
        Continue from the folder's checkpoint, if there is one; ends in the same bits as a training
        that was never stopped. Otherwise the folder's checkpoint is deleted.
    progress : callable, optional
        Told about twice a second and after every epoch how far the training is.
    accelerator, devices, strategy : optional
        Lightning's, such as "cpu" or "gpu", 2, "ddp". With several devices each process takes
        its share of the batches, which must then be large enough.
    data : str, optional
        A digest of the data, so that a training is not resumed with others.
    checkpoint_seconds : float, optional
        Time between checkpoints, which are made at the ends of epochs.
    tensorboard : bool, optional
        Whether to write TensorBoard events.

    Returns
    -------
    TrainResult
        Weights and history.

    Raises
    ------
    ParameterError
        If the loss becomes infinite or no number, if there are no batches, or if the checkpoint is
        of a training with other settings, data, first weights or seed.
    InputFileError
        If the checkpoint is damaged.
    OutputFileError
        If the folder cannot be written.
    """
    import torch

    from filar.learn.checkpoint import NAME
    from filar.learn.feed import Feed
    from filar.learn.loop import Recorder

    folder = _made(folder)
    recorder = Recorder(
        settings=settings,
        folder=folder,
        seed=seed,
        identity=_identity(module, settings, data, seed),
        feed=Feed(train_batches, settings.budget.epochs, settings.budget.steps_per_epoch),
        progress=progress,
        checkpoint_seconds=checkpoint_seconds,
        tensorboard=tensorboard,
    )
    path = folder / NAME
    if resume and path.exists():
        recorder.restore(path)
    else:
        path.unlink(missing_ok=True)
    if not recorder.over():
        hardware = {"accelerator": accelerator, "devices": devices, "strategy": strategy}
        with _quiet(), _repeatable(), torch.random.fork_rng():
            _fit(module, validation_batches, recorder, hardware)
    if recorder.best is None:  # not even one epoch
        raise ParameterError("train_batches", "no batch", "at least one batch per epoch")
    module.to("cpu").load_state_dict(recorder.best)
    module.eval()
    seconds = sum(row["seconds"] for row in recorder.history)
    return TrainResult(recorder.best, recorder.history, recorder.best_epoch, seconds)


def _fit(
    module: Module,
    validation_batches: Callable[[], Iterable[Any]] | None,
    recorder: Any,
    hardware: dict[str, Any],
) -> None:
    import torch
    from lightning.pytorch import Trainer

    from filar.learn.checkpoint import NAME, SafeCheckpoints
    from filar.learn.loop import Learner, Renewed

    settings = recorder.settings
    trainer = Trainer(
        **hardware,
        max_epochs=settings.budget.epochs,
        callbacks=[recorder],
        plugins=[SafeCheckpoints()],
        gradient_clip_val=settings.optimiser.clip or None,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        default_root_dir=str(recorder.folder),
    )
    if type(trainer.strategy.launcher).__name__ == "_MultiProcessingLauncher":
        name = hardware["strategy"]
        raise ParameterError("strategy", name, "ddp in a script: this one loses what was learnt")
    checkpoint = recorder.folder / NAME
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(
            Learner(module, settings.optimiser),
            recorder.feed,
            Renewed(validation_batches) if validation_batches else None,
            ckpt_path=str(checkpoint) if checkpoint.exists() else None,
        )
    except SystemExit as leaving:
        # Lightning makes an exit of Ctrl-C, and of every further Ctrl-C nothing.
        if not isinstance(leaving.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, on_interrupt)
        raise KeyboardInterrupt from None
    finally:
        recorder.close()
        if trainer.world_size > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _identity(module: Module, settings: TrainingSettings, data: str, seed: int) -> str:
    """What must be the same for a training to be resumed; how long it lasts need not be."""
    fixed = settings.model_dump(exclude={"budget": {"epochs", "patience", "max_minutes"}})
    if settings.optimiser.schedule != "constant" or settings.optimiser.warmup:
        fixed["epochs"] = settings.budget.epochs
    digest = hashlib.sha256(repr((fixed, data, seed)).encode())
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _made(folder: str | PathLike[str]) -> Path:
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(
            folder, error.strerror or str(error), "give another folder"
        ) from error
    return folder


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's own chatter off: progress and results are told by the caller."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            warnings.filterwarnings("ignore", message=r".*litlogger.*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _repeatable() -> Iterator[None]:
    """Ask torch for the same bits each time, on the GPU too."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It costs time and helps only programs that read memory before they write it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
