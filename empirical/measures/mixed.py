"""Accuracy where a share of the inputs is adversarial, and which of several networks has the best.

All of it is linear in the share: what holds at the shares 0 and 1 decides what holds between.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from empirical.attack_stack import BoolArray
from empirical.intervals import Interval, proportion_interval, resampled_interval
from empirical.measures.checks import as_outcomes, as_shares, refuse_level
from theory.validation import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedAccuracy:
    """The accuracy at k shares of adversarial inputs, with limits over n inputs.

    Kind: `upper`, as the robust accuracy that is mixed in; at share 0 there is none of it.

    Parameters
    ----------
    shares, value, low, high : array, shape (k,)
    n : int
    level : float
    kind : str
        "upper".
    """

    shares: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    level: float
    kind: str = "upper"


@dataclass(frozen=True, kw_only=True, eq=False)
class BestByShare:
    """Which of m networks has the best accuracy at k shares of adversarial inputs.

    Kind: estimate: differences of upper bounds are no bounds. At the level, all limits of all
    pairs at all shares hold together, for what these attacks do on inputs drawn as these: also
    for the pairs that one picks out because they differ most. They do not cover other seeds.

    Parameters
    ----------
    names : tuple of str
    shares : array, shape (k,)
    accuracy : array, shape (m, k)
    difference, low, high : array, shape (m, m, k)
        By how much the accuracy of the first network exceeds that of the second, paired.
    best, runner_up : array of int, shape (k,)
        Positions in names; of equals the first, so name the preferred ones first.
    unbeaten : tuple of str
        The networks that none surely exceeds at any of the shares. If there is none, the best
        network surely depends on the share. One that is left alone is not thereby the best.
    n : int
    level : float
    kind : str
        "estimate".
    """

    names: tuple[str, ...]
    shares: FloatArray
    accuracy: FloatArray
    difference: FloatArray
    low: FloatArray
    high: FloatArray
    best: IntArray
    runner_up: IntArray
    unbeaten: tuple[str, ...]
    n: int
    level: float
    kind: str = "estimate"

    def gain(self, name: str, other: str, *, at: int) -> Interval:
        """Return by how much one network exceeds another at the share of a position."""
        pair = self.names.index(name), self.names.index(other), at
        return Interval(*(float(table[pair]) for table in (self.difference, self.low, self.high)))


def mixed_accuracy(
    right: ArrayLike, survived: ArrayLike, shares: ArrayLike, *, level: float = 0.95
) -> MixedAccuracy:
    """Return the accuracy where a share of the inputs is adversarial: (1 - q) clean + q robust.

    Kind: `upper`.

    Parameters
    ----------
    right : array of bool, shape (n,)
        Which inputs are labelled rightly: `~result.wrong` of a BudgetResult.
    survived : array of bool, shape (n,)
        Which of them survive the attacks: `result.survived[j]`.
    shares : array, shape (k,)
        The shares q, each in [0, 1].
    level : float
        Of confidence, for each share by itself.

    Raises
    ------
    TypeError
        If right or survived are no booleans.
    ValueError
        If there are no inputs or shares, lengths differ, a wrong input is said to survive, a share
        is not in [0, 1] or the level not in (0, 1).

    Notes
    -----
    Merkle, Samsinger and Schöttle 2021 (arXiv 2108.08560): the ratio of adversarials. The limits
    mix those of Wilson for the two accuracies by the same shares; two correlated means cannot vary
    more together than that, so that these limits are a little wide between 0 and 1.

    Examples
    --------
    >>> right, survived = [True, True, True, False], [True, False, False, False]
    >>> mixed_accuracy(right, survived, [0.0, 0.5, 1.0]).value.tolist()
    [0.75, 0.5, 0.25]
    """
    refuse_level(level)
    q = as_shares(shares)
    clean, robust = _outcomes("right", right, "survived", survived)
    ends = [proportion_interval(outcomes, level=level) for outcomes in (clean, robust)]
    value, low, high = _mixed(ends, q)
    return MixedAccuracy(shares=q, value=value, low=low, high=high, n=clean.size, level=level)


def best_by_share(
    right: Mapping[str, ArrayLike],
    survived: Mapping[str, ArrayLike],
    shares: ArrayLike,
    *,
    level: float = 0.95,
) -> BestByShare:
    """Return which network is best at each share of adversarial inputs, and by how much.

    Kind: estimate.

    Parameters
    ----------
    right, survived : mapping of str to array of bool, shape (n,)
        Of m >= 2 networks by name, for the same n inputs in one order; as `mixed_accuracy`.
    shares : array, shape (k,)
    level : float
        Of confidence, for all pairs and shares together.

    Raises
    ------
    TypeError, ValueError
        As `mixed_accuracy`; and if there are fewer than two networks, or the names differ.

    Notes
    -----
    Limits at the shares 0 and 1 are those of Bonett and Price 2012 for paired proportions, with
    Student's quantile, at a level corrected for two shares and all pairs
    (Bonferroni); between, they are mixed by the share, as the differences are.

    Examples
    --------
    >>> right = {"dense": [True, True, True, True], "pruned": [True, True, True, False]}
    >>> survived = {"dense": [False] * 4, "pruned": [True, True, False, False]}
    >>> found = best_by_share(right, survived, [0.0, 1.0])
    >>> [found.names[i] for i in found.best], found.unbeaten
    (['dense', 'pruned'], ('dense', 'pruned'))
    """
    refuse_level(level)
    q = as_shares(shares)
    names = _names(right, survived)
    clean, robust = _tables(names, right, survived)
    m, n = clean.shape
    accuracy = (1 - q) * clean.mean(axis=1)[:, None] + q * robust.mean(axis=1)[:, None]
    corrected = 1 - (1 - level) / (m * (m - 1))
    tables = np.zeros((3, m, m, q.size))
    for i, j in zip(*np.triu_indices(m, 1), strict=True):
        ends = [_difference(table[i], table[j], corrected) for table in (clean, robust)]
        value, low, high = tables[:, i, j] = np.array(_mixed(ends, q))
        tables[:, j, i] = -value, -high, -low
    order = np.argsort(-accuracy, axis=0, kind="stable")
    beaten = (tables[1] > 0).any(axis=(0, 2))
    return BestByShare(
        names=names,
        shares=q,
        accuracy=accuracy,
        difference=tables[0],
        low=tables[1],
        high=tables[2],
        best=order[0],
        runner_up=order[1],
        unbeaten=tuple(name for name, lost in zip(names, beaten, strict=True) if not lost),
        n=n,
        level=level,
    )


def _mixed(ends: list[Interval], q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return value and limits between those at share 0 and those at share 1."""
    value, low, high = ((1 - q) * a + q * b for a, b in zip(*ends, strict=True))
    return value, low, high


