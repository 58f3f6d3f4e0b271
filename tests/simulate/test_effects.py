"""Lists of effects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.simulate import Effects

SWITCHES = [name for name in Effects.names() if isinstance(getattr(Effects(), name), bool)]
STRENGTHS = [name for name in Effects.names() if name not in SWITCHES]
any_effects = st.builds(
    Effects,
    **dict.fromkeys(SWITCHES, st.booleans()),
    **dict.fromkeys(STRENGTHS, st.sampled_from([0.0, 0.25, 1.0, 3.0])),
)


def test_the_default_has_everything_but_transfer_losses_and_narrow_rows():
    off = [name for name in Effects.names() if not getattr(Effects(), name)]
    assert sorted(off) == ["cti", "rows"]
    assert Effects.parse("default,cti,rows") == Effects.all()
    assert Effects.parse("all,-cti,-rows") == Effects()
    assert not any(getattr(Effects.none(), name) for name in Effects.names())


def test_lists_are_read_from_left_to_right():
    assert Effects.parse("all,-cti") == Effects(rows=1.0)
    assert Effects.parse(" Default , CTI = 0.5 ") == Effects(cti=0.5)
    assert Effects.parse("-cosmic-rays,-hot pixels") == Effects(cosmic_rays=0, hot_pixels=0)
    assert Effects.parse("sky,photon_noise") == Effects.parse("none,sky,photon_noise")
    assert Effects.parse("none,sky,-sky") == Effects.none()
    assert Effects.parse("none,saturation=1").saturation is True


@given(any_effects)
def test_text_and_effects_undo_each_other(effects):
    assert Effects.parse(str(effects)) == effects


def test_text_is_short():
    assert str(Effects()) == "default"
    assert str(Effects.all()) == "all"
    assert str(Effects.parse("none,sky=2")) == "none,sky=2"


@pytest.mark.parametrize(
    "text",
    ["", " , ", "everything", "all,moon", "-default", "cti,all", "cti=", "cti=x", "cti=-1",
     "cti=nan", "-cti=1", "bleeding=0.5"],
)  # fmt: skip
def test_wrong_lists_are_refused(text):
    with pytest.raises(ParameterError):
        Effects.parse(text)


def test_the_message_names_the_effects():
    with pytest.raises(ParameterError, match=r"'all,moon'.*all,-cti.*cosmic_rays"):
        Effects.parse("all,moon")
