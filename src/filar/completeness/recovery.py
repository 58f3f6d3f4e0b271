"""Recovery probabilities of a catalogue's stars: whether a model suits it, and its new columns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.completeness.table import FloatArray, RealStars
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.completeness.estimator import CompletenessModel

P, IN_DOMAIN = "p_recovered", "in_domain"
OTHER_IN_DOMAIN = "p_recovered_in_domain"
"""Name where a catalogue has an ``in_domain`` already: that of its positions."""
LIKELY = 0.5
"""Stars are counted, weighted by 1 / p, where p is at least this."""


@dataclass(frozen=True)
class Recovery:
    """What was said of a catalogue's stars.

    Parameters
    ----------
    number, inside : int
        Stars, and how many are in the model's domain.
    median : float
        Median probability of those in the domain; NaN if there are none.
    likely : int
        How many of those have a probability of `LIKELY` or more.
    stand_for : float
        The sum of their 1 / p: so many stars there are of the kind.
    in_domain : str
        Name of the column that says which are in the domain.
    """

    number: int
    inside: int
    median: float
    likely: int
    stand_for: float
    in_domain: str = IN_DOMAIN


def check_catalog(
    stars: RealStars,
    model: CompletenessModel,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
) -> list[str]:
    """See whether a model's probabilities hold for the stars of a catalogue.

    Parameters
    ----------
    stars : RealStars
        The catalogue.
    model : CompletenessModel
        The model.
    path : path-like
        The catalogue's file, for messages.
    force : bool
        Take other cuts and another magnitude system for warnings.

    Returns
    -------
    list of str
        Warnings, a line each.

    Raises
    ------
    InputFileError
        If the catalogue is in other bands, lacks a covariate or has no value of it, was cut in
        another way or has magnitudes of another system.
    """
    card, inputs = model.card_, model.inputs_
    wanted = ", ".join(inputs.bands)
    if not set(inputs.bands) <= set(stars.bands):
        expected = f"{wanted}, which the model is for"
        advice = "take another model, or say what the bands are called"
        raise InputFileError(path, f"bands {', '.join(stars.bands)}", expected, advice)
    for band in inputs.bands:
        if not np.isfinite(stars.mag[:, stars.bands.index(band)]).any():
            raise InputFileError(path, f"no star has a magnitude in {band}", f"some in {wanted}")
    known = {"x": stars.x, "y": stars.y, **stars.covariates}
    for name in inputs.covariates:
        found = f"no covariate {name}" if name not in known else f"no star has a known {name}"
        if name not in known or not np.isfinite(known[name]).any():
            expected = f"{', '.join(inputs.covariates)}, which the model takes"
            advice = "filar asts --stars writes them; images and detections give them"
            raise InputFileError(path, found, expected, advice)
    return _other_ways(stars.meta, card.cuts, card.mag_system, path, force)


def _other_ways(
    meta: Mapping[str, Any],
    cuts: Mapping[str, Any],
    system: str,
    path: str | os.PathLike[str],
    force: bool,
) -> list[str]:
    """Refuse, or warn of, cuts and magnitudes that are not the model's."""
    told = []
    differences = different_cuts(meta["cuts"], cuts) if "cuts" in meta and cuts else []
    if differences:
        told.append(f"other cuts than the model's: {'; '.join(differences)}")
    theirs = str(meta.get("mag_system", ""))
    if theirs and system and theirs != system:
        told.append(f"{theirs} magnitudes, the model is for {system} ones")
    if told and not force:
        expected = "the stars that the model is for, or its probabilities are not theirs"
        raise InputFileError(path, ", and ".join(told), expected, "or take it anyway: --force")
    if "cuts" not in meta and cuts:
        listed = ", ".join(f"{key} {_text(value)}" for key, value in sorted(cuts.items()))
        told.append(f"it does not say how its stars were cut; the model's cuts are {listed}")
    return told


def different_cuts(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Tell in what two sets of cuts differ.

    Parameters
    ----------
    one, other : mapping
        Limits by name.

    Returns
    -------
    list of str
        ``name value, not value`` for each that differs; order of lists and type of numbers do not
        matter.
    """
    return [
        f"{key} {_text(one.get(key))}, not {_text(other.get(key))}"
        for key in dict.fromkeys([*one, *other])
        if not _alike(one.get(key), other.get(key))
    ]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return sorted(map(str, a)) == sorted(map(str, b))
    try:
        return bool(np.isclose(float(a), float(b), rtol=1e-9, atol=0))
    except (TypeError, ValueError):
        return bool(a == b)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def add_recovery(
    table: QTable, stars: RealStars, model: CompletenessModel, name: str = ""
) -> Recovery:
    """Put the probability that each star is recovered into a catalogue.

    Parameters
    ----------
    table : QTable
        The catalogue, n rows; it gets ``p_recovered`` (NaN for stars without a magnitude) and
        ``in_domain``, those of an earlier run are replaced. Covariates that it lacks are added.
    stars : RealStars
        The same stars, row by row.
    model : CompletenessModel
        Suits them, see `check_catalog`.
    name : str
        The model's, for ``meta``.

    Returns
    -------
    Recovery

    Raises
    ------
    ParameterError
        If the table has other rows than there are stars, or the model does not suit.
    """
    from astropy.table import Column

    if len(table) != len(stars):
        raise ParameterError("table", f"{len(table)} rows", f"{len(stars)}, one for each star")
    p: FloatArray = np.where(np.isfinite(stars.mag).any(axis=1), model.p_recovered(stars), np.nan)
    inside = model.in_domain(stars)
    column = _free_name(table)
    for key, values in stars.covariates.items():
        if key not in table.colnames:
            table[key] = Column(values, description="covariate of completeness")
            if "covariates" in table.meta:
                table.meta["covariates"] = [*table.meta["covariates"], key]
    table[P] = Column(p, description="probability that such a star is found and passes all cuts")
    table[column] = Column(inside, description="p_recovered is of a model trained on such stars")
    table[P].info.format = ".5f"
    card = model.card_
    table.meta["completeness"] = {
        "model": name,
        "recipe": card.recipe.name,
        "data": card.data,
        "bands": list(card.bands),
        "magnitudes": card.magnitudes,
        "cuts": dict(card.cuts),
    }
    good = inside & (p >= LIKELY)
    return Recovery(
        number=len(stars),
        inside=int(inside.sum()),
        median=float(np.median(p[inside])) if inside.any() else float("nan"),
        likely=int(good.sum()),
        stand_for=float((1.0 / p[good]).sum()),
        in_domain=column,
    )


def _free_name(table: QTable) -> str:
    """Take the columns of an earlier run out; give the name of the one for the domain."""
    again = P in table.colnames
    if again:
        earlier = OTHER_IN_DOMAIN if OTHER_IN_DOMAIN in table.colnames else IN_DOMAIN
        table.remove_columns([name for name in (P, earlier) if name in table.colnames])
    return OTHER_IN_DOMAIN if IN_DOMAIN in table.colnames else IN_DOMAIN
