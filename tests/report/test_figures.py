import numpy as np
import pytest

from filar.flags import Flag
from filar.report import figures
from tests.measure import samples


@pytest.fixture
def exposure():
    return samples.exposure()[0]


def test_stretch_rises_with_the_light(exposure):
    picture = figures.stretch(exposure, 30.0, 7.0)
    assert picture.dtype == np.uint8
    assert picture.shape == exposure.shape
    order = np.argsort(exposure.data.ravel())
    assert (np.diff(picture.ravel()[order].astype(int)) >= 0).all()
    assert picture.max() == 255


def test_stretch_bins_large_images_and_blanks_masked_pixels(exposure, monkeypatch):
    monkeypatch.setattr(figures, "MAX_IMAGE_PIXELS", exposure.data.size // 3)
    mask = np.zeros(exposure.shape, bool)
    mask[:20, :20] = True
    picture = figures.stretch(exposure.replace(mask=mask), 30.0, 7.0)
    assert picture.shape == (exposure.shape[0] // 2, exposure.shape[1] // 2)
    assert (picture[:10, :10] == 0).all()
    assert (picture[15:, 15:] > 0).any()


def test_stretch_of_nothing(exposure):
    picture = figures.stretch(exposure.replace(mask=np.ones(exposure.shape, bool)), np.nan, np.nan)
    assert not picture.any()


def test_the_worst_flag_names_the_kind():
    flags = np.array([0, Flag.NEIGHBOUR, Flag.SATURATED | Flag.NEIGHBOUR, Flag.DEFAULT_PSF])
    assert list(figures.kind_of(flags)) == [
        "no flag",
        "neighbour within 5 pixels",
        "saturated",
        "no flag",
    ]


def test_every_flag_but_that_of_the_psf_has_a_kind():
    covered = 0
    for _, bits, _, _ in figures.KINDS:
        covered |= int(bits)
    assert covered == sum(int(flag) for flag in Flag if flag != Flag.DEFAULT_PSF)
