"""Norms inside and outside the loss, and one budget for all points."""

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import minimize

from theory.claims.classics import (
    adversarial_loss,
    aggregate_hinge_loss,
    outside_penalty_counterexample,
    outside_penalty_residual,
)
from theory.linear import LinearClassifier
from theory.validation import UnsupportedSettingError

NORMS = (1, 2, np.inf)


LOSSES: dict[str, Any] = {
    "logistic": lambda m: np.log1p(np.exp(-m)),
    "hinge": lambda m: np.maximum(0, 1 - m),
}


def draw(rng: np.random.Generator, n: int = 12, d: int = 4) -> tuple[Any, Any, Any]:
    model = LinearClassifier(weights=rng.normal(size=d), bias=rng.normal())
    return model, rng.normal(size=(n, d)), rng.choice([-1, 1], size=n)


def on_sphere(moves: Any, norm: float) -> Any:
    return moves / np.linalg.norm(moves, ord=norm, axis=-1, keepdims=True)


def projected(moves: Any, norm: float, eps: float) -> Any:
    """Return the Euclidean projections of rows on the ball of a norm."""
    if norm == np.inf:
        return np.clip(moves, -eps, eps)
    size = np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
    if norm == 2:
        return moves * np.minimum(1, eps / np.maximum(size, 1e-300))
    steps = -np.sort(-np.abs(moves), axis=1)  # L1: soft thresholding (Duchi et al. 2008)
    excess = (steps.cumsum(axis=1) - eps) / np.arange(1, moves.shape[1] + 1)
    count = (steps > excess).sum(axis=1)
    level = np.where(size[:, 0] > eps, excess[np.arange(len(moves)), count - 1], 0.0)
    return np.sign(moves) * np.maximum(np.abs(moves) - level[:, None], 0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("norm", NORMS)
def test_adversarial_loss_is_what_attacks_reach_and_never_pass(norm: float, loss: Any) -> None:
    rng = np.random.default_rng(0)
    model, X, y = draw(rng)
    w, b, eps = model.weights[0], model.bias[0], 0.7

    def total(moves: Any) -> float:
        return float(LOSSES[loss](y * ((X + moves) @ w + b)).sum())

    exact = adversarial_loss(model, X, y, eps, norm=norm, loss=loss)
    for _ in range(2000):
        moves = on_sphere(rng.normal(size=X.shape), norm) * eps
        assert total(moves) <= exact + 1e-12  # rounding of twelve terms of order one
    moves = projected(rng.normal(size=X.shape), norm, eps)
    for _ in range(400):  # ascent on -m, which every loss here follows
        moves = projected(moves - 0.3 * y[:, None] * w, norm, eps)
    assert np.linalg.norm(moves, ord=norm, axis=1).max() <= eps * (1 + 1e-12)
    assert total(moves) == pytest.approx(exact, rel=1e-6)  # the ascent's steps have all but ended


@pytest.mark.parametrize("loss", LOSSES)
def test_adversarial_loss_without_a_budget_is_the_loss(loss: Any) -> None:
    model, X, y = draw(np.random.default_rng(1))
    plain = LOSSES[loss](y * (X @ model.weights[0] + model.bias[0])).sum()
    # two summations of twelve terms
    assert adversarial_loss(model, X, y, 0.0, loss=loss) == pytest.approx(plain, rel=1e-12)


def counterexample() -> tuple[Any, float]:
    X, y, eps = outside_penalty_counterexample()
    return (X * y[:, None])[:3], eps  # the other three are their mirror images: twice the loss


def attacked_gradient(w: Any, Z: Any, eps: float) -> Any:
    size = np.linalg.norm(w)
    share = 1 / (1 + np.exp(Z @ w - eps * size))
    return -(share @ Z) + eps * share.sum() * w / size


def attacked_curvature(w: Any, Z: Any, eps: float) -> Any:
    size = np.linalg.norm(w)
    unit = w / size
    share = 1 / (1 + np.exp(Z @ w - eps * size))
    V = Z - eps * unit
    across = (np.eye(w.size) - np.outer(unit, unit)) / size
    return (V.T * (share * (1 - share))) @ V + eps * share.sum() * across


def attacked_minimiser(start: Any, Z: Any, eps: float) -> Any:
    """Return the minimiser of sum_i logistic(z_i·w - eps ‖w‖) from a start, by BFGS and Newton."""

    def objective(w: Any) -> float:
        return float(np.logaddexp(0, -(Z @ w - eps * np.linalg.norm(w))).sum())

    w = minimize(objective, start, jac=lambda w: attacked_gradient(w, Z, eps)).x
    for _ in range(5):
        w = w - np.linalg.solve(attacked_curvature(w, Z, eps), attacked_gradient(w, Z, eps))
    return w


def off_line(w: Any, Z: Any) -> float:
    """Return the part of the plain loss's gradient not along w, relative to the whole."""
    gradient = (1 / (1 + np.exp(Z @ w))) @ Z
    unit = w / np.linalg.norm(w)
    across = gradient - (gradient @ unit) * unit
    return float(np.linalg.norm(across) / np.linalg.norm(gradient))


def test_counterexample_is_not_separable_and_its_minimiser_finite() -> None:
    Z, eps = counterexample()
    # No w is right on all: sum of c_i z_i = 0 with c >= 0 not all zero.
    assert 3 * Z[0] + Z[2] == pytest.approx(np.zeros(2), abs=0)
    # Attacked, the loss grows in every direction. Its rate has slope below 9 in the angle, so it
    # is at most 6e-3 lower between two of 1e4 angles than at them.
    angle = np.linspace(0, 2 * np.pi, 10_001)
    rates = np.maximum(0, eps - np.column_stack([np.cos(angle), np.sin(angle)]) @ Z.T).sum(axis=1)
    assert rates.min() > 0.1
    model = LinearClassifier(weights=np.zeros(2))  # and zero is not the minimiser
    other = LinearClassifier(weights=[-0.5, 0.3])
    X, y, _ = outside_penalty_counterexample()
    at = [adversarial_loss(m, X, y.astype(int), eps) for m in (model, other)]
    assert at[1] < at[0]


def test_counterexample_refutes_the_norm_outside() -> None:
    Z, eps = counterexample()
    rng = np.random.default_rng(2)
    found = np.array([attacked_minimiser(rng.normal(size=2), Z, eps) for _ in range(5)])
    w = found[0]
    assert found == pytest.approx(np.tile(w, (5, 1)), abs=1e-10)  # strictly convex: one minimiser
    size = np.linalg.norm(attacked_gradient(w, Z, eps))
    assert size <= 1e-8
    # From gradient to distance: the curvature stays above half its least value within 1e-3 of w,
    # so the true minimiser is within size / (least / 2), and the residual, whose slope is below
    # 100 there, within a hundred times that.
    near = [w + 1e-3 * np.array([np.cos(t), np.sin(t)]) for t in np.linspace(0, 6.28, 50)]
    least = np.linalg.eigvalsh(attacked_curvature(w, Z, eps))[0]
    assert min(np.linalg.eigvalsh(attacked_curvature(v, Z, eps))[0] for v in near) > least / 2
    assert max(abs(off_line(v, Z) - off_line(w, Z)) for v in near) < 100 * 1e-3
    assert 100 * size / (least / 2) < 1e-3
    assert off_line(w, Z) > 0.2 + 1e-3
    assert off_line(w, Z) > 0.2 + outside_penalty_residual()


def test_no_penalty_gives_the_adversarial_minimiser() -> None:
    Z, eps = counterexample()
    target = attacked_minimiser(np.array([-1.0, 0.5]), Z, eps)
    apart = []
    # A minimiser for λ of norm r has the least loss of all w of norm r: so one path in r holds the
    # minimisers for every λ. Its points, by angle; steps in r and angle are below 2 % of target.
    angle = np.linspace(0, 2 * np.pi, 20_001)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    for r in np.linspace(1e-3, 5 * np.linalg.norm(target), 400):
        w = r * circle[np.logaddexp(0, -r * circle @ Z.T).sum(axis=1).argmin()]
        apart.append(np.linalg.norm(w - target) / np.linalg.norm(target))
    assert min(apart) > 0.02  # 3.5 % at the nearest, and half a step of less than 2 %
    # and by λ itself, from the penalised problem's own solver
    for lam in np.geomspace(1e-3, 3, 40):
        v = cp.Variable(2)
        cost = cp.sum(cp.logistic(-(Z @ v))) + lam * cp.norm(v, 2)
        cp.Problem(cp.Minimize(cost)).solve(solver=cp.CLARABEL)
        assert np.linalg.norm(v.value - target) > 0.02 * np.linalg.norm(target)


def test_mirrored_counterexample_refutes_it_with_an_intercept() -> None:
    Z, eps = counterexample()
    X, y, _ = outside_penalty_counterexample()
    assert (X[3:] == -X[:3]).all()
    assert (y[3:] == -y[:3]).all()

    def objective(v: Any) -> float:
        margins = y * (X @ v[:2] + v[2])
        return float(np.logaddexp(0, -margins + eps * np.linalg.norm(v[:2])).sum())

    best = minimize(objective, [-0.5, 0.3, 0.4], options={"gtol": 1e-6}).x
    assert best[2] == pytest.approx(0, abs=1e-4)  # finite differences find gradients to 1e-7
    assert best[:2] == pytest.approx(attacked_minimiser(np.array([-1.0, 0.5]), Z, eps), abs=1e-4)
    assert off_line(best[:2], Z) > 0.2


def hinge_total(model: Any, X: Any, y: Any) -> float:
    return float(np.maximum(0, 1 - y * (X @ model.weights[0] + model.bias[0])).sum())


def steepest(w: Any, norm: float) -> Any:
    """Return a move of norm 1 along which w falls fastest, by trying the extreme ones."""
    d = w.size
    if norm == 2:
        return -w / np.sqrt(w @ w)
    if norm == 1:
        tries = np.vstack([np.eye(d), -np.eye(d)])
    else:
        tries = np.array(np.meshgrid(*[[-1.0, 1.0]] * d)).reshape(d, -1).T
    return tries[(tries @ w).argmin()]


@pytest.mark.parametrize("norm", NORMS)
def test_aggregate_hinge_is_attained_at_a_vertex_and_no_split_passes_it(norm: float) -> None:
    rng = np.random.default_rng(3)
    for _ in range(15):
        model, X, y = draw(rng)
        budget = rng.uniform(0, 3)
        exact = aggregate_hinge_loss(model, X, y, budget, norm=norm)
        down = steepest(model.weights[0], norm)
        at_vertices = []
        for i in range(len(X)):
            moved = X.copy()
            moved[i] += budget * y[i] * down
            at_vertices.append(hinge_total(model, moved, y))
        # rounding of twelve terms of order ten
        assert max(at_vertices) == pytest.approx(exact, rel=1e-12)
        for _ in range(100):
            split = rng.dirichlet(np.full(len(X), 0.3))[:, None] * budget
            along = split * y[:, None] * down
            anywhere = split * on_sphere(rng.normal(size=X.shape), norm)
            assert hinge_total(model, X + along, y) <= exact + 1e-11
            assert hinge_total(model, X + anywhere, y) <= exact + 1e-11


def test_aggregate_hinge_needs_one_margin_of_at_most_one() -> None:
    model = LinearClassifier(weights=[2.0])
    y = [1, -1]
    # margin exactly 1: still an identity
    assert aggregate_hinge_loss(model, [[0.5], [-3.0]], y, 1.0) == 2
    assert hinge_total(model, np.array([[-0.5], [-3.0]]), np.array(y)) == 2
    X = np.array([[1.0], [-3.0]])  # margins 2 and 6
    with pytest.raises(UnsupportedSettingError, match=r"at most 1.* got 2.0 and up"):
        aggregate_hinge_loss(model, X, y, 1.0)
    # there the largest loss is 1, at the vertex that spends all on the first point, not 0 + 1 · 2
    splits = np.linspace(0, 1, 101)
    largest = max(hinge_total(model, X + np.array([[-s], [1 - s]]), np.array(y)) for s in splits)
    assert largest == 1
    assert largest < 0 + 1.0 * 2


def test_inseparable_points_always_have_a_margin_of_at_most_zero() -> None:
    rng = np.random.default_rng(4)
    X, y = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1, 1, -1, -1])
    for _ in range(2000):
        model = LinearClassifier(weights=rng.normal(size=2) * 10, bias=rng.normal() * 10)
        assert (y * (X @ model.weights[0] + model.bias[0])).min() <= 0
        aggregate_hinge_loss(model, X, y, 1.0)


