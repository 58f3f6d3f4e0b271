"""Matching measured stars to a catalogue by a WCS that is somewhat wrong."""

from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from filar.errors import InputFileError, ParameterError
from filar.saturation.catalogs import CatalogStars
from filar.saturation.overlap import check_overlap, project
from filar.saturation.skymatch import match_to_sky

SHAPE = (600, 800)


def make_wcs(scale: float = 0.4, turn: float = 0.0, shift: tuple[float, float] = (0, 0)) -> WCS:
    """A tangential projection; turn in degrees, shift in pixels."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [323.36, -0.82]
    wcs.wcs.crpix = [400.5 + shift[0], 300.5 + shift[1]]
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    wcs.wcs.cd = scale / 3600 * np.array([[-cos, sin], [sin, cos]])
    return wcs


def sky(n: int, seed: int = 0, wcs: WCS | None = None) -> CatalogStars:
    """Stars in the image and around it."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-100, 900, n), rng.uniform(-100, 700, n)
    ra, dec = (wcs or make_wcs()).all_pix2world(x, y, 0)
    mag = 18 - rng.exponential(1.5, n)
    return CatalogStars(np.arange(n), ra, dec, mag, np.full(n, 0.01), np.zeros(n, bool))


def measured(stars: CatalogStars, header: dict[str, Any], error: float = 0.05) -> Any:
    """What an image shows of them: the rows, positions and fluxes of 90 %, and false detections."""
    rng = np.random.default_rng(7)
    x, y = project(stars, make_wcs(**header), SHAPE)
    rows = np.flatnonzero(np.isfinite(x) & (rng.uniform(size=len(x)) < 0.9))
    n = len(rows)
    x, y = x[rows] + error * rng.normal(size=n), y[rows] + error * rng.normal(size=n)
    flux = 10 ** (0.4 * (25 - stars.mag[rows]))
    false = max(n // 5, 2)
    x = np.append(x, rng.uniform(0, 800, false))
    y = np.append(y, rng.uniform(0, 600, false))
    return np.append(rows, np.full(false, -1)), x, y, np.append(flux, np.full(false, 300.0))


@pytest.mark.parametrize(
    "header", [{}, {"shift": (4.2, -3.1)}, {"shift": (-7.3, 6.0), "turn": 0.3, "scale": 0.401}]
)
@pytest.mark.parametrize("n", [40, 600])
def test_the_stars_are_found_although_the_header_is_wrong(n: int, header: dict[str, Any]) -> None:
    stars = sky(n)
    rows, x, y, flux = measured(stars, header)
    found = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux)
    true = rows >= 0
    assert found.corrected
    assert np.mean(found.row[true] == rows[true]) > 0.97
    assert np.mean(found.row[~true] >= 0) < 0.1
    assert found.scatter == pytest.approx(0.05, abs=0.02)
    assert found.shift == pytest.approx(header.get("shift", (0, 0)), abs=1.5)
    there = project(stars, make_wcs(**header), SHAPE)
    for place, true_place in zip((found.x, found.y), there, strict=True):
        assert np.nanmax(np.abs(place - true_place)) < 0.3
    assert found.number == np.count_nonzero(found.row >= 0)


def test_each_star_once() -> None:
    stars = sky(900)
    _, x, y, flux = measured(stars, {}, error=0.7)
    row = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux).row
    matched = row[row >= 0]
    assert len(np.unique(matched)) == len(matched)


def test_a_bright_star_takes_the_detection_from_its_faint_neighbour() -> None:
    field = sky(60)
    ra, dec = make_wcs().all_pix2world([300, 301.0], [200, 200.4], 0)
    pair = CatalogStars(
        np.array([900, 901]), ra, dec, np.array([9.0, 17.0]), ra * 0, np.zeros(2, bool)
    )
    both: dict[str, Any] = {
        n: np.append(getattr(field, n), getattr(pair, n)) for n in CatalogStars.arrays()
    }
    stars = CatalogStars(**both)
    _, x, y, flux = measured(field, {})
    # one blend was measured, nearer to the faint star
    x, y, flux = np.append(x, 300.8), np.append(y, 200.3), np.append(flux, 1e6)
    found = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux)
    assert stars.id[found.row[-1]] == 900


