"""The record of a linear classifier, and its scores."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from theory.linear import LinearClassifier, class_scores


@pytest.mark.parametrize(
    ("weights", "bias", "error", "message"),
    [
        ([[np.nan, 1.0]], 0.0, ValueError, r"weights must be finite; got nan at index \(0, 0\)"),
        (sp.csr_array([[np.inf, 1.0]]), 0.0, ValueError, "weights must be finite"),
        ([], 0.0, ValueError, r"got shape \(1, 0\)"),
        (np.ones((2, 2, 2)), 0.0, ValueError, r"got shape \(2, 2, 2\)"),
        ("abc", 0.0, TypeError, "weights must be an array of numbers; got 'abc'"),
        (np.ones((3, 2)), [1.0, 2.0], ValueError, r"shape \(3,\).* got shape \(2,\)"),
        ([1.0], np.inf, ValueError, "bias must be finite; got inf"),
    ],
)
def test_linear_classifier_refuses_bad_weights(
    weights: Any, bias: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        LinearClassifier(weights=weights, bias=bias)


def test_linear_classifier_accepts_sparse_rows_and_keeps_its_own_copy() -> None:
    weights = np.array([0.0, 2.0, 0.0])
    dense, sparse = (
        LinearClassifier(weights=weights),
        LinearClassifier(weights=sp.coo_array(weights)),
    )
    weights[1] = 5.0
    X = np.eye(3)
    assert class_scores(dense, X).tolist() == class_scores(sparse, X).tolist()
    assert class_scores(dense, X)[:, 1].tolist() == [0, 2, 0]


def test_class_scores_refuse_what_a_zero_weight_would_hide() -> None:
    column = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    for weights in (column[:1], column, sp.csr_array(column[:1]), sp.csr_array(column)):
        with pytest.raises(ValueError, match="got nan"):
            class_scores(LinearClassifier(weights=weights), [[1.0, np.nan]])


def test_class_scores_of_more_sparse_rows_than_inputs_are_those_of_dense_rows() -> None:
    rng = np.random.default_rng(8)
    weights = rng.normal(size=(9, 5)) * (rng.random((9, 5)) < 0.4)
    X = rng.normal(size=(2, 5))
    scores = class_scores(LinearClassifier(weights=sp.csr_array(weights), bias=np.arange(9.0)), X)
    assert scores == pytest.approx(X @ weights.T + np.arange(9.0), rel=1e-12)  # sums of five terms
