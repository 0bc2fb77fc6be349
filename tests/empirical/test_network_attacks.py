"""Attacks on ReLU networks: exact distances of affine ones, and every witness by definition."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from empirical.network_attacks import (
    LogitsModule,
    NetworkAttackResult,
    network_attack_distances,
)
from theory.networks import ReluNetwork

L2, LINF = ("l2_deepfool", "ddn"), ("linf_deepfool", "linf_pgd")
EACH = [("l2_deepfool",), ("ddn",), L2, ("linf_deepfool",), LINF]
NORMS = {"l2_deepfool": 2.0, "ddn": 2.0, "linf_deepfool": math.inf, "linf_pgd": math.inf}
# DeepFool overshoots by 1e-4, DDN's last norm changes by .5 % a step; bisection takes most off.
NEAR = 1e-3
# Two orders of summation of some tens of products of order one.
ROUNDING = 1e-12


def outputs(net: ReluNetwork, x: Any) -> Any:
    """Return a network's outputs at one input, unit by unit."""
    for j, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        rows = W.toarray() if sp.issparse(W) else W
        x = np.array([float(row @ x) for row in rows]) + b
        if j < net.depth - 1:
            x = np.array([max(0.0, v) if m else v for v, m in zip(x, net.relu[j], strict=True)])
    return x


def lead(net: ReluNetwork, x: Any, label: int) -> float:
    scores = outputs(net, x)
    if net.outputs == 1:
        return float(label * scores[0])
    return float(scores[label] - np.delete(scores, label).max())


def assert_honest(result: NetworkAttackResult, net: ReluNetwork, X: Any, y: Any) -> None:
    for i, status in enumerate(result.status):
        distance, witness = result.distances[i], result.witnesses[i]
        if status == "unknown":
            assert np.isnan(distance)
            assert np.isnan(witness).all()
            continue
        assert lead(net, witness, y[i]) <= ROUNDING * max(1.0, np.abs(witness).max())
        moved = np.linalg.norm(witness - X[i], ord=result.norm)
        assert distance == pytest.approx(moved, rel=ROUNDING, abs=0)
        assert (status == "wrong") == (distance == 0)
        if result.box is not None:
            assert result.box[0] <= witness.min()
            assert witness.max() <= result.box[1]


def deep(rng: np.random.Generator, out: int, *, sparse: bool = False) -> ReluNetwork:
    """Return a network with some linear units, perhaps of sparse weights, of balanced labels."""
    widths = [6, 9, 8, out]
    weights = [rng.normal(size=(m, k)) for k, m in pairwise(widths)]
    kept = [sp.csr_array(W * (rng.random(W.shape) < 0.6)) for W in weights] if sparse else weights
    relu = [rng.random(m) < 0.7 for m in widths[1:-1]]
    biases = [rng.normal(size=m) for m in widths[1:]]
    net = ReluNetwork(weights=kept, biases=biases, relu=relu)
    middle = np.median([outputs(net, x) for x in rng.uniform(-1, 1, (99, 6))], axis=0)
    return ReluNetwork(weights=kept, biases=[*biases[:-1], biases[-1] - middle], relu=relu)


def affine(rng: np.random.Generator, out: int) -> tuple[ReluNetwork, Any, Any]:
    """Return an affine network of two layers, its slope and its offset."""
    first, last = rng.normal(size=(7, 5)), rng.normal(size=(out, 7))
    biases = [rng.normal(size=7), rng.normal(size=out)]
    net = ReluNetwork(weights=[first, last], biases=biases, relu=[np.zeros(7, dtype=bool)])
    return net, last @ first, last @ biases[0] + biases[1]


