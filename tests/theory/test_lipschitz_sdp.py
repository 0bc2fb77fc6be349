"""Semidefinite Lipschitz bounds against published values and against a convex solver."""

import os
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from theory.lipschitz import (
    eclipse,
    eclipse_fast,
    frobenius_product,
    lipsdp_layer,
    lipsdp_neuron,
    lipsdp_pairs,
    lipsdp_split,
    spectral_product,
)
from theory.networks import ReluNetwork

DATA = Path(os.environ.get("SPARSEBOUND_DATA", "../shared/data")) / "nets"
# Clarabel stops at a relative gap of 1e-8 of the square; its matrices are not scaled.
SOLVER_TOLERANCE = 1e-5
# Half of the gap of 1e-8, and what is added so that rounding cannot refute the bound.
GAP = 1e-6


def published_net(name: str) -> ReluNetwork:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is absent: set SPARSEBOUND_DATA")
    if path.suffix == ".npz":
        arrays = np.load(path)
        return ReluNetwork(weights=[arrays[key] for key in sorted(arrays.files)])
    return ReluNetwork(weights=list(scipy.io.loadmat(path)["weights"][0]))


# Half a unit of the last digit published.
def test_lipsdp_published_random_weights() -> None:
    net = published_net("lipsdp/random_weights.mat")
    assert lipsdp_layer(net).value == pytest.approx(39.83862, abs=1e-5)
    assert lipsdp_neuron(net).value == pytest.approx(36.48223, abs=1e-5)
    assert lipsdp_split(net).value == pytest.approx(37.66814, abs=1e-5)


def test_lipsdp_published_mnist_weights() -> None:
    net = published_net("lipsdp/mnist_weights.mat")
    assert spectral_product(net).value == pytest.approx(31.50351, abs=5.1e-6)
    assert lipsdp_neuron(net).value == pytest.approx(24.36635, abs=5.1e-6)


def test_eclipse_published_values() -> None:
    net = published_net("eclipse/lyr2n80test1.npz")
    assert frobenius_product(net).value == pytest.approx(0.96764, abs=5.1e-6)
    assert spectral_product(net).value == pytest.approx(0.87498, abs=5.1e-6)
    assert eclipse_fast(net).value == pytest.approx(0.80904, abs=5.1e-6)
    assert eclipse(net).value == pytest.approx(0.7373, abs=5.1e-5)
    assert lipsdp_neuron(net).value == pytest.approx(0.73726, abs=5.1e-6)


@pytest.mark.parametrize("name", ["lean/S49.npz", "lean/SF.npz"])
def test_lipsdp_pairs_of_trained_networks_are_below_spectral_products(name: str) -> None:
    net = published_net(name)
    pairs = lipsdp_pairs(net)
    for i, j in combinations(range(10), 2):
        product = spectral_product(net, np.eye(10)[i] - np.eye(10)[j]).value
        assert 0 < pairs[i, j] < product


@pytest.mark.parametrize("width", [1, 3, 20])
def test_lipsdp_is_proven_for_long_inputs(width: int) -> None:
    """The reduction of the input leaves errors that outgrow those of a small matrix."""
    rng = np.random.default_rng(width)
    net = ReluNetwork(weights=[rng.normal(size=(width, 3000)), rng.normal(size=(2, width))])
    bound = lipsdp_neuron(net)
    reduced = np.linalg.cholesky(net.weights[0] @ net.weights[0].T)
    same = lipsdp_neuron(ReluNetwork(weights=[reduced, net.weights[1]]))
    assert bound.value == pytest.approx(same.value, rel=GAP)


def draw_net(rng: np.random.Generator, hidden: int, *, mixed: bool) -> ReluNetwork:
    """Return a network; a mixed one has sparse weights and linear units."""
    widths = [int(w) for w in rng.integers(1, 7, hidden + 2)]
    weights: list[Any] = [rng.normal(size=(o, i)) for i, o in pairwise(widths)]
    relu = [np.ones(w, dtype=bool) for w in widths[1:-1]]
    if mixed:
        # No row is empty: the solver's infimum would then lie at an infinite multiplier.
        kept = [(rng.random(W.shape) < 0.7) | ~np.arange(W.shape[1]).astype(bool) for W in weights]
        weights = [W * keep for W, keep in zip(weights, kept, strict=True)]
        weights = [sp.csr_array(W) if rng.random() < 0.5 else W for W in weights]
        relu = [rng.random(w) < 0.7 for w in widths[1:-1]]
    return ReluNetwork(weights=weights, relu=relu)


