"""Robust accuracy against the size of the attack, attack by attack."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from empirical.attacks import attack_accuracy, attack_distances
from theory.linear import LinearClassifier
from theory.validation import FloatArray

# Attacks of one size, attacks that look for the smallest size, by norm.
_BUDGETED = {2.0: ("l2_pgd",), np.inf: ("fgsm", "linf_pgd")}
_MINIMIZING = {2.0: ("ddn", "l2_deepfool"), np.inf: ("linf_deepfool",)}


def attack_curves(
    models: Sequence[LinearClassifier],
    X: ArrayLike,
    y: ArrayLike,
    eps: FloatArray,
    *,
    norm: float,
    box: tuple[float, float] | None,
    carlini_wagner: bool = False,
) -> Mapping[str, FloatArray]:
    """Return the accuracy that each attack of a norm leaves, at each size, for each model.

    Kind: upper bounds on robust accuracy. An input that an attack fails to move is counted as
    robust.

    Parameters
    ----------
    models : sequence of m LinearClassifier
    X : array, shape (n, d)
    y : array, shape (n,)
    eps : array, shape (k,)
    norm : 2 or inf
    box : None or (lo, hi)
    carlini_wagner : bool
        Add this L2 attack, some ten times slower than the others; it needs a box.

    Returns
    -------
    mapping of str to array, shape (m, k)

    Raises
    ------
    TypeError, ValueError
        As `empirical.attacks`; and for other norms.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> curves = attack_curves(
    ...     [model], [[1.0, 1.0]], [1], np.array([0.5, 1.5]), norm=2, box=None
    ... )
    >>> {attack: accuracy.tolist() for attack, accuracy in curves.items()}
    {'l2_pgd': [[1.0, 0.0]], 'ddn': [[1.0, 0.0]], 'l2_deepfool': [[1.0, 0.0]]}
    """
    if norm not in _BUDGETED:
        raise ValueError(f"norm must be 2 or inf for attacks; got {norm!r}.")
    curves = {}
    for attack in _BUDGETED[norm]:
        survived = attack_accuracy(models, X, y, eps, attack=attack, box=box)
        curves[attack] = survived.mean(axis=2)
    extra = ("carlini_wagner",) if carlini_wagner and norm == 2 else ()
    for attack in (*_MINIMIZING[norm], *extra):
        distances = attack_distances(models, X, y, attack=attack, box=box).distances
        broken = distances[:, None, :] <= eps[:, None]  # NaN, unknown, breaks nothing
        curves[attack] = 1 - broken.mean(axis=2)
    return curves
