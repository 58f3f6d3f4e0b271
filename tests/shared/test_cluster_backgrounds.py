"""A real image behind mock clusters."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli.main import app
from filar.clusters.data import SetFolder
from tests.simulate.clusters.samples import write_isochrones

pytestmark = pytest.mark.shared


def test_mock_clusters_of_m31_lie_on_the_image_of_ap_142(shared: Path, tmp_path: Path) -> None:
    """A cut-out of the PHAT survey (programme 12058, F475W) whose header has no exposure time."""
    image = shared / "clusters" / "ap142_F475W.fits"
    stars = write_isochrones(tmp_path / "toy.dat", ("F475W",))
    options = ["--camera", "m31-f475w", "--scenes", "0", "--scene-size", "128", "-n", "2"]
    options += ["--isochrones", str(stars), "--background", str(image), "--workers", "1"]
    folder = tmp_path / "set"
    command = ["simulate", "clusters", *options, "-o"]
    result = CliRunner().invoke(app, [*command, str(folder), "--exposure-times", "1720"])
    assert result.exit_code == 0, result.output
    found = SetFolder(folder)
    assert found.facts.exposure_time.tolist() == [1720.0]
    assert found.facts.pixel_scale == pytest.approx(0.05, rel=0.01)
    assert found.facts.zero_point[0] == pytest.approx(26.16, abs=0.03)
    # pieces side by side, the last ones back from the edge: all of the image
    assert len(found.scenes) == 9
    assert 50 < np.median(np.stack(found.scenes)) < 1000
    without = CliRunner().invoke(app, [*command, str(tmp_path / "no")])
    assert "exposure time" in str(without.exception)