def solver_constant(net: ReluNetwork, C: Any, *, by_layer: bool) -> float:
    """Return LipSDP by Clarabel on the matrix of Fazlyab et al., Theorem 2, units kept as unknowns.

    Linear units are equalities a = z: a free symmetric multiplier on their difference, by Finsler's
    lemma, is the restriction to the subspace where they hold.
    """
    dense = [W.toarray() if sp.issparse(W) else W for W in net.weights]
    sizes = [net.dimension, *net.widths]
    starts = np.cumsum([0, *sizes])
    total = int(starts[-1])

    def pick(j: int) -> Any:
        return np.eye(total)[starts[j] : starts[j + 1]]

    square = cp.Variable()
    form = square * (pick(0).T @ pick(0))
    equalities = [np.zeros((0, total))]
    for j, mask in enumerate(net.relu):
        z, a = dense[j] @ pick(j), pick(j + 1)
        equalities.append((a - z)[~mask])
        free = cp.Variable() if by_layer else cp.Variable(int(mask.sum()))
        weights = free * np.ones(int(mask.sum())) if by_layer else free
        if mask.any():
            cross = a[mask].T @ cp.diag(weights) @ (a - z)[mask]
            form = form + cross + cross.T
    last = C @ dense[-1] @ pick(net.depth - 1)
    null = _null_space(np.vstack(equalities))
    slack = null.T @ (form - last.T @ last) @ null
    problem = cp.Problem(cp.Minimize(square), [(slack + slack.T) / 2 >> 0])
    problem.solve(solver=cp.CLARABEL)
    return float(np.sqrt(max(problem.value, 0.0)))


def _null_space(A: Any) -> Any:
    if A.shape[0] == 0:
        return np.eye(A.shape[1])
    _, s, vt = np.linalg.svd(A)
    return vt[int((s > 1e-12).sum()) :].T


@pytest.mark.parametrize("hidden", [1, 2, 3])
@pytest.mark.parametrize("mixed", [False, True])
def test_lipsdp_agrees_with_clarabel(hidden: int, mixed: bool) -> None:
    rng = np.random.default_rng([hidden, mixed])
    for draw in range(6):
        net = draw_net(rng, hidden, mixed=mixed)
        C = rng.normal(size=(1, net.outputs)) if draw % 2 else np.eye(net.outputs)
        close = {"rel": SOLVER_TOLERANCE, "abs": SOLVER_TOLERANCE}
        neuron = solver_constant(net, C, by_layer=False)
        assert lipsdp_neuron(net, C).value == pytest.approx(neuron, **close)
        # Units that cannot move or do not count share no multiplier here, and do in the matrix.
        full = ReluNetwork(
            weights=[W + 0.01 * np.ones(W.shape) for W in net.weights], relu=net.relu
        )
        layer = solver_constant(full, C, by_layer=True)
        assert lipsdp_layer(full, C).value == pytest.approx(layer, **close)


def test_lipsdp_multipliers_prove_the_value() -> None:
    """The inequality that the record states holds for random moves, and by eigenvalues."""
    rng = np.random.default_rng(5)
    net = ReluNetwork(weights=[rng.normal(size=s) for s in ((6, 4), (5, 6), (3, 5))])
    bound = lipsdp_neuron(net)
    W1, W2, W3 = net.weights
    l1, l2 = (np.diag(m) for m in bound.multipliers)
    form = np.block(
        [
            [np.eye(4), -W1.T @ l1, np.zeros((4, 5))],
            [-l1 @ W1, 2 * l1, -W2.T @ l2],
            [np.zeros((5, 4)), -l2 @ W2, 2 * l2 - W3.T @ W3 / bound.value**2],
        ]
    )
    assert np.linalg.eigvalsh(form)[0] > -1e-12  # eigvalsh is off by some 1e-15 of the norm, ~10


