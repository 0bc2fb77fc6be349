"""Theorem 3.2 of Guo et al. 2018, met by masks drawn: gradients of networks pruned at random.

What is measured is a lower bound of E L: it can refute a bound, or fill it where signs cannot
cancel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from empirical.verify.masked_networks import (
    Case,
    Means,
    aligned_network,
    cases,
    digits_network,
    drawn_weights,
    every_mask,
    largest_norms,
    means_over_masks,
    path_powers,
    random_network,
)
from empirical.verify.verdict import Status, Verdict, judge_bound, judge_identity, worse
from theory.claims import CATALOGUE
from theory.claims.guo2018_masks import (
    Counterexample,
    cancelling_counterexample,
    product_counterexample,
    twin_outputs,
)
from theory.networks import ReluNetwork
from theory.validation import FloatArray

_SIGMAS = 4.0
_NOISE = "four standard errors of a mean over masks, about 3e-5 a case, and rounding"
_ROUNDING = 1e-9
_KIND = (
    "means over masks of the steepest of some points of a ball: estimates of lower bounds of E L"
)
# Of dense slopes: inputs of digits, in balls so small that hardly a unit changes side in them and
# slopes are all but exact; and how much of every layer is pruned.
_DIGITS, _SMALL, _PRUNED = 60, 1e-6, (0.05, 0.3)
# Of η: masks, the steps of one alpha, and what the others are. Path norms cost little.
_PATH_MASKS, _STEPS, _OTHERS = 3000, (0.1, 0.3, 0.5, 0.7), 0.3
# Declared before any measurement: the error of a rise of η, at most 1, that counts as none.
_MARGIN = 0.03


class _Met(NamedTuple):
    """Bounds and the means that meet them: one network, pruned one way, balls and outputs."""

    name: str
    bounds: FloatArray
    means: Means

    def violated(self) -> int:
        excess = self.means.values - _SIGMAS * self.means.errors
        return int((excess > self.bounds + _ROUNDING * (1 + self.bounds)).sum())

    def ratio(self) -> float:
        """Return the median of bound over mean, where the mean is not zero."""
        bounds, seen = np.broadcast_to(self.bounds, self.means.values.shape), self.means.values > 0
        return float(np.median(bounds[seen] / self.means.values[seen])) if seen.any() else np.nan


def _judged(
    key: str, met: Sequence[_Met], evidence: Mapping[str, float | str] | None = None
) -> Verdict:
    """Return whether means stay below their bounds, but for four standard errors."""
    measured = np.concatenate([one.means.values.ravel() for one in met])
    errors = np.concatenate([one.means.errors.ravel() for one in met])
    bounds = np.concatenate(
        [np.broadcast_to(one.bounds, one.means.values.shape).ravel() for one in met]
    )
    slop = _SIGMAS * errors + _ROUNDING * (1 + bounds)
    verdict = judge_bound(CATALOGUE[key], bounds, measured, allowance=slop, reason=_NOISE)
    ratios = {f"median bound / measured, {one.name}": one.ratio() for one in met}
    told = {"what is measured": _KIND, **(evidence or {})}
    return replace(verdict, evidence={**verdict.evidence, **told, **ratios})


def _name(case: Case, q: int) -> str:
    return f"{case.name}, q = {q}, α = {', '.join(f'{alpha:g}' for alpha in case.alphas)}"


def _met_outputs(key: str, rng: np.random.Generator, *, q: int) -> list[_Met]:
    """Return how a bound for each output, from the masks' law alone, meets each case."""
    predict = CATALOGUE[key].predict
    return [
        _Met(
            _name(case, q),
            predict(case.net, case.alphas),
            means_over_masks(largest_norms(case, drawn_weights(case, rng), rng, q=q)),
        )
        for case in cases(rng)
    ]


def _exact(
    example: Counterexample, rng: np.random.Generator, forms: FloatArray | None = None
) -> Means:
    """Return E L_2 over all masks: exact, for what is linear in its ball under every mask."""
    weights, chances = every_mask(example.net, example.alphas)
    case = Case("", example.net, example.alphas, example.center[None], example.radius)
    norms = largest_norms(case, weights, rng, q=2, forms=forms)
    mean = np.tensordot(chances, norms, axes=1)
    return Means(mean, np.zeros_like(mean))


def _told(met: Sequence[_Met]) -> dict[str, float | str]:
    """Return the exact mean of the counterexample, which comes first, and violations by kind."""
    told: dict[str, float | str] = {"E L, counterexample": float(met[0].means.values[0, 0])}
    for kind in dict.fromkeys(one.name.split(",")[0] for one in met[1:]):
        counted = [one.violated() for one in met if one.name.startswith(kind)]
        told[f"violations, {kind}"] = float(sum(counted))
    return told


