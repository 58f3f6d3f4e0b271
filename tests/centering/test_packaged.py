import numpy as np
import pytest

from filar.centering.estimator import StarCenterer
from filar.centering.limits import raster_bound
from filar.centering.packaged import packaged_model
from tests.centering import stars

pytest.importorskip("torch")
CASES = [(chip, name) for chip in ("PC", "WF2", "WF3", "WF4") for name in ("F555W", "F814W")]


@pytest.mark.parametrize(("chip", "filter_name"), CASES)
def test_each_chip_has_a_small_model(chip, filter_name):
    path = packaged_model("WFPC2", chip, filter_name)
    assert path.stat().st_size < 3e6
    card = StarCenterer.load(path).card_
    assert chip in card.chips
    assert card.filters == (filter_name,)
    assert card.instrument == "WFPC2"


def test_others_have_none():
    assert packaged_model("WFPC2", "PC", "F336W") is None
    assert packaged_model("WFPC2", "PC5", "F555W") is None
    assert packaged_model("ACS", "WFC1", "F814W") is None


@pytest.mark.parametrize("chip", ["PC", "WF3"])
@pytest.mark.parametrize("focus", [-4.0, 3.0])
def test_at_any_focus_it_is_at_the_bound_with_honest_errors(chip, focus):
    model = StarCenterer.load(packaged_model("WFPC2", chip, "F555W"))
    bright = stars.StampDraw(**{**vars(stars.CLEAN), "flux": (2e3, 1e5)})
    stamps, labels = stars.stamps(1500, chip=chip, focus=focus, draw=bright, seed=11)
    found = model.predict(stamps)
    assert found.in_domain.mean() > 0.95
    miss = np.stack([found.x - stamps.corner_x - labels.x, found.y - stamps.corner_y - labels.y], 1)
    bound = np.stack(raster_bound(stamps, labels.x, labels.y), 1)
    assert 1.4826 * np.median(np.abs(miss) / bound) < 1.1
    pull = miss / np.stack([found.x_err, found.y_err], 1)
    assert 1.4826 * np.median(np.abs(pull)) == pytest.approx(0.9, abs=0.2)
