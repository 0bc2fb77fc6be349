"""Instances made easier to read: smaller shapes, fewer numbers that are not zero, rounder ones."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.falsify.search import Instance

_MOST = 3  # significant digits that numbers are rounded to
_FEW = 3  # things that are left out one by one
Axes = Mapping[str, tuple[str, ...]]
Step = Callable[[Instance], Instance]


def minimise(
    instance: Instance,
    axes: Axes,
    *,
    fixed: frozenset[str],
    is_good: Callable[[Instance], bool],
) -> Iterator[Instance]:
    """Yield instances, each simpler than the last, until no step leaves a good one.

    Parameters
    ----------
    instance : mapping of str to array
    axes, fixed
        As in `Search`.
    is_good : callable
        Whether an instance still shows what it has to; asked of every step.
    """
    simpler = True
    while simpler:
        simpler = False
        for steps in (_drops, _roundings):
            for step in steps(instance, axes, fixed):
                found = step(instance)
                if _complexity(found) < _complexity(instance) and is_good(found):
                    instance, simpler = found, True
                    yield found


def _drops(instance: Instance, axes: Axes, fixed: frozenset[str]) -> Iterator[Step]:
    """Yield what leaves out inputs, units, points: many at once, then each; the last ones first."""
    del fixed
    for axis in dict.fromkeys(name for names in axes.values() for name in names if name):
        for part in _parts(_length(instance, axes, axis)):
            yield partial(_without, axes=axes, axis=axis, part=part)


def _parts(length: int) -> Iterator[slice]:
    """Yield the last half, the last half of the rest, and so on, then each by itself."""
    stop = length
    while stop > _FEW:
        yield slice(stop // 2, stop)
        stop //= 2
    yield from (slice(index, index + 1) for index in reversed(range(length)))


def _roundings(instance: Instance, axes: Axes, fixed: frozenset[str]) -> Iterator[Step]:
    """Yield what makes numbers zero, or rounder: those of an array together, then each."""
    loose = [name for name in axes if name not in fixed]
    for digits in range(_MOST + 1):
        for name in loose:
            yield partial(_with_rounded, name=name, place=..., digits=digits)
    for name in loose:
        for place in np.ndindex(instance[name].shape):
            for digits in range(_MOST + 1):
                yield partial(_with_rounded, name=name, place=place, digits=digits)


def _length(instance: Instance, axes: Axes, axis: str) -> int:
    """Return how many things an axis has."""
    name = next(name for name, names in axes.items() if axis in names)
    return int(instance[name].shape[axes[name].index(axis)])


def _without(instance: Instance, *, axes: Axes, axis: str, part: slice) -> Instance:
    left, length = dict(instance), _length(instance, axes, axis)
    dropped = range(*part.indices(length))
    if len(dropped) in {0, length}:
        return left  # left out before; or all there is, of which one stays
    for name, names in axes.items():
        for place, own in enumerate(names):
            if own == axis:
                left[name] = np.delete(left[name], dropped, axis=place)
    return left


def _with_rounded(instance: Instance, *, name: str, place: Any, digits: int) -> Instance:
    array = np.array(instance[name])
    array[place] = _rounded(array[place], digits)
    return {**instance, name: array}


def _rounded(array: Any, digits: int) -> NDArray[Any]:
    """Return numbers with so many significant digits; with none, zeros."""
    if digits == 0:
        return np.zeros_like(array)
    rounded = [float(f"{value:.{digits - 1}e}") for value in np.ravel(array)]
    return np.array(rounded).reshape(np.shape(array))


def _complexity(instance: Instance) -> tuple[int, int, int]:
    """Return how many numbers there are, how many are not zero, and how many digits they have."""
    values = [float(v) for array in instance.values() for v in np.ravel(array) if np.isfinite(v)]
    digits = sum(len(Decimal(repr(v)).normalize().as_tuple().digits) for v in values)
    return len(values), sum(v != 0 for v in values), digits
