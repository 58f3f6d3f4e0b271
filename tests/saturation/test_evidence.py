"""What an image tells of its stars, gathered from images of which all is known."""

from typing import Any

import numpy as np
import pytest

from filar.saturation.chain import Stars
from filar.saturation.evidence import COLUMNS, CONTEXT, EXPERTS, RINGS, Evidence, gather
from tests.saturation.fields import Field, make_field, winged

SHAPE = (280, 240)
X = [60.3, 180.6, 120.0, 40.2, 200.0, 90.7, 150.4]
Y = [70.2, 80.4, 200.5, 220.0, 190.3, 140.1, 30.6]
FLUX = [3e6, 6e6, 1e6, 1e5, 6e4, 3e4, 2e4]


def made(x: Any = X, y: Any = Y, flux: Any = FLUX, **facts: Any) -> Field:
    """Three saturated stars and some others."""
    given: dict[str, Any] = {"shape": SHAPE, "psf": winged(shape=SHAPE), "seed": 2}
    return make_field(x, y, flux, **(given | facts))


def all_of(field: Field, stars: Stars | None = None, exposure: Any = None) -> Evidence:
    stars = field.stars() if stars is None else stars
    exposure = field.exposure if exposure is None else exposure
    return gather(exposure, field.psf.core, stars, np.arange(len(stars.x)))


def column(evidence: Evidence, name: str) -> np.ndarray:
    return evidence.values[:, COLUMNS.index(name)]


def test_columns_are_named_once() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert set(EXPERTS) | set(CONTEXT) < set(COLUMNS)
    for name in ("psf", "wings", "trail", "aperture"):
        assert {name, f"{name}_err"} < set(COLUMNS)


@pytest.fixture(scope="module")
def field() -> Field:
    return made()


@pytest.fixture(scope="module")
def evidence(field: Field) -> Evidence:
    return all_of(field)


def test_the_estimates_agree_with_the_truth(field: Field, evidence: Evidence) -> None:
    truth = np.log10(field.flux)
    bright = field.saturated
    assert bright.sum() == 3
    np.testing.assert_allclose(column(evidence, "trail")[bright], truth[bright], atol=0.01)
    np.testing.assert_allclose(column(evidence, "wings")[bright], truth[bright], atol=0.04)
    assert np.isnan(column(evidence, "trail")[~bright]).all()
    np.testing.assert_allclose(column(evidence, "psf")[~bright], truth[~bright], rtol=1e-6)
    assert np.isnan(column(evidence, "psf")[bright]).all()
    np.testing.assert_allclose(column(evidence, "aperture")[~bright], truth[~bright], atol=0.03)
    for k in range(RINGS):
        value, error = column(evidence, f"ring_{k}"), column(evidence, f"ring_{k}_err")
        told = error < 0.2
        assert (np.abs(value - truth)[told] < 0.06 + 3 * error[told]).all(), k


def test_errors_are_positive_where_there_is_an_estimate(evidence: Evidence) -> None:
    for name in (*EXPERTS, "wings"):
        value, error = column(evidence, name), column(evidence, f"{name}_err")
        np.testing.assert_array_equal(np.isfinite(value), np.isfinite(error))
        assert (error[np.isfinite(error)] > 0).all()


def test_circumstances_are_numbers(field: Field, evidence: Evidence) -> None:
    for name in CONTEXT:
        assert np.isfinite(column(evidence, name)).all(), name
    assert ((column(evidence, "pixels") > 0) == field.saturated).all()
    assert ((column(evidence, "top") > 0.9) == field.saturated).all()
    np.testing.assert_allclose(column(evidence, "place_x"), 2 * field.x / SHAPE[1] - 1, atol=0.01)
    np.testing.assert_allclose(column(evidence, "place_y"), 2 * field.y / SHAPE[0] - 1, atol=0.01)
    assert not column(evidence, "at_border").any()
    assert (column(evidence, "others_in_blob") < 0.05).all()
    np.testing.assert_allclose(column(evidence, "sky_level"), 2, atol=0.03)
    assert evidence.width == pytest.approx(2.9, abs=0.1)
    np.testing.assert_allclose(evidence.x, field.x, atol=0.1)


