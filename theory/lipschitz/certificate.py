"""From multipliers to a proven constant: Schur complements layer by layer, and a verified check."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg as sla

from theory.lipschitz.bound import LipschitzBound
from theory.lipschitz.relation import Relation
from theory.lipschitz.verified import UNIT, is_positive_definite, rounding_shift
from theory.networks import ReluNetwork
from theory.validation import FloatArray, UnsupportedSettingError

# How far multipliers move towards those of `even_multipliers` until rounding can be allowed for.
SHARES = (0.0, *(10.0**k for k in range(-9, 1)))
LEAST = 1e-100  # multiplier: any are valid, and the squares of these do not underflow
TINY = float(np.finfo(np.float64).tiny)


class Proven(NamedTuple):
    """A squared constant, and the multipliers that prove it."""

    square: float
    multipliers: FloatArray


class Layer(NamedTuple):
    """A hidden layer as its Schur complement sees it: what comes before is whitened.

    Attributes
    ----------
    index : array, shape (n,)
        The rows of the relation in this layer.
    F : array, shape (n, m)
        z = F x for whitened x, what is seen of it: the message from before is |x|².
    U : array, shape (k, m + n)
        What the next layer, or the outputs, make of x and this layer's a.
    """

    index: Any
    F: FloatArray
    U: FloatArray


def form_of(relation: Relation, multipliers: FloatArray) -> FloatArray:
    """Return the matrix of |x|² + 2 Σ λ a (a - z) over (x, a)."""
    inputs = relation.inputs
    half = np.zeros((relation.rows.shape[1],) * 2)
    half[inputs:] = -multipliers[:, None] * relation.rows
    half[np.arange(inputs, half.shape[0]), np.arange(inputs, half.shape[0])] += multipliers
    form = half + half.T
    form[np.arange(inputs), np.arange(inputs)] += 1.0
    return form


def layers_of(relation: Relation, multipliers: FloatArray) -> Iterator[Layer]:
    """Yield each layer, given the multipliers of those before: the caller sets its own, then next.

    The Cholesky factor of the form grows by a block a layer, which is the Schur recursion. Rows
    that are zero in the first unknowns see only the rest of it: a chain costs what its layers do.
    """
    inputs = relation.inputs
    factor = np.zeros((relation.rows.shape[1],) * 2)
    factor[np.arange(inputs), np.arange(inputs)] = 1.0
    present = np.unique(relation.layer)
    for place, j in enumerate(present):
        index = np.flatnonzero(relation.layer == j)
        before = inputs + int(index[0])
        upto = before + index.size
        last = place == len(present) - 1
        following = (
            relation.outputs if last else relation.rows[relation.layer == present[place + 1]]
        )
        rows = np.vstack([relation.rows[index, :before], following[:, :before]])
        start = int(np.argmax(rows.any(axis=0)))
        seen = _whitened(factor[start:before, start:before], rows[:, start:])
        F = seen[: index.size]
        yield Layer(index, F, np.hstack([seen[index.size :], following[:, before:upto]]))
        if not last:
            own = multipliers[index, None]
            factor[before:upto, start:before] = -own * F
            factor[before:upto, before:upto] = sla.cholesky(
                2 * np.diagflat(own) - own * (F @ F.T) * own.T, lower=True
            )


def _whitened(L: FloatArray, rows: FloatArray) -> FloatArray:
    return np.asarray(sla.solve_triangular(L, rows.T, lower=True).T)


def uniform_multipliers(relation: Relation) -> FloatArray:
    """Return multipliers, one number a layer, for which the form is positive definite.

    λ = 1/|S|, S the layer's covariance given those before: 2λ - λ²S >= λ. These are ECLipsE-Fast's.
    """
    multipliers = np.zeros(relation.layer.size)
    for part in layers_of(relation, multipliers):
        # Scaled units: one number a layer means λ · scale² here.
        weight = relation.scale[part.index]
        size = float(np.linalg.norm(part.F * weight[:, None], 2))
        multipliers[part.index] = weight**2 / size**2 if size > 0 else 1.0
    return multipliers


def even_multipliers(relation: Relation) -> FloatArray:
    """Return multipliers as `uniform_multipliers`, but of units scaled to rows of like norm."""
    return uniform_multipliers(relation._replace(scale=np.ones_like(relation.scale)))


def least_square(relation: Relation, multipliers: FloatArray) -> float:
    """Return the least squared constant that the multipliers allow: inf if they allow none.

    Kind: estimate; `prove` makes it a bound.
    """
    try:
        L = sla.cholesky(form_of(relation, multipliers), lower=True)
    except np.linalg.LinAlgError:
        return float("inf")
    return float(np.linalg.norm(_whitened(L, relation.outputs), 2) ** 2)


def prove(relation: Relation, multipliers: FloatArray) -> Proven:
    """Return a squared constant proven by the multipliers, which move inwards if they must.

    Kind: upper. The matrix inequality is checked by `is_positive_definite`, errors included.
    """
    if not relation.outputs.any() and not relation.output_error.any():
        return Proven(0.0, multipliers)
    rounding = rounding_shift(sum(relation.outputs.shape))
    inside = multipliers
    for share in SHARES:
        if share == SHARES[1]:
            inside = even_multipliers(relation)
        tried = np.maximum((1 - share) * multipliers + share * inside, LEAST)
        doubt = _doubt_of(relation, tried)
        # Outputs that cancel are known to their rounding alone.
        least = max(least_square(relation, tried), (1e9 * doubt.outputs) ** 2, TINY)
        for times in (4, 100) if np.isfinite(least) else ():
            square = least * (1 + times * (rounding + 2 * doubt.total(least)))
            if _holds(relation, tried, square):
                return Proven(square, tried)
    raise UnsupportedSettingError(
        "the weights must not span so many magnitudes that rounding hides what multipliers prove."
    )


class _Doubt(NamedTuple):
    """How far M, scaled to a diagonal of one, may be from the true one, in spectral norm."""

    form: float
    outputs: float  # times the constant

    def total(self, square: float) -> float:
        return (self.form + self.outputs / float(np.sqrt(square))) * (1 + 1e-6)


def _doubt_of(relation: Relation, multipliers: FloatArray) -> _Doubt:
    weight = np.ones(relation.rows.shape[1])
    weight[relation.inputs :] = 1 / np.sqrt(2 * multipliers)
    rows = relation.row_error * (multipliers * weight[relation.inputs :])[:, None] * weight
    outputs = float(np.linalg.norm(relation.output_error * weight))
    # Each block stands twice in the symmetric matrix.
    return _Doubt(2 * float(np.linalg.norm(rows)) + relation.skew, 2 * outputs)


def _holds(relation: Relation, multipliers: FloatArray, square: float) -> bool:
    """Return whether |u (x, a)|² <= square · (|x|² + 2 Σ λ a (a - z)) is proven for all x and a."""
    form = form_of(relation, multipliers)
    corner = square * np.eye(relation.outputs.shape[0])
    matrix = np.block([[corner, relation.outputs], [relation.outputs.T, form]])
    return is_positive_definite(matrix, _doubt_of(relation, multipliers).total(square))


def as_bound(net: ReluNetwork, relation: Relation, proven: Proven, method: str) -> LipschitzBound:
    """Return a proven square as a record, its multipliers in the network's own units."""
    multipliers = [np.zeros(width) for width in net.widths]
    own = proven.multipliers / relation.scale**2
    for j, unit, value in zip(relation.layer, relation.unit, own, strict=True):
        multipliers[j][unit] = value
    value = float(np.sqrt(proven.square)) * (1 + 4 * UNIT)
    return LipschitzBound(value=value, kind="upper", method=method, multipliers=tuple(multipliers))
