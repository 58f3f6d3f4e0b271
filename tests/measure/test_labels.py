import numpy as np
import pytest
from astropy.table import QTable

import filar.measure.labels as chain
from filar.catalogfile import write_catalog
from filar.errors import FilarError, InputFileError, OutputFileError, ParameterError
from filar.flags import Flag
from filar.measure.labels import make_stamps
from filar.psf import fitted
from filar.psf.fitted import NearFit, PSFFit
from filar.stamps.settings import StampSettings
from filar.stamps.store import StampStore
from filar.xym import to_one_based

from . import dithered, samples

PSF = samples.psf()


@pytest.fixture(scope="module")
def dithers(tmp_path_factory):
    return dithered.write(tmp_path_factory.mktemp("dithers"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory, dithers):
    """Measurements that tests have in common."""
    folder = tmp_path_factory.mktemp("parts")
    make_stamps(dithers.files, folder / "first", psf=PSF, parts=folder)
    return folder


@pytest.fixture
def make(dithers, parts, tmp_path):
    def call(files=None, name="stamps", **options):
        options = {"psf": PSF, "parts": parts} | options
        return make_stamps(files or dithers.files, tmp_path / name, **options)

    return call


def places(store):
    """Labels as pixels of the exposure, with their exposures' numbers."""
    stamps, labels = store.read()
    number = np.array([int(group.exposure[1:]) for group in store.groups])[stamps.group]
    return labels.x + stamps.corner_x, labels.y + stamps.corner_y, number, stamps, labels


def true_star(dithers, x, y, number):
    """The true star at each place, and the distance to it."""
    dx = x[:, None] - dithers.x - dithers.offsets[number, 0][:, None]
    dy = y[:, None] - dithers.y - dithers.offsets[number, 1][:, None]
    distance = np.hypot(dx, dy)
    star = distance.argmin(axis=1)
    rows = np.arange(len(x))
    return star, dx[rows, star], dy[rows, star]


def test_labels_of_the_mean_are_better_than_single_centres(dithers, make):
    store = make()
    x, y, number, stamps, labels = places(store)
    star, dx, dy = true_star(dithers, x, y, number)
    _, cx, _ = true_star(
        dithers, labels.x_classic + stamps.corner_x, labels.y_classic + stamps.corner_y, number
    )
    assert np.std(dx) < 0.6 * np.std(cx)
    assert np.std(dx) < 0.02
    pull = np.concatenate([dx / labels.x_err, dy / labels.y_err])
    assert 0.7 < 1.4826 * np.median(np.abs(pull)) < 2.0
    # a number is one star's, in all exposures
    assert all(len(set(star[labels.star == one])) == 1 for one in set(labels.star))
    assert len(set(labels.star)) == len(set(star)) > 60
    assert store.meta["chips"][""]["stamps"] == len(store) > 450
    assert np.bincount(number).min() > 50


def test_stars_with_a_neighbour_are_left_out(dithers, make):
    def found(store):
        x, y, number, _, _ = places(store)
        return set(true_star(dithers, x, y, number)[0])

    pair = {len(dithers.x) - 1, len(dithers.x) - 2}
    assert not pair & found(make())
    assert pair <= found(make(name="all", data=StampSettings(isolation=0.0)))


def test_stamps_show_their_stars(dithers, make):
    store = make()
    _, _, _, stamps, labels = places(store)
    light = np.where(stamps.bad, 0, stamps.pixels - stamps.sky[:, None, None])
    total = light.sum(axis=(1, 2))
    centre = (light.sum(axis=1) @ np.arange(6)) / total
    assert np.median(np.abs(centre - labels.x)) < 0.2
    assert (np.abs(labels.x - 2.5) < 1).all()
    assert [group.psf is not None for group in store.groups] == [True] * 8


def test_true_labels_have_no_error(dithers, make):
    store = make(labels=dithers.truth)
    x, y, number, _, labels = places(store)
    star, dx, dy = true_star(dithers, x, y, number)
    assert np.abs([dx, dy]).max() < 1e-5
    assert np.array_equal(labels.star, star + 1)
    assert not labels.x_err.any()
    assert not labels.y_err.any()
    assert store.meta["labels"] == "truth"


def write_list(path, x, y, names="xymq"):
    columns = {"x": to_one_based(x), "y": to_one_based(y)}
    columns |= {"m": np.full(len(x), -12.0), "q": np.full(len(x), 0.05)}
    header = f"# OUT={names}\n"
    rows = zip(*(columns[name.lower()] for name in names), strict=True)
    path.write_text(header + "".join(" ".join(f"{v:.5f}" for v in row) + "\n" for row in rows))
    return path


@pytest.fixture
def lists(dithers, tmp_path):
    """Lists by a method whose centres scatter, and are half a pixel off everywhere."""
    rng = np.random.default_rng(1)
    found = []
    for (dx, dy), path in zip(dithers.offsets, dithers.files, strict=True):
        noise = rng.normal(0.5, 0.01, (2, len(dithers.x)))
        place = dithers.x + dx + noise[0], dithers.y + dy + noise[1]
        found.append(write_list(tmp_path / f"{path.stem}.xymq", *place))
    return found


def test_lists_of_another_program_make_the_labels(dithers, make, lists):
    store = make(labels=lists)
    x, y, number, stamps, labels = places(store)
    _, dx, dy = true_star(dithers, x, y, number)
    assert np.median([dx, dy]) == pytest.approx(0.5, abs=0.01)
    assert np.std(dx) < 0.008
    _, cx, _ = true_star(
        dithers, labels.x_classic + stamps.corner_x, labels.y_classic + stamps.corner_y, number
    )
    assert np.mean(cx) == pytest.approx(0.5, abs=0.005)
    assert np.std(cx) == pytest.approx(0.01, rel=0.15)


def test_exposures_without_a_list_are_named(make, lists):
    store = make(labels=lists[:6])
    assert {one["exposure"] for one in store.meta["left_out"]} == {"d06", "d07"}
    with pytest.raises(InputFileError, match=r"star lists of 4 of 8 exposures; expected 5"):
        make(name="fewer", labels=lists[:4])


def test_settings_choose_the_stars(dithers, make):
    store = make(data=StampSettings(size=8, snr=(60.0, 150.0), q=(0.0001, 0.2)))
    _, labels = store.read()
    assert store.size == 8
    assert 60 <= labels.snr.min() < labels.snr.max() <= 150
    assert store.meta["chips"][""]["dropped"]["outside of the limits of signal to noise"] > 50


@pytest.mark.parametrize("split", ["star", "stamp"])
def test_parts_are_of_stars_or_of_stamps(make, split):
    _, labels = make(data=StampSettings(split=split)).read()
    several = [len(set(labels.part[labels.star == one])) > 1 for one in set(labels.star)]
    assert (np.mean(several) == 0) if split == "star" else (np.mean(several) > 0.8)
    assert np.bincount(labels.part) / len(labels) == pytest.approx([0.7, 0.1, 0.2], abs=0.02)


def test_recipes_say_which_stamps_they_want(make):
    from filar.learn.settings import DataSettings

    store = make(data=DataSettings(size=5, isolation=3.0, fractions=(0.5, 0.25, 0.25)))
    assert store.size == 5
    assert store.meta["settings"]["isolation"] == 3.0
    assert store.count(0) / len(store) == pytest.approx(0.5, abs=0.01)


def test_what_is_there_is_opened_and_nothing_else_replaced(make, monkeypatch):
    first = make()
    monkeypatch.setattr(chain, "measure_files", None)
    monkeypatch.setattr(chain, "read_parts", None)
    assert make().digest == first.digest
    for other in ({"seed": 1}, {"data": StampSettings(size=8)}, {"psf": "default"}):
        with pytest.raises(OutputFileError, match="other files, labels or settings"):
            make(**other)
    assert StampStore.open(first.path).digest == first.digest


def test_an_interrupted_run_goes_on_where_it_stopped(dithers, make, tmp_path, monkeypatch):
    whole = make()
    told = []

    def stop(part, text):
        told.append(part)
        if part > 0.5:
            raise KeyboardInterrupt

    target = tmp_path / "other"
    with pytest.raises(KeyboardInterrupt):
        make_stamps(dithers.files, target, psf=PSF, progress=stop)
    assert not target.exists()
    measured, original = [], chain.measure_files
    monkeypatch.setattr(
        chain,
        "measure_files",
        lambda paths, *a, **k: measured.extend(paths) or original(paths, *a, **k),
    )
    again = []
    store = make_stamps(
        dithers.files, target, psf=PSF, progress=lambda part, text: again.append(part)
    )
    assert measured == dithers.files[-len(measured) :]
    assert 2 <= len(measured) < 6
    assert again == sorted(again)
    assert again[0] > 0.4
    assert store.digest == whole.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "stamps"]


