"""Real data sets of two classes: four that need no file, others where their files are."""

import numpy as np
from sklearn.datasets import load_wine

from empirical.data import Dataset, breast_cancer, digits, gene_expression, mnist
from empirical.data.cache import data_folder

_GENES = {"alon": "colon tissue, genes", "singh": "prostate, genes", "golub": "leukaemia, genes"}
_IMAGES = 2000  # of MNIST's digits, so that many splits take seconds


def wine(first: int, second: int) -> Dataset:
    """Return two cultivars of scikit-learn's wines (13 features), standardised by a split.

    Parameters
    ----------
    first, second : 0, 1 or 2
        The first becomes -1, the second +1.

    Raises
    ------
    ValueError
        If they are not two different cultivars.

    Examples
    --------
    >>> wine(1, 2).X.shape
    (119, 13)
    """
    if {first, second} not in ({0, 1}, {0, 2}, {1, 2}):
        raise ValueError(f"first and second must be two of 0, 1, 2; got {first}, {second}.")
    X, y = load_wine(return_X_y=True)
    kept = np.isin(y, (first, second))
    return Dataset(
        name=f"wine {first} or {second}",
        X=X[kept],
        y=np.where(y[kept] == second, 1, -1),
        scaling="standard deviations over the training part",
        standardized=True,
    )


def embedded_datasets() -> list[Dataset]:
    """Return four data sets that need no file, from many inputs a feature to few."""
    return [digits(3, 8), digits(1, 7), breast_cancer(), wine(1, 2)]


def file_datasets(seed: int = 0) -> list[Dataset]:
    """Return the data sets whose files are in the data folder: MNIST's 3 or 8, and genes.

    Nothing is downloaded. None where nothing is there.

    Parameters
    ----------
    seed : int
        Draws which digits of MNIST's training set are used, 2000 of them.

    Raises
    ------
    ValueError, OSError
        If a file is there but damaged.
    """
    found = (
        [_threes_and_eights(seed)] if len(list(data_folder("mnist").glob("*ubyte*"))) > 3 else []
    )
    for name, called in _GENES.items():
        path = data_folder("genes") / f"{name}.npz"
        if path.is_file():
            genes = gene_expression(path)
            found.append(
                Dataset(name=called, X=genes.X, y=genes.y, scaling=genes.scaling, standardized=True)
            )
    return found


def _threes_and_eights(seed: int) -> Dataset:
    X, y = mnist().train
    rows = np.flatnonzero(np.isin(y, (3, 8)))
    rows = np.random.default_rng([seed, 0]).choice(rows, _IMAGES, replace=False)
    return Dataset(
        name="MNIST 3 or 8",
        X=X[rows],
        y=np.where(y[rows] == 8, 1, -1),
        box=(0.0, 1.0),
        scaling="pixel / 255, in [0, 1]",
    )
