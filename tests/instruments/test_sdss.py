"""SDSS frames made for the tests, with mask file and table of fields beside them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.instruments import read_exposures, write_sdss
from filar.instruments.sdss_facts import dark_variance, gain
from filar.instruments.sdss_mask import read_mask
from tests.instruments import files

SHAPE = (24, 32)
SKY = 150.0
KINDS = ("INTERP", "SATUR", "NOTCHECKED", "OBJECT", "CR")
CARDS = {
    "ORIGIN": "SDSS",
    "TELESCOP": "2.5m",
    "BUNIT": "nanomaggy",
    "RUN": 2583,
    "CAMCOL": 2,
    "FRAME": 136,
    "FILTER": "r",
    "EXPTIME": "53.907456",
    "TAI": 4507683881.19,
}
NAME = "frame-r-002583-2-0136.fits"


def calibration(columns: int = SHAPE[1]) -> np.ndarray:
    return (0.005 * np.linspace(0.99, 1.01, columns)).astype(np.float32)


def frame(path: Path, counts: np.ndarray, *, hdus: int = 3, **changes: object) -> Path:
    """Counts with sky, written as the survey writes them; the sky rises by 1 count per 8 rows."""
    ny, nx = counts.shape
    vector = calibration(nx)
    y, x = (np.arange(ny) - 3.5) / 8, (np.arange(nx) - 3.5) / 8
    coarse = SKY + np.repeat(np.arange(ny // 8 + 1.0)[:, None], nx // 8 + 1, axis=1)
    sky = SKY + np.clip(y, 0, ny // 8)[:, None]
    primary = fits.PrimaryHDU(((counts - sky) * vector).astype(np.float32))
    primary.header.update(CARDS | files.wcs_cards(0.396) | changes)
    columns = [
        fits.Column("ALLSKY", f"{coarse.size}E", dim=str(coarse.T.shape), array=coarse[None]),
        fits.Column("XINTERP", f"{nx}E", array=x[None]),
        fits.Column("YINTERP", f"{ny}E", array=y[None]),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    whole = [primary, fits.ImageHDU(vector), table]
    fits.HDUList(whole[:hdus]).writeto(path)
    return path


def mask(
    path: Path,
    spans: dict[str, list[tuple[int, int, int]]],
    shape: tuple[int, int] = SHAPE,
    kinds: tuple[str, ...] = KINDS,
) -> Path:
    """One object per kind, as the survey packs its spans."""
    primary = fits.PrimaryHDU()
    primary.header["MASKROWS"], primary.header["MASKCOLS"] = shape
    hdus: list[object] = [primary]
    for kind in kinds:
        cells = [np.array(spans[kind], ">u2").view(np.uint8).ravel()] if spans.get(kind) else []
        hdus.append(
            fits.BinTableHDU.from_columns(
                [
                    fits.Column("nspan", "J", array=[len(c) // 6 for c in cells]),
                    fits.Column("s", "PB()", array=np.array([*cells, None], object)[:-1]),
                ]
            )
        )
    names = [f"S_MASK_{kind}" for kind in kinds] + ["S_NMASK_TYPES"]
    hdus.append(
        fits.BinTableHDU.from_columns(
            [
                fits.Column("defName", "31A", array=["S_MASKTYPE"] * len(names)),
                fits.Column("attributeName", "31A", array=names),
                fits.Column("Value", "J", array=np.arange(len(names))),
            ]
        )
    )
    fits.HDUList(hdus).writeto(path)
    return path


def field_table(path: Path, fields: tuple[int, ...] = (135, 136)) -> Path:
    n = len(fields)
    fits.BinTableHDU.from_columns([
        fits.Column("FIELD", "J", array=np.array(fields)),
        fits.Column("GAIN", "5E", array=np.tile([1.0, 2.0, 3.0, 4.0, 5.0], (n, 1))),
        fits.Column("DARK_VARIANCE", "5E", array=np.tile([1.0, 1.0, 4.0, 1.0, 1.0], (n, 1))),
        fits.Column("SATURATION_LEVEL", "5J", array=np.tile([1, 2, 50000, 4, 5], (n, 1))),
    ]).writeto(path)  # fmt: skip
    return path


def counts() -> np.ndarray:
    return SKY + np.random.default_rng(3).normal(20, 5, SHAPE)


def read(path: Path) -> Exposure:
    (exposure,) = read_exposures(path)
    return exposure


def test_counts_come_back_as_flat_fielded_electrons(tmp_path: Path) -> None:
    raw = counts()
    mask(tmp_path / "fpM-002583-r2-0136.fit", {})
    exposure = read(frame(tmp_path / NAME, raw))
    flat = calibration() / calibration().mean()
    np.testing.assert_allclose(exposure.data, raw * flat * 4.6, rtol=1e-5)
    assert exposure.gain == 4.6
    assert exposure.read_noise == pytest.approx(4.6)
    assert exposure.saturation == np.inf
    assert (exposure.label, exposure.filter) == ("frame-r-002583-2-0136[r2]", "r")
    assert exposure.exposure_time == pytest.approx(53.907456)
    assert exposure.time is not None
    assert exposure.time.isot[:19] == "2001-09-20T06:24:09"  # 32 s behind atomic time
    one_nanomaggy = 4.6 / calibration().mean()
    zero = exposure.meta["ab_zeropoint"]
    assert zero - 2.5 * np.log10(one_nanomaggy) == pytest.approx(22.5, abs=1e-6)
    assert not exposure.unusable.any()


def test_run_s_own_table_comes_first(tmp_path: Path) -> None:
    mask(tmp_path / "fpM-002583-r2-0136.fit", {})
    path = frame(tmp_path / NAME, counts())
    field_table(tmp_path / "photoField-002583-2.fits")
    exposure = read(path)
    assert (exposure.gain, exposure.read_noise, exposure.saturation) == (3, 6, 150000)
    assert read_exposures(path, gain=2.0)[0].read_noise == 4


def test_field_that_the_table_lacks(tmp_path: Path) -> None:
    mask(tmp_path / "fpM-002583-r2-0136.fit", {})
    field_table(tmp_path / "photoField-002583-2.fits", (11, 12))
    assert read(frame(tmp_path / NAME, counts())).gain == 4.6


def test_masks(tmp_path: Path) -> None:
    spans = {
        "SATUR": [(10, 5, 7), (11, 5, 5), (12, 5, 5), (13, 5, 5), (14, 5, 5), (15, 5, 5)],
        "INTERP": [(10, 4, 8), (0, 0, 31)],
        "CR": [(20, 2, 3)],
        "OBJECT": [(1, 1, 30)],
    }
    mask(tmp_path / "x_fpM-002583-r2-0136.fit", spans)
    exposure = read(frame(tmp_path / f"x_{NAME}", counts()))
    assert np.argwhere(exposure.saturated).tolist() == [
        [10, 5], [10, 6], [10, 7], [11, 5], [12, 5], [13, 5], [14, 5], [15, 5],
    ]  # fmt: skip
    masked = np.zeros(SHAPE, bool)
    masked[0] = masked[10, [4, 8]] = masked[20, 2:4] = True
    np.testing.assert_array_equal(exposure.mask, masked)
    assert exposure.meta["saturated_values"] == "interpolated"


def test_mask_file_by_option_and_saturation_level(tmp_path: Path) -> None:
    path = frame(tmp_path / NAME, counts())
    elsewhere = mask(tmp_path / "mine.fit", {"SATUR": [(3, 4, 4)]})
    (exposure,) = read_exposures(path, quality=elsewhere)
    assert np.argwhere(exposure.saturated).tolist() == [[3, 4]]
    with pytest.warns(UserWarning, match=r"no mask file \(fpM-002583-r2-0136.fit\)"):
        (exposure,) = read_exposures(path, saturation=800.0)
    np.testing.assert_array_equal(exposure.saturated, exposure.data >= 800)


def test_chips(tmp_path: Path) -> None:
    mask(tmp_path / "fpM-002583-r2-0136.fit", {})
    path = frame(tmp_path / NAME, counts())
    assert read_exposures(path, chips="r2")[0].chip == "r2"
    with pytest.raises(InputFileError, match="none of the chips"):
        read_exposures(path, chips="g2")


@pytest.mark.parametrize(
    ("changes", "hdus", "message"),
    [
        ({}, 1, "no calibration vector"),
        ({}, 2, "no sky in extension 2"),
        ({"FILTER": "Y"}, 3, "which frame it is"),
        ({"CAMCOL": 7}, 3, "CAMCOL = 7"),
    ],
)
def test_incomplete_frames(
    tmp_path: Path, changes: dict[str, object], hdus: int, message: str
) -> None:
    path = frame(tmp_path / NAME, counts(), hdus=hdus, **changes)
    with pytest.raises(InputFileError, match=message):
        read_exposures(path)


@pytest.mark.parametrize(
    ("spans", "shape", "kinds", "message"),
    [
        ({"SATUR": [(24, 1, 2)]}, SHAPE, KINDS, "row 24"),
        ({"SATUR": [(1, 1, 32)]}, SHAPE, KINDS, "columns 1 to 32"),
        ({"SATUR": [(1, 3, 2)]}, SHAPE, KINDS, "columns 3 to 2"),
        ({}, (24, 33), KINDS, "24 x 33 pixels"),
        ({}, SHAPE, ("INTERP", "CR"), "no plane SATUR"),
    ],
)
def test_bad_masks(
    tmp_path: Path,
    spans: dict[str, list[tuple[int, int, int]]],
    shape: tuple[int, int],
    kinds: tuple[str, ...],
    message: str,
) -> None:
    bad = mask(tmp_path / "fpM-002583-r2-0136.fit", spans, shape, kinds)
    with pytest.raises(InputFileError, match=message):
        read_exposures(frame(tmp_path / NAME, counts()))
    assert bad.exists()


def test_a_mask_that_is_none(tmp_path: Path) -> None:
    files.image(tmp_path / "fpM-002583-r2-0136.fit", files.pixels())
    with pytest.raises(InputFileError, match="no table of mask types"):
        read_exposures(frame(tmp_path / NAME, counts()))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, SHAPE[0] - 1),
            st.integers(0, SHAPE[1] - 1),
            st.integers(0, SHAPE[1] - 1),
        ).map(lambda s: (s[0], min(s[1:]), max(s[1:]))),
        max_size=12,
    )
)
def test_spans(tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int, int]]) -> None:
    path = mask(tmp_path_factory.mktemp("spans") / "m.fit", {"CR": spans})
    expected = np.zeros(SHAPE, bool)
    for row, first, last in spans:
        expected[row, first : last + 1] = True
    np.testing.assert_array_equal(read_mask(path, SHAPE, ("CR",))["CR"], expected)


def test_published_values() -> None:
    assert (gain("r", 2, 2583), dark_variance("r", 2, 2583)) == (4.6, 1.0)
    assert (gain("u", 2, 1000), gain("u", 2, 1101)) == (1.595, 1.825)
    assert (dark_variance("z", 5, 1500), dark_variance("z", 5, 1501)) == (1.8225, 2.1025)


def test_written_and_read_again(tmp_path: Path) -> None:
    mask(tmp_path / "fpM-002583-r2-0136.fit", {"SATUR": [(10, 5, 7)], "CR": [(3, 0, 31)]})
    field_table(tmp_path / "photoField-002583-2.fits")
    first = read(frame(tmp_path / NAME, counts()))
    (tmp_path / "again").mkdir()
    path, beside = write_sdss(first, tmp_path / "again" / "frame-r-000007-2-0012.fits")
    assert beside.name == "fpM-000007-r2-0012.fit"
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, beside.name])
    again = read(path)
    used = ~first.mask
    np.testing.assert_allclose(again.data[used], first.data[used] / 3 * 4.6, rtol=1e-5)
    np.testing.assert_array_equal(again.saturated, first.saturated)
    np.testing.assert_array_equal(again.mask, first.mask)
    assert (again.saturation / again.gain) == pytest.approx(50000)
    assert again.exposure_time == first.exposure_time
    assert again.time is not None
    assert first.time is not None
    assert abs((again.time - first.time).sec) < 1e-3
    # magnitudes are the same although the published gain is another
    scale = -2.5 * np.log10(4.6 / 3)
    assert again.meta["ab_zeropoint"] == pytest.approx(first.meta["ab_zeropoint"] - scale)
    assert again.wcs is not None
    assert first.wcs is not None
    np.testing.assert_allclose(
        again.wcs.all_pix2world([[3.0, 20.0]], 0), first.wcs.all_pix2world([[3.0, 20.0]], 0)
    )


def test_what_cannot_be_written(tmp_path: Path) -> None:
    mask(tmp_path / "fpM-002583-r2-0136.fit", {})
    exposure = read(frame(tmp_path / NAME, counts()))
    with pytest.raises(ParameterError, match=r"frame-r-002583-2-0136\.fits"):
        write_sdss(exposure, tmp_path / "mine.fits")
    with pytest.raises(ParameterError, match="ab_zeropoint"):
        write_sdss(exposure.replace(meta={}), tmp_path / "frame-r-000007-2-0012.fits")
