"""Data sets from files that the user gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file

from empirical.data.record import Dataset
from empirical.lowering import MAX_ENTRIES, load_arrays
from theory.validation import IntArray, as_finite


def gene_expression(path: Path) -> Dataset:
    """Return the samples of an npz file of gene expressions, which a split standardises.

    Parameters
    ----------
    path : Path
        Holds X (n, d), the expression values; y (n,), integers; and levels, the name of y = 0, of
        y = 1 and so on.

    Returns
    -------
    Dataset
        Labels -1, +1, or 0..c-1 from three classes on, in the order of the levels that occur.
        `classes` has their names.

    Raises
    ------
    TypeError, ValueError
        If the file is damaged, lacks an array, or one does not fit; if values are not finite; or
        if fewer than two classes occur.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> gene_expression(Path("alon.npz")).classes  # doctest: +SKIP
    ('n', 't')
    """
    path = Path(path)
    arrays = load_arrays(path, required=("X", "y", "levels"))
    y, levels = arrays["y"], arrays["levels"]
    if levels.ndim != 1 or np.unique(levels).size != levels.size:
        raise ValueError(
            f"levels in {path} must be a list of different names; got {levels.tolist()!s:.80}."
        )
    if y.dtype.kind not in "iu" or not np.isin(y, np.arange(levels.size)).all():
        raise ValueError(
            f"y in {path} must hold integers in 0..{levels.size - 1}, the places of levels; got"
            f" {np.unique(y).tolist()!s:.80}."
        )
    values = np.unique(y).tolist()
    return _dataset(
        path,
        arrays["X"],
        y,
        classes=[str(levels[value]) for value in values],
        scaling="standard deviations over the training part",
        standardized=True,
    )


def libsvm(path: Path, *, features: int | None = None, max_entries: int = MAX_ENTRIES) -> Dataset:
    """Return the samples of a LIBSVM file, dense, each line "label index:value index:value ...".

    Parameters
    ----------
    path : Path
        May be compressed (.gz, .bz2). Features are counted from 0 if one is called 0, else from 1.
    features : int, optional
        How many there are, if not as many as the largest that the file names.
    max_entries : int
        How many entries X may have, zeros included.

    Returns
    -------
    Dataset
        Features as in the file; labels -1, +1, or 0..c-1 from three classes on, in the order of
        the file's. `classes` has the labels of the file.

    Raises
    ------
    ValueError
        If a line is none of such a file's, labels are not whole numbers, fewer than two occur,
        values are not finite, or X is too large.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> libsvm(Path("madelon.txt")).classes  # doctest: +SKIP
    ('-1', '1')
    """
    path = Path(path)
    try:
        X, y = load_svmlight_file(str(path), n_features=features)
    except OSError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(
            f"{path} must be a LIBSVM file, of lines 'label index:value index:value ...': {error}."
        ) from error
    if X.shape[0] * X.shape[1] > max_entries:
        raise ValueError(
            f"X of {path} must have at most max_entries={max_entries:,} entries, zeros included; it"
            f" has {X.shape[0]:,} × {X.shape[1]:,}."
        )
    if not np.isfinite(y).all() or (y % 1).any():
        raise ValueError(
            f"labels in {path} must be whole numbers; got {np.unique(y).tolist()!s:.80}."
        )
    classes = [str(int(label)) for label in np.unique(y)]
    return _dataset(path, X.toarray(), y, classes=classes, scaling="as in the file")


def _dataset(
    path: Path, X: NDArray[Any], y: NDArray[Any], *, classes: Sequence[str], **settings: Any
) -> Dataset:
    """Return a data set called after its file, whose classes are those of y in order."""
    if len(classes) < 2:
        raise ValueError(
            f"{path} must hold samples of at least two classes; got {', '.join(classes) or 'none'}."
        )
    finite = as_finite(f"X in {path}", X)
    if finite.ndim != 2 or y.shape != finite.shape[:1]:
        raise ValueError(
            f"X and y in {path} must fit: (n, d) and (n,); got {finite.shape} and {y.shape}."
        )
    return Dataset(name=path.stem, X=finite, y=_labels(y), classes=tuple(classes), **settings)


def _labels(y: NDArray[Any]) -> IntArray:
    """Return -1 and +1 for two values, in order, or their places for more."""
    values, places = np.unique(y, return_inverse=True)
    return 2 * places - 1 if values.size == 2 else places
