import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.psf.fourier import FrequencyGrid, values
from filar.psf.model import (
    ANNULUS,
    PHASE_RANGE,
    FieldGrid,
    FieldPSF,
    annulus_offsets,
    chebyshev,
    phase_series,
    series_degree,
)
from tests.psf.samples import SHAPE, gaussian, optical

positions = st.lists(st.floats(0, 799), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", ["polynomial", "linear"])
def test_nodes_give_themselves(kind: str) -> None:
    grid = FieldGrid((10.0, 300.0, 500.0, 799.0), (5.0, 600.0, 700.0), kind)
    x, y = np.array(grid.points).T
    assert np.allclose(grid.weights(x, y), np.eye(12), atol=1e-12)


@given(positions, st.integers(1, 6), st.integers(0, 5), st.integers(0, 5))
def test_polynomial_nodes_reproduce_polynomials(
    at: list[float], count: int, i: int, j: int
) -> None:
    grid = FieldGrid.chebyshev(SHAPE, count)
    i, j = min(i, count - 1), min(j, count - 1)

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x / 400 - 1) ** i * (y / 400 - 1) ** j

    x, y = np.array(at), np.array(at[::-1])
    nodes = np.array(grid.points)
    assert np.allclose(grid.weights(x, y) @ surface(*nodes.T), surface(x, y), atol=1e-9)


@given(positions)
def test_linear_nodes_reproduce_planes_and_stay_constant_outside(at: list[float]) -> None:
    grid = FieldGrid((49.0, 424.0, 799.0), (49.0, 424.0, 799.0), "linear")
    x, y = np.array(at), np.array(at[::-1])
    inside_x, inside_y = np.maximum(x, 49), np.maximum(y, 49)
    nodes = np.array(grid.points)
    found = grid.weights(x, y) @ (nodes[:, 0] + 2 * nodes[:, 1])
    assert np.allclose(found, inside_x + 2 * inside_y)


@given(positions)
def test_weights_add_up_to_1(at: list[float]) -> None:
    x = np.array(at)
    assert np.allclose(FieldGrid.chebyshev(SHAPE, 5).weights(x, x).sum(axis=1), 1)


def test_no_stars_have_no_weights() -> None:
    assert FieldGrid.chebyshev(SHAPE, 3).weights(np.empty(0), np.empty(0)).shape == (0, 9)


@given(st.floats(-PHASE_RANGE, PHASE_RANGE))
def test_chebyshev_polynomials_and_slopes(phase: float) -> None:
    value, slope = chebyshev(np.array([phase]), 6)
    t, h = phase / PHASE_RANGE, 1e-5
    assert np.allclose(value[0], np.cos(np.arange(6) * np.arccos(np.clip(t, -1, 1))), atol=1e-7)
    ahead, behind = (chebyshev(np.array([phase + s]), 6)[0] for s in (h, -h))
    assert np.allclose(slope, (ahead - behind) / (2 * h), atol=1e-5)


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_the_series_is_the_transform(chip: str) -> None:
    """Stamps by the Chebyshev series against the Fourier sum, anywhere on the chip."""
    psf = optical(chip)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 799, (2, 30))
    span = np.arange(-3, 4)
    direct = [
        values(psf.at(a, b), psf.grid, np.rint(b) + span - b, np.rint(a) + span - a)
        for a, b in zip(x, y, strict=True)
    ]
    assert np.abs(psf.stamps(x, y, 7) - direct).max() < 5e-5


def test_series_hold_beyond_half_a_pixel() -> None:
    psf = optical("WF3")
    table = psf.table(5)
    x, y = np.array([400.0]), np.array([300.0])
    span = np.arange(-2, 3)
    for px, py in ((0.74, -0.74), (-0.6, 0.1)):
        found = table.evaluate(table.local(x, y), np.array([px]), np.array([py]))[0]
        direct = values(psf.at(400, 300), psf.grid, span - py, span - px)
        assert np.abs(found.reshape(5, 5) - direct).max() < 5e-5


def test_slopes_are_derivatives_by_position() -> None:
    psf = optical("WF3")
    table = psf.table(5)
    local = table.local(np.array([100.0]), np.array([700.0]))
    h, px, py = 1e-2, np.array([0.21]), np.array([-0.33])
    _, by_x, by_y = table.evaluate(local, px, py)
    for slope, dx, dy in ((by_x, h, 0), (by_y, 0, h)):
        ahead = table.evaluate(local, px + dx, py + dy)[0]
        behind = table.evaluate(local, px - dx, py - dy)[0]
        assert np.allclose(slope, (ahead - behind) / (2 * h), atol=2e-4)