@pytest.mark.parametrize("function", [adversarial_loss, aggregate_hinge_loss])
def test_losses_refuse_bad_input_by_value(function: Any) -> None:
    model = LinearClassifier(weights=[1.0, 2.0])
    X, y = [[0.1, 0.1]], [1]
    with pytest.raises(UnsupportedSettingError, match=r"norm must be 1, 2 or inf; got 0"):
        function(model, X, y, 0.1, norm=0)
    with pytest.raises(ValueError, match="norm must be 0, 1, 2 or inf; got 3"):
        function(model, X, y, 0.1, norm=3)
    with pytest.raises(ValueError, match=r"(eps|budget) must be at least 0; got -0\.1"):
        function(model, X, y, -0.1)
    with pytest.raises(ValueError, match="got nan"):
        function(model, [[np.nan, 0.0]], y, 0.1)
    with pytest.raises(ValueError, match=r"\{-1, 1\}; got 0"):
        function(model, X, [0], 0.1)
    with pytest.raises(UnsupportedSettingError, match="3 labels"):
        function(LinearClassifier(weights=np.ones((3, 2))), X, [1], 0.1)


def test_adversarial_loss_refuses_an_unknown_loss() -> None:
    with pytest.raises(ValueError, match="got 'square'"):
        adversarial_loss(LinearClassifier(weights=[1.0]), [[1.0]], [1], 0.1, loss="square")  # type: ignore[arg-type]
