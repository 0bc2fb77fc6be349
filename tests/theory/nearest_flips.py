"""The nearest flips of small networks that random rays, DeepFool steps and shaking find.

Outputs and slopes are computed here: nothing of what certifies is used.
"""

import math
from typing import Any

import numpy as np

from theory.networks import ReluNetwork

Setting = tuple[float, Any]


def outputs(net: ReluNetwork, X: Any) -> Any:
    """Return the outputs (n, out) at inputs (n, d), layer by layer."""
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
