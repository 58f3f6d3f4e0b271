"""Trials of a search on disk: optuna's study in SQLite, safe against kills."""

from __future__ import annotations

import fcntl
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.settings import SearchRange

NAME = "search.sqlite"
FACTOR = 3
"""One in so many trials goes on at each halving, with so many times the epochs."""
MOST_HALVINGS = 4
SECONDS_FOR_LOCK = 60


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes
    ----------
    number : int
        In order of beginning.
    settings : dict of str to object
        Values of the searched settings by dotted name.
    value : float
        The least figure that it reached; NaN if none.
    complete : bool
        Whether it went all the way.
    error : str
        Why it failed, if it did.
    """

    number: int
    settings: dict[str, Any]
    value: float
    complete: bool
    error: str = ""


class Study:
    """The trials of one search; not optuna's study but what the search needs of it."""

    def __init__(self, study: Any, seed: tuple[int, ...]) -> None:
        self._study, self._seed = study, seed

    @classmethod
    @contextmanager
    def alone(cls, folder: Path, identity: str, epochs: int) -> Iterator[Self]:
        """Begin or continue the search of a folder; no other may be at work there.

        Parameters
        ----------
        folder : Path
            Made if need be.
        identity : str
            Digest of what must be the same.
        epochs : int
            Of a trial that goes all the way.

        Raises
        ------
        ParameterError
            If the search there is another.
        InputFileError
            If it is damaged.
        OutputFileError
            If the folder cannot be written, or another search is at work in it.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "search.lock").open("w")
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputFileError(folder, reason, "give another folder") from error
        with lock, _quiet():
            try:
                # The system gives it back whatever kills us.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                advice = "wait for it, or give another folder"
                raise OutputFileError(folder, "a search is at work there", advice) from error
            study = cls.join(folder, epochs, seed=())
            kept = study._study.user_attrs.get("identity")
            if kept is None:
                study._study.set_user_attr("identity", identity)
            elif kept != identity:
                allowed = f"the recipe and data of the search in {folder}, or another folder"
                raise ParameterError("search", "another recipe, figure or data", allowed)
            yield study

    @classmethod
    def join(cls, folder: Path, epochs: int, seed: tuple[int, ...]) -> Self:
        """Open the search of a folder from one of its processes.

        Parameters
        ----------
        folder : Path
            Of the search.
        epochs : int
            Of a trial that goes all the way.
        seed : tuple of int
            For drawing settings; another one for each process.

        Raises
        ------
        InputFileError
            If it is damaged.
        """
        import optuna
        from sqlalchemy.exc import SQLAlchemyError

        optuna.logging.set_verbosity(logging.ERROR)
        halvings = min(MOST_HALVINGS, int(math.log(epochs, FACTOR) + 1e-9))
        path = folder / NAME
        try:
            storage = optuna.storages.RDBStorage(
                f"sqlite:///{path}",
                engine_kwargs={"connect_args": {"timeout": SECONDS_FOR_LOCK}},
            )
            study = optuna.create_study(
                storage=storage,
                study_name="filar",
                load_if_exists=True,
                direction="minimize",
                pruner=optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=max(1, epochs // FACTOR**halvings), reduction_factor=FACTOR
                ),
            )
        except (SQLAlchemyError, RuntimeError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputFileError(
                path, f"cannot use it ({reason})", "the trials of a search", "delete it to begin"
            ) from error
        return cls(study, seed)

    def requeue(self) -> None:
        """Put trials that a kill or an interruption ended back into the queue."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self._study.enqueue_trial(trial.params)

    def failed(self) -> int:
        """How many numbers were given to trials that do not count."""
        from optuna.trial import TrialState

        return len(self._study.get_trials(states=(TrialState.FAIL,)))

    def ask(self, space: Mapping[str, SearchRange], limit: int) -> Any | None:
        """A new trial with its settings; None if its number reaches the limit."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        # Not one long stream of random numbers: a search that goes on must not draw them again.
        key = [*self._seed, len(self._study.get_trials(deepcopy=False))]
        self._study.sampler = TPESampler(seed=int(np.random.SeedSequence(key).generate_state(1)[0]))
        trial = self._study.ask()
        if trial.number >= limit:
            self._study.tell(trial, state=TrialState.FAIL)
            return None
        for name, where in space.items():
            _draw(trial, name, where)
        return trial

    def hopeless(self, trial: Any, value: float, epoch: int) -> bool:
        """Report a trial's figure after so many epochs; whether it is to end here."""
        trial.report(value, epoch)
        return bool(trial.should_prune())

    def complete(self, trial: Any, value: float) -> None:
        """End a trial that went all the way."""
        self._study.tell(trial, value)

    def give_up(self, trial: Any, error: str = "") -> None:
        """End a trial before its time."""
        from optuna.trial import TrialState

        if error:
            trial.set_user_attr("error", error)
        self._study.tell(trial, state=TrialState.PRUNED)

    def ended(self) -> list[Trial]:
        """Trials that have ended, in order."""
        from optuna.trial import TrialState

        states = (TrialState.COMPLETE, TrialState.PRUNED)
        return [
            Trial(
                trial.number,
                dict(trial.params),
                math.nan if trial.value is None else float(trial.value),
                trial.state == TrialState.COMPLETE,
                str(trial.user_attrs.get("error", "")),
            )
            for trial in self._study.get_trials(deepcopy=False, states=states)
        ]

    def best_value(self) -> float:
        """The least figure of a trial that went all the way; NaN before the first."""
        return min((t.value for t in self.ended() if t.complete), default=math.nan)


def _draw(trial: Any, name: str, where: SearchRange) -> None:
    if where.choices is not None:
        trial.suggest_categorical(name, where.choices)
    elif isinstance(where.low, int) and isinstance(where.high, int):
        trial.suggest_int(name, where.low, where.high, log=where.log)
    else:
        trial.suggest_float(name, where.low, where.high, log=where.log)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's own chatter off."""
    import optuna

    before = optuna.logging.get_verbosity()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"optuna\..*")
            yield
    finally:
        optuna.logging.set_verbosity(before)