@pytest.mark.parametrize("attacks", EACH)
@pytest.mark.parametrize("out", [1, 4])
def test_distances_of_affine_networks_are_those_of_hyperplanes(
    out: int, attacks: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(out)
    net, W, b = affine(rng, out)
    X = rng.normal(size=(30, 5))
    if out == 1:
        W, b, y = np.vstack([0 * W, W]), np.append(0, b), rng.choice([-1, 1], 30)
    else:
        y = rng.integers(out, size=30)
    found = network_attack_distances(net, X, y, attacks=attacks, box=None)
    assert_honest(found, net, X, y)
    own = (y + 1) // 2 if out == 1 else y
    dual = 2 if NORMS[attacks[0]] == 2 else 1
    for x, k, distance in zip(X, own, found.distances, strict=True):
        gaps = np.delete((W[k] - W) @ x + b[k] - b, k)
        exact = max(0.0, (gaps / np.linalg.norm(np.delete(W[k] - W, k, 0), dual, axis=1)).min())
        assert distance >= exact * (1 - 1e-9)  # rounding of the scores
        if attacks != ("ddn",):  # it follows one rival, not always the nearest
            assert distance <= exact * (1 + NEAR)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("box", [None, (-1.0, 1.0)])
@pytest.mark.parametrize("attacks", [L2, LINF])
@pytest.mark.parametrize("out", [1, 3])
def test_witnesses_flip_lie_in_the_box_and_are_pulled_back(
    out: int, attacks: tuple[str, ...], box: Any, sparse: bool
) -> None:
    rng = np.random.default_rng(7)
    net = deep(rng, out, sparse=sparse)
    X = rng.uniform(-1, 1, (25, 6))
    y = rng.choice(net.classes, 25)
    found = network_attack_distances(net, X, y, attacks=attacks, box=box)
    assert_honest(found, net, X, y)
    assert (found.status == "witnessed").sum() >= 5
    for i in np.flatnonzero(found.status == "witnessed"):
        # Bisection ends at a change of label: a hair before the witness there is still the label.
        before = X[i] + (1 - 1e-9) * (found.witnesses[i] - X[i])
        assert lead(net, before, y[i]) > 0


def test_more_attacks_never_find_less() -> None:
    rng = np.random.default_rng(3)
    net = deep(rng, 3)
    X, y = rng.normal(size=(25, 6)), rng.integers(3, size=25)
    first = network_attack_distances(net, X, y, attacks=L2[:1], box=None).distances
    both = network_attack_distances(net, X, y, attacks=L2, box=None).distances
    assert (both <= first).all()
    assert (both < first).any()


def test_wrong_and_tied_inputs_have_distance_zero_and_constants_are_unknown() -> None:
    one = ReluNetwork(weights=[[[1.0, 0.0]]])
    X = [[-1.0, 2.0], [0.0, 2.0], [3.0, 2.0]]
    found = network_attack_distances(one, X, [1, 1, 1], box=None)
    assert found.status.tolist() == ["wrong", "wrong", "witnessed"]
    assert found.witnesses[:2].tolist() == X[:2]
    flat = ReluNetwork(weights=[np.zeros((3, 2)), np.eye(3)], biases=[np.zeros(3), [2.0, 1.0, 0.0]])
    for attacks in (L2, LINF):
        result = network_attack_distances(flat, X, [0, 0, 1], attacks=attacks, box=(-5.0, 5.0))
        assert result.status.tolist() == ["unknown", "unknown", "wrong"]
        assert_honest(result, flat, X, [0, 0, 1])


@pytest.mark.parametrize("attacks", [L2, LINF])
def test_what_a_box_forbids_is_unknown(attacks: tuple[str, ...]) -> None:
    net = ReluNetwork(weights=[[[1.0]]], biases=[[1.0]])  # flips at -1, outside
    found = network_attack_distances(net, [[0.5]], [1], attacks=attacks, box=(0.0, 1.0))
    assert found.status.tolist() == ["unknown"]
    assert np.isnan(found.distances).all()


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("attacks", [L2, LINF])
def test_distances_scale_with_the_units_of_inputs_and_scores(
    attacks: tuple[str, ...], scale: float
) -> None:
    rng = np.random.default_rng(5)
    net, X = deep(rng, 3), rng.normal(size=(15, 6))
    y = rng.integers(3, size=15)
    scaled = ReluNetwork(
        weights=[net.weights[0] / scale, net.weights[1], 1e3 * net.weights[2]],
        biases=[net.biases[0], net.biases[1], 1e3 * net.biases[2]],
        relu=net.relu,
    )
    plain = network_attack_distances(net, X, y, attacks=attacks, box=None).distances
    moved = network_attack_distances(scaled, X * scale, y, attacks=attacks, box=None).distances
    # The unit is a power of two near the scale: DDN's steps differ by up to a factor of two.
    np.testing.assert_allclose(moved / scale, plain, rtol=0.1)
    assert np.median(np.abs(moved / scale / np.where(plain > 0, plain, 1) - 1)[plain > 0]) < 0.01


def test_module_computes_the_outputs_times_a_factor_a_row() -> None:
    rng = np.random.default_rng(0)
    for out in (1, 3):
        net, X, factors = deep(rng, out, sparse=True), rng.normal(size=(4, 6)), rng.uniform(1, 2, 4)
        module = LogitsModule(net, unit=0.5, factors=factors)
        logits = module(torch.from_numpy(X / 0.5)).numpy()
        expected = np.array([outputs(net, x) for x in X]) * factors[:, None]
        np.testing.assert_allclose(logits[:, -out:], expected, rtol=ROUNDING, atol=ROUNDING)
        assert logits.shape == (4, max(out, 2))


def test_attacks_leave_torchs_generator_alone_and_repeat_themselves() -> None:
    rng = np.random.default_rng(1)
    net, X = deep(rng, 2), rng.normal(size=(5, 6))
    before = torch.random.get_rng_state()
    runs = [network_attack_distances(net, X, [0] * 5, box=None).distances for _ in range(2)]
    assert (torch.random.get_rng_state() == before).all()
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("attacks", [(), ("fgsm",), ("ddn", "fgsm"), ("ddn", "linf_pgd"), "ddn"])
def test_attacks_of_no_or_two_norms_are_refused(attacks: Any) -> None:
    net = ReluNetwork(weights=[[[1.0]]])
    with pytest.raises(ValueError, match="attacks must be names of one norm"):
        network_attack_distances(net, [[1.0]], [1], attacks=attacks, box=None)


@pytest.mark.parametrize(
    ("X", "y", "box", "message"),
    [
        ([[1.0]], [1], None, "X must have shape"),
        ([[np.nan, 0.0]], [1], None, "X must be finite"),
        ([[1.0, 0.0]], [0], None, "y must hold labels"),
        ([[2.0, 0.0]], [1], (0.0, 1.0), "X must lie in the box"),
        ([[0.5, 0.0]], [1], ([0.0, 0.0], [1.0, 2.0]), "box must be None or one pair"),
    ],
)
def test_malformed_arguments_are_refused(X: Any, y: Any, box: Any, message: str) -> None:
    net = ReluNetwork(weights=[[[1.0, 2.0]]])
    with pytest.raises(ValueError, match=message):
        network_attack_distances(net, X, y, box=box)
