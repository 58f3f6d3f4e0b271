"""Searching the space of a recipe of saturated stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from filar.learn.recipe import Recipe, override
from filar.saturation.data import Samples
from filar.saturation.networks import check_recipe
from filar.saturation.parts import share_out
from filar.saturation.store import load_samples, save_samples

if TYPE_CHECKING:
    from filar.learn.search import SearchProgress, SearchResult
    from filar.learn.train import Progress

FILE = "samples.safetensors"


@dataclass(frozen=True)
class Trial:
    """Trains once by a recipe, in whatever process.

    Parameters
    ----------
    samples : Path
        The file of samples.
    seed : int
        Of every training.
    accelerator : str
        Lightning's.
    """

    samples: Path
    seed: int = 0
    accelerator: str = "cpu"

    def __call__(self, recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        """Train in a folder, telling how far it is."""
        from filar.saturation.estimator import SaturationModel

        SaturationModel(recipe, seed=self.seed).fit(
            load_samples(self.samples), folder=folder, progress=progress,
            accelerator=self.accelerator,
        )  # fmt: skip


def search_saturation(
    recipe: Recipe,
    samples: Samples,
    folder: str | PathLike[str],
    *,
    trials: int,
    workers: int = 1,
    seed: int = 0,
    accelerator: str = "cpu",
    progress: Callable[[SearchProgress], None] | None = None,
) -> SearchResult:
    """Search a recipe's space by successive halving, see `filar.learn.search.search_recipe`.

    Parameters
    ----------
    recipe : Recipe
        With a space in ``search``. Each trial is one training, whatever the recipe says of several.
    samples : Samples
        With labels.
    folder : path-like
        For the search; the same call goes on there after an interruption.
    trials : int
        How many, those before an interruption included.
    workers : int
        Processes. With more than one, a script that calls this needs the usual
        ``if __name__ == "__main__"``.
    seed : int
        Of the search and of every training.
    accelerator : str
        Lightning's.
    progress : callable, optional
        Told how far the search is.

    Returns
    -------
    SearchResult
        The best recipe, by the validation loss, which trains as often as the one given; all trials.

    Raises
    ------
    ParameterError
        If the recipe has no space, the samples are too few, or every trial failed; or the folder's
        search was for another recipe or other samples.
    OutputFileError
        If the folder cannot be written, or another search is at work in it.
    """
    from dataclasses import replace

    from filar.learn.search import search_recipe

    check_recipe(recipe)
    share_out(samples, recipe, seed)
    own = {name: recipe.network.options[name] for name in ("trainings", "race")
           if name in recipe.network.options}  # fmt: skip
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / FILE).resolve()
    save_samples(file, samples)
    once = override(recipe, {"network.trainings": 1, "network.race": []})
    found = search_recipe(
        once, Trial(file, seed, accelerator), folder, trials=trials, workers=workers, seed=seed,
        data=samples.digest(), progress=progress,
    )  # fmt: skip
    again = {"network.trainings": own.get("trainings", 1), "network.race": own.get("race", [])}
    return replace(found, recipe=override(found.recipe, again))
