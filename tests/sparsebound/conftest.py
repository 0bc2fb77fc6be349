"""The network |x| - 1 and four inputs of it, in files."""

from pathlib import Path

import pytest

from tests.sparsebound.certified import ABSOLUTE, X1, Y1, npz


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return npz(tmp_path / "model.npz", **ABSOLUTE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return npz(tmp_path / "data.npz", X=X1, y=Y1)
