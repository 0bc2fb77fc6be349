"""Calls on reduced networks over the same calls on the networks as given.

    OMP_NUM_THREADS=1 python tests/benchmarks/reduction.py [repetitions]

Time on the reduced network over that on the original: the median of repetitions that take both in
turns. `reduce` is made once a network and inputs are mapped once: their times are told, and what a
single forward pass takes with its inputs mapped. `exact_distance` reduces for itself: its time is
compared with that of a search in the network as given.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Any
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp

from theory.certify import branch_and_bound, certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import (
    Reduction,
    ReluNetwork,
    class_scores,
    forward,
    reduce,
    reduced_inputs,
)

# Few inputs say little of ascents, whose number of evaluations differs from input to input.
FORWARD, MANY, FEW, EXACT = 200, 50, 20, 4
SETTINGS: list[tuple[float, Any]] = [(2, None), (2, (0.0, 1.0)), (np.inf, (0.0, 1.0))]
SHAPES, LIMIT = ((64, 50, 50, 10), (784, 300, 100, 10)), 2.0


def drawn(widths: tuple[int, ...], density: float, twins: float) -> ReluNetwork:
    """Return He weights, the largest of each layer, sparse if they are few.

    A share of the units are there twice, at another size.
    """
    rng = np.random.default_rng(0)
    weights: list[Any] = [rng.normal(size=(m, k)) * (2 / k) ** 0.5 for k, m in pairwise(widths)]
    weights = [W * (abs(W) >= np.quantile(abs(W), 1 - density)) for W in weights]
    for j in range(len(weights) - 1):
        count = int(twins * len(weights[j]))
        weights[j] = np.vstack([weights[j], 2 * weights[j][:count]])
        weights[j + 1] = np.hstack([weights[j + 1], weights[j + 1][:, :count] / 2])
    return ReluNetwork(weights=weights if density == 1 else [sp.csr_array(W) for W in weights])


def networks() -> Iterator[tuple[str, ReluNetwork]]:
    for widths, density, twins in product(SHAPES, (1.0, 0.05), (0.0, 0.2)):
        name = f"{'-'.join(map(str, widths))}, density {density}, twins {twins}"
        yield name, drawn(widths, density, twins)


def seconds(call: Callable[[], Any], least: float = 0.05) -> float:
    """Return the time of a call, made as often as fills `least`."""
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < least:
        call()
        count += 1
    return (time.perf_counter() - began) / count


def ratio(given: Callable[[], Any], reduced: Callable[[], Any], repetitions: int) -> str:
    pairs = np.array([(seconds(given), seconds(reduced)) for _ in range(repetitions)])
    return f"{np.median(pairs[:, 1] / pairs[:, 0]):.2f} ({1e3 * np.median(pairs[:, 0]):.3g} ms)"


def calls(net: ReluNetwork, X: Any, y: Any, ways: Any) -> dict[str, Callable[[], Any]]:
    return {
        "forward": lambda: forward(net, X),
        "crown": lambda: certified_radius(net, X[:MANY], y[:MANY], method="crown", **ways),
        "alpha-crown": lambda: certified_radius(
            net, X[:FEW], y[:FEW], method="alpha-crown", **ways
        ),
        "best": lambda: certified_radius(net, X[:FEW], y[:FEW], **ways),
    }


def unreduced(*arguments: Any, **settings: Any) -> Any:
    """Return exact distances of a network that is not reduced first."""

    def as_given(net: ReluNetwork, **_: Any) -> Reduction:
        return Reduction(network=net, input_map=None, steps=())

    with patch.object(branch_and_bound, "reduce", as_given):
        return exact_distance(*arguments, **settings)


if __name__ == "__main__":
    repeated = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for name, net in networks():
        X = np.random.default_rng(1).uniform(size=(FORWARD, net.dimension))
        y = class_scores(net, X).argmax(axis=1)
        for norm, box in SETTINGS:
            found, ways = reduce(net, norm=norm, box=box), {"norm": norm, "box": box}
            print(f"{name}; L{norm}, box {box}: {'; '.join(found.steps) or 'nothing to reduce'}")
            if found.network is net:  # the calls are the same
                continue
            spent = seconds(lambda net=net, ways=ways: reduce(net, **ways))
            print(f"  reduce {1e3 * spent:.3g} ms", end="", flush=True)
            small, Z = found.network, reduced_inputs(found, X)
            ours, theirs = calls(small, Z, y, ways), calls(net, X, y, ways)
            for what, given in theirs.items():
                print(f", {what} {ratio(given, ours[what], repeated)}", end="", flush=True)
            mapped = ratio(
                theirs["forward"],
                lambda s=small, r=found, X=X: forward(s, reduced_inputs(r, X)),
                repeated,
            )
            limits: Any = {"time_limit": LIMIT, **ways}
            exact = ratio(
                lambda net=net, X=X, y=y, w=limits: unreduced(net, X[:EXACT], y[:EXACT], **w),
                lambda net=net, X=X, y=y, w=limits: exact_distance(net, X[:EXACT], y[:EXACT], **w),
                3,
            )
            print(f", mapping and forward {mapped}, exact {exact}", flush=True)
