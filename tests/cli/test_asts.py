"""``filar asts`` from files to tables, and what it says to bad input."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli.asts import app
from filar.errors import FilarError, InputFileError, ParameterError
from filar.psf.files import ChipPSF, write_psfs
from filar.simulate import simulate_exposure, write_simulation
from tests.asts.fields import SHAPE, exposure_of, psf_of

RUN = CliRunner()


def image(path: Path, name: str, shift=(0.0, 0.0)) -> Path:
    """A generic FITS image of part of a chip."""
    exposure = exposure_of(name, shift)
    header = fits.Header({"GAIN": exposure.gain, "RDNOISE": exposure.read_noise, "FILTER": name})
    data = exposure.data / exposure.gain
    fits.writeto(path, data.astype(np.float32), header)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    psf = psf_of("F555W")  # the same file serves both: a generic image has no default PSF
    write_psfs([ChipPSF(psf, "", "", "", SHAPE)], folder / "psf.fits")
    return [
        image(folder / "v.fits", "F555W"),
        image(folder / "i.fits", "F814W", (2.4, -1.1)),
        folder / "psf.fits",
    ]


def run(*words: object) -> str:
    result = RUN.invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


COMMON = ("--zero-point", 25, "--zero-point", 25, "--mag", 14, 20.5, "--color", -0.5, 0.5)


def test_images_in_two_tables_out(files, tmp_path) -> None:
    v, i, psf = files
    out, stars = tmp_path / "asts.parquet", tmp_path / "stars.ecsv"
    text = run(v, i, "-o", out, "--stars", stars, "--number", 120, "--psf", psf, *COMMON,
               "--lf", "exponential", "--beta", 0.3, "--positions", "stars",
               "--min-snr", 7, "--max-q", 0.9, "--reject", "cosmic_ray,no_fit")  # fmt: skip
    assert "120 artificial stars" in text and "real stars in" in text
    table, real = read_catalog(out), read_catalog(stars)
    assert len(table) == 120
    assert table.meta["bands"] == ["F555W", "F814W"]
    assert table.meta["cuts"] == real.meta["cuts"]
    assert table.meta["cuts"]["min_snr"] == 7 and table.meta["cuts"]["max_q"] == 0.9
    assert table.meta["cuts"]["rejected"] == ["cosmic_ray", "no_fit"]
    assert 0 < np.mean(table["recovered"]) < 1
    assert len(real) > 20
    assert not (tmp_path / "asts_asts").exists()


def test_one_image_gives_no_colour(files, tmp_path) -> None:
    v, _, psf = files
    out = tmp_path / "asts.ecsv"
    run(v, "-o", out, "--number", 30, "--psf", psf, "--zero-point", 25, "--mag", 14, 20)
    assert read_catalog(out).meta["bands"] == ["F555W"]


def test_nothing_recovered_is_remarked(files, tmp_path) -> None:
    v, _, psf = files
    text = run(v, "-o", tmp_path / "a.ecsv", "--number", 20, "--psf", psf, "--zero-point", 25,
               "--mag", 26, 27)  # fmt: skip
    assert "0.0 % recovered" in text and "warning" in text


def test_magnitudes_default_to_vega_where_the_camera_knows_them(tmp_path) -> None:
    from filar.simulate import draw_stars
    from filar.simulate.files import truth_table

    stars = draw_stars(300, limits=(500, 1e5), seed=3)
    exposure = simulate_exposure(psf_of("F555W"), stars, chip="WF3", cosmic_ray_rate=0, seed=4)
    write_simulation([exposure], truth_table({"WF3": stars}, {}), tmp_path, "wf")
    out = tmp_path / "asts.ecsv"
    run(tmp_path / "wf_c0m.fits", "-o", out, "--number", 60, "--psf", "default", "--mag", 18, 23)
    table = read_catalog(out)
    assert table.meta["mag_system"] == "vega"
    assert set(table["chip"]) == {"WF3"}
    found = np.asarray(table["recovered"])
    delta = np.asarray(table["mag_out_F555W"] - table["mag_in_F555W"])[found]
    assert abs(np.median(delta)) < 0.05
    assert SHAPE != (800, 800) and np.asarray(table["x"]).max() > SHAPE[1]


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        (("--mag", 28, 20), ParameterError, "mag"),
        (("--lf", "steep"), ParameterError, "lf"),
        (("--reject", "ugly"), ParameterError, "rejected"),
        (("--in-bands", "some"), ParameterError, "in-bands"),
        (("--in-bands", 2), ParameterError, "bands"),
        (("--positions", "nowhere.fits"), InputFileError, "nowhere.fits"),
        (("--zero-point", 25, "--zero-point", 24), ParameterError, "zero_points"),
        (("--bands", "A,B,C"), ParameterError, "bands"),
        (("--mag-system", "johnson"), ParameterError, "mag_system"),
        (("--mag-system", "vega"), ParameterError, "zero"),
        (("--further-color", "1"), ParameterError, "further-color"),
        (("--psf", "none.fits"), InputFileError, "none.fits"),
    ],
)
def test_bad_input_is_told(files, tmp_path, words, error, text) -> None:
    v, _, psf = files
    given = words if "--psf" in words else (*words, "--psf", psf)
    with pytest.raises(error, match=text):
        run(v, "-o", tmp_path / "a.ecsv", "--number", 5, *given)
    assert not list(tmp_path.iterdir())


def test_images_of_other_fields_are_refused(files, tmp_path) -> None:
    v, _, psf = files
    data = exposure_of("F555W").data[::-1, ::-1]
    other = tmp_path / "other.fits"
    fits.writeto(other, np.ascontiguousarray(np.roll(data, 37, axis=0))[::-1] / 7.0,
                 fits.Header({"GAIN": 7.0, "RDNOISE": 5.0, "FILTER": "F814W"}))  # fmt: skip
    with pytest.raises(FilarError, match=r"other\.fits|tied"):
        run(v, other, "-o", tmp_path / "a.ecsv", "--number", 5, "--psf", psf, *COMMON)


def test_an_image_without_stars_is_refused(files, tmp_path) -> None:
    empty = tmp_path / "empty.fits"
    noise = np.random.default_rng(0).normal(20, 3, SHAPE).astype(np.float32)
    fits.writeto(empty, noise, fits.Header({"GAIN": 7.0, "RDNOISE": 5.0}))
    with pytest.raises(FilarError, match="stars"):
        run(empty, "-o", tmp_path / "a.ecsv", "--number", 5, "--psf", files[2],
            "--zero-point", 25)  # fmt: skip


def test_the_output_is_no_input(files, tmp_path) -> None:
    v, _, psf = files
    with pytest.raises(ParameterError):
        run(v, "-o", v, "--psf", psf)
    with pytest.raises(ParameterError):
        run(v, "-o", tmp_path / "a.ecsv", "--stars", tmp_path / "a.ecsv", "--psf", psf)