def _difference(one: BoolArray, other: BoolArray, level: float) -> Interval:
    """Return the difference of two paired proportions.

    Its limits are as if one more input spoke for each side, so that they are never of no width.
    """
    gains = one.astype(np.float64) - other
    _, low, high = resampled_interval([*gains, 1.0, -1.0], test_to_train=0, level=level)
    value = float(gains.mean())
    return Interval(value, min(max(low, -1.0), value), max(min(high, 1.0), value))


def _names(right: Mapping[str, ArrayLike], survived: Mapping[str, ArrayLike]) -> tuple[str, ...]:
    if len(right) < 2:
        raise ValueError(f"right must be of at least two networks; got {len(right)}.")
    if set(right) != set(survived):
        raise ValueError(
            "right and survived must be of the same networks;"
            f" got {', '.join(right)} and {', '.join(survived)}."
        )
    return tuple(right)


def _tables(
    names: tuple[str, ...], right: Mapping[str, ArrayLike], survived: Mapping[str, ArrayLike]
) -> tuple[BoolArray, BoolArray]:
    """Return which inputs (m, n) are right, and which survive, a row a network."""
    pairs = [
        _outcomes(f"right of {name}", right[name], f"survived of {name}", survived[name])
        for name in names
    ]
    sizes = {clean.size for clean, _ in pairs}
    if len(sizes) > 1:
        raise ValueError(f"right must be of the same inputs for all; got n of {sorted(sizes)}.")
    clean, robust = (np.array(rows) for rows in zip(*pairs, strict=True))
    return clean, robust


def _outcomes(
    name: str, right: ArrayLike, other: str, survived: ArrayLike
) -> tuple[BoolArray, BoolArray]:
    clean = as_outcomes(name, right)
    robust = as_outcomes(other, survived, clean.size)
    if (robust & ~clean).any():
        row = int(np.argmax(robust & ~clean))
        raise ValueError(f"{other} must not hold where an input is wrong; it does at row {row}.")
    return clean, robust
