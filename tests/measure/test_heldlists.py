from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.flags import Flag
from filar.measure.heldlists import positions_of, star_lists
from filar.measure.heldout import measure_store
from tests.centering.stores import Reader, make_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A sky and a store of it, measured."""
    store, sky = make_store(tmp_path_factory.mktemp("s") / "pc", stars=200, exposures=6)
    return sky, measure_store(store, {"net": Reader()})


def test_lists_are_of_the_stars_held_out(made) -> None:
    sky, measured = made
    lists = star_lists(measured, "net")
    assert [one.exposure for one in lists] == sky.names
    assert {len(one) for one in lists} == {np.count_nonzero(measured.part == 2) // 6}
    assert {len(one) for one in star_lists(measured, "net", None)} == {200}
    assert lists[0].method == "net"
    assert (lists[0].chip, lists[0].filter) == ("PC", "F555W")
    with pytest.raises(ParameterError, match="method"):
        star_lists(measured, "other")


def test_methods_can_have_the_same_errors(made) -> None:
    _, measured = made
    bounds = measured.x_bound.copy()
    bounds[1] = np.nan
    own = replace(measured, x_bound=bounds)
    first, second = (star_lists(own, name, None, common=True)[0] for name in ("classic", "net"))
    np.testing.assert_array_equal(first.x_err, second.x_err)
    np.testing.assert_array_equal(first.y_err, measured.y_bound[:200])
    assert second.x_err[1] == measured.methods["classic"].x_err[1]


def test_lists_come_back_star_by_star(made) -> None:
    _, measured = made
    rng = np.random.default_rng(0)
    lists = [one[rng.permutation(len(one))] for one in star_lists(measured, "net", None)]
    back = positions_of(measured, lists[::-1])
    for name in ("x", "y", "x_err", "y_err"):
        np.testing.assert_array_equal(getattr(back, name), getattr(measured.methods["net"], name))
    assert back.in_domain.all()


def test_what_the_lists_do_not_have_is_unknown(made) -> None:
    _, measured = made
    lists = star_lists(measured, "net", None)
    lists[0].flags[3] = int(Flag.COSMIC_RAY)
    lists[0].flags[4] = int(Flag.OUTSIDE_DOMAIN)
    lists[0].x[5] += 3
    lists[2] = replace(lists[2], filter="F814W")
    back = positions_of(measured, lists[:3])
    known = np.isfinite(back.x).reshape(6, 200)
    assert known.sum(axis=1).tolist() == [198, 200, 0, 0, 0, 0]
    assert not known[0, [3, 5]].any()
    assert np.flatnonzero(~back.in_domain).tolist() == [4]
