"""Searching the space of a recipe of star centres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from filar.learn.recipe import Recipe
    from filar.learn.search import SearchProgress, SearchResult
    from filar.learn.train import Progress


@dataclass(frozen=True)
class Trial:
    """Trains once by a recipe, in whatever process.

    Parameters
    ----------
    stamps : Path
        The set of stamps.
    seed : int
        Of every training.
    accelerator : str
    devices : int, str or list of int
        Lightning's.
    """

    stamps: Path
    seed: int = 0
    accelerator: str = "auto"
    devices: int | str | list[int] = "auto"

    def __call__(self, recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        """Train in a folder, telling how far it is."""
        from filar.centering.estimator import StarCenterer

        StarCenterer(recipe, seed=self.seed).fit(
            StampStore.open(self.stamps), folder=folder, progress=progress,
            accelerator=self.accelerator, devices=self.devices,
        )  # fmt: skip


def search_centering(
    recipe: Recipe,
    store: StampStore,
    folder: str | PathLike[str],
    *,
    trials: int,
    workers: int = 1,
    seed: int = 0,
    accelerator: str = "auto",
    devices: int | str | list[int] = "auto",
    progress: Callable[[SearchProgress], None] | None = None,
) -> SearchResult:
    """Search a recipe's space by successive halving, see `filar.learn.search.search_recipe`.

    Parameters
    ----------
    recipe : Recipe
        With a space in ``search``.
    store : StampStore
        Stamps with labels.
    folder : path-like
        For the search; the same call goes on there after an interruption.
    trials : int
        How many, those before an interruption included.
    workers : int
        Processes. With more than one, a script that calls this needs the usual
        ``if __name__ == "__main__"``.
    seed : int
        Of the search and of every training.
    accelerator, devices : optional
        Lightning's.
    progress : callable, optional
        Told how far the search is.

    Returns
    -------
    SearchResult
        The best recipe, by the validation loss, and all trials.

    Raises
    ------
    ParameterError
        If the recipe has no space, does not suit the stamps, or every trial failed; or the
        folder's search was for another recipe or other stamps.
    OutputFileError
        If the folder cannot be written, or another search is at work in it.
    """
    from filar.centering.estimator import check_stamps
    from filar.learn.search import search_recipe

    check_stamps(store, recipe)
    fit = Trial(store.path.resolve(), seed, accelerator, devices)
    return search_recipe(
        recipe, fit, folder, trials=trials, workers=workers, seed=seed, data=store.digest,
        progress=progress,
    )  # fmt: skip
