"""Arrays in the IDX format of MNIST, checked against what they must be."""

import hashlib
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class IdxFile(NamedTuple):
    """What a file of unsigned bytes must hold.

    Attributes
    ----------
    name : str
        Without ".gz".
    shape : tuple of int
    sha256 : str
        Of the decompressed content: the bytes of gzip differ between mirrors.
    largest : int
        The largest value allowed.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str
    largest: int = 255

    @property
    def header(self) -> bytes:
        """The format's magic number for unsigned bytes in so many axes, and the sides."""
        return bytes([0, 0, 8, len(self.shape)]) + np.array(self.shape, ">u4").tobytes()

    @property
    def size(self) -> int:
        """The number of bytes, decompressed."""
        return len(self.header) + math.prod(self.shape)


def verified_array(content: bytes, file: IdxFile, origin: str) -> NDArray[np.uint8]:
    """Return the array that a file holds, without a copy.

    Parameters
    ----------
    content : bytes
        Decompressed. One byte too many is enough to see that there are too many.
    file : IdxFile
    origin : str
        Where the content is from, for errors.

    Raises
    ------
    ValueError
        If it is in another format or of another shape, is truncated or too long, has a value out
        of range, or differs from the file published.

    Examples
    --------
    >>> content = bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 5])
    >>> pair = IdxFile("pair", (2,), hashlib.sha256(content).hexdigest())
    >>> verified_array(content, pair, "pair").tolist()
    [7, 5]
    """
    _refuse_header(content, file, origin)
    if len(content) != file.size:
        what = "is longer" if len(content) > file.size else f"is cut off after {len(content):,}"
        raise ValueError(f"{origin} must hold {file.size:,} bytes, decompressed; it {what}.")
    values = np.frombuffer(content, np.uint8, offset=len(file.header))
    if values.max() > file.largest:
        i = int(np.argmax(values > file.largest))
        raise ValueError(
            f"{origin} must hold values in 0..{file.largest}; got {values[i]} at index {i}."
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ValueError(
            f"{origin} must have the sha256 {file.sha256}, decompressed; it has {digest}."
        )
    return values.reshape(file.shape)


def _refuse_header(content: bytes, file: IdxFile, origin: str) -> None:
    """Raise ValueError if magic number or sides are others."""
    start, magic = content[: len(file.header)], file.header[:4]
    if start[:4] != magic:
        raise ValueError(
            f"{origin} must be an IDX file of unsigned bytes in {len(file.shape)} axes, which"
            f" begins with {magic.hex()}; it begins with {start[:4].hex() or 'nothing'}."
        )
    if len(start) == len(file.header) and start != file.header:
        sides = np.frombuffer(start, ">u4", offset=4).tolist()
        raise ValueError(f"{origin} must hold an array of shape {file.shape}; got {tuple(sides)}.")
