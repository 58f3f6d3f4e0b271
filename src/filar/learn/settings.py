"""The parts of a recipe: data, optimiser, weight averaging, budget, search space."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Limits = tuple[float, float]


class Settings(BaseModel):
    """A table of a recipe: it cannot be changed, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _check_fractions(fractions: tuple[float, ...]) -> None:
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions = {list(fractions)}: they must add up to 1")


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
        _check_fractions(self.fractions)
        return self


class TableSettings(Settings):
    """How a table of artificial stars is used.

    Attributes
    ----------
    magnitudes : {"input", "measured"}
        The magnitudes that a model is trained on: those put in, or those measured and, for stars
        that were lost, those put in.
    covariates : tuple of str, optional
        What else it is told; by default all that the table has.
    fractions : tuple of three floats
        Train, validation, test. Without validation the last epoch's weights are kept.
    errors : bool
        Whether the magnitudes' errors are learnt as well.
    """

    magnitudes: Literal["input", "measured"] = "input"
    covariates: tuple[str, ...] | None = None
    fractions: tuple[float, float, float] = (0.8, 0.0, 0.2)
    errors: bool = False

    @model_validator(mode="after")
    def _whole(self) -> TableSettings:
        _check_fractions(self.fractions)
        if self.fractions[0] == 0:
            raise ValueError(f"fractions = {list(self.fractions)}: nothing to train on")
        return self


class StarSettings(Settings):
    """How stamps of stars of known brightness are used.

    Attributes
    ----------
    size : int
        Pixels on a stamp's side; the star is in the middle one.
    fractions : tuple of three floats
        Of the stars: train, validation, test. Without validation the last epoch's weights are kept.
    flips : bool
        Whether each stamp to train on is also shown mirrored in x, in y and in both.
    damaged : int
        Stamps with more pixels of exactly one count, which overflows leave behind, are left out.
    """

    size: Annotated[int, Field(ge=11, le=101)] = 21
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    flips: bool = False
    damaged: Annotated[int, Field(ge=0)] = 4

    @model_validator(mode="after")
    def _whole(self) -> StarSettings:
        _check_fractions(self.fractions)
        if self.fractions[0] == 0:
            raise ValueError(f"fractions = {list(self.fractions)}: nothing to train on")
        if self.size % 2 == 0:
            raise ValueError(f"size = {self.size}: an odd number has a middle pixel")
        return self


class MixtureSettings(Settings):
    """How mock clusters and backgrounds are composed.

    Attributes
    ----------
    fractions : tuple of three floats
        Of the clusters, and of the scenes behind them: train, validation, test. Without validation
        the last epoch's weights are kept.
    backgrounds : float
        Part of the cutouts without a cluster in the middle.
    aside : float
        Part of those with a cluster away from the middle.
    peaks : float
        Part of the others that are centred on something bright.
    away : tuple of two floats
        How far clusters that are aside are from the middle, as parts of a cutout's side.
    depth : tuple of two floats
        Factor of the exposure times; its logarithm is uniform between these.
    turns : bool
        Whether cutouts to train on are mirrored and turned.
    """

    fractions: tuple[float, float, float] = (0.86, 0.07, 0.07)
    backgrounds: Annotated[float, Field(ge=0, lt=1)] = 0.35
    aside: Annotated[float, Field(ge=0, le=1)] = 0.2
    peaks: Annotated[float, Field(ge=0, le=1)] = 0.6
    away: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(lt=0.6)]] = (0.14, 0.4)
    depth: tuple[Annotated[float, Field(gt=0)], float] = (0.7, 1.4)
    turns: bool = True

    @model_validator(mode="after")
    def _whole(self) -> MixtureSettings:
        _check_fractions(self.fractions)
        if self.fractions[0] == 0:
            raise ValueError(f"fractions = {list(self.fractions)}: nothing to train on")
        for name in ("away", "depth"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} = {[low, high]}: the first must not be above the second")
        return self


