import numpy as np
import pytest

from filar.centering.inputs import STATE, GuidedInputs, psf_state
from filar.centering.limits import raster_bound
from filar.errors import ParameterError
from filar.psf.samples import sample_psf
from tests.centering import stars

torch = pytest.importorskip("torch")
guided = pytest.importorskip("filar.centering.guided")


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return guided.GuidedNet(6, state=STATE, steps=8).eval()


def answered(network, stamps, labels):
    batch = GuidedInputs().batch(stamps, labels)
    with torch.no_grad():
        out = network(batch)
    miss = (out["place"] - batch["label"] + (stamps.size - 1) / 2).numpy()
    return out, miss


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_untrained_it_is_the_fit_with_the_psf_it_is_told(untrained, chip):
    stamps, labels = stars.stamps(2000, chip=chip)
    out, miss = answered(untrained, stamps, labels)
    bound = np.stack(raster_bound(stamps, labels.x, labels.y), 1)
    good = stamps.flux > 3000
    ratio = np.median(np.abs(miss[good]) / bound[good]) * 1.4826
    assert ratio == pytest.approx(1.0, abs=0.06)
    quoted = np.exp(out["log_error"].numpy()[good]) / bound[good]
    assert np.quantile(quoted, [0.01, 0.5, 0.99]) == pytest.approx([1, 1, 1], abs=0.15)


def test_told_another_focus_it_answers_with_pixel_phase_bias(untrained):
    bright = stars.StampDraw(**{**vars(stars.CLEAN), "flux": (3e4, 1e5)})
    amplitudes = []
    for told in (0.0, 8.0):
        stamps, labels = stars.stamps(1500, chip="WF3", told=told, draw=bright)
        _, miss = answered(untrained, stamps, labels)
        angle = 2 * np.pi * labels.x
        basis = np.stack([np.sin(angle), np.cos(angle), np.ones_like(angle)], 1)
        amplitudes.append(np.hypot(*np.linalg.lstsq(basis, miss[:, 0], rcond=None)[0][:2]))
    assert amplitudes[0] < 0.001
    assert amplitudes[1] > 5 * amplitudes[0]


def test_its_loss_is_least_for_honest_errors(untrained):
    stamps, labels = stars.stamps(1500)
    good = stamps.flux > 3000
    batch = GuidedInputs().batch(stamps[good], labels[good])
    last = untrained.spread[-1]
    losses = []
    with torch.no_grad():
        for log_factor in (-0.7, 0.0, 0.7):
            last.bias[:] = log_factor
            losses.append(float(untrained.loss(batch)[0]))
        last.bias.zero_()
    assert losses[1] < min(losses[0], losses[2])


def test_errors_of_the_labels_are_not_laid_on_the_network(untrained):
    stamps, labels = stars.stamps(500)
    batch = GuidedInputs().batch(stamps, labels)
    noisy = batch | {"label": batch["label"] + 0.1, "label_error": batch["label_error"] + 0.1}
    with torch.no_grad():
        blamed = float(untrained.loss(noisy | {"label_error": batch["label_error"]})[0])
        excused = float(untrained.loss(noisy)[0])
    assert excused < blamed


def test_stamps_without_a_psf_are_refused():
    stamps, labels = stars.stamps(5)
    group = type(stamps.groups[0])("made", "PC", "F555W", "WFPC2", (800, 800))
    bare = type(stamps)(**{**stamps.columns(), "groups": (group,)})
    with pytest.raises(ParameterError, match="without a PSF"):
        GuidedInputs().batch(bare, labels)


def test_the_state_tells_focus_from_focus():
    here, there = (
        psf_state(sample_psf(stars.psf(focus=focus), 4.0).values) for focus in (0.0, 4.0)
    )
    assert here.shape == (49, STATE)
    assert np.abs(here - there).max() > 0.01
    middle = STATE // 2
    assert (here.argmax(axis=1) == middle).mean() > 0.8
