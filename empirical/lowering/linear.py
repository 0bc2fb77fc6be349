"""Linear classifiers of scikit-learn, and of files, as theory records."""

from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.lowering.affine import MAX_ENTRIES
from empirical.lowering.named import NamedNetwork
from empirical.lowering.npz_files import load_arrays
from theory.linear import LinearClassifier
from theory.validation import IntArray


class NamedLinear(NamedTuple):
    """A linear classifier and the names that its labels have outside.

    Attributes
    ----------
    model : LinearClassifier
    names : array, shape (c,)
        The name of each of model.classes.
    """

    model: LinearClassifier
    names: NDArray[Any]


def linear_from_estimator(estimator: Any) -> NamedLinear:
    """Return a fitted scikit-learn linear classifier as a record.

    Covers what predicts the largest of `coef_ @ x + intercept_`, or its sign: logistic regression,
    linear SVMs, ridge and SGD classifiers, perceptrons, linear discriminants.

    Raises
    ------
    TypeError
        If the estimator is no fitted linear classifier (a pipeline is none: its scaling is part
        of the model, so give the inputs as its last step sees them).

    Examples
    --------
    >>> from sklearn.linear_model import RidgeClassifier
    >>> linear_from_estimator(RidgeClassifier().fit([[0.0], [1.0]], ["no", "yes"])).names.tolist()
    ['no', 'yes']
    """
    missing = [name for name in ("coef_", "intercept_", "classes_") if not hasattr(estimator, name)]
    if missing:
        raise TypeError(
            f"the model must be a fitted linear classifier; {type(estimator).__name__} has no"
            f" {', '.join(missing)}. Of a pipeline give the last step, and X as that step sees it."
        )
    names = np.asarray(estimator.classes_)
    rows = np.shape(estimator.coef_)[0] if np.ndim(estimator.coef_) == 2 else 1  # may be sparse
    if rows != (1 if names.size == 2 else names.size):
        raise TypeError(
            f"the model must have a row of weights a label (one for two labels);"
            f" {type(estimator).__name__} has {rows} for {names.size} labels."
        )
    if names.size > 2 and hasattr(estimator, "support_vectors_"):
        raise TypeError(
            f"the model must have a row of weights a label; {type(estimator).__name__} has a row"
            " for each pair of labels."
        )
    bias = np.broadcast_to(estimator.intercept_, (rows,))
    return NamedLinear(LinearClassifier(weights=estimator.coef_, bias=bias), names)


def linear_from_file(
    path: Path, *, trust_pickle: bool = False, max_entries: int = MAX_ENTRIES
) -> NamedLinear:
    """Return the linear classifier of an npz or joblib file.

    Parameters
    ----------
    path : Path
        npz: arrays W (d,), (1, d) or (c, d), b (number or (c,)) and optionally classes (c,), the
        labels' names in increasing order of score (without it -1 and +1, or 0..c-1). joblib: a
        fitted scikit-learn linear classifier.
    trust_pickle : bool
        Reading joblib runs code that the file may hold; it is refused unless you trust it.
    max_entries : int
        How many numbers an npz may hold.

    Raises
    ------
    TypeError, ValueError
        If the file is damaged or too large, holds objects or lacks an array, or its arrays do not
        fit.
    OSError
        If it cannot be read.
    """
    if path.suffix in {".joblib", ".pkl", ".pickle"}:
        if not trust_pickle:
            raise ValueError(f"{path} is a pickle, which can run code: --trust-pickle to read it.")
        return linear_from_estimator(unpickled(path))
    arrays = load_arrays(path, required=("W", "b"), max_entries=max_entries)
    model = LinearClassifier(weights=arrays["W"], bias=arrays["b"])
    names = np.asarray(arrays.get("classes", model.classes))
    if names.shape != model.classes.shape or np.unique(names).size != names.size:
        raise ValueError(
            f"classes in {path} must be {model.classes.size} different labels; got"
            f" {names.tolist()!r:.80}."
        )
    return NamedLinear(model, names)


def own_labels(named: NamedLinear | NamedNetwork, y: ArrayLike) -> IntArray:
    """Return labels by name as labels of the model; 0 and 1 also name those of a binary one.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    given, names = np.asarray(y), named.names
    if given.dtype.kind not in "biufUS":
        raise TypeError(f"y must hold numbers or text; got {given.dtype}.")
    if names.tolist() == [-1, 1] and 0 in given:
        names = np.array([0, 1])
    known = {name: int(own) for name, own in zip(names.tolist(), named.model.classes, strict=True)}
    unknown = [label for label in np.unique(given).tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"y must hold labels of the model, {list(known)}; got {unknown[0]!r}. Other names go"
            " into the array classes of the model's npz, in the order of the rows of W."
        )
    return np.array([known[label] for label in given.ravel().tolist()]).reshape(given.shape)


def unpickled(path: Path) -> Any:
    """Return what a joblib file holds; reading it can run code that the file holds.

    Raises
    ------
    ValueError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    try:
        return joblib.load(path)
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(f"{path} must be a whole joblib file: {error!r:.120}") from error
