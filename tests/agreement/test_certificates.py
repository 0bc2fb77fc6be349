"""Certificates of trained and pruned networks against foolbox's attacks: never above."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from empirical.attack_stack import foolbox, foolbox_attacks
from theory.certify import METHODS, certified_accuracy, certified_radius
from theory.networks import ReluNetwork

NETS = ((20, 20), (50,))
PRUNED = (0.0, 0.8, 0.95)
ATTACKED = 4
# Certificates and points are rounded; nothing is both certified and attacked to the last digit.
ROUNDING = 1e-9
FAR = 1e3  # foolbox needs bounds where there is no box
ATTACKS = {
    "deepfool": (2, foolbox_attacks.L2DeepFoolAttack(steps=40, candidates=None, overshoot=1e-4)),
    "ddn": (2, foolbox_attacks.DDNAttack(init_epsilon=1.0, steps=40, gamma=0.05)),
    "linf deepfool": (
        math.inf,
        foolbox_attacks.LinfDeepFoolAttack(steps=40, candidates=None, overshoot=1e-4),
    ),
    "pgd": (2, foolbox_attacks.L2PGD(steps=40, rel_stepsize=0.1, random_start=False)),
    "linf pgd": (
        math.inf,
        foolbox_attacks.LinfPGD(steps=40, rel_stepsize=0.1, random_start=False),
    ),
}
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


def pruned(hidden: tuple[int, ...], share: float) -> list[Any]:
    """Return weights (out, in) of which the smallest of each layer are zero."""
    weights = []
    for W in trained(hidden).coefs_:
        kept = np.abs(W) >= np.quantile(np.abs(W), share)
        weights.append((W * kept).T)
    return weights


@cache
def problem(hidden: tuple[int, ...], share: float) -> tuple[ReluNetwork, Any, Any, Any]:
    """Return a network, as a record and as a float64 module, and test inputs it gets right."""
    weights, biases = pruned(hidden, share), trained(hidden).intercepts_
    layers: list[torch.nn.Module] = []
    for W, b in zip(weights, biases, strict=True):
        linear = torch.nn.Linear(*W.shape[::-1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W))
            linear.bias.copy_(torch.tensor(b))
        layers += [linear, torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers[:-1]).eval()
    X, y = (part[1400:] for part in digits())
    right = labels(module, X) == y
    return ReluNetwork(weights=weights, biases=biases), module, X[right], y[right]


def labels(module: Any, X: Any) -> Any:
    with torch.no_grad():
        return module(torch.tensor(X)).argmax(dim=1).numpy()


def attacked(name: str, module: Any, X: Any, y: Any, box: Any) -> Any:
    """Return the norms (n,) of the shortest moves that give another label; inf where none does."""
    norm, attack = ATTACKS[name]
    lo, hi = (-FAR, FAR) if box is None else box
    # Steps of foolbox's attacks are fractions of lengths of one or of the budget, not of bounds.
    model = foolbox.PyTorchModel(module, bounds=(lo, hi), device="cpu")
    budgets = BUDGETS[norm] if "pgd" in name else [None]
    inputs, targets = torch.tensor(X), torch.tensor(y)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.default_generator.manual_seed(0)
        _, found, _ = attack(model, inputs, targets, epsilons=budgets)
    distances = np.full(len(X), np.inf)
    for points in found:
        there = np.asarray(points.numpy()).clip(lo, hi)
        sizes = np.linalg.norm(there - X, ord=norm, axis=1)
        flips = np.isfinite(sizes) & (labels(module, np.nan_to_num(there)) != y)
        distances = np.where(flips, np.minimum(distances, sizes), distances)
    return distances


# Half of all cases: the slow test has the others.
@pytest.mark.parametrize(
    ("hidden", "share", "box"),
    [
        (hidden, share, None if (i + j) % 2 else (0.0, 1.0))
        for i, hidden in enumerate(NETS)
        for j, share in enumerate(PRUNED)
    ],
)
def test_no_certificate_is_above_an_attack(hidden: Any, share: float, box: Any) -> None:
    net, module, X, y = problem(hidden, share)
    X, y = X[:ATTACKED], y[:ATTACKED]
    upper = {norm: np.full(len(X), np.inf) for norm in (2, math.inf)}
    for name, (norm, _) in ATTACKS.items():
        upper[norm] = np.minimum(upper[norm], attacked(name, module, X, y, box))
    for norm, distances in upper.items():
        assert np.isfinite(distances).mean() > 0.8  # or the comparison says little
        best = np.zeros(len(X))
        for method in OF_L2 if norm == 2 else RELAXATIONS:
            found = certified_radius(net, X, y, norm=norm, method=method, box=box, tol=1e-3).lower
            assert (found > 0).all()
            assert (found <= distances * (1 + ROUNDING)).all(), method
            best = np.maximum(best, found)
        # And the certificates say something: the best are within some factor of the attacks.
        assert np.median(best / distances) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("share", PRUNED)
@pytest.mark.parametrize("hidden", NETS, ids=str)
def test_no_certificate_of_any_method_is_above_an_attack(hidden: Any, share: float) -> None:
    net, module, X, y = problem(hidden, share)
    X, y = X[:100], y[:100]
    for box in (None, (0.0, 1.0)):
        for name, (norm, _) in ATTACKS.items():
            distances = attacked(name, module, X, y, box)
            for method in METHODS if norm == 2 else ("best", *RELAXATIONS):
                found = certified_radius(net, X, y, norm=norm, method=method, box=box, tol=1e-3)
                assert (found.lower <= distances * (1 + ROUNDING)).all(), (name, method)


def test_certified_accuracy_is_below_accuracy_under_attack() -> None:
    net, module, X, y = problem((50,), 0.8)
    X, y = X[:40], y[:40]
    for norm, name in ((2, "pgd"), (math.inf, "linf pgd")):
        distances = attacked(name, module, X, y, (0.0, 1.0))
        eps = np.array(BUDGETS[norm])
        proven = certified_accuracy(net, X, y, eps, norm=norm, box=(0, 1), method="crown")
        survived = (distances[:, None] > eps * (1 + 1e-6)).mean(axis=0)  # foolbox's own rounding
        assert (proven <= survived).all()
        assert proven[0] > 0.3
