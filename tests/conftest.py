"""Fixtures that all tests share."""

import os
from pathlib import Path

import hypothesis
import pytest

# a busy machine is no fault of the code
hypothesis.settings.register_profile("filar", deadline=None)
hypothesis.settings.load_profile("filar")

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("FILAR_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent (set FILAR_SHARED)")
    return folder
