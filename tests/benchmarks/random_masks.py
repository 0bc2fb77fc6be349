"""Bounds on randomly pruned networks: how fast, how near path norms, how far from gradients.

    OMP_NUM_THREADS=1 python tests/benchmarks/random_masks.py

First the seconds of the recursion, 784-300-100-10. Then bounds of q = 2 over the mean path norm of
masks drawn, means over outputs, with the standard error of the drawn mean: chance is mostly that of
the mean square, which is known exactly and taken off. Last, of random weights and of trained ones,
bounds over the mean norm of gradients at inputs, each mask with its own pattern, with the standard
error of that mean.
"""

import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from theory.networks import ReluNetwork, class_scores
from theory.random_masks import (
    disconnection_bounds,
    expected_norm_bound,
    product_bound,
    rms_path_norm,
    sampled_gradient_norms,
    sampled_path_norms,
    shrinkage_slopes,
)

DENSITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
DRAWS, INPUTS = 1000, 50


def random_network(*widths: int) -> ReluNetwork:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(o, i)) * np.sqrt(2 / i) for i, o in pairwise(widths)]
    return ReluNetwork(weights=weights)


def digits_network() -> tuple[ReluNetwork, Any]:
    X, y = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier((50, 50), random_state=0, max_iter=200).fit(X[:1297] / 16, y[:1297])
    net = ReluNetwork(weights=[W.T for W in model.coefs_], biases=model.intercepts_)
    right = class_scores(net, X[1297:] / 16).argmax(axis=1) == y[1297:]
    print(f"digits 64-50-50-10: {right.mean():.1%} of unseen images right", flush=True)
    return net, X[1297:] / 16


def seconds(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def speed(net: ReluNetwork) -> None:
    for function in (rms_path_norm, expected_norm_bound, shrinkage_slopes, disconnection_bounds):
        spent = seconds(lambda function=function: function(net, 0.9))
        print(f"  {function.__name__:<22} {spent * 1e3:7.1f} ms, all {net.outputs} outputs")


def tightness(name: str, net: ReluNetwork) -> None:
    print(f"| {name} | rms / mean | bound / mean | product / mean | ± | disconnected |")
    rng = np.random.default_rng(1)
    for density in DENSITIES:
        alpha = 1 - density
        drawn = sampled_path_norms(net, alpha, count=DRAWS if density < 1 else 2, rng=rng)
        bounds = [f(net, alpha) for f in (rms_path_norm, expected_norm_bound, product_bound)]
        mean, spread = mean_beside_square(drawn, bounds[0])
        cells = " | ".join(f"{np.mean(bound / mean):.4g}" for bound in bounds)
        cut = disconnection_bounds(net, alpha)[0].mean()
        told = (spread / mean).mean()
        print(f"| {density:4} | {cells} | {told:.1%} | {cut:.2g} |", flush=True)
        if density < 1 and (bounds[0] > bounds[2]).any():
            raise RuntimeError("the product bound is below the root mean square")


def mean_beside_square(drawn: Any, rms: Any) -> tuple[Any, Any]:
    """Return means of draws whose root mean square is known, and their standard errors."""
    off = drawn**2 - rms**2
    varies = off.var(axis=0)
    together = ((drawn - drawn.mean(axis=0)) * off).mean(axis=0)
    left = drawn - off * together / np.where(varies > 0, varies, 1.0)
    return left.mean(axis=0), left.std(axis=0) / np.sqrt(len(drawn))


def against_gradients(name: str, net: ReluNetwork, X: Any, draws: int) -> None:
    print(f"| {name} | mean gradient q = 1 | bound / it | ± | q = 2 | bound / it | ± |")
    rng = np.random.default_rng(2)
    for density in DENSITIES:
        cells = []
        for norm in (1, 2):
            count = draws if density < 1 else 1
            drawn = sampled_gradient_norms(
                net, 1 - density, X[:INPUTS], count=count, rng=rng, norm=norm
            )
            each = drawn.mean(axis=(1, 2))  # of a mask: inputs share it
            mean, spread = each.mean(), each.std() / np.sqrt(count) / each.mean()
            bound = expected_norm_bound(net, 1 - density, norm=norm).mean()
            cells.append(f"{mean:.4g} | {bound / mean:.4g} | {spread:.1%}")
        print(f"| {density:4} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    large, small = random_network(784, 300, 100, 10), random_network(64, 50, 50, 10)
    speed(large)
    trained, images = digits_network()
    tightness("784-300-100-10, random", large)
    tightness("digits 64-50-50-10, random", small)
    tightness("digits 64-50-50-10, trained", trained)
    uniform = np.random.default_rng(3).random((INPUTS, 784))
    against_gradients("784-300-100-10, random", large, uniform, DRAWS // 5)
    against_gradients("digits 64-50-50-10, random", small, images, 4 * DRAWS)
    against_gradients("digits 64-50-50-10, trained", trained, images, 4 * DRAWS)
