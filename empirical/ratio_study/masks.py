"""Masks of a random pruning, drawn bit by bit."""

import numpy as np
from numpy.typing import NDArray

_DIGITS = 16


def kept(rng: np.random.Generator, count: int, density: float) -> NDArray[np.bool_]:
    """Return which of so many weights are kept, each with the density, to 1/65536.

    A number drawn uniformly is below the density where their binary digits say so; from the last
    digit on, so that a density of few digits needs few bits.
    """
    level = round(density * 2**_DIGITS)
    if level >= 2**_DIGITS or not count:
        return np.ones(count, dtype=bool)
    digits = f"{level:0{_DIGITS}b}".rstrip("0")[::-1]
    size = count // 8 + 1
    drawn = np.frombuffer(rng.bytes(size * len(digits)) if digits else b"", dtype=np.uint8)
    below = np.zeros(size, dtype=np.uint8)
    for digit, bits in zip(digits, drawn.reshape(-1, size), strict=True):
        (np.bitwise_or if digit == "1" else np.bitwise_and)(below, bits, out=below)
    return np.unpackbits(below, count=count).view(np.bool_)
