"""Luminosity functions corrected for stars that were lost and for those that changed bins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.completeness.curves import band_index, bin_edges
from filar.completeness.response import Grid, Tested, local_slopes
from filar.completeness.table import ArtificialStars, RealStars
from filar.completeness.unfold import covariances, maximum_likelihood
from filar.errors import ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST_RECOVERED = 0.1
"""Bins of which a smaller part is recovered are not called reliable."""

_REWEIGHTINGS = 8
_KNOWN = 0.3  # Bins that are recovered better than this say how a luminosity function goes on.
_SETTLED = 0.02  # Dex per magnitude.


@dataclass(frozen=True, eq=False)
class LuminosityFunction:
    """Numbers of stars in bins of true magnitude.

    Parameters
    ----------
    band : str
        The filter.
    edges : (k + 1,) float64 array
        Of the bins, magnitudes.
    observed : (k,) float64 array
        Stars measured in each bin.
    number : (k,) float64 array
        Stars that there are; NaN where no artificial star tells.
    field_err : (k,) float64 array
        Its error as the number of stars in this field: chance of recovery, artificial stars.
    number_err : (k,) float64 array
        Its error as the number to expect in such a field: with Poisson noise as well.
    efficiency : (k,) float64 array
        Part of the stars of a bin that is recovered, with the luminosity function found.
    artificial : (k,) float64 array
        Artificial stars put in.
    reliable : (k,) bool array
        Where at least `LEAST_RECOVERED` is recovered; elsewhere the number is little more than the
        continuation of the others, and its errors are at least as large as it is.
    facts : dict
        How it was found.
    """

    band: str
    edges: FloatArray
    observed: FloatArray
    number: FloatArray
    field_err: FloatArray
    number_err: FloatArray
    efficiency: FloatArray
    artificial: FloatArray
    reliable: BoolArray
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def centres(self) -> FloatArray:
        """Middles of the bins."""
        return np.asarray(0.5 * (self.edges[1:] + self.edges[:-1]), float)

    def to_table(self) -> QTable:
        """Write down as a table, a row for each bin."""
        from astropy import units as u
        from astropy.table import QTable

        table = QTable(meta={"kind": "luminosity function", "band": self.band, **self.facts})
        table["mag_low"], table["mag_high"] = self.edges[:-1] * u.mag, self.edges[1:] * u.mag
        columns = {
            "observed": "stars measured in the bin",
            "number": "stars in the bin, corrected for incompleteness and changes of bin",
            "field_err": "error of number, for this field",
            "number_err": "error of number as that to expect in such a field, with Poisson noise",
            "efficiency": "part of the bin's stars that is recovered",
            "artificial": "artificial stars put into the bin",
            "reliable": f"whether {LEAST_RECOVERED:g} or more of the bin's stars are recovered",
        }
        for name, description in columns.items():
            table[name] = getattr(self, name)
            table[name].info.description = description
        return table


def corrected_luminosity_function(
    stars: RealStars,
    artificial: ArtificialStars,
    edges: Any,
    *,
    band: str | None = None,
    colour_edges: Any = None,
    groups: tuple[NDArray[Any], NDArray[Any]] | None = None,
    weights: FloatArray | None = None,
    behind: int | None = None,
    smoothness: float = 0.0,
) -> LuminosityFunction:
    """Correct a luminosity function for incompleteness and for stars that change bins.

    The counts in bins of measured magnitude are Poisson numbers about the response, which the
    artificial stars give, times the numbers in bins of true magnitude; these follow by maximum
    likelihood. Within bins, artificial stars are reweighted so that they follow the slope of the
    luminosity function found, and all is repeated until that settles: the artificial luminosity
    function need not be that of the stars.

    The artificial stars must have the stars' positions, or `groups` have to tell places apart, and
    reach beyond the bins of interest, in particular a magnitude fainter, because stars that are
    too faint scatter up. Let the outermost bins be there for this, and do not use them.

    Parameters
    ----------
    stars : RealStars
        Measured magnitudes of those that passed the cuts.
    artificial : ArtificialStars
        The same cuts, the same images.
    edges : (k + 1,) array
        Bins of magnitude; not much narrower than the errors.
    band : str or None
        The filter; by default the first.
    colour_edges : (c + 1,) array or None
        Bins of colour (first filter minus last) that are told apart, where recovery depends on
        the colour and artificial stars have other colours than real ones.
    groups : pair of (n,) and (m,) int arrays or None
        Numbers of the regions, or classes of sky or crowding, in which the stars and the
        artificial ones are; each is corrected by itself, then all are added.
    weights : (m,) array or None
        Of the artificial stars.
    behind : int or None
        Where the artificial stars were made up (`filar.completeness.imagined`): how many there were
        for the model to be trained on, which says how well the response is known.
    smoothness : float
        0 for none; else the part of each neighbouring bin that is mixed in every round, for bins
        that are narrower than the errors. The errors told remain those without it.

    Returns
    -------
    LuminosityFunction

    Raises
    ------
    ParameterError
        For other filters, edges that do not rise, a single filter where colours are asked for,
        groups or weights of another length, or a group without artificial stars.
    """
    _check(stars, artificial, groups, weights, smoothness)
    if behind is not None and behind < 1:
        raise ParameterError("behind", behind, "1 or more artificial stars, or None")
    known = 1.0 if behind is None else min(1.0, behind / len(artificial))
    column = band_index(artificial.bands, band)
    colours = None if colour_edges is None else bin_edges(colour_edges)
    if colours is not None and len(artificial.bands) < 2:
        raise ParameterError("colour_edges", colours.tolist(), "None for a single filter")
    grid = Grid(bin_edges(edges), colours)
    real_group, test_group = groups or (np.zeros(len(stars), int), np.zeros(len(artificial), int))
    kept = artificial.recovered & np.isfinite(artificial.mag_out[:, column])
    given = grid.cells(artificial.mag_in[:, column], _colour(artificial.mag_in))
    found = grid.cells(artificial.mag_out[:, column], _colour(artificial.mag_out))
    found = np.where(kept, found, -1)
    centres = 0.5 * (grid.edges[1:] + grid.edges[:-1])
    place = artificial.mag_in[:, column] - centres[given % grid.magnitudes]
    measured = grid.cells(stars.mag[:, column], _colour(stars.mag))
    weights = np.ones(len(artificial)) if weights is None else np.asarray(weights, float)
    parts = []
    for group in np.unique(real_group):
        chosen = (test_group == group) & (given >= 0) & (weights > 0)
        if not chosen.any():
            raise ParameterError("groups", group, "groups that artificial stars are in too")
        tested = Tested(given[chosen], found[chosen], place[chosen], grid)
        inside = measured[(real_group == group) & (measured >= 0)]
        counts = np.bincount(inside, minlength=len(grid)).astype(float)
        parts.append(_correct(counts, tested, weights[chosen], smoothness, known))
    return _together(artificial.bands[column], grid, parts)


def weighted_luminosity_function(
    mag: FloatArray, p_recovered: FloatArray, edges: Any
) -> tuple[FloatArray, FloatArray]:
    """Count stars as one over their probability to be recovered: the usual way, without bin jumps.

    Parameters
    ----------
    mag : (n,) array
        Measured magnitudes.
    p_recovered : (n,) array
        Probabilities; stars of 0 are left out.
    edges : (k + 1,) array
        Bins.

    Returns
    -------
    number, error : (k,) float64 arrays
    """
    edges = bin_edges(edges)
    good = np.isfinite(mag) & (p_recovered > 0)
    weight = 1.0 / p_recovered[good]
    number = np.histogram(mag[good], edges, weights=weight)[0]
    square = np.histogram(mag[good], edges, weights=weight**2)[0]
    return np.asarray(number, float), np.asarray(np.sqrt(square), float)


@dataclass(frozen=True, eq=False)
class _Part:
    """One group's numbers, in cells of magnitude and colour."""

    counts: FloatArray
    number: FloatArray
    freedom: FloatArray
    field: FloatArray
    rate: FloatArray
    efficiency: FloatArray
    tested: FloatArray
    rounds: int