def test_a_saturated_star_may_be_farther_off() -> None:
    stars = sky(100)
    rows, x, y, flux = measured(stars, {"shift": (2.0, 1.0)})
    star = int(np.argmax(np.where(rows >= 0, flux, 0)))
    y[star] += 2.4
    plain = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux)
    soft = np.arange(len(x)) == star
    known = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux, saturated=soft)
    assert plain.row[star] != rows[star]
    assert known.row[star] == rows[star]
    assert known.distance[star] == pytest.approx(2.4, abs=0.3)


def test_few_stars_are_matched_by_the_header_alone() -> None:
    stars = sky(60).select(slice(0, 4))
    rows, x, y, flux = measured(stars, {})
    found = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux)
    assert not found.corrected
    assert found.shift == (0, 0)
    assert (found.row == rows)[rows >= 0].all()


def test_another_field_gives_no_correction() -> None:
    stars = sky(300, seed=1)
    _, x, y, flux = measured(sky(300, seed=2), {})
    found = match_to_sky(stars, make_wcs(), x, y, SHAPE, flux=flux)
    assert not found.corrected
    assert found.number < 0.1 * len(x)


def test_nothing_measured_or_nothing_listed() -> None:
    none = np.empty(0)
    assert match_to_sky(sky(50), make_wcs(), none, none, SHAPE).number == 0
    empty = sky(50).select(slice(0, 0))
    found = match_to_sky(empty, make_wcs(), np.array([1.0]), np.array([np.nan]), SHAPE)
    assert found.row.tolist() == [-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"order": 0}, "order"), ({"search": -1.0}, "search"), ({"radius": 0}, "radius"),
     ({"flux": np.ones(3)}, "flux")],
)  # fmt: skip
def test_nonsense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        match_to_sky(sky(9), make_wcs(), np.ones(2), np.ones(2), SHAPE, **change)


def test_projection_is_that_of_the_wcs_and_ends_at_the_margin() -> None:
    stars = sky(500)
    x, y = project(stars, make_wcs(), SHAPE, margin=10)
    u, v = make_wcs().all_world2pix(stars.ra, stars.dec, 0)
    inside = (np.abs(u - 399.5) < 410) & (np.abs(v - 299.5) < 310)
    assert (np.isfinite(x) == inside).all()
    assert x[inside] == pytest.approx(u[inside])
    assert y[inside] == pytest.approx(v[inside])
    other_side = CatalogStars(
        np.arange(1),
        np.array([143.36]),
        np.array([0.82]),
        np.ones(1),
        np.ones(1),
        np.zeros(1, bool),
    )
    assert np.isnan(project(other_side, make_wcs(), SHAPE)[0]).all()


def test_overlap() -> None:
    stars = sky(200)
    number = check_overlap(stars, make_wcs(), SHAPE, "a.fits")
    assert number == np.isfinite(project(stars, make_wcs(), SHAPE)[0]).sum()
    with pytest.raises(InputFileError, match=rf"{number} of the catalogue's 200.*500 or more"):
        check_overlap(stars, make_wcs(), SHAPE, "a.fits", fewest=500)
    with pytest.raises(InputFileError, match=r"a\.fits: no celestial WCS.*solve its astrometry"):
        check_overlap(stars, None, SHAPE, "a.fits")


def altered(stars: CatalogStars, ra: Any, dec: Any) -> CatalogStars:
    return CatalogStars(stars.id, ra, dec, stars.mag, stars.mag_err, stars.variable)


@pytest.mark.parametrize("kind", ["far", "hours", "sign"])
def test_no_overlap_says_why(kind: str) -> None:
    stars = sky(200)
    ra, dec, message = {
        "far": (stars.ra - 20, stars.dec, r"nearest is 19\.9.*another field"),
        "hours": (stars.ra / 15, stars.dec, "hours"),
        "sign": (stars.ra, -stars.dec, "lack their sign"),
    }[kind]
    with pytest.raises(InputFileError, match=message):
        check_overlap(altered(stars, ra, dec), make_wcs(), SHAPE, "a.fits")


def test_swapped_positions_are_told() -> None:
    wcs = make_wcs()
    wcs.wcs.crval = [30.0, 12.0]
    stars = sky(200, wcs=wcs)
    with pytest.raises(InputFileError, match="swapped"):
        check_overlap(altered(stars, stars.dec, stars.ra), wcs, SHAPE, "a.fits")
