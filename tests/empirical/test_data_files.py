"""Data sets from the user's files, held against what was written there."""

import bz2
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.data import gene_expression, libsvm, split
from tests.empirical.npz_claims import claiming

DATA = Path(
    os.environ.get("SPARSEBOUND_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)
X = np.arange(12.0).reshape(6, 2) ** 2
FILE: dict[str, Any] = {"X": X, "y": [1, 0, 1, 1, 0, 0], "levels": ["ALL", "AML"]}


def genes(folder: Path, **change: Any) -> Path:
    """Write a file of gene expressions; a change of None leaves an array out."""
    arrays = {name: array for name, array in (FILE | change).items() if array is not None}
    np.savez(folder / "genes.npz", **arrays)
    return folder / "genes.npz"


def lines(folder: Path, text: str) -> Path:
    path = folder / "samples.txt"
    path.write_text(text)
    return path


def test_gene_expression_names_the_classes_in_the_order_of_levels(tmp_path: Path) -> None:
    data = gene_expression(genes(tmp_path))
    assert (data.name, data.classes, data.box, data.standardized) == (
        *("genes", ("ALL", "AML"), None, True),
    )
    assert (data.X == X).all()
    assert data.y.tolist() == [1, -1, 1, 1, -1, -1]


def test_gene_expression_counts_classes_from_three_on(tmp_path: Path) -> None:
    data = gene_expression(genes(tmp_path, y=[2, 0, 1, 1, 0, 2], levels=["c", "b", "a"]))
    assert data.y.tolist() == [2, 0, 1, 1, 0, 2]
    assert data.classes == ("c", "b", "a")


def test_gene_expression_leaves_out_levels_that_do_not_occur(tmp_path: Path) -> None:
    levels = ["a", "b", "c", "d"]
    two = gene_expression(genes(tmp_path, y=[3, 1, 1, 1, 3, 3], levels=levels))
    assert (two.y.tolist(), two.classes) == ([1, -1, -1, -1, 1, 1], ("b", "d"))
    three = gene_expression(genes(tmp_path, y=[3, 1, 0, 1, 3, 3], levels=levels))
    assert (three.y.tolist(), three.classes) == ([2, 1, 0, 1, 2, 2], ("a", "b", "d"))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"levels": None}, ValueError, r"must hold levels; it holds \['X', 'y'\]"),
        ({"X": None, "genes": X}, ValueError, "must hold X; it holds"),
        ({"X": np.where(X == 9, np.nan, X)}, ValueError, r"must be finite; got nan at .*\(1, 1\)"),
        ({"X": np.where(X == 9, np.inf, X)}, ValueError, "X in .* must be finite; got inf"),
        ({"X": X.astype(str)[:, :1] + "a"}, TypeError, "X in .* must be an array of numbers"),
        ({"X": X[:5]}, ValueError, r"X and y in .* must fit: .*; got \(5, 2\) and \(6,\)"),
        ({"X": X[:, 0]}, ValueError, r"must fit: .*; got \(6,\) and \(6,\)"),
        ({"y": [1, 1, 1, 1, 1, 1]}, ValueError, "at least two classes; got AML"),
        ({"y": np.zeros(0, int), "X": X[:0]}, ValueError, "at least two classes; got none"),
        (
            {"y": [1, 0, 1, 2, 0, 0]},
            ValueError,
            r"0\.\.1, the places of levels; got \[0, 1, 2\]",
        ),
        ({"y": [1, 0, 1, -1, 0, 0]}, ValueError, r"the places of levels; got \[-1, 0, 1\]"),
        ({"y": [1.0, 0, 1, 1, 0, 0]}, ValueError, r"must hold integers .* got \[0\.0, 1\.0\]"),
        ({"y": ["AML", "ALL"] * 3}, ValueError, r"must hold integers .* got \['ALL', 'AML'\]"),
        ({"levels": ["a", "a"]}, ValueError, r"list of different names; got \['a', 'a'\]"),
        ({"levels": "a"}, ValueError, "list of different names; got a"),
    ],
)
def test_gene_expression_refuses_by_name(
    change: dict[str, Any], error: Any, message: str, tmp_path: Path
) -> None:
    path = genes(tmp_path, **change)
    with pytest.raises(error, match=message) as refusal:
        gene_expression(path)
    assert str(path) in str(refusal.value)