def _correct(
    counts: FloatArray, tested: Tested, weights: FloatArray, smoothness: float, known: float
) -> _Part:
    """Numbers of one group: response, likelihood, slopes within bins, again."""
    grid = tested.grid
    mixing = _mixing(grid, smoothness)
    slope = local_slopes(grid.by_magnitude(tested.counts()), grid.edges)
    number = first = counts
    rounds = 0
    for attempt in range(_REWEIGHTINGS):
        response, effective = tested.response(weights * tested.weights(slope))
        efficiency = response.sum(axis=0)
        if attempt == 0:
            number = first = _start(counts, efficiency, grid)
        number, rounds = maximum_likelihood(counts, response, number, smoothness=mixing)
        new = local_slopes(
            grid.by_magnitude(number), grid.edges, grid.by_magnitude(number * efficiency)
        )
        settled = np.abs(new - slope).max() < _SETTLED
        slope = new
        if settled:
            break
    freedom = np.maximum(number, first)
    field, rate = covariances(number, response, known * effective, freedom)
    return _Part(counts, number, freedom, field, rate, efficiency, tested.counts(), rounds)


def _start(counts: FloatArray, efficiency: FloatArray, grid: Grid) -> FloatArray:
    """First estimate: counts over the part recovered, and its straight continuation."""
    simple = counts / np.maximum(efficiency, _KNOWN)
    by_mag, seen = grid.by_magnitude(simple), grid.by_magnitude(counts)
    share = np.divide(seen, by_mag, out=np.zeros_like(seen), where=by_mag > 0)
    known = np.flatnonzero((share >= _KNOWN) & (seen > 0))
    if not len(known):
        return simple + 1.0
    last = known[-1]
    slope = float(np.clip(local_slopes(by_mag, grid.edges)[max(last - 1, 0)], -0.5, 1.0))
    centres = 0.5 * (grid.edges[1:] + grid.edges[:-1])
    colours = simple.reshape(grid.colours, -1).copy()
    profile = colours[:, max(last - 1, 0) : last + 1].sum(axis=1) + 0.1
    profile /= profile.sum()
    for k in range(last + 1, grid.magnitudes):
        level = by_mag[last] * 10 ** (slope * (centres[k] - centres[last]))
        colours[:, k] = level * profile
    return np.asarray(colours.ravel() + 0.1, float)


