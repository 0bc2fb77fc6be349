"""Certificates of trained and pruned networks: below foolbox's attacks, and not far below."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from empirical.network_attacks import network_attack_distances
from theory.certify import METHODS, certified_accuracy, certified_radius
from theory.networks import ReluNetwork, class_scores

NETS = ((20, 20), (50,))
PRUNED = (0.0, 0.8, 0.95)
ATTACKED = 4
# Certificates and points are rounded; nothing is both certified and attacked to the last digit.
ROUNDING = 1e-9
ATTACKS = {2: ("l2_deepfool", "ddn"), math.inf: ("linf_deepfool", "linf_pgd")}
RELAXATIONS = ("interval", "fast-lin", "crown")
OF_L2 = (*RELAXATIONS, "lipschitz", "sdp")  # LipSDP takes a second a network
BUDGETS = {2: [0.05, 0.1, 0.2, 0.4, 0.8, 1.6], math.inf: [0.01, 0.02, 0.05, 0.1, 0.2, 0.4]}


@cache
def digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


@cache
def trained(hidden: tuple[int, ...]) -> Any:
    X, y = digits()
    model = MLPClassifier(
        hidden, alpha=1e-3, learning_rate_init=5e-3, max_iter=60, tol=1e-2, random_state=0
    )
    return model.fit(X[:1400], y[:1400])


@cache
def problem(hidden: tuple[int, ...], share: float) -> tuple[ReluNetwork, Any, Any]:
    """Return a network, the smallest of whose weights are zero, and test inputs it gets right."""
    model = trained(hidden)
    weights = [np.where(np.abs(W) >= np.quantile(np.abs(W), share), W, 0.0) for W in model.coefs_]
    net = ReluNetwork(weights=[W.T for W in weights], biases=model.intercepts_)
    X, y = (part[1400:] for part in digits())
    right = class_scores(net, X).argmax(axis=1) == y
    return net, X[right], y[right]


def attacked(net: ReluNetwork, X: Any, y: Any, *, norm: float, box: Any) -> Any:
    """Return the distances (n,) of the nearest flips that attacks find; inf where they do not."""
    found = network_attack_distances(net, X, y, attacks=ATTACKS[norm], box=box).distances
    return np.where(np.isnan(found), np.inf, found)


# Half of all cases: the slow test has the others.
@pytest.mark.parametrize(
    ("hidden", "share", "box"),
    [
        (hidden, share, None if (i + j) % 2 else (0.0, 1.0))
        for i, hidden in enumerate(NETS)
        for j, share in enumerate(PRUNED)
    ],
)
def test_certificates_of_trained_networks_are_below_attacks_and_within_a_factor(
    hidden: Any, share: float, box: Any
) -> None:
    net, X, y = problem(hidden, share)
    X, y = X[:ATTACKED], y[:ATTACKED]
    for norm, methods in ((2, OF_L2), (math.inf, RELAXATIONS)):
        distances = attacked(net, X, y, norm=norm, box=box)
        assert np.isfinite(distances).mean() > 0.8  # or the comparison says little
        best = np.zeros(len(X))
        for method in methods:
            found = certified_radius(net, X, y, norm=norm, method=method, box=box, tol=1e-3).lower
            assert (found > 0).all()
            assert (found <= distances * (1 + ROUNDING)).all(), method
            best = np.maximum(best, found)
        assert np.median(best / distances) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("share", PRUNED)
@pytest.mark.parametrize("hidden", NETS, ids=str)
def test_certificates_of_trained_networks_by_any_method_are_below_attacks(
    hidden: Any, share: float
) -> None:
    net, X, y = problem(hidden, share)
    X, y = X[:100], y[:100]
    for box in (None, (0.0, 1.0)):
        for norm, methods in ((2, METHODS), (math.inf, ("best", *RELAXATIONS))):
            distances = attacked(net, X, y, norm=norm, box=box)
            assert np.isfinite(distances).mean() > 0.8
            for method in methods:
                found = certified_radius(net, X, y, norm=norm, method=method, box=box, tol=1e-3)
                assert (found.lower <= distances * (1 + ROUNDING)).all(), (norm, box, method)


def test_certified_accuracy_is_below_accuracy_under_attack() -> None:
    net, X, y = problem((50,), 0.8)
    X, y = X[:40], y[:40]
    for norm, budgets in BUDGETS.items():
        distances = attacked(net, X, y, norm=norm, box=(0.0, 1.0))
        eps = np.array(budgets)
        proven = certified_accuracy(net, X, y, eps, norm=norm, box=(0, 1), method="crown")
        assert (proven <= (distances[:, None] > eps * (1 + ROUNDING)).mean(axis=0)).all()
        assert proven[0] > 0.3
