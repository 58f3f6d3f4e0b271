import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.centering.rasterpsf import REACH, RasterPSF
from filar.centering.step import chebyshev, star_image
from filar.psf.samples import PSFSamples, sample_psf
from filar.stamps.cut import corner
from tests.centering import stars

torch = pytest.importorskip("torch")


def image(raster: RasterPSF, x: float, y: float) -> np.ndarray:
    """The star at chip pixels (x, y) in its raster: value, slopes by x and y."""
    size = raster.size
    place = [p - corner([p], size)[0] - (size - 1) / 2 for p in (x, y)]
    local = raster.local(np.array([x]), np.array([y]))
    found = star_image(torch.from_numpy(local), torch.tensor([place], dtype=torch.float32))
    return found[0].numpy().reshape(3, size, size)


@pytest.mark.parametrize("chip", ["PC", "WF3"])
@pytest.mark.parametrize("size", [5, 6, 8])
@settings(max_examples=25, deadline=None)
@given(x=st.floats(100, 700), y=st.floats(100, 700))
def test_is_the_psf_at_any_place_in_rasters_of_any_size(chip, size, x, y):
    psf = stars.psf(chip)
    raster = RasterPSF.from_samples(sample_psf(psf, size / 2 + 1), size)
    box = 2 * (size // 2) + 9
    whole = psf.stamps(np.array([x]), np.array([y]), box)[0]
    rows, columns = (
        slice(first, first + size)
        for first in (corner([p], size)[0] - int(np.rint(p)) + box // 2 for p in (y, x))
    )
    # of the star's light: sixteen components of the variation over the chip leave half of that
    assert np.abs(image(raster, x, y)[0] - whole[rows, columns]).max() < 5e-4


def test_slopes_are_derivatives_by_the_position_of_the_star():
    raster = RasterPSF.from_samples(sample_psf(stars.psf(), 4.0), 6)
    h = 1e-3
    found = image(raster, 300.3, 500.6)
    by_x = (image(raster, 300.3 + h, 500.6)[0] - image(raster, 300.3 - h, 500.6)[0]) / (2 * h)
    by_y = (image(raster, 300.3, 500.6 + h)[0] - image(raster, 300.3, 500.6 - h)[0]) / (2 * h)
    assert found[1] == pytest.approx(by_x, abs=2e-3)
    assert found[2] == pytest.approx(by_y, abs=2e-3)
    assert np.abs(found[1:]).max() > 0.05


def test_varies_over_the_chip_as_the_samples_do():
    samples = sample_psf(stars.psf(), 4.0)
    doubled = PSFSamples(2 * samples.values, samples.nodes, samples.radius, samples.step)
    here = RasterPSF.from_samples(samples, 6).local(np.array([100.0]), np.array([650.0]))
    there = RasterPSF.from_samples(doubled, 6).local(np.array([100.0]), np.array([650.0]))
    middle = RasterPSF.from_samples(samples, 6).local(np.array([400.0]), np.array([400.0]))
    assert there == pytest.approx(2 * here, rel=1e-4, abs=1e-6)
    assert np.abs(middle - here).max() > 1e-3


def test_chebyshev_slopes():
    offset = torch.linspace(-REACH, REACH, 7, dtype=torch.float64, requires_grad=True)
    value, slope = chebyshev(offset)
    for order in range(value.shape[1]):
        (expected,) = torch.autograd.grad(value[:, order].sum(), offset, retain_graph=True)
        assert slope[:, order].detach().numpy() == pytest.approx(expected.numpy(), abs=1e-9)