def test_psf_fits_begin_with_the_first_of_the_set_also_when_resumed(dithers, tmp_path, monkeypatch):
    begun = {}

    def fit_psf(exposure, stars, *, near=None):
        begun[exposure.name] = near.label if near else ""
        if exposure.name == "d00":
            return PSFFit(PSF, 0, True, "too few stars")
        solved = NearFit("", "", "F555W", {"focus": 0.1}, 0.01, exposure.name)
        return PSFFit(PSF, 50, False, "", solved=solved)

    def stop(part, text):
        if "d04.fits" in text:
            raise KeyboardInterrupt

    monkeypatch.setattr(fitted, "fit_psf", fit_psf)
    expected = {"d00": "", "d01": "", **{f"d{k:02d}": "d01" for k in range(2, 8)}}
    with pytest.raises(KeyboardInterrupt):
        make_stamps(dithers.files, tmp_path / "stamps", progress=stop)
    assert set(begun) == set(list(expected)[:5])
    first = dict(begun)
    begun.clear()
    make_stamps(dithers.files, tmp_path / "stamps")
    assert first | begun == expected
    assert not set(first) & set(begun)
    make_stamps(dithers.files, tmp_path / "cold", similar=False)
    assert set(begun.values()) == {""}


def test_a_bad_file_does_not_spoil_the_others(dithers, make, tmp_path):
    bad = tmp_path / "bad.fits"
    bad.write_text("no image")
    store = make([*dithers.files, bad])
    assert "bad.fits" in store.meta["messages"][0]
    assert store.meta["chips"][""]["exposures"] == 8


