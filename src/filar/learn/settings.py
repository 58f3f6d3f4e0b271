"""The parts of a recipe: data, optimiser, weight averaging, budget, search space."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Limits = tuple[float, float]


class Settings(BaseModel):
    """A table of a recipe: it cannot be changed, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Named(BaseModel):
    """A network or a loss by its name; the other keys are its options.

    The options are checked by whoever builds the network or the loss, because only they know them.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """All keys but the name."""
        return dict(self.model_extra or {})


class DataSettings(Settings):
    """How rasters are chosen and prepared.

    Attributes
    ----------
    size : int
        Pixels on a raster's side.
    inputs : tuple of str
        The scalars that the network is given beside the raster.
    normalisation : str
        "sum": each raster divided by its sum (the papers); "noise": what the job's own networks do.
    isolation : float
        Pixels around a star within which no other may lie.
    q, snr : tuple of two floats
        Limits of the classic fit's quality (hst1pass's q) and signal-to-noise ratio.
    split : {"star", "stamp"}
        Whether all stamps of a star go to one part, or each stamp goes its own way.
    fractions : tuple of three floats
        Train, validation, test.
    subtract_neighbours : bool
        Whether the neighbours' light is taken off first.
    """

    size: Annotated[int, Field(ge=4, le=12)] = 6
    inputs: tuple[str, ...] = ()
    normalisation: Literal["sum", "noise"] = "sum"
    isolation: Annotated[float, Field(ge=0)] = 5.0
    q: Limits = (0.0001, 1.0)
    snr: Limits = (0.0, 1e9)
    split: Literal["star", "stamp"] = "star"
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    subtract_neighbours: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> DataSettings:
        for name in ("q", "snr"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name} = {[low, high]}: the first must be below the second")
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6:
            raise ValueError(f"fractions = {list(self.fractions)}: they must add up to 1")
        return self


class OptimiserSettings(Settings):
    """How the weights are moved.

    Attributes
    ----------
    name : {"adam", "adamw"}
        Adam, or Adam with decoupled weight decay.
    lr : float
        Learning rate; with a schedule the largest.
    weight_decay : float
        Per unit of learning rate and step; only for "adamw".
    betas : tuple of two floats
        Decay of the first and second moments.
    eps : float
        Added to the root of the second moment.
    schedule : {"constant", "cosine", "one-cycle"}
        See `filar.learn.schedule.rate_factor`.
    warmup : float
        Fraction of the training over which the rate rises.
    floor : float
        The last rate as a fraction of the largest.
    clip : float
        Largest norm of the gradient; 0: no limit.
    """

    name: Literal["adam", "adamw"] = "adamw"
    lr: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    schedule: Literal["constant", "cosine", "one-cycle"] = "constant"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    clip: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _decay(self) -> OptimiserSettings:
        if self.name == "adam" and self.weight_decay:
            raise ValueError("weight_decay needs name = 'adamw'")
        return self


class AveragingSettings(Settings):
    """Exponential moving average of the weights, updated after every step.

    Attributes
    ----------
    momentum : float
        What is kept of the average at each step; 0: no averaging.
    """

    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0


class BudgetSettings(Settings):
    """How long to train.

    Attributes
    ----------
    epochs : int
        At most so many.
    batch_size : int
        Rows per step.
    patience : int
        Stop after so many epochs without a better validation loss; 0: never.
    max_minutes : float
        Stop after the first epoch that ends later than this; 0: no limit.
    steps_per_epoch : int
        Steps after which an epoch ends whatever the amount of data (short data are gone through
        again); 0: one pass through the data.
    """

    epochs: Annotated[int, Field(ge=1)] = 100
    batch_size: Annotated[int, Field(ge=1)] = 256
    patience: Annotated[int, Field(ge=0)] = 0
    max_minutes: Annotated[float, Field(ge=0)] = 0.0
    steps_per_epoch: Annotated[int, Field(ge=0)] = 0


class TrainingSettings(Settings):
    """All that `filar.learn.train.train` needs to know of a recipe."""

    optimiser: OptimiserSettings = OptimiserSettings()
    ema: AveragingSettings = AveragingSettings()
    budget: BudgetSettings = BudgetSettings()


class SearchRange(Settings):
    """Where the search looks for one setting: a range, or a list of choices.

    Attributes
    ----------
    low, high : float or int, optional
        The ends; whole numbers give whole numbers.
    log : bool
        Uniform in the logarithm.
    choices : tuple, optional
        The values to choose from, instead of the ends.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[str | bool | int | float, ...] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SearchRange:
        if self.choices is not None:
            if self.low is not None or self.high is not None or not self.choices:
                raise ValueError("either choices (at least one), or low and high")
        elif self.low is None or self.high is None or not self.low < self.high:
            raise ValueError("low and high are needed, low below high (or choices)")
        elif self.log and self.low <= 0:
            raise ValueError("log needs low above 0")
        return self
