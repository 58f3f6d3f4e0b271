import numpy as np
import pytest

from filar.errors import ParameterError
from filar.exposure import Exposure


def make(**changes: object) -> Exposure:
    shape = (3, 4)
    fields = {
        "data": np.zeros(shape, np.float32),
        "mask": np.zeros(shape, bool),
        "saturated": np.zeros(shape, bool),
        "edge": np.zeros(shape, bool),
        "gain": 7.0,
        "read_noise": 5.0,
    }
    return Exposure(**(fields | changes))


def test_shape_is_rows_then_columns() -> None:
    assert make().shape == (3, 4)


@pytest.mark.parametrize("name", ["mask", "saturated", "edge"])
def test_masks_must_have_the_shape_of_the_image(name: str) -> None:
    with pytest.raises(ParameterError, match=rf"{name}.*\(4, 3\).*\(3, 4\)"):
        make(**{name: np.zeros((4, 3), bool)})


def test_data_must_be_an_image() -> None:
    with pytest.raises(ParameterError, match="two-dimensional"):
        make(data=np.zeros(5, np.float32))


@pytest.mark.parametrize("gain", [0, -1, np.nan])
def test_gain_must_be_positive(gain: float) -> None:
    with pytest.raises(ParameterError, match="gain"):
        make(gain=gain)


@pytest.mark.parametrize("read_noise", [-1, np.nan])
def test_read_noise_must_not_be_negative(read_noise: float) -> None:
    with pytest.raises(ParameterError, match="read_noise"):
        make(read_noise=read_noise)


def test_unusable_is_masked_or_saturated() -> None:
    mask = np.zeros((3, 4), bool)
    saturated = mask.copy()
    mask[0, 0] = saturated[1, 1] = True
    unusable = make(mask=mask, saturated=saturated).unusable
    assert unusable.sum() == 2
    assert unusable[0, 0]
    assert unusable[1, 1]


def test_variance_is_poisson_plus_read_noise_and_never_below_the_latter() -> None:
    assert make().variance(np.array([-10.0, 0.0, 100.0])).tolist() == [25, 25, 125]


def test_label_names_the_chip_where_there_is_one() -> None:
    assert make(name="u40", chip="PC").label == "u40[PC]"
    assert make(name="u40").label == "u40"


def test_replace_changes_a_copy() -> None:
    first = make()
    second = first.replace(filter="F555W")
    assert (first.filter, second.filter) == ("", "F555W")
    assert second.data is first.data
