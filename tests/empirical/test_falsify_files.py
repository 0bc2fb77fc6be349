"""Files of instances: what is kept comes back, and what others wrote is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.falsify import load_instance, save_instance
from tests.empirical.test_falsify import CLAIM, planted, true_claim


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "found.npz"
    save_instance(path, CLAIM.key, {"v": np.array([1.0, 2.0])})
    return path


def test_files_keep_an_instance(saved: Path) -> None:
    search = true_claim()
    back, instance = load_instance(saved, {CLAIM.key: search})
    assert back is search
    assert instance["v"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"v": np.ones(2)}, "must hold format"),
        ({"format": "other", "claim": CLAIM.key, "v": np.ones(2)}, "must be of format"),
        ({"format": "sparsebound falsify 1", "claim": "none", "v": np.ones(2)}, "'none'"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key}, "must hold"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key, "v": np.ones((2, 2))}, "axes"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key, "v": np.ones(0)}, "none empty"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key, "v": np.array(["a"])}, "float64"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key, "v": [np.nan]}, "finite"),
        ({"format": "sparsebound falsify 1", "claim": CLAIM.key, "v": [np.inf]}, "finite"),
    ],
)
def test_files_of_others_are_refused(tmp_path: Path, arrays: Any, said: str) -> None:
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        load_instance(tmp_path / "other.npz", {CLAIM.key: true_claim()})


def test_files_whose_shapes_disagree_are_refused(tmp_path: Path) -> None:
    search = planted(float, float, axes={"v": ("entry",), "u": ("entry",)})
    save_instance(tmp_path / "found.npz", CLAIM.key, {"v": np.ones(2), "u": np.ones(3)})
    with pytest.raises(ValueError, match="must have 2 of axis 'entry'; got 3"):
        load_instance(tmp_path / "found.npz", {CLAIM.key: search})


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_truncated_files_are_refused(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="npz"):
        load_instance(saved, {CLAIM.key: true_claim()})
