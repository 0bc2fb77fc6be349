"""The embedded data sets, and how they are split."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

from theory.mixtures import GaussianClasses
from theory.validation import FloatArray, IntArray, as_finite


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Inputs with labels, and how a model sees them.

    Parameters
    ----------
    name : str
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 and +1, or 0..c-1 with c >= 3; every label occurs.
    box : pair of float, optional
        The range of every feature, where the data have one by nature (pixels).
    scaling : str
        In words: what one unit of X is.
    standardized : bool
        Whether a split rescales features to mean 0 and deviation 1 over its training part.
    budgets : tuple of float
        L∞ budgets that cost a typical linear classifier from little to most of its accuracy.

    Raises
    ------
    TypeError, ValueError
        If X is not finite or y does not fit.
    """

    name: str
    X: FloatArray
    y: IntArray
    box: tuple[float, float] | None = None
    scaling: str
    standardized: bool = False
    budgets: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)

    def __post_init__(self) -> None:
        X = as_finite("X", self.X)
        y = np.asarray(self.y)
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X and y must fit: (n, d) and (n,); got {X.shape} and {y.shape}.")
        labels = np.unique(y).tolist()
        if labels != [-1, 1] and labels != list(range(max(3, len(labels)))):
            raise ValueError(f"y must hold -1 and +1, or 0..c-1, c >= 3; got {labels!s:.80}.")
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y.astype(np.intp))


class Part(NamedTuple):
    """Inputs (n, d) and labels (n,) of one part of a split."""

    X: FloatArray
    y: IntArray


class Split(NamedTuple):
    """Half to train on, a quarter to predict from, a quarter to attack."""

    train: Part
    validation: Part
    test: Part


def digits(*pair: int) -> Dataset:
    """Return scikit-learn's 8 × 8 digits, all ten or a pair, pixels scaled to [0, 1].

    Parameters
    ----------
    *pair : int
        None, or two digits: the first becomes -1, the second +1.

    Raises
    ------
    ValueError
        If there are not none or two different digits.

    Examples
    --------
    >>> digits(3, 8).X.shape
    (357, 64)
    """
    X, y = load_digits(return_X_y=True)
    name = "digits"
    if pair:
        is_digit = [isinstance(digit, int) and 0 <= digit <= 9 for digit in pair]
        if len(pair) != 2 or len(set(pair)) != 2 or not all(is_digit):
            raise ValueError(f"pair must be two different digits in 0..9; got {pair}.")
        kept = np.isin(y, pair)
        X, y = X[kept], np.where(y[kept] == pair[1], 1, -1)
        name = f"digits {pair[0]} or {pair[1]}"
    return Dataset(name=name, X=X / 16, y=y, box=(0.0, 1.0), scaling="pixel / 16, in [0, 1]")


def breast_cancer() -> Dataset:
    """Return Wisconsin's breast cancer data (569 × 30): malignant -1, benign +1, standardised."""
    X, y = load_breast_cancer(return_X_y=True)
    scaling = "standard deviations over the training part"
    return Dataset(
        name="breast cancer",
        X=X,
        y=2 * y - 1,
        scaling=scaling,
        standardized=True,
        budgets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.8),
    )


def sparse_mean_classes(
    dimension: int = 100, *, nonzeros: int = 10, separation: float = 2.0
) -> GaussianClasses:
    """Return two Gaussian classes whose means ±mu differ in few coordinates.

    Parameters
    ----------
    dimension : int
    nonzeros : int
        Number of equal nonzero coordinates of mu, the first ones.
    separation : float
        ‖mu‖₂, in the standard deviation that all coordinates share.

    Raises
    ------
    ValueError
        If nonzeros is not in [1, dimension].
    """
    if not 1 <= nonzeros <= dimension:
        raise ValueError(f"nonzeros must be in [1, d]; got nonzeros={nonzeros}, d={dimension}.")
    mu = np.zeros(dimension)
    mu[:nonzeros] = separation / np.sqrt(nonzeros)
    return GaussianClasses(means=np.stack([-mu, mu]), covariance=1.0)


def sample_classes(classes: GaussianClasses, n: int, *, rng: np.random.Generator) -> Dataset:
    """Return n draws of x | y ~ N(mu_y, Sigma), labels drawn from the prior.

    Examples
    --------
    >>> sample_classes(sparse_mean_classes(3, nonzeros=1), 8, rng=np.random.default_rng(0)).X.shape
    (8, 3)
    """
    y = np.where(rng.random(n) < classes.positive_prior, 1, -1)
    noise = rng.standard_normal((n, classes.dimension))
    if classes.covariance.ndim == 1:
        noise *= np.sqrt(classes.covariance)
    else:
        variances, axes = np.linalg.eigh(classes.covariance)
        noise = noise * np.sqrt(variances.clip(min=0)) @ axes.T
    X = classes.means[(y + 1) // 2] + noise
    return Dataset(
        name="Gaussian classes",
        X=X,
        y=y,
        scaling="standard deviations",
        budgets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.6),
    )


def split(dataset: Dataset, *, rng: np.random.Generator) -> Split:
    """Return a random split, stratified by label: half, a quarter, a quarter.

    Raises
    ------
    ValueError
        If a label is too rare to be in every part.
    """
    seed = int(rng.integers(2**31))
    train, rest = train_test_split(
        np.arange(dataset.y.size), test_size=0.5, stratify=dataset.y, random_state=seed
    )
    validation, test = train_test_split(
        rest, test_size=0.5, stratify=dataset.y[rest], random_state=seed
    )
    X = dataset.X
    if dataset.standardized:
        deviation = X[train].std(axis=0)
        X = (X - X[train].mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return Split(*(Part(X[rows], dataset.y[rows]) for rows in (train, validation, test)))
