"""The best of a bound that holds whatever its variables are, by ascent for many pairs at once."""

from collections.abc import Callable, Sequence
from typing import Any

import array_api_compat as aac

from theory.networks.arrays import Array

_RATE, _LAST_RATE = 0.15, 0.01

# Bounds (p,) and their supergradients in each variable, an array of p rows.
Bound = Callable[[list[Array]], tuple[Array, list[Array]]]


def ascended(
    bound: Bound, start: list[Array], scales: Sequence[Any], *, steps: int
) -> tuple[Array, list[Array]]:
    """Return the best bounds (p,) met on the way, the last included, and the last variables.

    By Adam (Kingma and Ba 2015), whose steps are in the scales of the variables.
    """
    variables, means, squares = start, [0.0 for _ in start], [0.0 for _ in start]
    best, slopes = bound(variables)
    xp = aac.array_namespace(best)
    tiny = float(xp.finfo(best.dtype).smallest_normal) ** 0.5
    for step in range(1, steps + 1):
        rate = _RATE + (_LAST_RATE - _RATE) * step / steps
        moved = []
        for i, (variable, slope) in enumerate(zip(variables, slopes, strict=True)):
            means[i] = 0.9 * means[i] + 0.1 * slope
            squares[i] = 0.99 * squares[i] + 0.01 * slope * slope
            size = xp.sqrt(squares[i] / (1 - 0.99**step)) + tiny
            moved.append(variable + rate * scales[i] * means[i] / (1 - 0.9**step) / size)
        variables = moved
        value, slopes = bound(variables)
        best = xp.maximum(best, value)
    return best, variables
