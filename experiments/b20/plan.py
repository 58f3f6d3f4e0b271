"""How much is simulated, and which networks are trained on it."""

from __future__ import annotations

from dataclasses import dataclass

from filar.learn.recipe import Recipe, load_recipe, override

OURS, PAPERS, NARROW, BOOSTING = "filar", "b20", "b20-narrow", "boosting"

ABOUT = {
    OURS: "filar-clusters",
    PAPERS: "B20's ResNet-50",
    NARROW: "B20's layers with a quarter of their channels",
    BOOSTING: "boosted trees on aperture photometry",
}

TRAINED = (0.94, 0.06, 0.0)
"""Parts to train and to choose the best epoch by; a set of its own judges."""

QUARTER = 16
"""Channels of the narrow network's first convolution."""

TEST_SEED = 1_000_000
"""Added to the seed for clusters and galaxies that judge."""


@dataclass(frozen=True)
class Size:
    """How much is done.

    Parameters
    ----------
    clusters, scenes : int
        Mock clusters and galaxies to train on.
    test, test_scenes : int
        To be judged by; a third of the cutouts are backgrounds.
    methods : tuple of str
        Networks that are trained.
    epochs : dict of str to int
        Passes of each, where they are not the recipe's.
    rounds : int
        Times that each cluster is shown to the trees, in front of something else.
    averaged : bool
        Whether weights are averaged over the last hundreds of steps, if there are so many.
    """

    clusters: int
    scenes: int
    test: int
    test_scenes: int
    methods: tuple[str, ...]
    epochs: dict[str, int]
    rounds: int
    averaged: bool = True


SIZES = {
    "quick": Size(400, 8, 300, 3, (OURS, NARROW), {OURS: 6, NARROW: 3}, 1, False),
    "default": Size(48_000, 60, 6_000, 12, (OURS, NARROW), {OURS: 10, NARROW: 4}, 1),
    "full": Size(100_000, 100, 15_000, 24, (OURS, NARROW, PAPERS), {}, 1),
}


def recipe_of(name: str, size: Size, half: bool = False) -> Recipe:
    """A network's recipe, for a set of which nothing is kept to test on.

    Parameters
    ----------
    name : str
        `OURS`, `PAPERS` or `NARROW`.
    size : Size
        With the passes.
    half : bool
        Whether our network's convolutions compute in bfloat16.

    Returns
    -------
    Recipe
    """
    changes: dict[str, object] = {"mocks.fractions": TRAINED}
    if name == NARROW:
        changes |= {"name": NARROW, "network.channels": QUARTER, "about": ABOUT[NARROW]}
    if name in size.epochs:
        changes["budget.epochs"] = size.epochs[name]
    if half and name == OURS:
        changes["network.half"] = True
    if not size.averaged:
        changes["ema.momentum"] = 0.0
    return override(load_recipe("filar-clusters" if name == OURS else "b20"), changes)
