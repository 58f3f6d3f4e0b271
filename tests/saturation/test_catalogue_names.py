"""The documentation of catalogues says what is read."""

from pathlib import Path

import pytest

from filar.gaia import RELATIONS
from filar.saturation.starcolumns import GAIA, NUMBERS
from filar.tablefile import POSITIONS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "catalogues.md").read_text()


@pytest.mark.parametrize(
    "pair", ["ra, dec", "ra_deg, dec_deg", "RA_ICRS, DE_ICRS", "RAJ2000, DEJ2000",
             "_RAJ2000, _DEJ2000", "ALPHA_J2000, DELTA_J2000", "raMean, decMean"],
)  # fmt: skip
def test_positions(pair: str) -> None:
    ra, dec = pair.lower().split(", ")
    assert f"`{pair}`" in TEXT
    assert any(ra == name and dec in others for name, others in POSITIONS)


def test_gaia_and_numbers() -> None:
    assert all(f"`{name}`" in TEXT for names in GAIA.values() for name in names)
    assert all(name in NUMBERS for name in ("source_id", "id", "objid"))


@pytest.mark.parametrize("band", RELATIONS)
def test_relations(band: str) -> None:
    relation = RELATIONS[band]
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {band} | "))
    assert f"| {relation.bluest} to {relation.reddest} | {relation.scatter:.4f} |" in row
