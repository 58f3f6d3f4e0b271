"""Samples for training from images and a catalogue."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pyarrow.parquet import read_table

from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.instruments import read_exposures
from filar.measure import saturation_samples
from filar.measure.chip import Settings
from filar.measure.saturation_samples import Collected, Collecting, collect_samples
from filar.saturation.data import Samples
from filar.simulate.survey.files import Survey
from tests.survey_samples import tiny_survey

QUICK = Settings(method="psf", psf="default")


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return tiny_survey(tmp_path_factory.mktemp("survey"))


@pytest.fixture(scope="module")
def how(survey: Survey) -> Collecting:
    return Collecting(survey.stars, settings=QUICK)


@pytest.fixture(scope="module")
def collected(survey: Survey, how: Collecting) -> Collected:
    return collect_samples(survey.files, how)


@pytest.fixture(scope="module")
def accurate(survey: Survey) -> Samples:
    """With the PSF fitted to the images."""
    return collect_samples(survey.files, Collecting(survey.stars)).samples


def only(survey: Survey, folder: Path) -> Path:
    """A copy of the first image."""
    return Path(shutil.copy(survey.files[0], folder / "only.fits"))


def test_samples_are_of_the_catalogues_bright_stars(survey: Survey, accurate: Samples) -> None:
    stars = Table.read(survey.stars)
    assert set(accurate.star.tolist()) <= set(stars["id"].tolist())
    by_id = dict(zip(stars["id"].tolist(), stars["g_mag"].tolist(), strict=True))
    np.testing.assert_allclose(accurate.mag, [by_id[i] for i in accurate.star.tolist()], atol=1e-6)
    assert accurate.images == tuple(path.stem for path in survey.files)
    assert set(accurate.filters) == {"g"}
    assert len(accurate.meta["mjd"]) == len(accurate.meta["fwhm"]) == 2
    varies = np.isin(accurate.star, stars["id"][np.asarray(stars["variable"], bool)])
    np.testing.assert_array_equal(np.isfinite(accurate.log_n), ~varies)
    assert (accurate.log_n_err >= 0).all()
    saturated = accurate.saturated[:, 10, 10]
    assert saturated.sum() > 10 and (~saturated).sum() > 5


def test_labels_are_the_light_in_the_image(survey: Survey, accurate: Samples) -> None:
    """The survey tells how many electrons each target had; few stars tell the zero point."""
    light = read_table(survey.folder / "light.parquet").to_pylist()
    truth = {(row["id"], row["image"]): row["electrons"] for row in light}
    keys = [(int(star), accurate.images[k])
            for star, k in zip(accurate.star, accurate.image, strict=True)]  # fmt: skip
    known = np.array([key in truth for key in keys])
    expected = np.array([truth[key] for key, is_known in zip(keys, known, strict=True) if is_known])
    assert known.sum() > 20
    off = accurate.log_n[known] - np.log10(expected)
    assert np.nanmedian(np.abs(off)) < 0.08
    assert np.nanstd(off / accurate.log_n_err[known]) < 2
    told = accurate.column("trail")[known] - np.log10(expected)
    assert np.nanmedian(np.abs(told)) < 0.04


def test_two_processes_give_the_same(survey: Survey, how: Collecting, collected: Collected) -> None:
    told: list[tuple[int, int]] = []
    both = collect_samples(
        survey.files, how, workers=2, progress=lambda done, of: told.append((done, of))
    )
    assert both.samples.digest() == collected.samples.digest()
    assert both.samples.meta == collected.samples.meta
    assert told == [(1, 2), (2, 2)]


def test_kept_samples_are_taken(
    survey: Survey, how: Collecting, collected: Collected, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    kept = replace(how, folder=tmp_path / "new" / "samples")
    first = collect_samples(survey.files, kept)
    assert first.samples.digest() == collected.samples.digest()
    assert len(list((tmp_path / "new" / "samples").iterdir())) == 2

    def fails(*_: object) -> Samples:
        raise AssertionError("measured again")

    monkeypatch.setattr(saturation_samples, "samples_of_exposure", fails)
    again = collect_samples(survey.files, replace(kept, resume=True))
    assert again.samples.digest() == first.samples.digest()
    assert again.samples.meta == first.samples.meta
    # other settings, other samples; and without resume all is made anew
    other = replace(kept, resume=True, settings=replace(QUICK, threshold=8.0))
    for changed in (other, kept, replace(kept, resume=True, mag="V_mag")):
        with pytest.raises(AssertionError, match="measured again"):
            collect_samples(survey.files, changed)


def test_bad_images_are_told_and_the_others_taken(
    survey: Survey, how: Collecting, tmp_path: Path
) -> None:
    """Whether samples are kept or not."""
    broken, empty = tmp_path / "broken.fits", tmp_path / "empty.fits"
    broken.write_bytes(b"SIMPLE  = torn")
    dark = fits.open(survey.files[0])
    dark[0].data = np.random.default_rng(0).normal(200, 5, dark[0].data.shape).astype("f4")
    dark.writeto(empty)
    files = [broken, only(survey, tmp_path), empty, tmp_path / "none.fits"]
    for folder in (None, tmp_path / "kept"):
        found = collect_samples(files, replace(how, folder=folder))
        assert found.samples.images == ("only",)
        assert len(found.messages) == 3
        for name, message in zip(("broken", "empty", "none"), found.messages, strict=True):
            assert name in message


def test_a_bad_chip_does_not_spoil_the_others(
    survey: Survey, how: Collecting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_chips(path: Path, options: object) -> Iterator[Exposure]:
        (exposure,) = read_exposures(path, how.read)
        yield exposure.replace(chip="1")
        yield exposure.replace(chip="2", wcs=None)

    monkeypatch.setattr(saturation_samples, "read_exposures", two_chips)
    kept = replace(how, folder=tmp_path)
    for resume in (False, True):
        found = collect_samples(survey.files[:1], replace(kept, resume=resume))
        assert found.samples.images == (f"{survey.files[0].stem}[1]",)
        assert len(found.messages) == 1 and "WCS" in found.messages[0]
        assert "failures" not in found.samples.meta and "psf_fits" not in found.samples.meta


def test_a_catalogue_of_another_field_is_refused(
    survey: Survey, how: Collecting, tmp_path: Path
) -> None:
    stars = Table.read(survey.stars)
    stars["dec"] = np.asarray(stars["dec"]) - 20
    stars.write(tmp_path / "far.ecsv")
    with pytest.raises(InputFileError, match="degrees from its centre"):
        collect_samples(survey.files, replace(how, catalog=tmp_path / "far.ecsv"))


@pytest.mark.parametrize("folder", [None, "kept"])
def test_no_catalogue_at_all(
    survey: Survey, how: Collecting, tmp_path: Path, folder: str | None
) -> None:
    without = replace(how, catalog=tmp_path / "none.ecsv",
                      folder=folder and tmp_path / folder)  # fmt: skip
    with pytest.raises(InputFileError, match=r"none\.ecsv"):
        collect_samples(survey.files, without)


def test_a_catalogue_of_few_stars_is_refused(
    survey: Survey, how: Collecting, tmp_path: Path
) -> None:
    stars = Table.read(survey.stars)
    stars[np.argsort(stars["g_mag"])[:6]].write(tmp_path / "few.ecsv")
    with pytest.raises(InputFileError, match="zero point"):
        collect_samples(survey.files, replace(how, catalog=tmp_path / "few.ecsv"))


def test_no_images(how: Collecting) -> None:
    with pytest.raises(ParameterError, match="images"):
        collect_samples([], how)


def test_damaged_images_give_samples_that_tell(survey: Survey, tmp_path: Path) -> None:
    """Pixels of one count in the core of a saturated star."""
    path = only(survey, tmp_path)
    how = Collecting(survey.stars, settings=QUICK)
    before = collect_samples([path], how).samples
    full = np.flatnonzero(before.saturated[:, 10, 10])
    star = full[np.argmax(before.log_n[full])]
    x, y = int(np.rint(before.x[star])), int(np.rint(before.y[star]))
    with fits.open(path, mode="update") as hdus:
        hdus[0].data[y - 2 : y + 3, x] = 1
    after = collect_samples([path], how).samples
    same = after.select(after.star == before.star[star])
    assert len(same) == 1
    assert same.column("damaged")[0] == 5
    assert np.isnan(same.stamp).sum() == 5
    assert not before.column("damaged").any()


def test_a_saturated_star_that_is_too_faint_for_that_gets_no_label(
    survey: Survey, how: Collecting, collected: Collected, tmp_path: Path
) -> None:
    samples = collected.samples
    full = samples.saturated[:, 9:12, 9:12].any(axis=(1, 2))
    star = int(samples.star[full & np.isfinite(samples.log_n)][0])
    stars = Table.read(survey.stars)
    stars["g_mag"][stars["id"] == star] = 17.0
    stars.write(tmp_path / "stars.ecsv")
    again = collect_samples(survey.files, replace(how, catalog=tmp_path / "stars.ecsv")).samples
    own = again.star == star
    assert own.any()
    assert np.isnan(again.log_n[own]).all()
    assert np.isnan(again.mag[own]).all()
    assert np.isfinite(again.log_n[~own]).any()
