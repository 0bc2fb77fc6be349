"""Distances of linear classifiers, held against a convex solver and against enumeration."""

import itertools
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.linear import LinearClassifier, class_scores, flip_distance, nearest_flip

NORMS = (0, 1, 2, np.inf)
# Clarabel stops at a relative gap of 1e-8; the issue asks for 1e-6.
SOLVER_TOLERANCE = 1e-6


def draw_problem(rng: np.random.Generator) -> tuple[Any, Any, Any, tuple[Any, Any] | None]:
    """Return a model, three inputs, their labels or predictions, and a box or none."""
    c, d = int(rng.integers(2, 11)), int(rng.integers(1, 8))
    rows = 1 if c == 2 and rng.random() < 0.7 else c
    weights = rng.normal(size=(rows, d)) * (rng.random((rows, d)) < rng.choice([0.3, 0.7, 1.0]))
    if rows > 2 and rng.random() < 0.3:
        weights[1] = weights[0]  # duplicate rows: a rival that no move can help
    if rng.random() < 0.1:
        weights[0] = 0.0
    box = (0.0, 1.0) if rng.random() < 0.6 else None
    if box and rng.random() < 0.3:
        box = (np.where(rng.random(d) < 0.3, -np.inf, 0.0), np.linspace(1.0, 2.0, d))
    X = rng.random((3, d))
    X[rng.random((3, d)) < 0.2] = 0.0  # on the box's face
    kind = sp.csr_array if rng.random() < 0.3 else np.asarray
    model = LinearClassifier(weights=kind(weights), bias=rng.normal(size=rows) * 0.3)
    labels = class_scores(model, X).argmax(axis=1)
    if rng.random() < 0.3:
        labels = rng.integers(0, model.classes.size, 3)
    return model, X, model.classes[labels], box


def solver_distance(model: Any, x: Any, label: int, norm: float, box: Any) -> float:
    """Return the least norm over rivals by Clarabel, from the definition alone."""
    dense = model.weights.toarray() if sp.issparse(model.weights) else model.weights
    if model.is_binary:
        dense, bias = np.vstack([np.zeros_like(dense), dense]), np.array([0.0, model.bias[0]])
    else:
        bias = model.bias
    own = int(np.flatnonzero(model.classes == label)[0])
    distances = []
    for rival in set(range(dense.shape[0])) - {own}:
        point = cp.Variable(x.size)
        wins = (dense[rival] - dense[own]) @ point + bias[rival] - bias[own] >= 0
        sides = [] if box is None else [*_sides(point, *box)]
        problem = cp.Problem(cp.Minimize(cp.norm(point - x, norm)), [wins, *sides])
        problem.solve(solver=cp.CLARABEL)
        distances.append(np.inf if problem.status.startswith("infeasible") else problem.value)
    return min(distances)


def _sides(point: Any, lo: Any, hi: Any) -> Any:
    for i in range(point.size):
        low, high = np.broadcast_to(lo, point.size)[i], np.broadcast_to(hi, point.size)[i]
        if np.isfinite(low):
            yield point[i] >= low
        if np.isfinite(high):
            yield point[i] <= high