def _mixing(grid: Grid, smoothness: float) -> FloatArray | None:
    """Mix each bin of magnitude with its neighbours of the same colour."""
    if smoothness == 0:
        return None
    k = grid.magnitudes
    one = np.eye(k) + smoothness * (np.eye(k, k=1) + np.eye(k, k=-1))
    one /= one.sum(axis=1, keepdims=True)
    return np.asarray(np.kron(np.eye(grid.colours), one), float)


def _together(band: str, grid: Grid, parts: list[_Part]) -> LuminosityFunction:
    """Add up groups and colours."""

    def total(name: str) -> FloatArray:
        return grid.by_magnitude(np.sum([getattr(part, name) for part in parts], axis=0))

    def error(name: str) -> FloatArray:
        summed = np.sum([getattr(part, name) for part in parts], axis=0)
        k, c = grid.magnitudes, grid.colours
        variance = np.einsum("ckdk->k", summed.reshape(c, k, c, k))
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), float)

    number, artificial = total("number"), total("tested")
    seen = grid.by_magnitude(np.sum([part.number * part.efficiency for part in parts], axis=0))
    plain = grid.by_magnitude(np.sum([part.tested * part.efficiency for part in parts], axis=0))
    # Where there are no stars, the artificial ones say what part of them would be recovered.
    above, below = (np.where(number > 0, a, b) for a, b in ((seen, plain), (number, artificial)))
    efficiency = np.divide(above, below, out=np.full(len(number), np.nan), where=below > 0)
    known = artificial > 0
    tests = np.maximum(artificial, 1.0)
    # Half a star that was lost, or recovered, by chance among the artificial ones, and one among
    # the real ones: errors of 0 are none.
    least = np.sqrt((number + number**2 / tests) * 0.5 / (tests + 1.0))
    field_err = np.maximum(error("field"), least)
    rate_err = np.maximum(error("rate"), 1.0 / np.maximum(efficiency, LEAST_RECOVERED))
    reliable = known & (efficiency >= LEAST_RECOVERED)
    doubt = np.where(reliable, 0.0, total("freedom"))
    number, field_err, rate_err = (
        np.where(known, values, np.nan)
        for values in (number, np.hypot(field_err, doubt), np.hypot(rate_err, doubt))
    )
    facts = {"groups": len(parts), "colours": grid.colours}
    facts["rounds"] = max(part.rounds for part in parts)
    return LuminosityFunction(
        band, grid.edges, total("counts"), number, field_err, rate_err, efficiency, artificial,
        reliable, facts,
    )  # fmt: skip


def _colour(mag: FloatArray) -> FloatArray:
    """First filter minus last."""
    return np.asarray(mag[:, 0] - mag[:, -1], float)


def _check(
    stars: RealStars,
    artificial: ArtificialStars,
    groups: tuple[NDArray[Any], NDArray[Any]] | None,
    weights: FloatArray | None,
    smoothness: float,
) -> None:
    if stars.bands != artificial.bands:
        allowed = "those of the artificial stars: " + ", ".join(artificial.bands)
        raise ParameterError("bands of the stars", ", ".join(stars.bands), allowed)
    if groups is not None:
        lengths, wanted = tuple(len(g) for g in groups), (len(stars), len(artificial))
        if lengths != wanted:
            raise ParameterError("lengths of groups", lengths, f"one for each star: {wanted}")
    if weights is not None and (np.shape(weights) != (len(artificial),) or np.any(weights < 0)):
        raise ParameterError("weights", np.shape(weights), "0 or more for each artificial star")
    if not 0 <= smoothness < 1:
        raise ParameterError("smoothness", smoothness, "0 or more, below 1")