def test_an_exposure_of_another_field_is_left_out_by_name(dithers, make, tmp_path):
    other = dithered.write(tmp_path, 1, seed=7, most=20)
    elsewhere = other.files[0].rename(tmp_path / "elsewhere.fits")
    store = make([*dithers.files, elsewhere])
    (left,) = store.meta["left_out"]
    assert left["exposure"] == "elsewhere"
    assert "no stars in common" in left["reason"]
    assert "elsewhere" in store.meta["messages"][0]
    assert "elsewhere" not in [group.exposure for group in store.groups]


def test_pixels_that_are_no_numbers_are_bad_and_cost_no_star(dithers, make, tmp_path):
    from astropy.io import fits

    path = tmp_path / "d03.fits"
    data = fits.getdata(dithers.files[3]).copy()
    x, y = np.rint([dithers.x + dithers.offsets[3, 0] + 2, dithers.y + dithers.offsets[3, 1]])
    data[y.astype(int)[:20], x.astype(int)[:20]] = np.nan
    dithered.write_image(path, data * samples.GAIN)
    store = make([*dithers.files[:3], path, *dithers.files[4:]])
    stamps, labels = store.read()
    mine = np.array([group.exposure == "d03" for group in store.groups])[stamps.group]
    hit = stamps.bad.any(axis=(1, 2))
    assert hit[mine].sum() >= 10
    assert not hit[~mine].any()
    assert ((labels.flags[hit] & Flag.MASKED) != 0).any()
    assert np.isfinite(stamps.pixels).all()
    assert np.isfinite([labels.x, labels.y, labels.x_err, labels.y_err]).all()


