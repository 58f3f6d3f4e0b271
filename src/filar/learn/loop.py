"""What runs inside Lightning's loop: the steps, and the record of each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from filar.errors import ParameterError
from filar.learn.checkpoint import KEY, NAME, read_checkpoint
from filar.learn.feed import Feed, rows_of
from filar.learn.history import Events, Row, write_history
from filar.learn.schedule import rate_factor
from filar.learn.settings import OptimiserSettings, TrainingSettings
from filar.learn.train import Progress

# Seconds between two calls of the progress callback within an epoch.
TICK = 0.5


class Renewed:
    """An iterable that asks for fresh batches each time."""

    def __init__(self, source: Callable[[], Iterable[Any]]) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source())


class Tally:
    """Means over an epoch, weighted by the batches' rows, added up where the tensors are."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._values: list[list[Tensor]] = []
        self._names: list[str] = []

    def add(self, batch: Any, loss: Tensor, figures: dict[str, Tensor]) -> None:
        """Remember a step; nothing is copied from the device here."""
        self._names = ["loss", *figures]
        self._rows.append(rows_of(batch))
        self._values.append([loss.detach(), *(value.detach() for value in figures.values())])

    def __len__(self) -> int:
        return len(self._rows)

    def sums(self) -> Tensor:
        """Sums and rows: (figures + 1,) float64."""
        values = torch.stack([torch.stack(step) for step in self._values]).double().cpu()
        rows = torch.tensor(self._rows, dtype=torch.float64)
        return torch.cat([rows @ values, rows.sum()[None]])

    def figures(self, prefix: str, sums: Tensor) -> Row:
        """Means by name, from sums that may have been added up over processes."""
        means = (sums[:-1] / sums[-1]).tolist()
        return {f"{prefix}_{name}": value for name, value in zip(self._names, means, strict=True)}