def test_the_way_a_trail_reaches_up_and_down_is_told() -> None:
    field = made()
    evidence = all_of(field)
    rows = np.flatnonzero(field.exposure.saturated[:, 181])
    up, down = (10 ** column(evidence, name)[1] - 1 for name in ("rows_up", "rows_down"))
    assert up == pytest.approx(rows.max() - field.y[1], abs=0.2)
    assert down == pytest.approx(field.y[1] - rows.min(), abs=0.2)


def test_trails_over_the_border_are_told() -> None:
    """Their charge has drained off the chip, or turned back."""
    field = made(y=[8.2, *Y[1:]])
    border = column(all_of(field), "at_border")
    assert border.tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_trails_into_a_vignetted_border_are_told() -> None:
    field = made()
    edge = np.zeros(SHAPE, bool)
    rows = np.flatnonzero(field.exposure.saturated[:, 60])
    edge[: rows.min() + 2, :100] = True
    exposure = field.exposure.replace(edge=edge, mask=edge)
    border = column(all_of(field, exposure=exposure), "at_border")
    assert border[0] == 1
    assert not border[1:3].any()


def test_stars_that_share_a_blob_are_told() -> None:
    field = made(x=[60.3, 61.0, *X[2:]], y=[70.2, 82.0, *Y[2:]])
    evidence = all_of(field)
    assert (column(evidence, "others_in_blob")[:2] > 0.1).all()
    assert column(evidence, "others_in_blob")[2] < 0.05
    alone = column(all_of(made()), "trail_err")
    assert column(evidence, "trail_err")[0] > 2 * alone[0]


def test_pixels_that_a_survey_replaced_are_no_evidence() -> None:
    field = made(meta={"saturated_values": "interpolated"})
    evidence = all_of(field)
    for name in ("trail", "aperture"):
        assert np.isnan(column(evidence, name)[field.saturated]).all()
    assert np.isfinite(column(evidence, "aperture")[~field.saturated]).all()
    truth = np.log10(field.flux)
    np.testing.assert_allclose(
        column(evidence, "wings")[field.saturated], truth[field.saturated], atol=0.06
    )


def test_masked_pixels_are_told() -> None:
    field = made()
    mask = field.exposure.mask.copy()
    mask[68:73, 58:63] = True
    exposure = field.exposure.replace(mask=mask, saturated=field.exposure.saturated & ~mask)
    evidence = all_of(field, exposure=exposure)
    masked = column(evidence, "masked")
    assert masked[0] > 0.2
    assert not masked[1:].any()
    # what most of the light fell on is unknown
    assert np.isnan(column(evidence, "trail")[0])
    assert np.isfinite(column(evidence, "trail")[1])


@pytest.mark.parametrize("case", ["none wanted", "no stars", "all saturated", "all masked", "NaN"])
def test_nothing_to_tell_is_no_error(case: str) -> None:
    """NaN rather than numbers; RuntimeWarnings are errors in the tests."""
    field = made()
    stars, exposure = field.stars(), field.exposure
    chosen = np.arange(len(stars.x))
    if case == "none wanted":
        chosen = chosen[:0]
    elif case == "no stars":
        none = np.zeros(0)
        stars = Stars(none, none, none, none, none.astype(bool), none.astype(bool))
        chosen = chosen[:0]
    elif case == "all saturated":
        exposure = exposure.replace(saturated=np.ones(SHAPE, bool))
        yes = np.ones(len(chosen), bool)
        stars = Stars(stars.x, stars.y, stars.flux, stars.error, yes, ~yes)
    elif case == "all masked":
        exposure = exposure.replace(mask=np.ones(SHAPE, bool))
    else:
        nan = np.full(len(chosen), np.nan)
        stars = Stars(stars.x, stars.y, nan, nan, stars.saturated, stars.reliable)
    evidence = gather(exposure, field.psf.core, stars, chosen)
    assert evidence.values.shape == (len(chosen), len(COLUMNS))
    if case in ("all saturated", "all masked"):
        rings = [column(evidence, f"ring_{k}") for k in range(RINGS)]
        assert np.isnan(rings).all()
        assert np.isnan(column(evidence, "wings")).all()
        assert np.isnan(column(evidence, "trail")).all()
        assert np.isnan(column(evidence, "aperture")).all()
    if case == "NaN":
        assert np.isnan(column(evidence, "psf")).all()
        assert np.isfinite(column(evidence, "trail")[field.saturated]).all()