# 36 draws x 3 inputs x 3 norms x 2 seeds: 648 problems, each over one to nine rivals.
@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_flip_distance_agrees_with_clarabel(norm: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(36):
        model, X, y, box = draw_problem(rng)
        ours = flip_distance(model, X, y, norm=norm, box=box)
        for x, label, distance in zip(X, y, ours, strict=True):
            theirs = solver_distance(model, x, label, norm, box)
            assert distance == pytest.approx(theirs, rel=SOLVER_TOLERANCE, abs=SOLVER_TOLERANCE)


def test_flip_distance_l0_agrees_with_exhaustive_search() -> None:
    rng = np.random.default_rng(2)
    for d in [*range(1, 9)] * 6 + [10]:
        weights = rng.normal(size=(int(rng.integers(1, 4)), d))
        model = LinearClassifier(weights=weights, bias=rng.normal(size=weights.shape[0]))
        x = rng.random(d)
        # A linear score over a box peaks at a corner: all points with each feature kept, low, high.
        corners = np.array(list(itertools.product(*([v, 0.0, 1.0] for v in x))))
        scores = class_scores(model, corners)
        own = scores[0].argmax()
        flips = np.delete(scores, own, axis=1).max(axis=1) >= scores[:, own]
        changed = (corners != x).sum(axis=1)[flips]
        expected = changed.min() if changed.size else np.inf
        assert flip_distance(model, x[None], norm=0, box=(0.0, 1.0)) == expected


def test_flip_distance_l0_counts_equality_as_a_flip() -> None:
    model = LinearClassifier(weights=[1.0, 1.0, 1.0], bias=-1.0)
    # Two of the three ones have to go to reach the score 0, and then it is exactly a tie.
    assert flip_distance(model, [[1.0, 1.0, 1.0]], norm=0, box=(0, 1)) == 2
    assert nearest_flip(model, [[1.0, 1.0, 1.0]], norm=0, box=(0, 1)).norms == 3


def test_nearest_flip_is_inf_where_only_a_tie_can_be_reached() -> None:
    model = LinearClassifier(weights=[1.0, 1.0])
    for norm, distance in zip(NORMS, (2, 2, np.sqrt(2), 1), strict=True):
        assert flip_distance(model, [[1.0, 1.0]], norm=norm, box=(0, 1)) == pytest.approx(distance)
        flips = nearest_flip(model, [[1.0, 1.0]], norm=norm, box=(0, 1))
        assert flips.norms == np.inf
        assert np.isnan(flips.points).all()


def test_nearest_flip_passes_over_a_rival_that_can_only_tie() -> None:
    # Label 1 is nearest but can only tie, in the corner x_1 = 1; label 2 wins from x_2 = 0.75 on.
    model = LinearClassifier(weights=[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], bias=[1.0, 0.0, -0.5])
    flips = nearest_flip(model, [[0.9, 0.0]], [0], norm=2, box=(0.0, 1.0))
    assert flip_distance(model, [[0.9, 0.0]], [0], norm=2, box=(0.0, 1.0)) == pytest.approx(0.1)
    assert class_scores(model, flips.points).argmax() == 2
    assert flips.norms == pytest.approx(0.75, rel=1e-5)  # the overshoot is 1e-6 of the lead


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), norm=st.sampled_from(NORMS))
def test_nearest_flip_flips_has_its_norm_and_stays_in_the_box(seed: int, norm: float) -> None:
    model, X, y, box = draw_problem(np.random.default_rng(seed))
    distance = flip_distance(model, X, y, norm=norm, box=box)
    flips = nearest_flip(model, X, y, norm=norm, box=box)
    found = np.isfinite(flips.norms)
    # Random leads are no exact ties: what can be reached can be passed.
    assert (found == np.isfinite(distance)).all()
    points, moves = flips.points[found], (flips.points - X)[found]
    if not found.any():
        return
    assert (model.classes[class_scores(model, points).argmax(axis=1)] != y[found]).all()
    assert np.linalg.norm(moves, ord=norm, axis=1) == pytest.approx(flips.norms[found])
    assert (flips.norms[found] >= distance[found] * (1 - 1e-12)).all()
    if norm != 0:  # the overshoot of 1e-6, in norm at most some times more where the box binds
        assert flips.norms[found] == pytest.approx(distance[found], rel=1e-2, abs=1e-9)
    if box is not None:
        assert ((points >= box[0]) & (points <= box[1])).all()


