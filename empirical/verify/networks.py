"""Certificates of ReLU networks, local slopes and CLEVER, met by attacks on trained networks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.neural_network import MLPClassifier

from empirical.data import Dataset, digits
from empirical.lowering import network_from_estimator
from empirical.network_attacks import network_attack_distances
from empirical.verify.verdict import Verdict, judge_bound
from theory.certify import METHODS
from theory.certify.branch_and_bound import exact_distance
from theory.claims import CATALOGUE
from theory.claims.claim import Claim
from theory.claims.networks import clever_counterexample
from theory.networks import ReluNetwork
from theory.validation import FloatArray, IntArray

_EPOCHS, _EPOCHS_PRUNED, _BATCHES_PRUNED = 25, 10, 100
_SHARE_PRUNED = 0.8
_INPUTS = 15
_ATTACKS = {2.0: ("ddn", "l2_deepfool"), np.inf: ("linf_deepfool", "linf_pgd")}
_BOXES = (None, (0.0, 1.0))
# The radii at which slopes are bounded: a quarter apart, and up to beyond most distances.
_RADII = {2.0: np.geomspace(0.005, 1.0, 24), np.inf: np.geomspace(0.001, 0.2, 24)}
# Of branch and bound: how many inputs of each network, and for how many seconds each at most.
_EXACT_INPUTS, _EXACT_SECONDS = 4, 0.5
# CLEVER's L∞ ball, which holds a flip of most inputs, and a network so deep that its slopes vary
# from point to point.
_CLEVER_RADIUS, _CLEVER_HIDDEN, _CLEVER_INPUTS = 0.15, (20, 20, 20, 20), 24
_TIED = "float64 rounds scores, so that a flip may be seen this much before its distance"
_ROUNDING = 1e-9


class _Attacked(NamedTuple):
    """A trained network, inputs it has not seen, and the moves of attacks in one norm and box."""

    name: str
    net: ReluNetwork
    X: FloatArray
    y: IntArray
    norm: float
    box: tuple[float, float] | None
    moves: FloatArray

    def setting(self) -> dict[str, Any]:
        return {"norm": self.norm, "box": self.box}


def _trained(data: Dataset, rows: IntArray, rng: np.random.Generator, **hidden: Any) -> Any:
    """Return scikit-learn's network after some passes over the rows."""
    seed = int(rng.integers(2**31))
    fitted = MLPClassifier(batch_size=50, learning_rate_init=0.01, random_state=seed, **hidden)
    for _ in range(_EPOCHS):  # fit would warn that it has not converged
        fitted.partial_fit(data.X[rows], data.y[rows], classes=np.unique(data.y))
    return fitted


def _prune(fitted: Any, data: Dataset, rows: IntArray) -> None:
    """Set each layer's smallest weights to zero, and train those that are left a little more."""
    masks = [np.abs(W) >= np.quantile(np.abs(W), _SHARE_PRUNED) for W in fitted.coefs_]
    for batch in np.array_split(np.tile(rows, _EPOCHS_PRUNED), _BATCHES_PRUNED):
        fitted.partial_fit(data.X[batch], data.y[batch])
        fitted.coefs_ = [W * mask for W, mask in zip(fitted.coefs_, masks, strict=True)]


def _networks(rng: np.random.Generator) -> Iterator[tuple[str, ReluNetwork, FloatArray, IntArray]]:
    """Yield a network of ten digits, dense and pruned by magnitude, with inputs it has not seen."""
    data = digits()
    order = rng.permutation(data.y.size)
    held, rows = order[:_INPUTS], order[_INPUTS:1000]
    fitted = _trained(data, rows, rng, hidden_layer_sizes=(12,))
    yield "dense", network_from_estimator(fitted).net, data.X[held], data.y[held]
    _prune(fitted, data, rows)
    yield "pruned", network_from_estimator(fitted).net, data.X[held], data.y[held]


def _attacked(rng: np.random.Generator) -> Iterator[_Attacked]:
    for name, net, X, y in _networks(rng):
        for norm, attacks in _ATTACKS.items():
            for box in _BOXES:
                found = network_attack_distances(net, X, y, attacks=attacks, box=box)
                yield _Attacked(name, net, X, y, norm, box, _known(found.distances))


def _known(distances: FloatArray) -> FloatArray:
    """Return distances with inf where no attack succeeded, which says nothing."""
    return np.where(np.isnan(distances), np.inf, distances)


