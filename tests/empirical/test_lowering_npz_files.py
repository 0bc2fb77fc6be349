"""What is too large is refused by the headers of an npz file, before anything is allocated."""

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.lowering import linear_from_file, load_arrays, network_from_file
from tests.empirical.npz_claims import claiming


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (network_from_file, "W1"),
        (linear_from_file, "W"),
        (partial(load_arrays, required=("X",)), "X"),
    ],
)
def test_npz_files_are_refused_by_name_and_size(read: Any, name: str, tmp_path: Path) -> None:
    path = claiming(tmp_path / "huge.npz", name)
    message = rf"huge\.npz .*=50,000,000 entries in all; up to {name}\.npy they have 9,000,000,000"
    with pytest.raises(ValueError, match=message):
        read(path)


def test_load_arrays_counts_the_entries_of_all_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=np.ones((6, 5)), y=np.ones(6))
    assert load_arrays(tmp_path / "data.npz", required=("X",), max_entries=36)["y"].size == 6
    with pytest.raises(ValueError, match=r"max_entries=35 .* up to y\.npy they have 36, of 288"):
        load_arrays(tmp_path / "data.npz", required=("X",), max_entries=35)


def test_linear_from_file_counts_the_entries_of_all_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", W=np.ones((3, 5)), b=np.ones(3))
    assert linear_from_file(tmp_path / "model.npz", max_entries=18).model.dimension == 5
    with pytest.raises(ValueError, match=r"max_entries=17 .* up to b\.npy they have 18"):
        linear_from_file(tmp_path / "model.npz", max_entries=17)


def test_load_arrays_names_a_member_that_is_no_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=np.ones((6, 5)))
    with zipfile.ZipFile(tmp_path / "data.npz", "a") as archive:
        archive.writestr("README.txt", "six inputs")
    with pytest.raises(
        ValueError, match=r"data\.npz must be .* plain arrays; README\.txt is not: "
    ):
        load_arrays(tmp_path / "data.npz", required=("X",))
