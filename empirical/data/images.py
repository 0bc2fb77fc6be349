"""MNIST and Fashion-MNIST in their fixed splits."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from empirical.data.cache import cached_array, data_folder
from empirical.data.idx import IdxFile
from empirical.data.record import Part, Split


class ImageSet(NamedTuple):
    """Where a set of images comes from, and how it is split.

    Attributes
    ----------
    folder : str
        Its name in the cache.
    mirrors : tuple of str
    train, test : (IdxFile, IdxFile)
        Images, labels.
    held_out : int
        How many of the last training images validate.
    """

    folder: str
    mirrors: tuple[str, ...]
    train: tuple[IdxFile, IdxFile]
    test: tuple[IdxFile, IdxFile]
    held_out: int = 10_000


def _files(part: str, n: int, images: str, labels: str) -> tuple[IdxFile, IdxFile]:
    return (
        IdxFile(f"{part}-images-idx3-ubyte", (n, 28, 28), images),
        IdxFile(f"{part}-labels-idx1-ubyte", (n,), labels, largest=9),
    )


_MNIST = ImageSet(
    "mnist",
    (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
    _files(
        "train",
        60_000,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    _files(
        "t10k",
        10_000,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
_FASHION_MNIST = ImageSet(
    "fashion-mnist",
    (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    _files(
        "train",
        60_000,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    _files(
        "t10k",
        10_000,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)


def mnist() -> Split:
    """Return MNIST: 50,000 digits to train on, 10,000 to validate, the official 10,000 to test.

    The files, raw or gzip, are those in the folder mnist/ of SPARSEBOUND_DATA, or else of the
    user's cache; what is absent is fetched there. All are verified by sha256.

    Returns
    -------
    Split
        Pixels / 255 in [0, 1], float32, shape (n, 784); labels 0..9. Validation is the last 10,000
        of the official training set.

    Raises
    ------
    ValueError
        If a file there is not as published: it is named, and left as it is.
    ConnectionError
        If a file is absent and no mirror gave it.
    OSError
        If a file cannot be read, or the folder not written to.

    Examples
    --------
    >>> mnist().train.X.shape  # doctest: +SKIP
    (50000, 784)
    """
    return fixed_split(_MNIST)


def fashion_mnist() -> Split:
    """Return Fashion-MNIST, ten kinds of clothes, split and scaled as `mnist` is.

    The files are those in fashion-mnist/.

    Raises
    ------
    ValueError, ConnectionError, OSError
        As `mnist` does.

    Examples
    --------
    >>> fashion_mnist().test.X.shape  # doctest: +SKIP
    (10000, 784)
    """
    return fixed_split(_FASHION_MNIST)


def fixed_split(images: ImageSet) -> Split:
    """Return the split of a set of images; see `mnist`."""
    folder = data_folder(images.folder)
    X, y = _part(folder, images.train, images.mirrors)
    cut = len(y) - images.held_out
    test = _part(folder, images.test, images.mirrors)
    return Split(Part(X[:cut], y[:cut]), Part(X[cut:], y[cut:]), test)


def _part(folder: Path, files: tuple[IdxFile, IdxFile], mirrors: tuple[str, ...]) -> Part:
    pixels, labels = (cached_array(folder, file, mirrors) for file in files)
    # half the memory of float64, and no array in between
    X = np.divide(pixels.reshape(len(pixels), -1), 255, dtype=np.float32)
    return Part(X, labels.astype(np.intp))
