import numpy as np
import pytest

from filar.centering.inputs import GuidedInputs
from filar.centering.limits import raster_bound
from tests.centering import stars

torch = pytest.importorskip("torch")
step = pytest.importorskip("filar.centering.step")


def fitted(stamps, labels, off: float = 0.2, steps: int = 5):
    """Fit from a start that is off by so much."""
    batch = GuidedInputs().batch(stamps, labels)
    truth = batch["label"] - (stamps.size - 1) / 2
    found = step.converge(batch, truth + off, steps, 0.0)
    return found, truth


def test_a_star_without_noise_is_found_where_it_is():
    stamps, labels = stars.stamps(60)
    image = stars.psf().stamps(labels.x + stamps.corner_x, labels.y + stamps.corner_y, 15)
    pixels = np.empty_like(stamps.pixels)
    for k in range(len(stamps)):
        rows, columns = (
            corner - int(np.rint(place + corner)) + 7
            for corner, place in (
                (stamps.corner_y[k], labels.y[k]), (stamps.corner_x[k], labels.x[k])
            )
        )  # fmt: skip
        pixels[k] = image[k, rows : rows + 6, columns : columns + 6] * 1e4 + stamps.sky[k]
    clean = type(stamps)(**{**stamps.columns(), "pixels": pixels, "groups": stamps.groups})
    found, truth = fitted(clean, labels)
    inside = (truth.abs() < 0.6).all(1)
    assert (found.place - truth)[inside].abs().max() < 1e-3
    assert found.flux[inside].numpy() == pytest.approx(1e4, rel=2e-3)


def test_scatters_by_its_formal_errors_which_are_the_bound():
    stamps, labels = stars.stamps(3000)
    found, truth = fitted(stamps, labels, off=0.1)
    good = (truth.abs() < 0.6).all(1).numpy() & (stamps.flux > 2000)
    pull = ((found.place - truth) / found.error).numpy()[good]
    assert np.sqrt(np.mean(np.clip(pull, -5, 5) ** 2)) == pytest.approx(1.0, abs=0.04)
    bound = np.stack(raster_bound(stamps, labels.x, labels.y), 1)[good]
    assert np.median(found.error.numpy()[good] / bound) == pytest.approx(1.0, abs=0.02)


def test_bad_pixels_do_not_count():
    stamps, labels = stars.stamps(40)
    bad = np.zeros_like(stamps.bad)
    bad[:, 1, 2] = True
    columns = {**stamps.columns(), "bad": bad, "groups": stamps.groups}
    dark = type(stamps)(**{**columns, "pixels": np.where(bad, 0, stamps.pixels)})
    hot = type(stamps)(**{**columns, "pixels": np.where(bad, 5e4, stamps.pixels)})
    one, other = fitted(dark, labels)[0], fitted(hot, labels)[0]
    assert torch.equal(one.place, other.place)
    assert torch.equal(one.flux, other.flux)
    whole = fitted(stamps, labels)[0]
    assert one.error.square().sum() > 1.001 * whole.error.square().sum()


def test_rasters_without_anything_good_give_finite_numbers():
    stamps, labels = stars.stamps(5)
    columns = {**stamps.columns(), "bad": np.ones_like(stamps.bad), "groups": stamps.groups}
    found, _ = fitted(type(stamps)(**columns), labels)
    assert torch.isfinite(found.place).all()
    assert torch.isfinite(found.error).all()