def few(dithers, folder):
    return dithers.files[:4], {}


def two_filters(dithers, folder):
    return [*dithers.files[:6], *dithered.write(folder, 2, FILTER="F814W").files], {}


def no_overlap(dithers, folder):
    fields = []
    for seed in range(2, 8):
        (folder / f"{seed}").mkdir()
        one = dithered.write(folder / f"{seed}", 1, seed=seed, most=15).files[0]
        fields.append(one.rename(folder / f"field{seed}.fits"))
    return fields, {}


def few_stars(dithers, folder):
    rng = np.random.default_rng(1)
    empty = [rng.normal(samples.SKY, 7.0, samples.SHAPE) for _ in range(6)]
    return [dithered.write_image(folder / f"e{k}.fits", d) for k, d in enumerate(empty)], {}


def nothing_readable(dithers, folder):
    return [folder / f"absent{k}.fits" for k in range(6)], {}


def strict(dithers, folder):
    return dithers.files, {"data": StampSettings(snr=(1e5, 1e6))}


def truth_of_another_set(dithers, folder):
    table = QTable({"chip": ["PC"], "exposure": ["x"], "id": [1], "x": [1.0], "y": [1.0]})
    write_catalog(table, folder / "t.parquet")
    return dithers.files, {"labels": folder / "t.parquet"}


def truth_that_is_none(dithers, folder):
    write_catalog(QTable({"x": [1.0]}), folder / "t.parquet")
    return dithers.files, {"labels": folder / "t.parquet"}


def lists_on_the_sky(dithers, folder):
    return dithers.files, {"labels": [write_list(folder / "d00.XY", [1.0], [2.0], "XYmq")]}


def no_lists(dithers, folder):
    return dithers.files, {"labels": []}


@pytest.mark.parametrize(
    ("case", "error", "message"),
    [
        (few, ParameterError, "4 files.*5 exposures or more"),
        (two_filters, ParameterError, r"F555W \(6, e.g. d00\), F814W \(2.*one filter"),
        (no_overlap, InputFileError, r"of 6 exposures can be tied.*no stars in common.*overlap"),
        (few_stars, InputFileError, r"0 of 6 exposures.*too few stars"),
        (nothing_readable, InputFileError, "absent0.fits"),
        (strict, InputFileError, "0 stars with labels.*signal to noise.*expected 30 or more"),
        (truth_of_another_set, InputFileError, r"t.parquet: none of the 8 exposures"),
        (truth_that_is_none, InputFileError, r"t.parquet: it has no column chip"),
        (lists_on_the_sky, InputFileError, "positions xy as measured"),
        (no_lists, ParameterError, "labels"),
    ],
)
def test_bad_input_is_told(dithers, parts, tmp_path, case, error, message):
    files, options = case(dithers, tmp_path)
    target = tmp_path / "stamps"
    with pytest.raises(error, match=message):
        make_stamps(files, target, **({"psf": PSF, "parts": parts} | options))
    assert not target.exists()


def test_no_files_and_no_folder_are_refused(dithers, tmp_path):
    with pytest.raises(ParameterError, match="files"):
        make_stamps([], tmp_path / "stamps")
    with pytest.raises(FilarError, match="no folder"):
        make_stamps(dithers.files, tmp_path / "none" / "stamps")
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputFileError, match="choose another name"):
        make_stamps(dithers.files, tmp_path / "mine")
