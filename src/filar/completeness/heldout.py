"""Which artificial stars may judge a model: those it has not been trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.completeness.data import digest, parts
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.table import ArtificialStars

LEAST_JUDGED = 50
"""Stars below which nothing is judged."""


def unseen(model: CompletenessModel, stars: ArtificialStars) -> NDArray[np.bool_] | None:
    """Stars of the table that a model was trained on which it was not trained on.

    Parameters
    ----------
    model : CompletenessModel
        Its card names the table it was trained on by its content.
    stars : ArtificialStars
        All n stars of a table, in the table's order.

    Returns
    -------
    (n,) bool array or None
        The model's own test part; None if it was trained on another table.

    Raises
    ------
    ParameterError
        If it was trained on this table and kept no test part.
    """
    if not model.card_.data or model.card_.data != digest(stars):
        return None
    fractions = model.recipe_.table.fractions
    # Without figures of a test part none was kept back.
    if not model.card_.figures or not fractions[2]:
        allowed = "a model that kept a test part back, or another table to judge it by"
        raise ParameterError("model", "one that was trained on all stars of this table", allowed)
    numbered = replace(stars, x=np.arange(len(stars), dtype=float))
    test = parts(numbered, fractions, model.card_.seed)[2]
    assert test is not None
    chosen = np.zeros(len(stars), bool)
    chosen[test.x.astype(int)] = True
    return chosen


def judged_rows(
    models: Mapping[str, CompletenessModel], stars: ArtificialStars
) -> tuple[NDArray[np.bool_], str]:
    """Stars that judge several models, the same for all.

    Parameters
    ----------
    models : mapping of str to CompletenessModel
        By name.
    stars : ArtificialStars
        All n stars of a table, in the table's order.

    Returns
    -------
    rows : (n,) bool array
        Those that no model was trained on.
    rule : str
        A sentence that says which they are.

    Raises
    ------
    ParameterError
        If too few are left.
    """
    rows = np.ones(len(stars), bool)
    own = []
    for name, model in models.items():
        chosen = unseen(model, stars)
        if chosen is not None:
            rows &= chosen
            own.append(name)
    if rows.sum() < LEAST_JUDGED:
        text = f"{np.count_nonzero(rows)} stars that none of {', '.join(own) or 'them'} has seen"
        raise ParameterError("models", text, f"{LEAST_JUDGED} stars or more to judge them by")
    if not own:
        rule = "These are all stars of the table; none of the models was trained on this file's."
        return rows, rule
    names = ", ".join(own)
    part = "its test part" if len(own) == 1 else "what their test parts have in common"
    return rows, f"The table is the one that {names} was trained on; judged is {part}."
