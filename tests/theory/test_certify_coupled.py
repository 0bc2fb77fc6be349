"""Weights that couple a layer's units, and the relaxation that they give, by their definitions."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize

from tests.theory.random_networks import labelled
from theory.certify.coupled import coupled_margins
from theory.certify.coupling import ball_weights
from theory.certify.domain import open_domain, with_hidden_layer
from theory.certify.margins import linear_margins
from theory.certify.relaxation import crown_slopes
from theory.lipschitz import exact_constant
from theory.networks import ReluNetwork, preactivations

# Eigenvalues and sums of a few dozen terms, each rounded.
ROUNDING = 1e-10


def draw(rng: np.random.Generator, widths: Any, kind: str = "plain") -> ReluNetwork:
    weights: list[Any] = [rng.normal(size=(o, i)) for i, o in pairwise(widths)]
    relu = [np.ones(w, dtype=bool) for w in widths[1:-1]]
    if kind == "sparse":
        weights = [sp.csr_array(W * (rng.random(W.shape) < 0.3)) for W in weights]
    if kind == "dead rows":
        weights = [W * (rng.random((len(W), 1)) < 0.6) for W in weights]
    if kind == "zero layer":
        weights[int(rng.integers(len(weights)))] *= 0.0
    if kind == "linear":
        relu = [rng.random(mask.size) < 0.4 for mask in relu]
    if kind == "scales":
        weights = [W * 10.0 ** rng.uniform(-3, 3, (len(W), 1)) for W in weights]
    biases = [rng.normal(size=w) / 2 for w in widths[1:]]
    return ReluNetwork(weights=weights, biases=biases, relu=relu)


KINDS = ("plain", "sparse", "dead rows", "zero layer", "linear", "scales")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_ball_weights_bound_how_layers_move(depth: int, kind: str) -> None:
    rng = np.random.default_rng([depth, len(kind)])
    for trial in range(2):
        widths = [*[4, 7, 5, 6][:depth], 3]
        net = with_hidden_layer(draw(rng, widths, kind))
        weights = ball_weights(net)
        assert [d.size for d in weights] == list(net.widths)
        assert all((d > 0).all() and np.isfinite(d).all() for d in weights)
        x = rng.normal(size=(1000, net.dimension))
        way = rng.normal(size=x.shape)
        # As the ascent of each layer's change turns them: the worst pairs of the drawn ones.
        for j, d in enumerate(weights):
            other = x + way * 10.0 ** rng.uniform(-6, 2, (len(x), 1))
            for _ in range(6):
                step = other - x
                moved = preactivations(net, other)[j] - preactivations(net, x)[j]
                stretch = (d * moved**2).sum(axis=1) / (step**2).sum(axis=1)
                # Outputs are rounded too: in proportion to their own size, over the step's.
                size = (d * np.abs(preactivations(net, x)[j]) ** 2).sum(axis=1)
                blur = 1e-14 * np.sqrt(size / (step**2).sum(axis=1))
                assert (stretch <= (1 + ROUNDING) + 10 * blur + blur**2).all(), trial
                best = np.argsort(-stretch)[:40]
                turn = np.repeat(best, 25)
                length = np.linalg.norm(step[turn], axis=1, keepdims=True)
                x = x[turn]
                other = x + step[turn] + 0.3 * length * rng.normal(size=x.shape)


def test_ball_weights_are_attained_by_one_layer_of_orthogonal_rows() -> None:
    net = ReluNetwork(weights=[[[3.0, 0.0], [0.0, 0.5]], [[1.0, 1.0]]])
    np.testing.assert_allclose(ball_weights(net)[0], [1 / 9, 4.0], rtol=1e-9)  # an eigenvalue


def test_ball_weights_are_between_the_exact_constant_and_spectral_norms() -> None:
    rng = np.random.default_rng(1)
    for _ in range(2):
        net = draw(rng, (3, 5, 4, 2))
        *others, W = net.weights
        scaled = W / np.sqrt(ball_weights(net)[-1])
        bound, product = (np.linalg.norm(V, 2) for V in (scaled, W))
        product *= np.prod([np.linalg.norm(V, 2) for V in others])
        # Not proven, as the search is local: but weights that vary should not lose to equal ones.
        assert bound <= product * (1 + ROUNDING)
        assert bound >= exact_constant(net).value * (1 - ROUNDING)


def least_lead(domain: Any, i: int, eps: float, rng: np.random.Generator) -> Any:
    """Return the least leads (m,) met on a ball, in the box: samples, then local descent."""
    net, x = domain.net, domain.X[i]

    def inside(points: Any) -> Any:
        moves = points - x
        size = np.linalg.norm(moves, axis=-1, keepdims=True)
        moves = moves * np.minimum(1, eps / np.maximum(size, 1e-300))
        points = x + moves
        return points if domain.box is None else np.clip(points, *domain.box)

    def leads(points: Any) -> Any:
        return preactivations(net, inside(points))[-1] @ domain.forms[i].T

    starts = x + eps * rng.normal(size=(6000, x.size)) * rng.uniform(0, 2, (6000, 1))
    values = leads(starts)
    found = values.min(axis=0)
    for k in range(found.size):
        for start in starts[np.argsort(values[:, k])[:1]]:
            result = minimize(
                lambda p, k=k: leads(p[None])[0, k], start, method="Nelder-Mead", tol=1e-10
            )
            found[k] = min(found[k], result.fun)
    return found


@pytest.mark.parametrize("box", [None, (-1.0, 1.0)], ids=str)
@pytest.mark.parametrize("kind", ["plain", "linear", "sparse"])
@pytest.mark.parametrize("widths", [(3, 6, 3), (3, 8, 6, 2), (2, 5, 4, 1)], ids=str)
def test_coupled_margins_are_between_crown_and_the_least_lead(
    widths: tuple[int, ...], kind: str, box: Any
) -> None:
    rng = np.random.default_rng([len(kind), *widths])
    net = draw(rng, widths, kind)
    X, y = labelled(rng, net, 2)
    for eps in (np.full(2, 0.3), np.full(2, 1.2)):
        domain = open_domain(net, X, y, norm=2, box=box)
        crown = linear_margins(domain, eps, crown_slopes)
        found = coupled_margins(domain, eps, ball_weights(domain.net))
        assert (found >= crown - ROUNDING).all()
        for i in range(2):
            assert (found[i] <= least_lead(domain, i, eps[i], rng) + ROUNDING).all()


def test_coupled_margins_improve_on_crown_where_units_share_a_ball() -> None:
    # f = c - sum_i relu(x_i) in d dimensions: over the ball at most eps sqrt(d), for CROWN eps d/2.
    d, eps = 16, 1.0
    net = ReluNetwork(weights=[np.eye(d), -np.ones((1, d))], biases=[np.zeros(d), [4.0]])
    domain = open_domain(net, np.zeros((1, d)), [1], norm=2, box=None)
    radii = np.array([eps])
    exact = 4.0 - eps * np.sqrt(d)
    crown = linear_margins(domain, radii, crown_slopes)[0, 0]
    # The chords have slope 1/2 and offset eps / 2 each.
    np.testing.assert_allclose(crown, 4 - d * eps / 2 - eps * np.sqrt(d) / 2, rtol=1e-7)
    found = coupled_margins(domain, radii, ball_weights(net))[0, 0]
    assert found <= exact + ROUNDING
    assert found >= exact - 0.02 * (exact - crown)  # the ascent ends where it has 40 steps


@pytest.mark.parametrize("centre", [-0.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_coupled_margins_of_one_unit_are_exact(sign: float, centre: float) -> None:
    # One unit's lead is monotone in it: chord and multiplier meet the worse end, or the kink.
    net = ReluNetwork(weights=[[[1.0]], [[sign]]], biases=[[0.0], [0.25]])
    domain = open_domain(net, [[centre]], [1], norm=2, box=None)
    for eps in (0.1, 0.7, 1.3, 3.0):
        ends = np.array([centre - eps, centre + eps]).clip(min=0)
        exact = 0.25 + (sign * ends).min()
        found = coupled_margins(domain, np.array([eps]), ball_weights(net))[0, 0]
        assert found <= exact + ROUNDING
        if exact <= 0:  # else CROWN's bound may be positive, and is left as it is
            assert found >= exact - 0.03 * eps  # 40 steps of an ascent


def test_coupled_margins_of_linear_units_are_exact() -> None:
    rng = np.random.default_rng(3)
    W, V = rng.normal(size=(6, 4)), rng.normal(size=(3, 6))
    net = ReluNetwork(weights=[W, V], relu=[np.zeros(6, dtype=bool)])
    X, y = labelled(rng, net, 5)
    eps = np.full(5, 2.0)
    domain = open_domain(net, X, y, norm=2, box=None)
    rivals = domain.forms[:, :, :] @ (V @ W)
    exact = domain.leads - eps[:, None] * np.linalg.norm(rivals, axis=2)
    found = coupled_margins(domain, eps, ball_weights(net))
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9)  # sums of a few terms
