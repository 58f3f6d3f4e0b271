"""What ``filar completeness`` writes beside its catalogue: a luminosity function, limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filar.cli import console
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.limits import Stars
    from filar.completeness.table import ArtificialStars, RealStars

STEP = 0.5
"""Magnitudes of a bin of the luminosity function."""
NODES = 24
"""Of the map of limits along each axis."""
_IMAGINED = 200_000


def check_products(
    asts: Path | None, lf: Path | None, limits: Path | None, inputs: list[Path]
) -> None:
    """See that what is asked for can be written, before anything is computed.

    Parameters
    ----------
    asts : path or None
        Table of artificial stars.
    lf, limits : path or None
        Files to write.
    inputs : list of path
        Other files of the command, which must not be overwritten.

    Raises
    ------
    ParameterError
        If a luminosity function is wanted without artificial stars, or a name is taken.
    InputFileError
        If there is no such table.
    OutputFileError
        If a file cannot be written.
    """
    from filar.catalogfile import check_output

    if lf is not None and asts is None:
        allowed = "with --asts, the artificial stars that say which stars change bins"
        raise ParameterError("--lf", str(lf), allowed)
    if asts is not None and lf is None and limits is None:
        raise ParameterError("--asts", str(asts), "with --lf or --limits")
    if asts is not None and not asts.is_file():
        raise InputFileError(asts, "there is no such file", "a table of artificial stars")
    taken = {path.resolve() for path in [*inputs, *([asts] if asts else [])]}
    for path in (lf, limits):
        if path is not None:
            check_output(path)
            if path.resolve() in taken:
                raise ParameterError("output", str(path), "another name than the other files'")
            taken.add(path.resolve())


def write_products(
    model: CompletenessModel,
    stars: RealStars,
    asts: Path | None,
    lf: Path | None,
    limits: Path | None,
) -> None:
    """Write them.

    Parameters
    ----------
    model : CompletenessModel
        Gives the probabilities.
    stars : RealStars
        Of the catalogue.
    asts, lf, limits : path or None
        See `check_products`.

    Raises
    ------
    InputFileError
        If the table of artificial stars cannot be used.
    ParameterError
        If it is in other bands than the catalogue.
    OutputFileError
        If a file cannot be written.
    """
    from filar.catalogfile import write_catalog
    from filar.completeness.readers import read_artificial_stars

    artificial = None if asts is None else read_artificial_stars(asts)
    if lf is not None and artificial is not None:
        table = luminosity_table(model, stars, artificial)
        write_catalog(table, lf)
        _tell(f"{int(table['reliable'].sum())} of {len(table)} bins are reliable: {lf}")
    if limits is not None:
        table = limits_table(model, stars if artificial is None else artificial)
        write_catalog(table, limits)
        _tell(f"limiting magnitudes at {len(table)} places: {limits}")


def luminosity_table(
    model: CompletenessModel, stars: RealStars, artificial: ArtificialStars
) -> QTable:
    """Corrected luminosity function in the first band, in bins of half a magnitude.

    Parameters
    ----------
    model : CompletenessModel
        If it knows the errors of the magnitudes, artificial stars are made up by it.
    stars : RealStars
        Of the catalogue.
    artificial : ArtificialStars
        Of the same images.

    Returns
    -------
    QTable
    """
    import numpy as np

    from filar.completeness.colours import color_weights
    from filar.completeness.imagined import imagined_stars
    from filar.completeness.luminosity import corrected_luminosity_function

    given = artificial.mag_in[:, 0]
    low, high = np.nanmin(given), np.nanmax(given)
    edges = np.arange(np.floor(low / STEP) * STEP, high + STEP, STEP)
    behind = len(artificial)
    if model.errors_ is not None and model.inputs_.magnitudes == "input":
        limits = float(low), float(high)
        artificial = imagined_stars(model, artificial, _IMAGINED, limits=limits)
    weights = color_weights(stars, artificial)
    found = corrected_luminosity_function(stars, artificial, edges, weights=weights, behind=behind)
    table = found.to_table()
    table.meta["artificial_stars"] = behind
    table.meta["made_up"] = int(len(artificial) if len(artificial) != behind else 0)
    return table


def limits_table(model: CompletenessModel, like: Stars) -> QTable:
    """Limiting magnitudes in the first band: over the image, or against colour without positions.

    Parameters
    ----------
    model : CompletenessModel
        Gives the probabilities.
    like : ArtificialStars or RealStars
        Tell covariates and positions.

    Returns
    -------
    QTable
        Columns x, y or color, and limit_50 and limit_80: NaN where the level is not reached, or
        not yet passed, within the magnitudes that the model was trained on.
    """
    import numpy as np
    from astropy import units as u
    from astropy.table import QTable

    from filar.completeness.limits import (
        LEVELS,
        limiting_magnitude,
        places_along,
        places_on_grid,
        typical_place,
    )

    table = QTable(meta={"kind": "limiting magnitudes", "band": like.bands[0]})
    known = np.isfinite(like.x + like.y)
    if known.any():
        axes = [np.linspace(v[known].min(), v[known].max(), NODES) for v in (like.x, like.y)]
        at = places_on_grid(like, *axes)
        table["x"], table["y"] = at.x * u.pix, at.y * u.pix
    else:
        mag = like.magnitudes()
        color = mag[:, 0] - mag[:, -1]
        blue, red = np.nanquantile(color, [0.02, 0.98])
        colors = np.linspace(blue, red, NODES)
        place = typical_place(like)
        at = places_along(place, "color", colors) if len(like.bands) > 1 else place
        table["color"] = at.mag[:, 0] - at.mag[:, -1]
    search = _search(model, like)
    for level in LEVELS:
        found = limiting_magnitude(model, at, level=level, search=search)
        name = f"limit_{100 * level:.0f}"
        table[name] = found.mag * u.mag
        table[name].info.description = f"{like.bands[0]} at which {100 * level:.0f}% are recovered"
        table.meta[f"{name}_never_reached"] = int(found.never.sum())
        table.meta[f"{name}_beyond_the_faintest"] = int(found.beyond.sum())
    for name, values in at.covariates.items():
        if name not in table.colnames:
            table[name] = values
    return table


def _search(model: CompletenessModel, like: Stars) -> tuple[float, float]:
    """Magnitudes of the model's domain."""
    import numpy as np

    ranges = model.card_.ranges
    if (own := ranges.get(f"mag {like.bands[0]}")) is not None:
        return float(own[0]), float(own[1])
    mag = like.magnitudes()[:, 0]
    return float(np.nanmin(mag)), float(np.nanmax(mag))


def _tell(text: str) -> None:
    console.messages().print(text, markup=False, soft_wrap=True)