def test_more_orders_change_nothing() -> None:
    psf = optical("WF3")
    degree = series_degree(psf.transforms, psf.grid)
    few = phase_series(psf.transforms[:1], psf.grid, 3, degree).reshape(9, degree, degree)
    many = phase_series(psf.transforms[:1], psf.grid, 3, degree + 6)
    rest = many.reshape(9, degree + 6, degree + 6)
    rest[:, :degree, :degree] -= few
    assert np.abs(rest).max() < 1e-5


def test_a_star_on_a_pixels_centre_is_symmetric() -> None:
    stamp = gaussian().stamps(np.array([10.0]), np.array([20.0]), 7)[0]
    assert np.allclose(stamp, stamp.T, atol=1e-7)
    assert np.allclose(stamp, stamp[::-1], atol=1e-7)
    assert stamp.argmax() == 24


def test_moving_right_brightens_the_right() -> None:
    stamp = gaussian().stamps(np.array([10.3]), np.array([20.0]), 5)[0]
    assert stamp[2, 3] > stamp[2, 1]
    assert np.allclose(stamp, stamp[::-1], atol=1e-7)


def test_a_star_between_two_pixels_is_symmetric_about_their_border() -> None:
    stamp = gaussian().stamps(np.array([10.49999]), np.array([20.0]), 7)[0]
    assert np.allclose(stamp[:, 3], stamp[:, 4], atol=1e-5)
    assert np.allclose(stamp[:, 2], stamp[:, 5], atol=1e-5)


def test_centroids_are_where_the_star_is() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(100, 700, (2, 20))
    stamps = gaussian().stamps(x, y, 17)
    span = np.arange(-8, 9)
    assert np.allclose((stamps * span).sum((1, 2)) + np.rint(x), x, atol=1e-5)
    assert np.allclose((stamps * span[:, None]).sum((1, 2)) + np.rint(y), y, atol=1e-5)


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_images_hold_the_light(chip: str) -> None:
    """Over a whole period, pixels add up to the transform at 0, close to 1, at any phase."""
    psf = optical(chip)
    span = np.arange(psf.grid.period) - psf.grid.period // 2
    for phase in (0.0, 0.37):
        image = values(psf.transforms[0], psf.grid, span - phase, span + phase)
        assert image.sum() == pytest.approx(float(psf.transforms[0, 0, 0].real), rel=1e-5)
        assert image.min() > -1e-5
    assert 0.9 < psf.transforms[:, 0, 0].real.min() <= psf.transforms[:, 0, 0].real.max() <= 1.0
    assert np.abs(psf.transforms[:, 0, 0].imag).max() < 1e-6


def test_transforms_are_those_of_real_images() -> None:
    first = optical("PC").transforms[:, :, 0]
    mirrored = np.conj(np.roll(first[:, ::-1], 1, axis=1))
    assert np.allclose(first, mirrored, atol=1e-6)


def test_annulus_mean_is_the_mean_of_the_stamp() -> None:
    psf = optical("WF3")
    x, y = np.array([30.0, 700.0]), np.array([200.0, 650.0])
    dy, dx = annulus_offsets(*ANNULUS)
    half = 12
    stamps = psf.stamps(x, y, 2 * half + 1)[:, dy + half, dx + half]
    assert np.allclose(psf.annulus_mean(x, y), stamps.mean(axis=1), atol=1e-7)


def test_annulus_offsets_lie_between_the_radii() -> None:
    dy, dx = annulus_offsets(7, 12)
    r = np.hypot(dx, dy)
    assert r.min() >= 7
    assert r.max() <= 12
    assert len(set(zip(dx.tolist(), dy.tolist(), strict=True))) == len(dx) > 280


@pytest.mark.parametrize("box", [0, 4, -3])
def test_boxes_are_odd(box: int) -> None:
    with pytest.raises(ParameterError, match="odd"):
        gaussian().table(box)


def test_transforms_must_match_grid_and_nodes() -> None:
    grid = FrequencyGrid(8.0, 16)
    with pytest.raises(ParameterError, match=r"\(2, 16, 9\)"):
        FieldPSF(np.zeros((1, 16, 9), np.complex64), grid, FieldGrid((1.0, 2.0), (1.0,)))


@settings(max_examples=10)
@given(st.integers(0, 4))
def test_stamps_of_any_number_of_stars(count: int) -> None:
    assert gaussian().stamps(np.full(count, 5.0), np.full(count, 6.0), 3).shape == (count, 3, 3)