def _judged(
    claim: Claim,
    lower: list[FloatArray],
    upper: list[FloatArray],
    evidence: Mapping[str, float | str],
) -> Verdict:
    """Return whether the claim's lower bounds stay below flips that were found."""
    below, above = np.concatenate(lower), np.concatenate(upper)
    slop = np.where(np.isfinite(above), _ROUNDING * (1 + above), 0.0)
    verdict = judge_bound(claim, above, below, allowance=slop, reason=_TIED)
    return replace(  # the claim gives the lower number of the two, the attacks the upper
        verdict,
        predicted=verdict.measured,
        measured=verdict.predicted,
        evidence={**verdict.evidence, **evidence},
    )


def _share(lower: FloatArray, upper: FloatArray) -> float:
    """Return the median of lower over upper, where the upper is neither 0 nor unknown."""
    counted = (upper > 0) & np.isfinite(upper)
    return float(np.median(lower[counted] / upper[counted])) if counted.any() else float("nan")


def check_local_lipschitz(rng: np.random.Generator) -> Verdict:
    """Return the verdict on local slopes: digits, dense and pruned, two norms, in a box or not."""
    claim = CATALOGUE["networks.local-lipschitz"]
    lower, upper, shares = [], [], {}
    for case in _attacked(rng):
        radii = _RADII[case.norm]
        lower.append(claim.predict(case.net, case.X, case.y, radii=radii, **case.setting()))
        upper.append(case.moves)
        name = f"median bound / attack, {case.name}, norm {case.norm:g}, box {case.box}"
        shares[name] = _share(lower[-1], upper[-1])
    return _judged(claim, lower, upper, shares)


def check_clever(rng: np.random.Generator) -> Verdict:
    """Return the verdict on CLEVER: its counterexample, and a network of two digits, by attacks."""
    claim = CATALOGUE["networks.clever"]
    steep, x, radius = clever_counterexample()
    data = digits(3, 8)
    order = rng.permutation(data.y.size)
    held, rows = order[:_CLEVER_INPUTS], order[_CLEVER_INPUTS:]
    fitted = _trained(data, rows, rng, hidden_layer_sizes=_CLEVER_HIDDEN)
    net, X, y = network_from_estimator(fitted).net, data.X[held], data.y[held]
    scores = [
        claim.predict(steep, x, [1], rng, radius=radius),
        claim.predict(net, X, y, rng, radius=_CLEVER_RADIUS, norm=np.inf),
    ]
    found = [
        network_attack_distances(steep, x, [1], box=None),
        network_attack_distances(net, X, y, attacks=_ATTACKS[np.inf], box=None),
    ]
    moves = [_known(result.distances) for result in found]
    evidence = {
        "score of the counterexample": float(scores[0][0]),
        "distance of a flip of the counterexample": float(moves[0][0]),
        "digits, violations": float((scores[1] > moves[1] * (1 + _ROUNDING)).sum()),
        "digits, largest score / attack": float((scores[1] / moves[1].clip(1e-300)).max()),
        "digits, median score / attack": _share(scores[1], moves[1]),
    }
    return _judged(claim, scores, moves, evidence)


def check_certificates(rng: np.random.Generator) -> Verdict:
    """Return the verdict on every method: certificate ≤ exact ≤ attack, on digits."""
    claim = CATALOGUE["networks.certificates"]
    lower, upper, shares, closed = [], [], {}, []
    for case in _attacked(rng):
        few = slice(0, _EXACT_INPUTS)
        exact = exact_distance(
            case.net, case.X[few], case.y[few], time_limit=_EXACT_SECONDS, **case.setting()
        )
        closed += [*(exact.status == "exact")]
        lower.append(exact.lower)
        upper.append(case.moves[few])
        for method in _methods(case):
            certified = claim.predict(
                case.net, case.X, case.y, method=method, tol=1e-3, **case.setting()
            ).lower
            lower += [certified, certified[few]]
            upper += [case.moves, exact.upper]
            name = f"median {method} / attack, {case.name}, norm {case.norm:g}, box {case.box}"
            shares[name] = _share(certified, case.moves)
    told = f"closed {sum(closed)} of {len(closed)}"
    return _judged(claim, lower, upper, {"exact searches": told, **shares})


def _methods(case: _Attacked) -> tuple[str, ...]:
    """Return the methods that have the norm; "best", all of them again, where that is cheap.

    Constants for the whole space are no larger in a box: they are not tried twice.
    """
    if case.norm != 2:
        return tuple(method for method in METHODS if method not in {"lipschitz", "sdp", "lipsdp"})
    twice = {"best"} if case.box is None else {"best", "lipschitz", "lipsdp"}
    return tuple(method for method in METHODS if method not in twice)
