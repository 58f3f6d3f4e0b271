"""The optics against the brute-force program of the benchmarks, which shares no code with them."""

import numpy as np
import pytest

from benchmarks.truth import make_truth
from filar.psf.library import default_psf_for

CORNERS = np.array([0.0, 799.0, 0.0, 799.0]), np.array([0.0, 0.0, 799.0, 799.0])


@pytest.mark.parametrize("chip", ["PC", "WF2", "WF3", "WF4"])
def test_both_see_the_same_star_in_every_corner(chip: str) -> None:
    """Out of focus, so that turned or mirrored pupils and fields would show."""
    truth = make_truth(
        chip, "F555W", focus=6.0, rms_low=0.0, rms_high=1e-9, nodes=2, jitter=(0.007, 0.007)
    )
    other = truth.stamps(*CORNERS, 9)
    ours = default_psf_for("WFPC2", chip, "F555W", focus=6.0).stamps(*CORNERS, 9)
    peak = other.max()
    # the other's obscuration is shifted at random, its passband and pads are a little different
    assert np.abs(ours - other).max() < 0.02 * peak
    assert np.abs(ours.sum(axis=(1, 2)) - other.sum(axis=(1, 2))).max() < 0.012
    for turned in (ours[::-1], ours[[1, 0, 3, 2]], ours[:, ::-1, ::-1]):
        assert np.abs(turned - other).max() > 0.06 * peak