@pytest.mark.parametrize("norm", NORMS)
def test_nearest_flip_flips_where_rounding_hides_the_overshoot(norm: float) -> None:
    rng = np.random.default_rng(3)
    model = LinearClassifier(weights=rng.normal(size=100) * 1e6, bias=0.0)
    X = rng.normal(size=(20, 100))
    boundary = (
        X
        - np.outer(class_scores(model, X)[:, 1], model.weights[0])
        / np.square(model.weights[0]).sum()
    )
    flips = nearest_flip(model, boundary, norm=norm)
    before = class_scores(model, boundary).argmax(axis=1)
    assert (class_scores(model, flips.points).argmax(axis=1) != before).all()
    if norm != 0:  # on the boundary up to rounding of scores near 1e7
        assert (flips.norms < 1e-6).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("box", [None, (-2.0, 2.0)])
def test_flip_distance_is_zero_where_wrong_or_tied_and_inf_where_nothing_flips(
    norm: float, box: Any
) -> None:
    X = [[1.0, -1.0], [0.5, 0.5]]
    binary = LinearClassifier(weights=[1.0, 0.0])
    assert flip_distance(binary, X, [-1, -1], norm=norm, box=box).tolist() == [0, 0]
    assert flip_distance(binary, [[0.0, 1.0]], [1], norm=norm, box=box) == 0
    assert flip_distance(binary, [[0.0, 1.0]], norm=norm, box=box) == 0
    constant = LinearClassifier(weights=[0.0, 0.0], bias=1.0)
    assert np.isinf(flip_distance(constant, X, norm=norm, box=box)).all()
    assert flip_distance(constant, X, [-1, 1], norm=norm, box=box).tolist() == [0, np.inf]
    tied = LinearClassifier(weights=[[1.0, 0.0], [1.0, 0.0]])
    assert flip_distance(tied, X, [0, 1], norm=norm, box=box).tolist() == [0, 0]
    assert np.isnan(nearest_flip(constant, X, norm=norm, box=box).points).all()


