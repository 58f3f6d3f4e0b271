import numpy as np
import pytest

from filar.centering.estimator import StarCenterer
from filar.centering.simulated import simulate_store
from filar.errors import InputFileError, ParameterError
from filar.learn.recipe import load_recipe, override
from filar.stamps.labels import TEST
from filar.stamps.store import StampStore
from tests.centering import stars

pytest.importorskip("lightning")
SHORT = {"budget.epochs": 2, "budget.batch_size": 128, "network.width": 32, "network.blocks": 1}


def short(**changes):
    return override(load_recipe("filar-centering"), {**SHORT, **changes})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> StampStore:
    return stars.store(tmp_path_factory.mktemp("stamps") / "store")


@pytest.fixture(scope="module")
def trained(store) -> StarCenterer:
    return StarCenterer(short(), seed=2).fit(store, accelerator="cpu", devices=1)


def test_centres_with_honest_errors_on_stars_held_out(trained, store):
    stamps, labels = store.read(store.rows(TEST))
    found = trained.predict(stamps)
    miss = found.x - stamps.corner_x - labels.x
    pull = miss / found.x_err
    assert np.median(np.abs(pull)) * 1.4826 == pytest.approx(1.0, abs=0.35)
    bright = stamps.flux > 2e4
    assert np.median(np.abs(miss[bright])) < 0.01
    assert found.in_domain.mean() > 0.9


def test_answers_do_not_depend_on_order_or_company(trained, store):
    stamps, _ = store.read(store.rows(TEST))
    whole = trained.predict(stamps)
    order = np.random.default_rng(1).permutation(len(stamps))
    shuffled, alone = trained.predict(stamps[order]), trained.predict(stamps[order[:1]])
    for name in ("x", "y", "x_err", "y_err"):
        column = getattr(whole, name)[order]
        assert getattr(shuffled, name) == pytest.approx(column, abs=2e-5)
        assert getattr(alone, name)[0] == pytest.approx(column[0], abs=2e-5)


def test_no_stars_no_answers(trained, store):
    stamps, _ = store.read(store.rows(TEST))
    assert len(trained.predict(stamps[:0])) == 0


def test_survives_its_file(trained, store, tmp_path):
    path = tmp_path / "model.safetensors"
    trained.save(path)
    again = StarCenterer.load(path)
    stamps, _ = store.read(store.rows(TEST))
    for name in ("x", "y", "x_err", "y_err", "in_domain"):
        assert np.array_equal(
            getattr(again.predict(stamps), name), getattr(trained.predict(stamps), name)
        )
    card = again.card_
    assert (card.instrument, card.chips, card.filters) == ("WFPC2", ("PC",), ("F555W",))
    assert card.data == store.digest
    assert {"stamps", "stars", "sigma_x", "sigma_y", "pull_x", "pull_y"} <= set(card.figures)


def test_the_same_seed_gives_the_same_file(trained, store, tmp_path):
    other = StarCenterer(short(), seed=2).fit(store, accelerator="cpu", devices=1)
    trained.save(tmp_path / "one.safetensors")
    other.save(tmp_path / "two.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (
        tmp_path / "two.safetensors"
    ).read_bytes()


def test_interrupted_and_resumed_it_gives_the_same_file(trained, store, tmp_path):
    def interrupt(progress):
        if progress.epoch == 1:
            raise KeyboardInterrupt

    here = {"folder": tmp_path / "run", "accelerator": "cpu", "devices": 1}
    with pytest.raises(KeyboardInterrupt):
        StarCenterer(short(), seed=2).fit(store, progress=interrupt, **here)
    again = StarCenterer(short(), seed=2).fit(store, resume=True, **here)
    trained.save(tmp_path / "one.safetensors")
    again.save(tmp_path / "two.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (
        tmp_path / "two.safetensors"
    ).read_bytes()


def test_stars_unlike_the_training_data_are_told(trained):
    stamps, _ = stars.stamps(50, focus=30.0)
    assert trained.predict(stamps).in_domain.mean() < 0.1
    stamps, _ = stars.stamps(50)
    assert trained.predict(stamps).in_domain.mean() > 0.8
    columns = {**stamps.columns(), "sky": stamps.sky + 5000, "groups": stamps.groups}
    assert not trained.predict(type(stamps)(**columns)).in_domain.any()


@pytest.mark.parametrize("name", ["c23-v1", "c24-vgg8"])
def test_the_papers_networks_train_and_get_errors_from_the_validation(name, store, tmp_path):
    brief = {"budget.epochs": 1, "budget.steps_per_epoch": 3, "optimiser.lr": 1e-3}
    recipe = override(load_recipe(name), brief)
    centerer = StarCenterer(recipe).fit(store, accelerator="cpu", devices=1)
    centerer.save(tmp_path / "model.safetensors")
    stamps, labels = store.read(store.rows(TEST))
    found = StarCenterer.load(tmp_path / "model.safetensors").predict(stamps)
    pull = (found.x - stamps.corner_x - labels.x) / found.x_err
    assert np.median(np.abs(pull)) * 1.4826 == pytest.approx(1.0, abs=0.4)


def test_a_network_that_is_told_one_psf_for_all(store, tmp_path):
    centerer = StarCenterer(short(**{"network.psf": "common"})).fit(
        store, accelerator="cpu", devices=1
    )
    centerer.save(tmp_path / "model.safetensors")
    again = StarCenterer.load(tmp_path / "model.safetensors")
    near, far = (stars.stamps(30, told=told)[0] for told in (0.0, 6.0))
    assert np.array_equal(again.predict(near).x, again.predict(far).x)
    assert "psf" not in again.card_.ranges


def test_continues_from_a_model(trained, store):
    more = StarCenterer(short(**{"budget.epochs": 1, "optimiser.lr": 1e-6})).fit(
        store, start=trained, accelerator="cpu", devices=1
    )
    stamps, _ = store.read(store.rows(TEST))
    assert more.predict(stamps).x == pytest.approx(trained.predict(stamps).x, abs=1e-3)
    assert trained.card_.data[:12] in more.card_.notes
    with pytest.raises(ParameterError, match="from"):
        StarCenterer(short(**{"network.width": 48})).fit(store, start=trained)


def test_a_model_of_another_chip_is_not_continued(trained, tmp_path):
    other = simulate_store(tmp_path / "wf", ["WF3"], "F555W", psfs=20, stars=20, seed=1)
    with pytest.raises(ParameterError, match="one for WFPC2 WF3 F555W"):
        StarCenterer(short()).fit(other, start=trained)


def test_what_does_not_suit_is_refused(trained, store, tmp_path):
    with pytest.raises(ParameterError, match="8 pixels"):
        trained.predict(stars.stamps(3, draw=stars.StampDraw(size=8))[0])
    with pytest.raises(ParameterError, match="untrained"):
        StarCenterer().predict(stars.stamps(3)[0])
    with pytest.raises(ParameterError, match="rasters of 6"):
        StarCenterer(short(**{"data.size": 8})).fit(store)
    with pytest.raises(ParameterError, match="loss"):
        StarCenterer(short(loss={"name": "mae"})).fit(store)
    with pytest.raises(ParameterError, match="options"):
        StarCenterer(short(**{"network.depth": 3})).fit(store)
    few = stars.store(tmp_path / "few", psfs=3, stars=5)
    with pytest.raises(ParameterError, match="more exposures"):
        StarCenterer(short()).fit(few)
    with pytest.raises(InputFileError):
        StarCenterer.load(tmp_path / "nothing.safetensors")
