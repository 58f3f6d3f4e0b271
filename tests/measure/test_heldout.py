from dataclasses import replace

import numpy as np
import pytest

from filar.centering.evaluate import half_dex_bins
from filar.errors import ParameterError
from filar.frames.truth import Truth
from filar.measure import heldout
from filar.measure.heldout import CLASSIC, errors_of, measure_store
from tests.centering.stores import LABEL_ERROR, Reader, make_store

KIND = ("PC", "F555W")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store, the sky it is of, and all of it measured."""
    store, sky = make_store(tmp_path_factory.mktemp("s") / "pc")
    return store, sky, measure_store(store, {"net": Reader()})


def test_all_stamps_are_measured_in_pixels_of_the_chip(made) -> None:
    store, sky, measured = made
    assert len(measured) == len(store) == 6000
    assert measured.kinds == [KIND]
    x, y = sky.place(4)
    rows = measured.group == 4
    for own in (measured.label, *measured.methods.values()):
        assert np.abs(own.x[rows] - x).max() < 0.2
        assert np.abs(own.y[rows] - y).max() < 0.2
    np.testing.assert_allclose(measured.label.x[rows], x, atol=6 * LABEL_ERROR)
    assert measured.split_by_star
    assert np.isfinite(measured.x_bound).all()


def test_pieces_make_the_same_whole(made, monkeypatch) -> None:
    store, _, measured = made
    told = []
    monkeypatch.setattr(heldout, "SCAN", 700)
    pieces = measure_store(store, {"net": Reader()}, progress=lambda done, _: told.append(done))
    np.testing.assert_array_equal(pieces.methods["net"].x, measured.methods["net"].x)
    np.testing.assert_array_equal(pieces.star, measured.star)
    assert told == sorted(told)
    assert len(told) == 9


def test_against_labels_the_labels_errors_are_in_bounds_and_pulls(made) -> None:
    _, _, measured = made
    found = errors_of(measured, KIND)
    assert list(found) == [CLASSIC, "net"]
    errors = found["net"]
    assert errors.against == "labels"
    assert set(errors.id) == set(measured.star[measured.part == 2])
    bright = errors.judged & (errors.flux > 3e4)
    expected = np.hypot(measured.x_bound[errors.row[bright]], LABEL_ERROR)
    np.testing.assert_allclose(errors.x_bound[bright], expected, rtol=1e-5)
    for one in half_dex_bins(errors.flux, errors.dx, errors.x_bound, errors.x_err):
        assert abs(one.ratio - 1) < 4 * one.ratio_err
        assert abs(one.pull - 1) < 4 * one.pull_err


def test_against_the_truth_errors_are_those_of_the_method_alone(made) -> None:
    _, sky, measured = made
    found = errors_of(measured, KIND, truth=Truth.from_table(sky.truth()))
    errors = found["net"]
    assert errors.against == "truth"
    assert len(errors) == np.count_nonzero(measured.part == 2)
    bound = measured.x_bound[errors.row]
    for one in half_dex_bins(errors.flux, errors.dx, bound, errors.x_err):
        assert abs(one.ratio - 1) < 4 * one.ratio_err
    # The maps take no part of the bias away.
    phase = np.sin(2 * np.pi * errors.x)
    slope = np.polyfit(phase[errors.good], found[CLASSIC].dx[errors.good], 1)[0]
    assert abs(slope - 0.03) < 0.002


def test_maps_are_taken_off(made) -> None:
    """Exposures that are shifted, turned and bent against the truth make no errors."""
    _, sky, measured = made
    own = measured.methods["net"]
    bent = replace(own, x=own.x + 0.2 + 1e-4 * own.y + 1e-7 * (own.x - 400) ** 2)
    truth = Truth.from_table(sky.truth())
    moved = errors_of(replace(measured, methods={"net": bent}), KIND, truth=truth)["net"]
    plain = errors_of(replace(measured, methods={"net": own}), KIND, truth=truth)["net"]
    np.testing.assert_allclose(moved.dx, plain.dx, atol=2e-4)


def test_methods_are_judged_by_the_same_measures(made) -> None:
    _, _, measured = made
    own = measured.methods["net"]
    blind = own.x.copy()
    blind[::7] = np.nan
    found = errors_of(
        replace(measured, methods=dict(measured.methods) | {"net": replace(own, x=blind)}), KIND
    )
    assert (found[CLASSIC].judged == found["net"].judged).all()
    assert not found[CLASSIC].judged[np.isin(found[CLASSIC].row, np.arange(0, 6000, 7))].any()
    # Saturated and faint stars do not count.
    assert not found["net"].judged[found["net"].id == 4].any()
    assert not found["net"].judged[found["net"].snr < 20].any()


def test_stars_with_true_neighbours_do_not_count_if_asked(made) -> None:
    """Every exposure of the first star held out gets a companion that nothing has found."""
    _, sky, measured = made
    table = sky.truth()
    star = int(measured.star[measured.part == 2][0])
    own = table["id"] == star
    more = {name: column[own].copy() for name, column in table.items()}
    more["id"] += 1000
    more["x"] += 2
    more["flux"] *= 0.05
    truth = Truth.from_table({n: np.concatenate([table[n], more[n]]) for n in table})
    for limit, counts in ((0.04, False), (0.06, True), (np.inf, True)):
        errors = errors_of(measured, KIND, truth=truth, max_neighbours=limit)["net"]
        mine = errors.id == star
        assert mine.sum() == 20
        assert (errors.judged[mine] == counts).all()
        assert not errors.good[mine].any() or counts
    assert errors.judged.sum() > 1000


def test_a_truth_of_other_exposures_gives_nothing(made) -> None:
    _, sky, measured = made
    table = sky.truth()
    table["exposure"] = np.char.add("f", table["exposure"])
    found = errors_of(measured, KIND, truth=Truth.from_table(table))
    assert [len(one) for one in found.values()] == [0, 0]


def test_stars_in_several_parts_are_noticed(made, tmp_path) -> None:
    _, _, measured = made
    part = measured.part.copy()
    part[0] = 2 if part[0] != 2 else 0
    assert not replace(measured, part=part).split_by_star


def test_a_network_needs_a_name_of_its_own(made) -> None:
    with pytest.raises(ParameterError, match="classic"):
        measure_store(made[0], {CLASSIC: Reader()})
