"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# No timed asserts: a busy machine is no failure.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real texts, open data and reference outputs that lie beside the checkout here and in CI, not at a user's."""
    path = ROOT.parent / "shared"
    if not (path / "DESIGN.md").exists():
        pytest.skip("needs the reference folder ../shared, which is not beside this checkout")
    return path


@pytest.fixture(scope="session")
def sample() -> Path:
    """The sample data of this project."""
    return ROOT / "data" / "sample"
