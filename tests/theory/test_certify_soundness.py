"""No certificate is above the distance of a flip that an attack has found and checked."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.certify import METHODS, certified_radius
from theory.networks import ReluNetwork

L2_ALONE = ("lipschitz", "sdp", "lipsdp")
# Certificates and witnesses are each rounded; where both are exact they agree to this.
ROUNDING = 1e-9
KINDS = ("plain", "plain", "dead layer", "zero row", "twins", "ties", "linear", "mixed", "scaled")
Setting = tuple[float, Any]


def draw_net(rng: np.random.Generator) -> ReluNetwork:
    """Return a network of depth 1 to 4, dense to 98 % pruned, often with a degenerate part."""
    depth = int(rng.integers(1, 5))
    widths = [int(rng.integers(1, 7)), *rng.integers(1, 13, depth - 1), int(rng.integers(1, 5))]
    density = rng.choice([1.0, 1.0, 0.5, 0.2, 0.1, 0.02])
    weights: list[Any] = [
        rng.normal(size=(o, i)) * (rng.random((o, i)) < density) for i, o in pairwise(widths)
    ]
    biases = [rng.normal(size=w) * rng.choice([0.0, 0.3, 1.0]) for w in widths[1:]]
    relu = [np.ones(w, dtype=bool) for w in widths[1:-1]]
    kind, j = rng.choice(KINDS), int(rng.integers(depth))
    if kind == "dead layer":
        weights[j] = np.zeros_like(weights[j])
    elif kind == "zero row":
        weights[j][0] = 0.0
    elif kind == "twins":
        weights[j][-1], biases[j][-1] = weights[j][0], biases[j][0]
    elif kind == "ties":
        biases = [np.zeros_like(b) for b in biases]
        weights = [np.round(2 * W) / 2 for W in weights]
    elif kind == "linear":
        relu = [np.zeros_like(mask) for mask in relu]
    elif kind == "mixed":
        relu = [rng.random(mask.size) < 0.5 for mask in relu]
    elif kind == "scaled":
        weights[j] = weights[j] * 10.0 ** rng.uniform(-4, 4)
    if rng.random() < 0.4:
        weights = [sp.csr_array(W) for W in weights]
    return ReluNetwork(weights=weights, biases=biases, relu=relu)


def draw_inputs(rng: np.random.Generator, net: ReluNetwork, n: int) -> tuple[Any, Any, Any]:
    """Return inputs, mostly right labels, and a box whose sides some of the inputs lie on."""
    X = rng.normal(size=(n, net.dimension)) * rng.choice([0.3, 1.0, 3.0])
    lo, hi = rng.uniform(-3, -0.2, net.dimension), rng.uniform(0.2, 3, net.dimension)
    hi[0] = np.inf if rng.random() < 0.3 else hi[0]
    X = np.clip(X, lo, hi)
    scores = outputs(net, X)
    right = scores.argmax(axis=1) if net.outputs > 1 else np.where(scores[:, 0] >= 0, 1, -1)
    y = np.where(rng.random(n) < 0.9, right, rng.choice(net.classes, n))
    return X, y, (lo, hi)


def outputs(net: ReluNetwork, X: Any) -> Any:
    for j, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        X = (W @ X.T).T + b
        if j < net.depth - 1:
            X = np.where(net.relu[j], X.clip(min=0.0), X)
    return X


def leads(net: ReluNetwork, X: Any, y: Any) -> Any:
    """Return the leads (n, m) of labels y over the rivals."""
    scores = outputs(net, X)
    if net.outputs == 1:
        return scores * y[:, None]
    gaps = scores[np.arange(len(y)), y][:, None] - scores
    gaps[np.arange(len(y)), y] = np.inf
    return gaps


def slopes(net: ReluNetwork, X: Any, forms: Any) -> Any:
    """Return the gradients (n, d) of forms (n, out) of the outputs, by the chain rule."""
    passed = []
    for W, b, mask in zip(net.weights[:-1], net.biases[:-1], net.relu, strict=True):
        z = (W @ X.T).T + b
        passed.append((z > 0) | ~mask)
        X = np.where(mask, z.clip(min=0.0), z)
    for W, on in zip(net.weights[::-1], [None, *passed[::-1]], strict=True):
        forms = forms if on is None else forms * on
        forms = (W.T @ forms.T).T
    return forms


class Attack:
    """The nearest flips found so far of n inputs: every one is checked by its outputs."""

    def __init__(self, net: ReluNetwork, X: Any, y: Any, setting: Setting) -> None:
        self.net, self.X, self.y = net, X, y
        self.norm, self.box = setting
        self.found = leads(net, X, y).min(axis=1) <= 0
        self.distances = np.where(self.found, 0.0, np.inf)
        self.points = X.copy()

    def offer(self, points: Any, rows: Any) -> None:
        """Take points of some inputs where they flip and are nearer; pull flips back first."""
        if self.box is not None:
            points = np.clip(points, *self.box)
        points = np.where(np.isfinite(points), points, self.X[rows])
        flips = leads(self.net, points, self.y[rows]).min(axis=1) <= 0
        rows, points = rows[flips], points[flips]
        start, short, long = self.X[rows], np.zeros((len(rows), 1)), np.ones((len(rows), 1))
        for _ in range(22):  # the last flip on the segment that halving meets
            middle = (short + long) / 2
            there = start + middle * (points - start)
            flips = leads(self.net, there, self.y[rows]).min(axis=1, keepdims=True) <= 0
            short, long = np.where(flips, short, middle), np.where(flips, middle, long)
        points = start + long * (points - start)
        flips = leads(self.net, points, self.y[rows]).min(axis=1) <= 0
        for p, i in zip(points[flips], rows[flips], strict=True):
            size = float(np.linalg.norm(p - self.X[i], ord=self.norm))
            if size < self.distances[i]:
                self.distances[i], self.points[i] = size, p

    def shoot(self, rng: np.random.Generator, rays: int) -> None:
        """Look along random directions, of features alone and all together, at many lengths."""
        n, d = self.X.shape
        rows = np.repeat(np.arange(n), rays)
        way = rng.normal(size=(rows.size, d)) * (rng.random((rows.size, d)) < 0.7)
        way = np.sign(way) if self.norm == math.inf else way
        size = np.linalg.norm(way, ord=self.norm, axis=1, keepdims=True)
        way = np.divide(way, size, where=size > 0, out=np.zeros_like(way))
        self.offer(self.X[rows] + way * 10.0 ** rng.uniform(-3, 2, (rows.size, 1)), rows)

    def walk(self, rng: np.random.Generator, steps: int) -> None:
        """DeepFool: step after step to where a rival would win if the network were linear.

        Each step leads to the nearest point to the *input* on the boundary of the piece reached.
        """
        n, rivals = len(self.X), range(max(self.net.outputs, 2))
        for rival in rivals:
            forms = np.zeros((n, self.net.outputs))
            if self.net.outputs == 1:
                forms[:, 0] = self.y
            else:
                forms[np.arange(n), self.y] += 1
                forms[:, rival] -= 1
            starts = self.points if rng.random() < 0.5 else self.X
            points = starts + 1e-6 * rng.normal(size=self.X.shape)
            for _ in range(steps):
                g = slopes(self.net, points, forms)
                lead = (forms * outputs(self.net, points)).sum(axis=1)
                lead_at_input = lead + (g * (self.X - points)).sum(axis=1)
                way = np.sign(g) if self.norm == math.inf else g
                gain = (way * g).sum(axis=1)
                step = np.divide(lead_at_input, gain, where=gain > 0, out=np.zeros(n))
                points = self.X - (step * rng.choice([1 + 1e-9, 1.001, 1.05]))[:, None] * way
                if self.box is not None:
                    points = np.clip(points, *self.box)
                self.offer(points, np.arange(n))

    def shake(self, rng: np.random.Generator, rounds: int) -> None:
        """Look near the best flips for better ones."""
        rows = np.flatnonzero(np.isfinite(self.distances) & (self.distances > 0))
        for _ in range(rounds if rows.size else 0):
            size = self.distances[rows, None] * 10.0 ** rng.uniform(-4, -0.3, (rows.size, 1))
            shorter = self.X[rows] + (self.points - self.X)[rows] * rng.uniform(0.9, 1.02)
            self.offer(shorter + size * rng.normal(size=shorter.shape), rows)


def attacked(
    rng: np.random.Generator, problem: tuple[Any, Any, Any], setting: Setting, effort: int
) -> Any:
    attack = Attack(*problem, setting)
    for _ in range(effort):
        attack.shoot(rng, 40)
        attack.walk(rng, 6)
        attack.shake(rng, 15)
    return attack.distances


def compared(rng: np.random.Generator, n: int, effort: int) -> int:
    """Compare certificates of one drawn network with attacks; return how many were compared."""
    net = draw_net(rng)
    X, y, box = draw_inputs(rng, net, n)
    right = leads(net, X, y).min(axis=1) > 0
    count = 0
    for norm in (2, math.inf):
        for sides in (None, box):
            upper = attacked(rng, (net, X, y), (norm, sides), effort)
            for method in METHODS:
                if norm == math.inf and method in L2_ALONE:
                    continue
                found = certified_radius(net, X, y, norm=norm, method=method, box=sides, tol=1e-3)
                assert (found.lower <= upper * (1 + ROUNDING)).all(), (norm, sides, method)
                assert (found.lower[~right] == 0).all()
                assert not np.isnan(found.lower).any()
                count += len(X)
    return count


def test_no_certificate_is_above_an_attack() -> None:
    rng = np.random.default_rng(3)
    assert sum(compared(rng, n=8, effort=1) for _ in range(5)) == 5 * 8 * 30


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_certificate_is_above_an_attack_whatever_the_seed(seed: int) -> None:
    compared(np.random.default_rng(seed), n=3, effort=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_no_certificate_is_above_a_strong_attack(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    assert sum(compared(rng, n=20, effort=3) for _ in range(40)) >= 17_000  # of 10^5 in all


def test_attack_reaches_the_distance_of_an_affine_network() -> None:
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(3, 5)), rng.normal(size=3)
    net = ReluNetwork(weights=[W], biases=[b])
    X = rng.normal(size=(20, 5))
    y = outputs(net, X).argmax(axis=1)
    for norm, dual in ((2, 2), (math.inf, 1)):
        gaps = leads(net, X, y)
        sizes = np.linalg.norm(W[y][:, None] - W, ord=dual, axis=2)
        exact = np.divide(gaps, sizes, where=sizes > 0, out=np.full(gaps.shape, np.inf)).min(axis=1)
        found = attacked(rng, (net, X, y), (norm, None), effort=1)
        # Steps go 1e-9 beyond; halving stops within 2^-22 of a longer one.
        np.testing.assert_allclose(found, exact, rtol=1e-6)
        assert (found >= exact * (1 - ROUNDING)).all()
