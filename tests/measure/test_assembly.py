from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from filar.errors import InputFileError, ParameterError
from filar.measure.assembly import Assembly, Member
from filar.stamps.stamps import concatenate
from tests.centering.stores import Reader, make_store


@dataclass
class Card:
    """What a model is made for."""

    instrument: str = "WFPC2"
    chips: tuple[str, ...] = ()
    filters: tuple[str, ...] = ("F555W",)
    size: int = 6


def member(reader: Reader, **card: object) -> Member:
    return Member(Path("m.safetensors"), reader, Card(**card))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    return [make_store(folder / c, chip=c, stars=40, exposures=2)[0] for c in ("PC", "WF3")]


def test_each_chip_is_measured_by_its_own_model(stores) -> None:
    own = [store.read()[0] for store in stores]
    both = concatenate(own)
    first, second, third = Reader(), Reader(excess=2), Reader(excess=3)
    models = Assembly(
        (member(first, chips=("WF2", "PC")), member(second, chips=("WF3",)), member(third))
    )
    found = models.predict(both)
    expected = [first.predict(own[0]), second.predict(own[1])]
    for name in ("x", "y", "x_err", "y_err", "in_domain"):
        wanted = np.concatenate([getattr(one, name) for one in expected])
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-6)


def test_what_no_model_is_made_for_stays_unknown(stores) -> None:
    both = concatenate([store.read()[0] for store in stores])
    found = Assembly((member(Reader(), chips=("PC",)),)).predict(both)
    wide = np.arange(160) >= 80
    assert (np.isnan(found.x) == wide).all()
    assert not found.in_domain[wide].any()
    assert found.in_domain[~wide].any()


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({"chips": ("PC", "WF2")}, ["m.safetensors", "PC/WF2 F555W", "WFPC2 WF3 F555W"]),
        ({"filters": ("F814W",)}, ["F814W", "WFPC2 WF3 F555W"]),
        ({"instrument": "ACS"}, ["WFPC2 WF3 F555W"]),
        ({"size": 8}, ["rasters of 8 pixels", "6 pixels"]),
    ],
)
def test_unfit_models_are_refused_by_name(stores, card, words) -> None:
    with pytest.raises(InputFileError) as caught:
        Assembly((member(Reader(), **card),)).check(stores[1])
    for word in words:
        assert word in str(caught.value)


def test_fit_models_are_not(stores) -> None:
    for card in ({}, {"chips": ("WF3", "PC")}, {"instrument": "", "filters": ()}):
        Assembly((member(Reader(), **card),)).check(stores[1])


def test_no_model_is_no_assembly() -> None:
    with pytest.raises(ParameterError, match="one model"):
        Assembly(())
