import numpy as np

from filar.psf.boxes import cut, cut_boxes
from tests.psf.samples import expose, gaussian


def test_cut_takes_the_pixels_around_and_a_value_beyond() -> None:
    image = np.arange(20.0).reshape(4, 5)
    found = cut(image, np.array([2, 0]), np.array([1, 3]), 3, -1.0)
    assert found[0].tolist() == [1, 2, 3, 6, 7, 8, 11, 12, 13]
    assert found[1].tolist() == [-1, 10, 11, -1, 15, 16, -1, -1, -1]


def test_boxes_know_what_does_not_count() -> None:
    none = np.empty(0)
    exposure = expose(gaussian(shape=(30, 30)), none, none, none, shape=(30, 30))
    exposure.mask[10, 12] = exposure.saturated[11, 11] = True
    boxes = cut_boxes(exposure, np.array([11.4, 0.0]), np.array([10.6, 29.0]), 3)
    assert (boxes.x.tolist(), boxes.y.tolist()) == ([11, 0], [11, 29])
    good = boxes.good.reshape(2, 3, 3)
    assert good[0].tolist() == [[True, True, False], [True, False, True], [True, True, True]]
    assert good[1].tolist() == [[False, True, True], [False, True, True], [False, False, False]]
    assert np.array_equal(boxes.pixels.reshape(2, 3, 3)[0], exposure.data[10:13, 10:13])


def test_a_part_keeps_what_belongs_together() -> None:
    none = np.empty(0)
    exposure = expose(gaussian(shape=(30, 30)), none, none, none, shape=(30, 30))
    x = np.array([5.0, 10.0, 20.0])
    boxes = cut_boxes(exposure, x, x, 3, other=np.arange(27.0).reshape(3, 9))
    part = boxes[np.array([2])]
    assert len(part) == 1
    assert part.x[0] == 20
    assert part.other is not None
    assert part.other[0, 0] == 18
