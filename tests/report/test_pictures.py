import base64

import numpy as np

from filar.report import pictures
from tests.measure import samples


def test_the_montage_shows_the_psf_where_it_is():
    montage = pictures.psf_montage(samples.psf(), samples.SHAPE, box=11)
    assert montage.shape == (33, 33)
    peak = np.unravel_index(montage[:11, 22:].argmax(), (11, 11))
    assert peak == (5, 5)
    corner = samples.psf().stamps(
        np.rint([0.88 * samples.SHAPE[1]]), np.rint([0.12 * samples.SHAPE[0]]), 11
    )[0]
    np.testing.assert_allclose(montage[:11, 22:], corner, rtol=1e-5)


def test_maps_without_any_value_are_drawn():
    nothing = np.full((40, 40), np.nan)
    uri = pictures.png_uri(pictures.sky_picture(nothing, nothing))
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body)[1:4] == b"PNG"
