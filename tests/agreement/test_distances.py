"""Exact distances against attacks that know no formula: from above, and closely."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from empirical.attacks import attack_accuracy, attack_distances
from empirical.data import digits, split
from empirical.linear import FAMILIES, train_path
from theory.linear import LinearClassifier, flip_distance, robust_accuracy

NORMS = {"ddn": 2, "l2_deepfool": 2, "carlini_wagner": 2, "linf_deepfool": np.inf}
ATTACKED = 40


@cache
def trained(pair: tuple[int, ...]) -> tuple[list[LinearClassifier], Any, Any]:
    """Return three classifiers of each family, and test inputs."""
    parts = split(digits(*pair), rng=np.random.default_rng(0))
    paths = [train_path(family, *parts.train, count=3) for family in FAMILIES]
    models = [one.model for path in paths for one in path]
    return models, parts.test.X[:ATTACKED], parts.test.y[:ATTACKED]


def ratios(models: Any, X: Any, y: Any, attack: str, box: Any) -> Any:
    """Return attacked over exact distances of inputs that are right; none may be missing."""
    found = attack_distances(models, X, y, attack=attack, box=box).distances
    exact = np.array([flip_distance(m, X, y, norm=NORMS[attack], box=box) for m in models])
    assert ((exact == 0) == (found == 0)).all()
    reachable = (exact > 0) & np.isfinite(exact)
    assert np.isnan(found[np.isinf(exact)]).all()  # no attack flips what cannot be flipped
    return (found / np.where(reachable, exact, 1))[reachable]


@pytest.mark.parametrize("pair", [(3, 8), (4, 9), ()], ids=str)
@pytest.mark.parametrize("box", [None, (0.0, 1.0)], ids=str)
@pytest.mark.parametrize("attack", ["ddn", "l2_deepfool", "linf_deepfool"])
def test_no_attack_is_closer_than_the_exact_distance_and_ddn_and_deepfool_come_near(
    pair: tuple[int, ...], box: Any, attack: str
) -> None:
    found = ratios(*trained(pair), attack, box)
    found = found[~np.isnan(found)]
    assert found.min() >= 1 - 1e-6  # rounding of the scores
    median, tail = np.quantile(found, [0.5, 0.95])
    assert median <= 1.01
    if attack != "linf_deepfool" or box is None:  # its clipped steps may end at a farther label
        assert tail <= 1.05


@pytest.mark.slow
@pytest.mark.parametrize("pair", [(3, 8), ()], ids=str)
def test_carlini_and_wagner_are_never_closer(pair: tuple[int, ...]) -> None:
    found = ratios(*trained(pair), "carlini_wagner", (0.0, 1.0))
    assert np.nanmin(found) >= 1 - 1e-6  # rounding of the scores
    assert np.nanmedian(found) <= 1.02  # the attack has no better aim


SIZED = {"fgsm": np.inf, "l2_fgm": 2, "linf_pgd": np.inf, "l2_pgd": 2}


@pytest.mark.parametrize("pair", [(3, 8), ()], ids=str)
@pytest.mark.parametrize("box", [None, (0.0, 1.0)], ids=str)
@pytest.mark.parametrize("attack", SIZED)
def test_attacked_accuracy_is_at_least_robust_accuracy(
    pair: tuple[int, ...], box: Any, attack: str
) -> None:
    models, X, y = trained(pair)
    eps, norm = np.array([0.0, 0.02, 0.1, 0.3, 0.7]), SIZED[attack]

    def robust(sizes: Any) -> Any:
        return np.array([robust_accuracy(m, X, y, sizes, norm=norm, box=box) for m in models])

    survived = attack_accuracy(models, X, y, eps, attack=attack, box=box).mean(axis=2)
    # An attack may be larger than eps by rounding; means of 40 outcomes differ by 1/40 or rounding.
    assert (survived >= robust(eps * (1 + 1e-7)) - 1e-9).all()
    if pair and (box is None or norm == np.inf):
        # For two labels one gradient step is the best attack, and FGSM and PGD find it.
        assert (survived <= robust(eps * (1 - 1e-5)) + 1e-9).all()
