"""No certificate is above the distance of a flip that an attack or the exact search has found."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.nearest_flips import Setting, attacked, leads, outputs
from tests.theory.random_networks import ALIVE, KINDS, draw_boxed, draw_degenerate
from theory.certify import METHODS, certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork

METHODS_OF = {
    2: METHODS,
    math.inf: [name for name in METHODS if name not in ("lipschitz", "sdp", "lipsdp")],
}
# Certificates and witnesses are each rounded; where both are exact they agree to this.
ROUNDING = 1e-9
SECONDS = 0.2  # of a search: half take less than .01 s, one in a hundred is cut short


def compared(rng: np.random.Generator, kind: str, *, n: int, effort: int) -> Any:
    """Compare all methods on one drawn network with attacks and the exact search.

    Return how many certificates of right inputs were compared with a flip, and of how many of these
    the exact distance was known.
    """
    net = draw_degenerate(rng, kind)
    X, y, box = draw_boxed(rng, net, n)
    counts = np.zeros(2, dtype=int)
    for norm, sides in product(METHODS_OF, (None, box)):
        upper, closed = nearest(rng, (net, X, y), (norm, sides), effort)
        rows = np.flatnonzero(np.isfinite(upper))  # nothing refutes the others' certificates
        for method in METHODS_OF[norm] if rows.size else ():
            found = certified_radius(net, X[rows], y[rows], norm=norm, method=method, box=sides)
            assert (found.lower <= upper[rows] * (1 + ROUNDING)).all(), (norm, sides, method)
            right = upper[rows] > 0
            counts += right.sum(), (right & closed[rows]).sum()
    return counts


def nearest(
    rng: np.random.Generator, problem: tuple[ReluNetwork, Any, Any], setting: Setting, effort: int
) -> tuple[Any, Any]:
    """Return the distances (n,) of the nearest flips known, and whether none can be nearer.

    Searched are the inputs that an attack flipped, and the first few whether it did or not.
    """
    net, X, y = problem
    norm, box = setting
    upper = attacked(rng, problem, setting, effort)
    rows = np.flatnonzero(np.isfinite(upper) | (np.arange(len(X)) < 4))
    exact = exact_distance(net, X[rows], y[rows], norm=norm, box=box, time_limit=SECONDS)
    assert (exact.lower <= upper[rows] * (1 + ROUNDING)).all(), setting
    upper[rows] = np.minimum(upper[rows], exact.upper)
    closed = np.zeros(len(X), dtype=bool)
    closed[rows] = exact.status == "exact"
    return upper, closed


def compared_until(enough: int, rng: np.random.Generator, kind: str, **each: int) -> None:
    """Compare networks of a kind until enough certificates have met a flip."""
    counts = np.zeros(2, dtype=int)
    while counts[0] < enough:
        counts += compared(rng, kind, **each)
    met, closed = counts
    assert closed > met / 2  # 99 % where nothing slows the searches


@pytest.mark.parametrize("kind", ALIVE)
def test_no_certificate_is_above_an_attack_or_the_exact_distance(kind: str) -> None:
    compared_until(30, np.random.default_rng(1), kind, n=3, effort=1)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(KINDS))
def test_no_certificate_is_above_an_attack_whatever_the_seed(seed: int, kind: str) -> None:
    compared(np.random.default_rng(seed), kind, n=3, effort=1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("kind", ALIVE)
def test_no_certificate_is_above_a_strong_attack_or_the_exact_distance(
    kind: str, part: int
) -> None:
    # 10^5 certificates in all.
    compared_until(6_250, np.random.default_rng([5, part]), kind, n=32, effort=2)


@pytest.mark.parametrize("norm", METHODS_OF)
def test_nothing_flips_behind_a_dead_layer(norm: float) -> None:
    rng = np.random.default_rng(4)
    for _ in range(3):
        net = draw_degenerate(rng, "dead layer")
        X, y, box = draw_boxed(rng, net, 6)
        for sides in (None, box):
            exact = exact_distance(net, X, y, norm=norm, box=sides)
            assert set(exact.lower) <= {0.0, math.inf}
            assert (exact.lower == exact.upper).all()
            for method in METHODS_OF[norm]:
                found = certified_radius(net, X, y, norm=norm, method=method, box=sides)
                assert (found.lower == exact.lower).all()


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
