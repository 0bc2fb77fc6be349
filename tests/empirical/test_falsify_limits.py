"""What the falsifier takes for the truth of ceilings, against draws that are attacked."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from empirical.falsify import SEARCHES, Instance, falsify, sides
from empirical.falsify.search import instance_of
from theory.validation import FloatArray

KEYS = [key for key in SEARCHES if key.startswith("limits.")]
DRAWS = 30_000
FIVE = 5 * 0.5 / math.sqrt(DRAWS)  # standard errors of a share


def drawn(key: str, seed: int) -> Instance:
    """Return an instance of a search that its claim covers."""
    search, rng = SEARCHES[key], np.random.default_rng(seed)
    while True:
        lo = np.concatenate([np.full(one.size, one.lo) for one in search.space])
        hi = np.concatenate([np.full(one.size, one.hi) for one in search.space])
        instance = instance_of(search, lo + (hi - lo) * rng.random(lo.size))
        try:
            found = sides(search, instance)
        except ValueError:
            continue
        if found.true > 0.02:
            return instance


def reach(instance: Instance) -> float:
    """Return what a move of size eps adds to w·x at most, tried along many directions."""
    angles = np.linspace(0, 2 * np.pi, 3601)
    moves = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    size = np.linalg.norm(moves, ord=float(instance["norm"]), axis=1)
    return float(instance["eps"] * (moves @ instance["w"] / size).max())


def same_within(said: Callable[[FloatArray], Any], s: FloatArray, far: float) -> Any:
    """Return where what is said of s is said of all numbers within far, tried on a grid."""
    kept = np.ones(s.size, dtype=bool)
    for move in np.linspace(-far, far, 81):
        kept &= said(s + move) == said(s)
    return kept


def between(s: FloatArray, cuts: FloatArray) -> Any:
    """Return where s lies in the first or second of two intervals, far cuts being infinite."""
    a, b, c, d = np.sort(cuts)
    first = ((s > a) | (a < -3.5)) & ((s < b) & (b >= -3.5) | (b > 3.5))
    second = ((s > c) & (c <= 3.5) | (c < -3.5)) & ((s < d) | (d > 3.5))
    return first | second


@pytest.mark.parametrize("seed", range(3))
def test_slabs_keep_what_attacked_draws_keep(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    for key in ("limits.gaussian", "limits.two-gaussians", "limits.generator"):
        one = drawn(key, seed)
        w, cuts = one["w"], one["cuts"]
        noise = rng.normal(size=(DRAWS, 2)) @ np.linalg.cholesky(one["covariance"]).T @ w
        deviation = math.sqrt(w @ one["covariance"] @ w)
        far = reach(one) / deviation
        if key == "limits.gaussian":
            s = noise / deviation
            kept = same_within(lambda at, c=cuts: between(at, c), s, far) & between(s, cuts)
        elif key == "limits.generator":
            s = noise / deviation
            kept = same_within(lambda at, c=cuts: np.searchsorted(np.sort(c), at) % 3, s, far)
        else:
            y = rng.random(DRAWS) < one["prior"]
            s = noise + one["means"][y.astype(int)] @ w - one["means"].mean(axis=0) @ w
            s = s / deviation
            kept = same_within(lambda at, c=cuts: between(at, c), s, far)
            kept &= between(s, cuts) == y
        # .002: moves of the grid may miss an interval
        assert sides(SEARCHES[key], one).true == pytest.approx(kept.mean(), abs=FIVE + 0.002)


@pytest.mark.parametrize("seed", range(4))
def test_belts_keep_what_draws_keep(seed: int) -> None:
    rng = np.random.default_rng(200 + seed)
    for key in ("limits.sphere", "limits.sphere-distance", "limits.sphere-rate"):
        one = drawn(key, seed)
        d, R = int(one["dimension"]), float(one["radius"])
        X = rng.normal(size=(DRAWS, d))
        angle = np.arccos((X[:, 0] / np.linalg.norm(X, axis=1)).clip(-1, 1))
        a, b, c, e = np.sort(one["cuts"])
        a, b, c, e = (x if 0 < x < math.pi else math.copysign(9.0, x) for x in (a, b, c, e))
        away = np.maximum(np.minimum(angle - a, b - angle), np.minimum(angle - c, e - angle))
        away = away.clip(min=0)
        if key == "limits.sphere":
            measured, spread = (2 * R * np.sin(away / 2) > one["eps"]).mean(), 0.5
        else:
            moves = R * (away if key == "limits.sphere-rate" else 2 * np.sin(away / 2))
            measured, spread = moves.mean(), moves.std()
        near = 5 * spread / math.sqrt(DRAWS)
        assert sides(SEARCHES[key], one).true == pytest.approx(measured, abs=near)


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_ceilings_are_found_tight(key: str) -> None:
    # Half-spaces and caps have them; the closed form of spheres is near its own for d <= 8.
    found = falsify(SEARCHES[key], np.random.default_rng(0), evaluations=4000)
    assert found.verdict == "not violated"
    assert found.slack < (0.03 if key == "limits.sphere-rate" else 0.01)
