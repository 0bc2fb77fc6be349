"""Arrays wherever they live: NumPy's, scipy.sparse weights, and those of other array libraries."""

from typing import Any

import array_api_compat as aac
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from theory.validation import FloatArray, as_inputs, refuse_nonfinite

# NumPy arrays, or arrays of another library that follows the array API (torch tensors, on any
# device): functions of networks compute where their inputs are.
Array = Any


def native_inputs(X: Array, dimension: int) -> Array:
    """Return X checked: as a float64 array of NumPy, or as it is if another library's."""
    if not aac.is_array_api_obj(X) or aac.is_numpy_array(X):
        inputs = as_inputs(X, dimension)
        refuse_nonfinite(inputs)
        return inputs
    xp = aac.array_namespace(X)
    if X.ndim != 2 or X.shape[1] != dimension or X.shape[0] == 0:
        raise ValueError(
            f"X must have shape (n, d), n >= 1, d={dimension}; got shape {tuple(X.shape)}."
        )
    if not xp.isdtype(X.dtype, "real floating"):
        raise TypeError(f"X must be of a floating type; got {X.dtype}.")
    if not bool(xp.all(xp.isfinite(X))):
        raise ValueError("X must be finite; an entry is not.")
    return X


def refuse_overflow(values: list[Array]) -> None:
    """Raise ValueError naming the first row at which arrays (n, k) computed of X are not finite."""
    xp = aac.array_namespace(values[0])
    finite = on_host(xp.stack([xp.all(xp.isfinite(part), axis=1) for part in values]))
    bad = (finite == 0).any(axis=0)
    if bad.any():
        raise ValueError(
            f"scores must not overflow, nor what they are computed from; at X[{int(bad.argmax())}]"
            " they do."
        )


def native(array: Any, like: Array) -> Array:
    """Return an array of NumPy or scipy.sparse in the library, type and device of another one."""
    if aac.is_numpy_array(like):
        return array
    xp = aac.array_namespace(like)
    return xp.asarray(dense(array).copy(), dtype=like.dtype, device=aac.device(like))


def on_host(array: Array) -> FloatArray:
    """Return an array of any library as a float64 array of NumPy."""
    return np.asarray(aac.to_device(array, "cpu"), dtype=np.float64)


def times_transposed(values: Array, W: Array) -> Array:
    """Return values (..., k) times the transpose of W (m, k), which may be sparse."""
    if not is_sparse(W):
        return values @ W.T
    flat = values.reshape(int(np.prod(values.shape[:-1])), W.shape[1])
    return np.asarray((W @ flat.T).T).reshape(*values.shape[:-1], W.shape[0])


def rows_times(values: Array, W: Array) -> Array:
    """Return values (..., m) times W (m, k), which may be sparse."""
    if not is_sparse(W):
        return values @ W
    flat = values.reshape(int(np.prod(values.shape[:-1])), W.shape[0])
    return np.asarray((W.T @ flat.T).T).reshape(*values.shape[:-1], W.shape[1])


def rectified(mask: NDArray[np.bool_], values: Array) -> Array:
    """Return values (..., n) with those of the units in the mask cut off below at zero."""
    xp = aac.array_namespace(values)
    cut = xp.maximum(values, xp.zeros_like(values))
    return cut if mask.all() else xp.where(xp.asarray(mask, device=aac.device(values)), cut, values)


def is_sparse(W: Any) -> bool:
    """Return whether a matrix is one of scipy.sparse."""
    return bool(sp.issparse(W))


def dense(W: Any) -> Any:
    """Return a matrix that may be sparse as a dense one."""
    return W.toarray() if is_sparse(W) else W
