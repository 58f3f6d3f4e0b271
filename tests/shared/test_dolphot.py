"""DOLPHOT's own photometry and artificial stars of a synthetic field, read as they are."""

from pathlib import Path

import numpy as np
import pytest

from filar.completeness.estimator import CompletenessModel
from filar.completeness.readers import read_artificial_stars, read_real_stars
from filar.completeness.table import ArtificialStars
from filar.instruments import read_exposures

BANDS = ("F555W", "F814W")
# Tabulated with the files: completeness by magnitude in the first band, and for 27.5-28 by sky.
BY_MAGNITUDE = {(24.5, 25.0): 0.998, (27.0, 27.5): 0.89, (27.5, 28.0): 0.73, (28.0, 28.5): 0.42}
BY_SKY = {(0, 80): 0.86, (80, 300): 0.57, (300, np.inf): 0.26}


@pytest.fixture(scope="module")
def stars(request: pytest.FixtureRequest) -> ArtificialStars:
    """Artificial stars with covariates from the images."""
    folder = request.getfixturevalue("shared") / "dolphot"
    images = [read_exposures(folder / f"img{i}.fits")[0] for i in (1, 2)]
    detections = read_real_stars(folder / "fs1", bands=BANDS)
    return read_artificial_stars(
        folder / "fs1.fake", bands=BANDS, images=images, detections=detections, limit=26.0, fwhm=1.9
    )


def groups(stars: ArtificialStars) -> list[tuple[np.ndarray, float]]:
    """Which stars are in each line of the tables, and the completeness there."""
    mag = stars.mag_in[:, 0]
    sky = 10 ** (-0.4 * stars.covariates["surface_brightness_F555W"])
    found = [((mag >= low) & (mag < high), p) for (low, high), p in BY_MAGNITUDE.items()]
    faint = (mag >= 27.5) & (mag < 28.0)
    return found + [(faint & (sky >= low) & (sky < high), p) for (low, high), p in BY_SKY.items()]


def test_recovered_fractions_are_those_tabulated(stars: ArtificialStars) -> None:
    assert len(stars) == 5000
    assert int((~stars.recovered).sum()) == 981 + 68  # of the 68 eleven carry the flag
    for group, expected in groups(stars):
        assert np.mean(stars.recovered[group]) == pytest.approx(expected, abs=0.016)


def test_positions_and_magnitudes_are_those_of_the_truth(shared: Path) -> None:
    folder = shared / "dolphot"
    truth = np.genfromtxt(folder / "fake_fs1_truth.csv", delimiter=",", names=True)
    stars = read_artificial_stars(folder / "fs1.fake")
    assert np.allclose(stars.x + 0.5, truth["x"], rtol=0, atol=0.0051)
    assert np.allclose(stars.mag_in[:, 1], truth["mag2"], rtol=0, atol=0.02)
    assert np.nanmedian(stars.delta, axis=0) == pytest.approx([0.0, 0.0], abs=0.02)


def test_a_pixels_centre_is_where_the_image_has_it(shared: Path) -> None:
    folder = shared / "dolphot"
    image = read_exposures(folder / "img1.fits")[0]
    stars = read_real_stars(folder / "fs1", cuts={"snr": 50, "sharp": 0.1, "crowd": 0.05})
    place = np.rint(np.stack([stars.y, stars.x])).astype(int)
    away = (place > 6).all(axis=0) & (place < 993).all(axis=0)
    offsets = []
    span = np.arange(-3, 4)
    for row, column, x, y in zip(*place[:, away], stars.x[away], stars.y[away], strict=True):
        stamp = image.data[row - 3 : row + 4, column - 3 : column + 4]
        light = np.maximum(stamp - np.median(stamp), 0.0)
        rows, columns = light.sum(axis=1), light.sum(axis=0)
        offsets.append(
            (columns @ span / light.sum() + column - x, rows @ span / light.sum() + row - y)
        )
    assert len(offsets) > 50
    assert np.median(offsets, axis=0) == pytest.approx([0.0, 0.0], abs=0.05)


def test_a_model_gives_the_tabulated_completeness(stars: ArtificialStars) -> None:
    model = CompletenessModel().fit(stars)
    p = model.p_recovered(stars)
    for group, expected in groups(stars):
        error = np.sqrt(expected * (1 - expected) / group.sum())
        assert np.mean(p[group]) == pytest.approx(expected, abs=max(2.0 * error, 0.01))
