"""Where a model may be trusted: within its training stars and a little beyond."""

from dataclasses import replace

import numpy as np
import pytest

from filar.completeness.domain import (
    MARGIN_COLOR,
    MARGIN_COVARIATE,
    MARGIN_MAG,
    in_domain,
    learn_domain,
)
from filar.completeness.inputs import Inputs
from filar.completeness.table import RealStars
from tests.completeness.toys import toy_stars

STARS = toy_stars(2000)
INPUTS = Inputs.learn(STARS)
RANGES = learn_domain(INPUTS, STARS)


def star(mag: tuple[float, float] = (24.0, 23.0), noise: float = 3.0, crowding: float = 2e-3):
    covariates = {"sky_noise_F555W": np.array([noise]), "crowding": np.array([crowding])}
    return RealStars(("F555W", "F814W"), np.array([mag]), covariates)


def inside(stars: RealStars, missing: bool = False) -> bool:
    return bool(in_domain(INPUTS, RANGES, stars, missing)[0])


def test_training_stars_are_inside() -> None:
    # all but the tail of crowding, which has no end
    assert in_domain(INPUTS, RANGES, STARS).mean() > 0.998
    assert RANGES["mag F555W"] == pytest.approx((21 - MARGIN_MAG, 28 + MARGIN_MAG), abs=0.02)
    assert RANGES["color F555W - F814W"] == pytest.approx(
        (-0.5 - MARGIN_COLOR, 2.5 + MARGIN_COLOR), abs=0.02
    )
    margin = MARGIN_COVARIATE
    assert RANGES["sky_noise_F555W"] == pytest.approx((-margin, 1 + margin), abs=0.01)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (star(), True),
        (star((28.2, 27.0)), True),
        (star((28.5, 27.0)), False),
        (star((20.0, 19.5)), False),
        (star((24.0, 21.0)), False),  # too red
        (star(noise=40.0), False),
        (star(noise=0.1), False),
        (star(crowding=0.5), False),
    ],
)
def test_others_are_judged_by_magnitude_colour_and_surroundings(other, expected) -> None:
    assert inside(other) is expected


def test_missing_numbers_are_inside_only_for_models_that_know_them() -> None:
    for other in (star((24.0, np.nan)), star(noise=np.nan), star(noise=-1.0)):
        assert not inside(other)
        assert inside(other, missing=True)
    assert not inside(star((29.0, np.nan)), missing=True)
    assert not inside(star((np.nan, np.nan)), missing=True)


def test_bands_may_be_in_another_order() -> None:
    other = star()
    turned = replace(other, bands=other.bands[::-1], mag=other.mag[:, ::-1])
    assert inside(turned)
    assert not inside(replace(other, mag=other.mag[:, ::-1] + [0.0, 3.0]))
