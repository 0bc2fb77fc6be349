"""Data sets that need no file: scikit-learn's own, and draws from Gaussian classes."""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

from empirical.data.record import Dataset
from theory.mixtures import GaussianClasses

DRAWN_CLASSES = "Gaussian classes"  # the name of what is drawn, not given


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
        name=DRAWN_CLASSES,
        X=X,
        y=y,
        scaling="standard deviations",
        budgets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.6),
    )
