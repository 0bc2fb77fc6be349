"""Data sets and their splits, held against scikit-learn's raw arrays and the laws drawn from."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits

from empirical.data import (
    Dataset,
    breast_cancer,
    digits,
    sample_classes,
    sparse_mean_classes,
    split,
)
from theory.mixtures import GaussianClasses

# The probability that a correct sampler fails a test of its moments; the generator is fixed.
FALSE_ALARM = 1e-6


def numbered(y: Any, *, standardized: bool = False) -> Dataset:
    """Return a data set whose one feature is the number of its row."""
    X = np.arange(len(y), dtype=float)[:, None]
    return Dataset(name="rows", X=X, y=y, scaling="rows", standardized=standardized)


def rows_of(y: Any, seed: int) -> list[Any]:
    """Return which rows each part of a split holds."""
    parts = split(numbered(y), rng=np.random.default_rng(seed))
    return [part.X[:, 0].astype(int) for part in parts]


def test_digits_are_all_ten_with_pixels_in_their_box() -> None:
    raw, labels = load_digits(return_X_y=True)
    data = digits()
    assert np.unique(data.y).tolist() == list(range(10))
    assert (data.y == labels).all()
    assert (raw == data.X * 16).all()  # a power of two changes no digit
    assert data.box == (0.0, 1.0)
    assert (data.X.min(), data.X.max()) == data.box
    assert not data.standardized


@pytest.mark.parametrize("pair", [(3, 8), (8, 3), (0, 1)])
def test_digits_of_a_pair_are_minus_and_plus_one_in_its_order(pair: tuple[int, int]) -> None:
    raw, labels = load_digits(return_X_y=True)
    data = digits(*pair)
    assert np.unique(data.y).tolist() == [-1, 1]
    for own, digit in zip((-1, 1), pair, strict=True):
        assert (data.X[data.y == own] * 16 == raw[labels == digit]).all()
    assert data.name == f"digits {pair[0]} or {pair[1]}"


@pytest.mark.parametrize("pair", [(3,), (3, 3), (3, 10), (-1, 3), (1, 2, 3)])
def test_digits_refuse_what_is_no_pair(pair: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"two different digits in 0..9; got \("):
        digits(*pair)


def test_breast_cancer_is_benign_against_malignant() -> None:
    raw = load_breast_cancer()
    data = breast_cancer()
    assert raw.target_names.tolist() == ["malignant", "benign"]
    assert ((data.y == 1) == (raw.target == 1)).all()
    assert data.X.shape == (569, 30)
    assert data.standardized
    assert data.box is None


def test_split_standardizes_by_the_training_part_alone() -> None:
    data = breast_cancer()
    rows = rows_of(data.y, 5)
    parts = split(data, rng=np.random.default_rng(5))
    train = data.X[rows[0]]
    for part, own in zip(parts, rows, strict=True):
        # the same quotient of numbers up to 4254, in another order of operations
        expected = (data.X[own] - train.mean(axis=0)) / train.std(axis=0)
        np.testing.assert_allclose(part.X, expected, rtol=1e-12, atol=1e-12)
    assert np.abs(parts.test.X.mean(axis=0)).max() > 0.01  # not by its own moments


def test_split_leaks_nothing_of_the_other_parts_into_training() -> None:
    data = breast_cancer()
    train, validation, test = rows_of(data.y, 6)
    changed = data.X.copy()
    changed[np.concatenate([validation, test])] = 1e6
    other = Dataset(name="changed", X=changed, y=data.y, scaling="", standardized=True)
    before, after = (split(d, rng=np.random.default_rng(6)) for d in (data, other))
    assert (before.train.X == after.train.X).all()
    assert (before.test.X != after.test.X).all()
    assert train.size == len(before.train.y)


def test_split_of_a_constant_feature_is_zero() -> None:
    y = np.repeat([-1, 1], 20)
    X = np.column_stack([np.full(40, 7.0), np.arange(40.0)])
    data = Dataset(name="constant", X=X, y=y, scaling="", standardized=True)
    parts = split(data, rng=np.random.default_rng(0))
    assert all((part.X[:, 0] == 0).all() for part in parts)
    assert np.isfinite(parts.test.X).all()


@pytest.mark.parametrize("y", [np.repeat([-1, 1], [150, 57]), np.repeat([0, 1, 2], [40, 41, 83])])
def test_split_covers_every_row_once_in_the_shares_of_the_labels(y: Any) -> None:
    rows = rows_of(y, 1)
    assert sorted(np.concatenate(rows).tolist()) == list(range(y.size))
    for own, share in zip(rows, (0.5, 0.25, 0.25), strict=True):
        assert abs(own.size - share * y.size) <= 1  # whole rows
        for label in np.unique(y):
            # two roundings to whole rows, one a cut
            assert abs((y[own] == label).sum() - share * (y == label).sum()) <= 2


def test_split_keeps_inputs_with_their_labels() -> None:
    y = np.random.default_rng(2).choice([-1, 1], 50)
    for part in split(numbered(y), rng=np.random.default_rng(3)):
        assert (part.y == y[part.X[:, 0].astype(int)]).all()


def test_split_is_determined_by_the_generator() -> None:
    y = np.repeat([-1, 1], 40)
    first, again, other = (rows_of(y, seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((np.sort(a) != np.sort(b)).any() for a, b in zip(first, other, strict=True))
    rng = np.random.default_rng(1)
    successive = [split(numbered(y), rng=rng).train.X for _ in range(2)]
    assert (successive[0] != successive[1]).any()


def test_split_refuses_a_label_too_rare_for_every_part() -> None:
    for rare in (1, 2):
        with pytest.raises(ValueError, match="class"):
            split(numbered(np.repeat([-1, 1], [30, rare])), rng=np.random.default_rng(0))


def drawn(covariance: Any, prior: float = 0.5) -> tuple[GaussianClasses, Dataset]:
    means = np.array([[0.0, 1.0, -2.0], [3.0, 1.0, 0.5]])
    law = GaussianClasses(means=means, covariance=covariance, positive_prior=prior)
    return law, sample_classes(law, 40_000, rng=np.random.default_rng(4))


FULL = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])


@pytest.mark.parametrize("covariance", [4.0, [0.25, 1.0, 9.0], FULL])
def test_sample_classes_has_the_moments_of_its_law(covariance: Any) -> None:
    law, data = drawn(covariance)
    S = FULL if np.ndim(covariance) == 2 else np.diag(np.broadcast_to(covariance, 3))
    for label, mean in zip((-1, 1), law.means, strict=True):
        X = data.X[data.y == label]
        off = X.mean(axis=0) - mean
        # n times the squared Mahalanobis distance of a Gaussian mean is chi-squared, exactly
        assert len(X) * off @ np.linalg.solve(S, off) <= stats.chi2.isf(FALSE_ALARM, 3)
        spread = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / len(X))
        # each entry is near Gaussian at 20 000 rows; six entries share the false-alarm rate
        reach = stats.norm.isf(FALSE_ALARM / 12) * spread
        assert (np.abs((X - mean).T @ (X - mean) / len(X) - S) <= reach).all()


@pytest.mark.parametrize("prior", [0.5, 0.2])
def test_sample_classes_draws_labels_from_the_prior(prior: float) -> None:
    _, data = drawn(1.0, prior)
    hits = int((data.y == 1).sum())
    assert stats.binomtest(hits, data.y.size, prior).pvalue > FALSE_ALARM


def test_sample_classes_stays_in_the_plane_of_a_singular_covariance() -> None:
    direction = np.array([1.0, -1.0, 0.0])
    law, data = drawn(np.eye(3) - np.outer(direction, direction) / 2)
    off = (data.X - law.means[(data.y + 1) // 2]) @ direction
    assert np.abs(off).max() < 1e-6  # the root of an eigenvalue that is zero up to 1e-16


def test_sample_classes_is_determined_by_the_generator() -> None:
    law = sparse_mean_classes(4, nonzeros=2)
    first, again, other = (
        sample_classes(law, 20, rng=np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    assert (first.X == again.X).all()
    assert (first.y == again.y).all()
    assert (first.X != other.X).all()


def test_sparse_mean_classes_differ_in_few_features_by_the_separation() -> None:
    law = sparse_mean_classes(20, nonzeros=5, separation=3.0)
    below, above = law.means
    assert (below == -above).all()
    assert np.flatnonzero(above).tolist() == [0, 1, 2, 3, 4]
    assert np.unique(above[:5]).size == 1
    assert np.sqrt((above**2).sum()) == pytest.approx(3.0, rel=1e-12)  # a root and five squares
    assert law.covariance.tolist() == [1.0] * 20


@pytest.mark.parametrize("nonzeros", [0, -1, 5])
def test_sparse_mean_classes_refuse_nonzeros_out_of_range(nonzeros: int) -> None:
    with pytest.raises(ValueError, match=rf"in \[1, d\]; got nonzeros={nonzeros}, d=4"):
        sparse_mean_classes(4, nonzeros=nonzeros)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": [[0.0], [np.nan]]}, ValueError, r"X must be finite; got nan"),
        ({"X": [[0.0], [np.inf]]}, ValueError, r"X must be finite; got inf"),
        ({"X": [["a"], ["b"]]}, TypeError, "X must be an array of numbers"),
        ({"X": [0.0, 1.0]}, ValueError, r"\(n, d\) and \(n,\); got \(2,\) and \(2,\)"),
        ({"y": [-1, 1, 1]}, ValueError, r"got \(2, 1\) and \(3,\)"),
        ({"y": [1, 1]}, ValueError, r"got \[1\]"),
        ({"y": [0, 1]}, ValueError, r"-1 and \+1, or 0..c-1, c >= 3; got \[0, 1\]"),
        ({"y": [-1.5, 1.0]}, ValueError, r"got \[-1.5, 1.0\]"),
        ({"y": [-1.0, np.nan]}, ValueError, r"got \[-1.0, nan\]"),
        ({"X": np.zeros((3, 1)), "y": [0, 2, 3]}, ValueError, r"got \[0, 2, 3\]"),
        ({"y": ["no", "yes"]}, ValueError, r"got \['no', 'yes'\]"),
        ({"classes": ("no",)}, ValueError, r"must be 2 names, one a label; got \('no',\)"),
    ],
)
def test_dataset_refuses_by_value(change: dict[str, Any], error: Any, message: str) -> None:
    given = {"name": "a", "X": [[0.0], [1.0]], "y": [-1, 1], "scaling": ""} | change
    with pytest.raises(error, match=message):
        Dataset(**given)