class PhaseSettings(Settings):
    """A phase of a stepped training: some of the data, at one learning rate after the other.

    Attributes
    ----------
    part : float
        Of the training rows; each phase's contain those of phases with smaller parts.
    rates : tuple of two floats
        First and last learning rate.
    steps : int
        Rates, evenly spaced in the logarithm; one alone is the first.
    epochs : int
        Passes at each rate.
    """

    part: Annotated[float, Field(gt=0, le=1)] = 1.0
    rates: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    steps: Annotated[int, Field(ge=1)] = 1
    epochs: Annotated[int, Field(ge=1)]


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
    l2 : float
        Half of it times the sum of all weights' squares (biases apart) is added to the loss; only
        for "adam".
    betas : tuple of two floats
        Decay of the first and second moments.
    eps : float
        Added to the root of the second moment.
    schedule : {"constant", "cosine", "one-cycle", "stepped"}
        See `filar.learn.schedule.rate_factor`.
    phases : tuple of PhaseSettings
        Of the schedule "stepped", and only there.
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
    l2: Annotated[float, Field(ge=0)] = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    schedule: Literal["constant", "cosine", "one-cycle", "stepped"] = "constant"
    phases: tuple[PhaseSettings, ...] = ()
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    clip: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _decay(self) -> OptimiserSettings:
        if self.name == "adam" and self.weight_decay:
            raise ValueError("weight_decay needs name = 'adamw'")
        if self.name == "adamw" and self.l2:
            raise ValueError("l2 needs name = 'adam'")
        return self

    @model_validator(mode="after")
    def _stepped(self) -> OptimiserSettings:
        if (self.schedule == "stepped") != bool(self.phases):
            raise ValueError("phases and schedule = 'stepped' need each other")
        if self.phases:
            if self.warmup or self.floor:
                raise ValueError("warmup and floor: phases have none")
            largest = max(max(phase.rates) for phase in self.phases)
            if self.lr != largest:
                raise ValueError(f"lr = {self.lr}: must be the phases' largest rate, {largest}")
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
    batch_part : float
        Rows per step as a part of the training rows, with `batch_size` the most; 0: not so.
    batch_least : int
        Rows per step at least, with a `batch_part`.
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
    batch_part: Annotated[float, Field(ge=0, le=1)] = 0.0
    batch_least: Annotated[int, Field(ge=1)] = 1
    patience: Annotated[int, Field(ge=0)] = 0
    max_minutes: Annotated[float, Field(ge=0)] = 0.0
    steps_per_epoch: Annotated[int, Field(ge=0)] = 0

    def batch_rows(self, rows: int) -> int:
        """Rows per step.

        Parameters
        ----------
        rows : int
            Training rows.

        Returns
        -------
        int
        """
        if not self.batch_part:
            return self.batch_size
        return min(self.batch_size, max(self.batch_least, round(self.batch_part * rows)))


class TrainingSettings(Settings):
    """All that `filar.learn.train.train` needs to know of a recipe."""

    optimiser: OptimiserSettings = OptimiserSettings()
    ema: AveragingSettings = AveragingSettings()
    budget: BudgetSettings = BudgetSettings()

    @model_validator(mode="after")
    def _phases_fill_the_budget(self) -> TrainingSettings:
        check_phases(self.optimiser, self.budget)
        return self


def check_phases(optimiser: OptimiserSettings, budget: BudgetSettings) -> None:
    """See that the phases of a stepped training, if it is one, last as long as its budget.

    Parameters
    ----------
    optimiser, budget
        A recipe's.

    Raises
    ------
    ValueError
        If they do not, or an epoch is no pass through the data.
    """
    if not optimiser.phases:
        return
    total = sum(phase.steps * phase.epochs for phase in optimiser.phases)
    if budget.epochs != total:
        raise ValueError(f"budget.epochs = {budget.epochs}: the phases have {total}")
    if budget.steps_per_epoch:
        raise ValueError("budget.steps_per_epoch: phases count passes through the data")


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
