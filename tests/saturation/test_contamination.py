"""f_c and b_c against sums written out star by star."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from filar.errors import ParameterError
from filar.saturation.contamination import sky_contamination


def sky(n: int = 400, dec: float = -60.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    size = 300 / 3600
    ra = (10 + rng.uniform(-size, size, n) / np.cos(np.radians(dec))) % 360
    return ra, dec + rng.uniform(-size, size, n), rng.uniform(10, 20.5, n)


@pytest.mark.parametrize("dec", [0.0, -60.0, 85.0])
def test_light_of_the_neighbours_as_star_by_star(dec: float) -> None:
    ra, dec_, mag = sky(dec=dec)
    targets = np.arange(0, 400, 7)
    found = sky_contamination(ra, dec_, mag, targets, radius=20, field=80)
    places = SkyCoord(ra, dec_, unit=u.deg)
    light = np.where(mag <= 20, 10 ** (-0.4 * mag), 0)
    for target, f_c in zip(targets, found.f_c, strict=True):
        near = places[target].separation(places).arcsec < 20
        near[target] = False
        assert f_c == pytest.approx(light[near].sum() / 10 ** (-0.4 * mag[target]), rel=1e-9)
    assert (found.f_c > 0).any()


def test_background_is_the_median_of_random_apertures() -> None:
    # a field so crowded that its starlight is nearly even: the median is the mean
    rng = np.random.default_rng(1)
    n = 40000
    size = 0.1
    ra, dec = 50 + rng.uniform(-size, size, n), rng.uniform(-size, size, n)
    mag = np.full(n, 15.0)
    targets = np.flatnonzero((np.abs(ra - 50) < 0.05) & (np.abs(dec) < 0.05))[:60]
    found = sky_contamination(ra, dec, mag, targets, radius=20, field=120)
    expected = n * np.pi * 20**2 / (2 * size * 3600) ** 2
    assert np.mean(found.b_c) == pytest.approx(expected, rel=0.02)
    # so the light of the neighbours is on average what the sky takes away
    assert np.mean(found.f_c - found.b_c) == pytest.approx(0, abs=0.05 * expected)


def test_few_bright_stars_make_no_median_background() -> None:
    ra, dec, mag = sky(30)
    found = sky_contamination(ra, dec, mag, np.arange(30))
    assert np.all(found.b_c == 0)


def test_a_fainter_star_suffers_more() -> None:
    separation = 5 / 3600
    found = sky_contamination([10, 10, 10.1], [0, separation, 0], [10.0, 12.5, 9.0], [0, 1, 2])
    assert found.f_c == pytest.approx([0.1, 10.0, 0.0])


def test_stars_without_magnitude_or_too_faint_do_not_count() -> None:
    near = np.array([0, 1, 2, 3]) / 3600
    found = sky_contamination(np.full(4, 10.0), near, [10, np.nan, 20.5, np.nan], [0, 1])
    assert found.f_c[0] == 0
    assert np.isnan([found.f_c[1], found.b_c[1]]).all()
    assert len(found) == 2


def test_many_targets_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ra, dec, mag = sky()
    whole = sky_contamination(ra, dec, mag, np.arange(400), radius=20, field=80)
    monkeypatch.setattr("filar.saturation.contamination._BATCH", 37)
    parts = sky_contamination(ra, dec, mag, np.arange(400), radius=20, field=80)
    assert parts.f_c.tolist() == whole.f_c.tolist()


def test_nonsense_is_refused() -> None:
    ra, dec, mag = sky(10)
    for change, message in (
        ({"radius": 0.0}, "radius"), ({"field": 10.0}, "field"), ({"targets": [10]}, "targets"),
        ({"mag": mag[:3]}, "mag"),
    ):  # fmt: skip
        given = {"ra": ra, "dec": dec, "mag": mag, "targets": [0], **change}
        with pytest.raises(ParameterError, match=message):
            sky_contamination(**given)  # type: ignore[arg-type]
