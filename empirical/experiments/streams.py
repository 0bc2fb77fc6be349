"""What makes a cell's numbers the same anywhere: a stream for each stage, and a single thread."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from empirical.sweeps import Settings


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """Return the generator of a stage, independent of those of all other paths.

    Parameters
    ----------
    seed : int, nonnegative
    *path : str or int, nonnegative
        What the numbers are for.

    Examples
    --------
    >>> same = stream(0, "attack", "l2").random() == stream(0, "attack", "l2").random()
    >>> same, stream(0, "attack", "l2").random() == stream(0, "attack", "linf").random()
    (True, False)
    """
    key = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in path]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def drawn_seed(seed: int, *path: str | int) -> int:
    """Return a seed for what takes no generator.

    Examples
    --------
    >>> 0 <= drawn_seed(0, "training") < 2**31
    True
    """
    return int(stream(seed, *path).integers(2**31))


def seed_of(settings: Settings) -> int:
    """Return a cell's seed."""
    seed: Any = settings["seed"]
    return int(seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread within the block: on more, sums have other roundings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)
