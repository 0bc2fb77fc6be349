"""Checks of what a caller gives: each says what must hold and what was given."""

import math
from typing import cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Box = tuple[FloatArray, FloatArray]


class UnsupportedSettingError(ValueError):
    """A theorem is asked about a setting that it does not cover."""


def as_norm(norm: float) -> float:
    """Return the order of a norm as a float: 0, 1, 2 or inf."""
    is_number = isinstance(norm, (int, float, np.number)) and not isinstance(norm, bool)
    if is_number and norm in (0, 1, 2, math.inf):
        return float(norm)
    raise ValueError(f"norm must be 0, 1, 2 or inf; got {norm!r}.")


def as_finite(name: str, values: ArrayLike) -> FloatArray:
    """Return values as a float64 array; refuse what is not a finite number."""
    _refuse_complex(name, values)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers; got {values!r:.80}.") from error
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {_first_nonfinite(array)}.")
    return array


def as_inputs(X: ArrayLike, dimension: int) -> FloatArray:
    """Return inputs as a float64 array of shape (n, dimension), not yet checked for NaN."""
    if sp.issparse(X):
        raise TypeError(
            "X must be a dense array of shape (n, d); got a sparse one: use X.toarray()."
        )
    _refuse_complex("X", X)
    try:
        array = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"X must be an array of numbers; got {X!r:.80}.") from error
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ValueError(f"X must have shape (n, d) with d={dimension}; got shape {array.shape}.")
    if array.shape[0] == 0:
        raise ValueError(f"X must hold at least one input; got shape {array.shape}.")
    return array


def refuse_nonfinite(X: FloatArray) -> None:
    """Raise ValueError naming the first entry of X that is not finite, if there is one."""
    for start in range(0, X.shape[0], 1024):
        block = X[start : start + 1024]
        if not np.isfinite(block).all():
            raise ValueError(f"X must be finite; got {_first_nonfinite(block, start)}.")


def as_labels(y: ArrayLike, classes: IntArray, n: int) -> IntArray:
    """Return the index in classes of each of n labels."""
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"y must have shape (n,) with n={n}; got shape {labels.shape}.")
    index = np.searchsorted(classes, labels).clip(max=classes.size - 1)
    unknown = classes[index] != labels
    if unknown.any():
        raise ValueError(
            f"y must hold labels of the model, {_listed(classes)}; got {labels[unknown][0]!s}."
        )
    return index.astype(np.intp)


def as_budget(eps: ArrayLike, name: str = "eps") -> FloatArray:
    """Return attack budgets as a float64 array; refuse negative ones."""
    budgets = as_finite(name, eps)
    if (budgets < 0).any():
        raise ValueError(f"{name} must be at least 0; got {budgets[budgets < 0].flat[0]}.")
    return budgets


def as_box(box: tuple[ArrayLike, ArrayLike], dimension: int) -> Box:
    """Return (lo, hi) broadcast to the dimension; bounds may be infinite."""
    if not isinstance(box, (tuple, list)) or len(box) != 2:
        raise TypeError(f"box must be None or a pair (lo, hi); got {box!r:.80}.")
    sides = []
    for name, side in zip(("lo", "hi"), box, strict=True):
        array = np.asarray(side, dtype=np.float64)
        if array.shape not in {(), (dimension,)} or np.isnan(array).any():
            raise ValueError(
                f"box {name} must be a number or have shape ({dimension},), without NaN;"
                f" got shape {array.shape}: {side!r:.80}."
            )
        sides.append(np.broadcast_to(array, (dimension,)))
    lo, hi = sides
    if (lo > hi).any():
        i = int(np.argmax(lo > hi))
        raise ValueError(f"box must have lo <= hi; got lo={lo[i]}, hi={hi[i]} at feature {i}.")
    return lo, hi


def refuse_outside(X: FloatArray, box: Box) -> None:
    """Raise ValueError naming the first entry of X that lies outside the box, if there is one."""
    lo, hi = box
    for start in range(0, X.shape[0], 1024):
        block = X[start : start + 1024]
        outside = (block < lo) | (block > hi)
        if outside.any():
            row, i = np.argwhere(outside)[0]
            raise ValueError(
                f"X must lie in the box; got X[{start + row}, {i}]={block[row, i]}"
                f" outside [{lo[i]}, {hi[i]}]."
            )


def _refuse_complex(name: str, values: ArrayLike) -> None:
    if np.iscomplexobj(values):
        raise TypeError(f"{name} must be real; got complex numbers.")


def _first_nonfinite(array: FloatArray, row_offset: int = 0) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    value = cast("float", array[index])
    if not index:
        return f"{value}"
    shown = (index[0] + row_offset, *index[1:])
    return f"{value} at index {shown if len(shown) > 1 else shown[0]}"


def _listed(classes: IntArray) -> str:
    if classes.size <= 10:
        return "{" + ", ".join(str(c) for c in classes) + "}"
    return f"{classes[0]}..{classes[-1]}"
