"""The record of what is known of each input's distance to the nearest flip."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.validation import FloatArray, IntArray

# Lower and upper bounds of one number come from different computations, each rounded.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class DistanceBounds:
    """Proven lower and witnessed upper bounds on the distance of n inputs to their nearest flip.

    Parameters
    ----------
    lower : array, shape (n,)
        No point closer than this has another label win or tie. Kind: lower, proven; exact where it
        meets the upper bound. 0 where the input is already wrong.
    upper : array, shape (n,)
        Kind: upper, the norm of the witness's move; inf where none is known.
    witness : array, shape (n, d), optional
        Points where another label wins or ties; NaN where none is known.
    method : array of str, shape (n,)
        What proved each lower bound.
    status : array of str, shape (n,)
        "exact", "bounded", or why the search ended, such as "time limit".
    nodes : array of int, shape (n,)
        How many subproblems or bound evaluations each input took.
    norm : float
    box : None or pair
        As in the call: inputs and witnesses lie in it, and distances are within it.
    confidence : float
        The probability with which all of it holds: 1 but for randomised certificates.

    Raises
    ------
    ValueError
        If a lower bound exceeds its upper bound by more than rounding: one of them is wrong.
    """

    lower: FloatArray
    upper: FloatArray
    witness: FloatArray | None
    method: NDArray[np.str_]
    status: NDArray[np.str_]
    nodes: IntArray
    norm: float
    box: tuple[Any, Any] | None
    confidence: float = 1.0

    def __post_init__(self) -> None:
        crossed = self.lower > self.upper + _ROUNDING * (1 + np.abs(self.upper))
        if crossed.any():
            i = int(np.argmax(crossed))
            raise ValueError(
                f"a lower bound must not exceed the upper bound; got {self.lower[i]} >"
                f" {self.upper[i]} for input {i}."
            )
