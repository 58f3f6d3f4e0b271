import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from filar.errors import OutputFileError, ParameterError
from filar.exposure import Exposure
from filar.instruments import read_exposures, wfpc2_edge, write_wfpc2
from filar.instruments.wfpc2_facts import CHIPS
from tests.instruments import files


def make(chip: str = "PC", shape: tuple[int, int] = (8, 9), **changes: object) -> Exposure:
    header = fits.Header(files.wcs_cards())
    fields = {
        "data": files.pixels(shape),
        "mask": np.zeros(shape, bool),
        "saturated": np.zeros(shape, bool),
        "edge": np.zeros(shape, bool),
        "gain": 7.12,
        "read_noise": 5.24,
        "saturation": 27000.0,
        "exposure_time": 160.0,
        "instrument": "WFPC2",
        "chip": chip,
        "filter": "F814W",
        "name": "sim",
        "time": Time(51365.123456, format="mjd"),
        "wcs": WCS(header),
        "pixel_scale": 0.0455,
        "photflam": 2.5e-18,
        "photplam": 8000.0,
        "meta": {"target": "NGC 104", "programme": 8267},
    }
    return Exposure(**(fields | changes))


@st.composite
def exposures(draw: st.DrawFn) -> list[Exposure]:
    chips = draw(st.lists(st.sampled_from(CHIPS), min_size=1, max_size=4, unique=True))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=12))
    time = draw(st.floats(0.1, 1e4))
    made = []
    for chip in chips:
        values = draw(hnp.arrays(np.float32, shape, elements=st.floats(-50, 28000, width=32)))
        mask, saturated = (
            draw(hnp.arrays(bool, shape, elements=st.booleans(), fill=st.just(False)))
            for _ in range(2)
        )
        # Something must be left to measure, and long trails would be grown on reading.
        mask[0, 0] = saturated[0, 0] = False
        saturated[3::4] = False
        made.append(
            make(
                chip,
                shape,
                data=np.where(mask, 0, values),
                mask=mask,
                saturated=saturated,
                gain=draw(st.floats(7, 20)),  # 28000 e- stay below the converter's limit
                read_noise=draw(st.floats(0, 20)),
                saturation=draw(st.floats(100, 1e5)),
                exposure_time=time,
                filter="F555W",
            )
        )
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(written=exposures())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, written: list[Exposure]) -> None:
    path = tmp_path_factory.mktemp("pair") / "sim_c0m.fits"
    write_wfpc2(written, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_exposures(path)
    assert len(read) == len(written)
    for new, old in zip(read, written, strict=True):
        np.testing.assert_allclose(new.data, old.data, rtol=3e-7, atol=1e-30)
        np.testing.assert_array_equal(new.mask, old.mask)
        np.testing.assert_array_equal(new.saturated, old.saturated)
        assert (new.chip, new.filter, new.name) == (old.chip, old.filter, "sim")
        assert new.gain == pytest.approx(old.gain, rel=1e-12)
        assert new.read_noise == pytest.approx(old.read_noise, rel=1e-12)
        assert new.saturation == pytest.approx(old.saturation, rel=1e-9)
        assert new.exposure_time == pytest.approx(old.exposure_time, rel=1e-12)
        assert abs((new.time - old.time).sec) < 1e-3
        assert (new.photflam, new.photplam) == (old.photflam, old.photplam)
        assert (new.meta["target"], new.meta["programme"]) == ("NGC 104", 8267)
        for x, y in ((0, 0), (5.5, 700.25)):
            np.testing.assert_allclose(
                new.wcs.pixel_to_world_values(x, y),
                old.wcs.pixel_to_world_values(x, y),
                rtol=0,
                atol=1e-10,
            )


def test_full_chip_keeps_its_edge(tmp_path: Path) -> None:
    edge = wfpc2_edge("WF3")
    old = make("WF3", (800, 800), edge=edge, mask=edge)
    write_wfpc2([old], tmp_path / "sim_c0m.fits")
    new = read_exposures(tmp_path / "sim_c0m.fits")[0]
    np.testing.assert_array_equal(new.edge, edge)
    np.testing.assert_array_equal(new.mask, edge)


def test_files_are_what_the_cameras_own_are(tmp_path: Path) -> None:
    science, quality = write_wfpc2([make("PC"), make("WF4")], tmp_path / "sim_c0m.fits")
    assert (science.name, quality.name) == ("sim_c0m.fits", "sim_c1m.fits")
    with fits.open(science) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "SCI"]
        assert hdus[0].header["FILTNAM1"] == "F814W"
        assert hdus[2].header["DETECTOR"] == 4
        assert hdus[2].header["BUNIT"] == "COUNTS"
        np.testing.assert_allclose(hdus[1].data * 7.12, make("PC").data, rtol=1e-6)
    with fits.open(quality) as hdus:
        assert hdus[1].data.dtype.kind == "i"


def test_unknown_time_wcs_and_level_stay_unknown(tmp_path: Path) -> None:
    old = make(time=None, wcs=None, exposure_time=np.nan, photflam=np.nan, photplam=np.nan)
    write_wfpc2([old], tmp_path / "sim_c0m.fits")
    new = read_exposures(tmp_path / "sim_c0m.fits")[0]
    assert new.time is None
    assert new.wcs is None
    assert np.isnan([new.exposure_time, new.photflam, new.photplam]).all()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([], "exposures"),
        ([make("PC"), make("PC")], "different chips"),
        ([make("UVIS1")], "different chips"),
        ([make("PC"), make("WF2", filter="F555W")], "filter"),
        ([make("PC"), make("WF2", exposure_time=1.0)], "exposure_time"),
    ],
)
def test_what_does_not_belong_together(
    tmp_path: Path, written: list[Exposure], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        write_wfpc2(written, tmp_path / "sim_c0m.fits")
    assert not list(tmp_path.iterdir())


def test_name_must_tell_the_layout(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"_c0m\.fits"):
        write_wfpc2([make()], tmp_path / "sim.fits")


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="cannot write"):
        write_wfpc2([make()], tmp_path / "absent" / "sim_c0m.fits")
    (tmp_path / "sim_c0m.fits").mkdir()
    with pytest.raises(OutputFileError, match=r"sim_c0m.fits"):
        write_wfpc2([make()], tmp_path / "sim_c0m.fits")
    assert [path.name for path in tmp_path.iterdir()] == ["sim_c0m.fits"]