def test_gene_expression_refuses_what_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        gene_expression(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("X")
    with pytest.raises(ValueError, match=r"text\.npz must be a whole npz file"):
        gene_expression(tmp_path / "text.npz")
    with pytest.raises(ValueError, match="9,000,000,000"):
        gene_expression(claiming(tmp_path / "huge.npz", "X"))


@pytest.mark.skipif(not (DATA / "genes").exists(), reason=f"no gene expressions in {DATA}")
@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("alon", (62, 2000), ("n", "t")),
        ("golub", (72, 7129), ("ALL", "AML")),
        ("singh", (102, 12600), ("Normal", "Tumor")),
        ("khan", (63, 2308), ("BL", "EWS", "NB", "RMS")),
    ],
)
def test_gene_expression_reads_published_studies(
    name: str, shape: tuple[int, int], classes: tuple[str, ...]
) -> None:
    data = gene_expression(DATA / "genes" / f"{name}.npz")
    assert (data.X.shape, data.classes) == (shape, classes)
    train = split(data, rng=np.random.default_rng(0)).train.X
    # the mean and the deviation of some dozens of numbers of size one
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(train.std(axis=0)[train.any(axis=0)], 1, rtol=1e-10)


@pytest.mark.parametrize(
    ("written", "labels", "classes"),
    [
        ("+1 -1 +1", [1, -1, 1], ("-1", "1")),
        ("0 1 1", [-1, 1, 1], ("0", "1")),
        ("2 1 2", [1, -1, 1], ("1", "2")),
        ("3 1 2", [2, 0, 1], ("1", "2", "3")),
        ("-1.0 7 2e3", [0, 1, 2], ("-1", "7", "2000")),
    ],
)
def test_libsvm_maps_labels_in_their_order(
    written: str, labels: list[int], classes: tuple[str, ...], tmp_path: Path
) -> None:
    text = "".join(f"{label} 1:{i}\n" for i, label in enumerate(written.split()))
    data = libsvm(lines(tmp_path, text))
    assert (data.y.tolist(), data.classes, data.name) == (labels, classes, "samples")
    assert data.X.tolist() == [[0], [1], [2]]


TEXT = "1 1:0.5 3:-2 # a comment\n-1 2:1e-3\n1\n"
ROWS = [[0.5, 0, -2], [0, 1e-3, 0], [0, 0, 0]]


def test_libsvm_fills_in_zeros(tmp_path: Path) -> None:
    path = lines(tmp_path, TEXT)
    assert libsvm(path).X.tolist() == ROWS
    assert libsvm(path, features=5).X.tolist() == [[*row, 0, 0] for row in ROWS]
    from_zero = libsvm(lines(tmp_path, TEXT.replace("1:0.5", "0:0.5")))
    assert from_zero.X.tolist() == [[0.5, 0, 0, -2], [0, 0, 1e-3, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(("end", "packed"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_libsvm_reads_compressed_files(end: str, packed: Any, tmp_path: Path) -> None:
    path = tmp_path / f"samples.txt{end}"
    path.write_bytes(packed(TEXT.encode()))
    assert libsvm(path).X.tolist() == ROWS
    path.write_bytes(packed(TEXT.encode())[:-3])
    with pytest.raises(ValueError, match=f"samples.txt{end} must be a LIBSVM file"):
        libsvm(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 1:0.5\n-1 1:nan\n", r"X in .*samples\.txt must be finite; got nan at index \(1, 0\)"),
        ("1 1:0.5\n-1 1:inf\n", "must be finite; got inf"),
        ("1 1:0.5\n1 1:2\n", "at least two classes; got 1"),
        ("", "samples.txt must "),
        ("1 1:0.5\n0.5 1:2\n", r"labels in .* must be whole numbers; got \[0\.5, 1\.0\]"),
        ("1 1:0.5\nnan 1:2\n", r"must be whole numbers; got \[1\.0, nan\]"),
        ("1 1:0.5\nyes 1:2\n", "must be a LIBSVM file, .*yes"),
        ("1 1:0.5\n-1 a:2\n", "must be a LIBSVM file"),
        ("1 1:0.5\n-1 2\n", "must be a LIBSVM file"),
        ("1 2:0.5 1:3\n-1 1:2\n", "must be a LIBSVM file"),
        ("1,2 1:0.5\n-1 1:2\n", "must be a LIBSVM file"),
        ("1 -3:0.5\n-1 1:2\n", "must be a LIBSVM file"),
        ("a,b\n1,2\n", "must be a LIBSVM file"),
    ],
)
def test_libsvm_refuses_by_name(text: str, message: str, tmp_path: Path) -> None:
    path = lines(tmp_path, text)
    with pytest.raises(ValueError, match=message) as refusal:
        libsvm(path)
    assert str(path) in str(refusal.value)


def test_libsvm_refuses_what_would_be_too_large_when_dense(tmp_path: Path) -> None:
    path = lines(tmp_path, "1 900000000:1\n-1 1:1\n")
    with pytest.raises(ValueError, match=r"max_entries=50,000,000 .* it has 2 × 900,000,000\."):
        libsvm(path)
    path = lines(tmp_path, TEXT)
    assert libsvm(path, max_entries=9).X.size == 9
    with pytest.raises(ValueError, match="max_entries=8 "):
        libsvm(path, max_entries=8)
    with pytest.raises(ValueError, match="must be a LIBSVM file"):
        libsvm(path, features=2)


def test_libsvm_names_a_file_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.txt"):
        libsvm(tmp_path / "absent.txt")