class Learner(LightningModule):
    """A network and its optimiser, as Lightning wants them.

    Parameters
    ----------
    network : torch.nn.Module
        With `loss(batch)`.
    settings : OptimiserSettings
        Of the optimiser.
    """

    def __init__(self, network: nn.Module, settings: OptimiserSettings) -> None:
        super().__init__()
        self.network = network
        self._settings = settings
        # Neither a submodule nor in Lightning's part of the checkpoint: the recorder keeps it.
        self._judged: tuple[nn.Module, ...] = (network,)

    def judge(self, network: nn.Module) -> None:
        """Have another copy of the network validated: the one with averaged weights."""
        self._judged = (network,)

    @property
    def judged(self) -> nn.Module:
        """The network that is validated."""
        return self._judged[0]

    def training_step(self, batch: Any, number: int) -> dict[str, Any]:
        """The loss of a batch."""
        loss, figures = self.network.loss(batch)  # type: ignore[operator]
        return {"loss": loss, "figures": figures}

    def validation_step(self, batch: Any, number: int) -> dict[str, Any]:
        """The loss of a batch."""
        loss, figures = self.judged.loss(batch)  # type: ignore[operator]
        return {"loss": loss, "figures": figures}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam or AdamW."""
        chosen, weights = self._settings, list(self.network.parameters())
        fused = {weight.device.type for weight in weights} <= {"cpu", "cuda"}
        kind = torch.optim.AdamW if chosen.name == "adamw" else torch.optim.Adam
        groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": chosen.weight_decay}]
        if chosen.l2:
            # Adam calls weight decay what is the gradient of an L2 penalty.
            matrices = [weight for weight in weights if weight.ndim > 1]
            biases = [weight for weight in weights if weight.ndim <= 1]
            groups = [{"params": matrices, "weight_decay": chosen.l2}, {"params": biases}]
        return kind(
            groups, lr=chosen.lr, betas=chosen.betas, eps=chosen.eps, fused=fused or None,
            weight_decay=0.0,
        )  # fmt: skip


class Recorder(Callback):
    """Seeds, rates, figures, the best weights, checkpoints, and when to stop."""

    def __init__(
        self,
        *,
        settings: TrainingSettings,
        folder: Path,
        seed: int,
        identity: str,
        feed: Feed,
        progress: Callable[[Progress], None] | None,
        checkpoint_seconds: float,
        tensorboard: bool,
    ) -> None:
        self.settings, self.folder, self.seed, self.feed = settings, folder, seed, feed
        self.history: list[Row] = []
        self.best: dict[str, Tensor] | None = None
        self.best_epoch = -1
        self._identity, self._progress, self._between = identity, progress, checkpoint_seconds
        self._events = Events(folder) if tensorboard else None
        self._train, self._validation = Tally(), Tally()
        self._judgement: Row = {}
        self._best_loss = math.inf
        self._average: AveragedModel | None = None
        self._average_state: dict[str, Tensor] | None = None
        self._began = self._saved = self._told = time.monotonic()

    # -- what is kept over a kill ---------------------------------------------------------------

    def restore(self, path: Path) -> None:
        """Take over what a checkpoint says of the epochs so far."""
        kept = read_checkpoint(path)[KEY]
        if kept["identity"] != self._identity:
            raise ParameterError(
                "resume",
                True,
                f"the recipe, network and seed with which {path} was made, or another folder",
            )
        self.history, self.best = kept["history"], kept["best"]
        self.best_epoch, self._best_loss = kept["best_epoch"], kept["best_loss"]
        self._average_state = kept["average"]
        # Lightning asks for the first batches before it says which epoch it is.
        self.feed.epoch = len(self.history)

    def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        """Add our part to Lightning's."""
        checkpoint[KEY] = {
            "identity": self._identity,
            "history": self.history,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_loss": self._best_loss,
            "average": self._average.state_dict() if self._average else None,
        }

    def over(self) -> bool:
        """Whether the epochs so far are all."""
        budget, done = self.settings.budget, len(self.history)
        minutes = sum(row["seconds"] for row in self.history) / 60
        return (
            done >= budget.epochs
            or (budget.patience > 0 and done - 1 - self.best_epoch >= budget.patience > 0)
            or (budget.max_minutes > 0 and minutes >= budget.max_minutes)
        )

    # -- the loop -------------------------------------------------------------------------------

    def setup(self, trainer: Any, module: Any, stage: str) -> None:
        """Share the batches out among the processes."""
        self.feed.rank, self.feed.world = trainer.global_rank, trainer.world_size

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Make the average, or take it from where it was."""
        if self.settings.ema.momentum:
            # Buffers are copied, not averaged, as Keras has it.
            average = get_ema_multi_avg_fn(self.settings.ema.momentum)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(module.network, multi_avg_fn=average)
            if self._average_state is not None:
                self._average.load_state_dict(self._average_state)
            self._average.eval()
            module.judge(self._average.module)
        self._began = time.monotonic()

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """All randomness of an epoch comes from the seed and its number."""
        self.feed.epoch = trainer.current_epoch
        key = [self.seed, trainer.current_epoch, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        self._train, self._validation, self._judgement = Tally(), Tally(), {}

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, number: int) -> None:
        """The rate of this step."""
        part = number / self.feed.steps if self.feed.steps else 0.0
        progress = (trainer.current_epoch + min(part, 1.0)) / self.settings.budget.epochs
        optimiser = self.settings.optimiser
        rate = optimiser.lr * rate_factor(optimiser, progress)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, number: int
    ) -> None:
        """The figures of this step."""
        self._train.add(batch, outputs["loss"], outputs["figures"])
        if self._average is not None:
            self._average.update_parameters(module.network)
        now = time.monotonic()
        if self._progress is not None and now - self._told > TICK:
            self._tell(number + 1)

    def on_validation_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, number: int, loader: int = 0
    ) -> None:
        """The figures of a validation batch."""
        self._validation.add(batch, outputs["loss"], outputs["figures"])

    def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
        """Keep the weights if they are the best."""
        if not len(self._validation):
            return
        self._judgement = self._shared(trainer, self._validation, "validation")
        if self._judgement["validation_loss"] < self._best_loss:
            self._keep(trainer.current_epoch, module)
            self._best_loss = self._judgement["validation_loss"]

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Record the epoch, stop if it is time, save."""
        if not len(self._train):
            found = f"no batch in epoch {trainer.current_epoch}"
            raise ParameterError("train_batches", found, "at least one batch per epoch")
        row = self._row(trainer)
        if not self._judgement:
            self._keep(trainer.current_epoch, module)
        self.history.append(row)
        now = time.monotonic()
        over = self.over()
        # All processes must do the same, and their clocks differ.
        decided = over, over or now - self._saved >= self._between
        over, save = trainer.strategy.broadcast(decided)
        trainer.should_stop = trainer.should_stop or over
        if save:
            trainer.save_checkpoint(self.folder / NAME)
            self._saved = now
        if trainer.is_global_zero:
            write_history(self.folder, self.history)
            if self._events is not None:
                self._events.add(row)
        if self._progress is not None:
            self._tell(0)

    def close(self) -> None:
        """Write what is left of the logs."""
        if self._events is not None:
            self._events.close()

    # -- inside ---------------------------------------------------------------------------------

    def _row(self, trainer: Any) -> Row:
        now = time.monotonic()
        row = {
            "epoch": float(trainer.current_epoch),
            "seconds": now - self._began,
            "rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **self._shared(trainer, self._train, "train"),
            **self._judgement,
        }
        self._began = now
        for name in ("train_loss", "validation_loss"):
            if not math.isfinite(row.get(name, 0.0)):
                rate = self.settings.optimiser.lr
                what = f"{name} is {row[name]} in epoch {trainer.current_epoch}"
                raise ParameterError("optimiser.lr", rate, f"a smaller rate, or clipping: {what}")
        return row

    @staticmethod
    def _shared(trainer: Any, tally: Tally, prefix: str) -> Row:
        """Means over the rows of all processes."""
        sums = tally.sums()
        if trainer.world_size > 1:
            there = sums.to(trainer.strategy.root_device)
            sums = trainer.strategy.reduce(there, reduce_op="sum").cpu()
        return tally.figures(prefix, sums)

    def _keep(self, epoch: int, module: Any) -> None:
        state = module.judged.state_dict()
        self.best = {name: value.detach().cpu().clone() for name, value in state.items()}
        self.best_epoch = epoch

    def _tell(self, step: int) -> None:
        if self._progress is None:
            return
        self._told = time.monotonic()
        figures = self.history[-1] if self.history else {}
        epochs = self.settings.budget.epochs
        self._progress(Progress(len(self.history), epochs, step, self.feed.steps or 0, figures))