@pytest.mark.parametrize("method", [lipsdp_neuron, lipsdp_layer, eclipse, eclipse_fast])
def test_linear_networks_have_the_norm_of_the_product(method: Any) -> None:
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=s) for s in ((6, 9), (5, 6), (3, 5))]
    net = ReluNetwork(weights=weights, relu=[np.zeros(6, dtype=bool), np.zeros(5, dtype=bool)])
    product = np.linalg.norm(weights[2] @ weights[1] @ weights[0], 2)
    assert method(net).value == pytest.approx(product, rel=1e-9)  # no optimiser: rounding alone
    assert method(ReluNetwork(weights=weights[:1])).value == pytest.approx(
        np.linalg.norm(weights[0], 2), rel=1e-9
    )


@pytest.mark.parametrize("seed", range(3))
def test_lipsdp_invariances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    W1, W2, W3 = (rng.normal(size=s) for s in ((7, 5), (6, 7), (3, 6)))
    base = lipsdp_neuron(ReluNetwork(weights=[W1, W2, W3])).value
    order = rng.permutation(7)
    permuted = [W1[order], W2[:, order], W3]
    rates = np.exp(rng.normal(size=7))
    rescaled = [W1 * rates[:, None], W2 / rates, W3]
    rotated = [W1 @ np.linalg.qr(rng.normal(size=(5, 5)))[0], W2, W3]
    for weights in (permuted, rescaled, rotated):
        assert lipsdp_neuron(ReluNetwork(weights=weights)).value == pytest.approx(base, rel=GAP)
    tripled = lipsdp_neuron(ReluNetwork(weights=[W1, 3 * W2, W3])).value
    assert tripled == pytest.approx(3 * base, rel=GAP)


def test_lipsdp_pairs_agree_with_single_directions() -> None:
    rng = np.random.default_rng(3)
    net = ReluNetwork(weights=[rng.normal(size=(12, 30)), rng.normal(size=(4, 12))])
    pairs = lipsdp_pairs(net)
    assert (pairs == pairs.T).all()
    assert (np.diagonal(pairs) == 0).all()
    for i, j in combinations(range(4), 2):
        single = lipsdp_neuron(net, np.eye(4)[i] - np.eye(4)[j]).value
        assert pairs[i, j] == pytest.approx(single, rel=1e-5)  # its gap of 1e-5, halved by the root
    np.testing.assert_allclose(lipsdp_pairs(net, 2), pairs[2], rtol=1e-5)


def test_lipsdp_refuses_what_does_not_fit() -> None:
    net = ReluNetwork(weights=[np.eye(3), np.ones((1, 3))])
    with pytest.raises(ValueError, match="direction must have shape"):
        lipsdp_neuron(net, [1.0, 2.0])
    with pytest.raises(ValueError, match="at least 2 outputs"):
        lipsdp_pairs(net)
    with pytest.raises(ValueError, match="y must be an output"):
        lipsdp_pairs(ReluNetwork(weights=[np.eye(3)]), 3)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        lipsdp_split(net, depth=0)
    wide = ReluNetwork(weights=[sp.eye_array(6001, format="csr"), np.ones((1, 6001))])
    with pytest.raises(ValueError, match="at most 6000"):
        lipsdp_neuron(wide)


def test_lipsdp_pairs_of_outputs_that_different_units_count_for() -> None:
    # As many units count for the first difference as for the second, but others.
    W = np.array([[1.0, 0.0], [0.0, 3.0], [5.0, 1.0], [0.2, -4.0]])
    V = np.array([[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 30.0, -1.0]])
    pairs = lipsdp_pairs(ReluNetwork(weights=[W, V]))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        alone = lipsdp_neuron(ReluNetwork(weights=[W, V]), np.eye(3)[i] - np.eye(3)[j]).value
        assert pairs[i, j] == pytest.approx(alone, rel=1e-4)  # ten times the gap asked for