@pytest.mark.parametrize("norm", NORMS)
def test_flip_distance_reaches_a_tie_in_the_corner_however_sums_round(norm: float) -> None:
    # Positive weights, no bias: exactly the corner 0 ties, for every input, at the input's norm.
    rng = np.random.default_rng(9)
    X = rng.random((500, 64))
    distance = flip_distance(
        LinearClassifier(weights=rng.random(64)), X, np.ones(500, dtype=int), norm=norm, box=(0, 1)
    )
    # the last 1e-10 of the lead costs most where the least weight pays for it
    assert distance == pytest.approx(np.linalg.norm(X, ord=norm, axis=1), rel=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
def test_nearest_flip_of_labels_with_the_same_weights(norm: float, box: Any) -> None:
    twins = LinearClassifier(weights=[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    flips = nearest_flip(twins, [[0.8, 0.1]], norm=norm, box=box)
    assert flip_distance(twins, [[0.8, 0.1]], norm=norm, box=box) == 0  # a standing tie
    assert class_scores(twins, flips.points).argmax() == 2
    nothing = nearest_flip(LinearClassifier(weights=np.zeros((3, 2))), [[1.0, 0.0]], norm=norm)
    assert nothing.norms == np.inf


def test_flip_distance_a_wide_box_is_no_box() -> None:
    rng = np.random.default_rng(4)
    model = LinearClassifier(weights=rng.normal(size=(5, 20)), bias=rng.normal(size=5))
    X = rng.normal(size=(50, 20))
    for norm in NORMS:
        free = flip_distance(model, X, norm=norm)
        wide = flip_distance(model, X, norm=norm, box=(-1e9, 1e9))
        space = flip_distance(model, X, norm=norm, box=(-np.inf, np.inf))
        assert wide == pytest.approx(free, rel=1e-12)  # two roundings of the same quotient
        assert space == pytest.approx(free, rel=1e-12)


def test_flip_distance_scales_with_inputs_and_not_with_weights() -> None:
    rng = np.random.default_rng(5)
    W, X = rng.normal(size=(4, 6)), rng.random((30, 6))
    for norm, factor in itertools.product((1, 2, np.inf), (1e-200, 1e-3, 1e150)):
        small = LinearClassifier(weights=W * factor)
        reference = flip_distance(LinearClassifier(weights=W), X, norm=norm, box=(0, 1))
        scaled = flip_distance(small, X, norm=norm, box=(0, 1))
        assert scaled == pytest.approx(reference, rel=1e-9)  # products of 1e-200 lose no digits
        free = flip_distance(small, X, norm=norm)
        assert free == pytest.approx(flip_distance(small, 2 * X, norm=norm) / 2, rel=1e-9)


def test_flip_distance_norms_are_ordered() -> None:
    rng = np.random.default_rng(6)
    model = LinearClassifier(weights=rng.normal(size=(3, 9)), bias=rng.normal(size=3))
    X = rng.random((100, 9))
    for box in (None, (0, 1)):
        l_1, l_2, l_inf = (flip_distance(model, X, norm=p, box=box) for p in (1, 2, np.inf))
        finite = np.isfinite(l_2)
        assert (l_inf <= l_2 * (1 + 1e-12))[finite].all()
        assert (l_2 <= l_1 * (1 + 1e-12))[finite].all()
        assert (l_1 <= 9 * l_inf * (1 + 1e-12))[finite].all()


def test_flip_distance_shrinking_the_box_never_shortens_it() -> None:
    rng = np.random.default_rng(7)
    model = LinearClassifier(weights=rng.normal(size=(3, 12)), bias=rng.normal(size=3))
    X = rng.uniform(0.4, 0.6, size=(60, 12))
    for norm in NORMS:
        sizes = [flip_distance(model, X, norm=norm, box=(0.5 - r, 0.5 + r)) for r in (2, 0.5, 0.2)]
        assert (sizes[0] <= sizes[1] * (1 + 1e-12)).all()
        assert (sizes[1] <= sizes[2] * (1 + 1e-12)).all()


MODEL = LinearClassifier(weights=[1.0, 2.0])
REFUSALS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"X": [[1.0, np.nan]]}, ValueError, r"X must be finite; got nan at index \(0, 1\)"),
    ({"X": [[1.0, 0.0], [np.inf, 0.0]]}, ValueError, r"got inf at index \(1, 0\)"),
    ({"X": [[1.0]]}, ValueError, r"d=2; got shape \(1, 1\)"),
    ({"X": [1.0, 2.0]}, ValueError, r"got shape \(2,\)"),
    ({"X": np.zeros((0, 2))}, ValueError, r"at least one input; got shape \(0, 2\)"),
    ({"X": [["a", "b"]]}, TypeError, "array of numbers"),
    ({"X": sp.csr_array(np.ones((1, 2)))}, TypeError, "sparse"),
    ({"y": [0]}, ValueError, r"\{-1, 1\}; got 0"),
    ({"y": [1, 1]}, ValueError, r"n=1; got shape \(2,\)"),
    ({"y": [np.nan]}, ValueError, "got nan"),
    ({"norm": 3}, ValueError, "norm must be 0, 1, 2 or inf; got 3"),
    ({"norm": "two"}, ValueError, "got 'two'"),
    ({"box": (0, 0.5)}, ValueError, r"got X\[0, 0\]=1.0 outside \[0.0, 0.5\]"),
    ({"box": (1, 0)}, ValueError, "got lo=1.0, hi=0.0 at feature 0"),
    ({"box": (0, np.nan)}, ValueError, "without NaN"),
    ({"box": (0, [1.0, 1.0, 1.0])}, ValueError, r"got shape \(3,\)"),
    ({"box": 1.0}, TypeError, "pair"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSALS)
@pytest.mark.parametrize("function", [flip_distance, nearest_flip])
def test_distances_refuse_bad_input_by_value(
    function: Any, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"X": [[1.0, 0.5]], **change}
    with pytest.raises(error, match=message):
        function(MODEL, **arguments)


@pytest.mark.parametrize("overshoot", [0.0, -1.0, np.nan])
def test_nearest_flip_refuses_an_overshoot_that_is_not_positive(overshoot: float) -> None:
    with pytest.raises(ValueError, match="overshoot"):
        nearest_flip(MODEL, [[1.0, 1.0]], overshoot=overshoot)
