"""The stage "data": inputs to train on, to validate by and to attack."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from empirical.data import (
    Dataset,
    Part,
    Split,
    breast_cancer,
    digits,
    fashion_mnist,
    gene_expression,
    libsvm,
    mnist,
    split,
)
from empirical.experiments.streams import seed_of, stream
from empirical.sweeps import Settings

FILES: dict[str, Callable[[Path], Dataset]] = {"gene-expression": gene_expression, "libsvm": libsvm}
_EMBEDDED: dict[str, Callable[[], Dataset]] = {"digits": digits, "breast-cancer": breast_cancer}
_IMAGES: dict[str, Callable[[], Split]] = {"mnist": mnist, "fashion-mnist": fashion_mnist}


class DataFacts(NamedTuple):
    """What other settings must fit.

    Attributes
    ----------
    dimension, classes, train, test : int
        Features and labels; inputs of the training and of the test part.
    is_unit : bool
        Whether all features are in [0, 1].
    """

    dimension: int
    classes: int
    train: int
    test: int
    is_unit: bool


def split_of(settings: Settings) -> Split:
    """Return a cell's data, labels 0..c-1. The last two data sets stay in memory.

    Raises
    ------
    ValueError, TypeError
        If a file is damaged, or not the one of data.sha256.
    OSError
        If a file cannot be read or fetched.
    """
    whole = _whole(_source(settings), _seed(settings))
    count: Any = settings["data.train"]
    if count is None:
        return whole
    X, y = whole.train
    rows = np.sort(stream(_seed(settings), "data", "train").permutation(len(y))[:count])
    return whole._replace(train=Part(X[rows], y[rows]))


def data_facts(settings: Settings) -> DataFacts:
    """Return what other settings must fit; published images are not read for it.

    Raises
    ------
    ValueError, TypeError, OSError
        As `split_of`.
    """
    name = settings["data.name"]
    if name in _IMAGES:
        return DataFacts(dimension=784, classes=10, train=50_000, test=10_000, is_unit=True)
    return _measured(_source(settings))


def chosen_inputs(settings: Settings) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the places in the test part of the inputs that are attacked, in order.

    The first of a random order, which depends on the data alone: cells that differ in what follows
    attack the same inputs, and fewer are a part of more. All, if the test part has fewer.
    """
    total, count = data_facts(settings).test, settings["attack.inputs"]
    order = stream(_seed(settings), "data", "inputs").permutation(total)
    return np.sort(order[:count]).astype(np.intp)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


_Source = tuple[str, str | None, str | None]


def _source(settings: Settings) -> _Source:
    name, path, sha256 = (settings[f"data.{key}"] for key in ("name", "path", "sha256"))
    return str(name), None if path is None else str(path), None if sha256 is None else str(sha256)


def _seed(settings: Settings) -> int:
    own: Any = settings["data.seed"]
    return seed_of(settings) if own is None else int(own)


@lru_cache(maxsize=2)
def _whole(source: _Source, seed: int) -> Split:
    name = source[0]
    if name in _IMAGES:
        return _images(name)
    parts = split(_dataset(source), rng=stream(seed, "data", "split"))
    return Split(*(Part(part.X, _from_zero(part.y)) for part in parts))


@lru_cache(maxsize=1)
def _images(name: str) -> Split:
    return _IMAGES[name]()


@lru_cache(maxsize=1)
def _dataset(source: _Source) -> Dataset:
    name, given, sha256 = source
    if name in _EMBEDDED:
        return _EMBEDDED[name]()
    path = Path(str(given))
    found = file_hash(path)
    if found != sha256:
        raise ValueError(
            "data.sha256 must be that of data.path, lest a row outlives its data; got"
            f" {sha256 or 'none'}, while {path} has {found}."
        )
    return FILES[name](path)


@lru_cache(maxsize=8)
def _measured(source: _Source) -> DataFacts:
    dataset = _dataset(source)
    parts = split(dataset, rng=np.random.default_rng(0))  # of the same sizes, whatever the draw
    return DataFacts(
        dimension=dataset.X.shape[1],
        classes=np.unique(dataset.y).size,
        train=len(parts.train.y),
        test=len(parts.test.y),
        is_unit=dataset.box == (0.0, 1.0),
    )


def _from_zero(y: Any) -> Any:
    """Return labels -1 and +1 as 0 and 1; others as they are."""
    return np.where(y < 0, 0, y) if np.min(y) < 0 else y