def check_l1(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the bound for q = 1: digits, random and aligned networks."""
    return _judged("guo2018.lipschitz-l1", _met_outputs("guo2018.lipschitz-l1", rng, q=1))


def check_l2(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the root mean square for q = 2: networks as in `check_l1`."""
    return _judged("guo2018.lipschitz-l2", _met_outputs("guo2018.lipschitz-l2", rng, q=2))


def check_sharp(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the sharper bound for q = 2: networks as in `check_l1`."""
    return _judged("guo2018.lipschitz-sharp", _met_outputs("guo2018.lipschitz-sharp", rng, q=2))


def check_margin(rng: np.random.Generator) -> Verdict:
    """Return the verdict on margins of the first output: twins, over all masks, and two norms."""
    key, twins = "guo2018.lipschitz-margin", twin_outputs()
    predict = CATALOGUE[key].predict
    exact = _exact(twins, rng, np.array([[1.0, -1.0]]))
    met = [_Met("twin outputs", predict(twins.net, twins.alphas, 0)[1:], exact)]
    for case in cases(rng):
        weights, outputs = drawn_weights(case, rng), np.eye(case.net.outputs)
        forms = outputs[0] - outputs[1:]
        for q in (1, 2):
            bound = predict(case.net, case.alphas, 0, norm=q)[1:]
            norms = largest_norms(case, weights, rng, q=q, forms=forms)
            met.append(_Met(_name(case, q), bound, means_over_masks(norms)))
    return _judged(key, met)


def check_product(rng: np.random.Generator) -> Verdict:
    """Return the verdict on c_2 Π ρ_j: its counterexample, over all masks, and as `check_l1`."""
    key, example = "guo2018.lipschitz-product", product_counterexample()
    bound = CATALOGUE[key].predict(example.net, example.alphas)
    met = [_Met("counterexample", bound, _exact(example, rng)), *_met_outputs(key, rng, q=2)]
    return _judged(key, met, _told(met))


def check_falls(rng: np.random.Generator) -> Verdict:
    """Return the verdict on "no more than dense": its counterexample, and a network of digits."""
    key, example = "guo2018.lipschitz-falls", cancelling_counterexample()
    predict = CATALOGUE[key].predict
    bound = predict(example.net, example.center[None], example.radius)
    met = [_Met("counterexample", bound, _exact(example, rng))]
    net, X = digits_network(rng, _DIGITS)
    bound = predict(net, X, _SMALL)
    for alpha in _PRUNED:
        case = Case("digits", net, (alpha,) * net.depth, X, _SMALL, points=1, masks=200)
        norms = largest_norms(case, drawn_weights(case, rng), rng, q=2)
        met.append(_Met(_name(case, 2), bound, means_over_masks(norms)))
    floor = np.maximum(bound, np.finfo(float).tiny)  # of an output that is constant there
    largest = max(float((one.means.values / floor).max()) for one in met[1:])
    return _judged(key, met, {**_told(met), "digits, largest measured / dense": largest})


def check_eta(rng: np.random.Generator) -> Verdict:
    """Return the verdict on η along each α_j: path norms of masks of which each prunes the next."""
    claim = CATALOGUE["guo2018.lipschitz-eta"]
    predicted, measured, errors = [], [], []
    for net in (random_network(rng, 6, 8, 5, 2), aligned_network(rng, 5, 4)):
        for q, j in product((1, 2), range(net.depth)):
            steps = [[a if i == j else _OTHERS for i in range(net.depth)] for a in _STEPS]
            predicted.append(np.diff([claim.predict(net, a, norm=q) for a in steps], axis=0))
            rises = _rises(net, steps, q, rng)
            measured.append(rises.values)
            errors.append(rises.errors)
    p, m, e = (np.concatenate([*map(np.ravel, part)]) for part in (predicted, measured, errors))
    known: Any = {"tolerance": _ROUNDING, "reason": "rounding", "margin": _MARGIN, "scale": 1.0}
    verdict = judge_identity(claim, p, m, errors=e, **known)
    least = {
        "least rise, predicted": float(p.min()),
        "least rise, measured": float(m.min()),
        "least rise, measured, less four standard errors": float((m - _SIGMAS * e).min()),
    }
    status = worse(verdict.status, _rising(p, m, e))
    return replace(verdict, status=status, evidence={**verdict.evidence, **least})


def _rises(
    net: ReluNetwork, steps: Sequence[Sequence[float]], q: int, rng: np.random.Generator
) -> Means:
    """Return by how much η rises at each step, (steps, out), from the same draws at all of them."""
    dense = [np.asarray(W) for W in net.weights]
    uniform = [rng.random((_PATH_MASKS, *W.shape)) for W in dense]
    powers = []
    for alphas in steps:
        kept = [W * (u >= a) for W, u, a in zip(dense, uniform, alphas, strict=True)]
        powers.append(path_powers(kept, q))
    found = np.stack(powers)
    means = found.mean(axis=1, keepdims=True)
    whole = path_powers(dense, q) ** (1 / q)
    values = -np.diff(means[:, 0] ** (1 / q), axis=0) / whole
    # What a mask adds to the q-th root of a mean, to first order.
    parts = -np.diff(found / q * means ** (1 / q - 1), axis=0) / whole
    return Means(values, parts.std(axis=1, ddof=1) / np.sqrt(_PATH_MASKS))


def _rising(predicted: FloatArray, measured: FloatArray, errors: FloatArray) -> Status:
    """Return whether all rises are positive, those measured beyond four standard errors."""
    if (predicted <= 0).any() or (measured + _SIGMAS * errors < 0).any():
        return "refuted"
    return "holds" if (measured - _SIGMAS * errors > 0).all() else "inconclusive"
