"""Balls go back to float64 outwards, and matrices are called definite only if they are."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, arb_mat

from theory.rigorous.balls import above, below, matrix, precise
from theory.rigorous.definite import is_positive_definite, largest_eigenvalue


def test_below_and_above_are_the_neighbours_of_a_fraction() -> None:
    rng = np.random.default_rng(0)
    for p, q in rng.integers(-1000, 1000, (200, 2)).tolist():
        if q:
            with precise():
                ball = arb(p) / q
            low, high = below(ball), above(ball)
            assert Fraction(low) <= Fraction(p, q) <= Fraction(high)
            assert high <= np.nextafter(np.nextafter(low, np.inf), np.inf)


def test_below_and_above_reach_the_ends_of_float64() -> None:
    assert below(arb(2) ** 2000) == np.finfo(np.float64).max
    assert above(arb(2) ** 2000) == np.inf
    assert (below(arb(2) ** -2000), above(arb(2) ** -2000)) == (0.0, 5e-324)
    with pytest.raises(ValueError, match="NaN"):
        below(arb("nan"))


def test_precision_is_given_back() -> None:
    from flint import ctx  # noqa: PLC0415

    before = ctx.prec
    with pytest.raises(ZeroDivisionError), precise():
        raise ZeroDivisionError
    assert ctx.prec == before


@pytest.mark.parametrize("shift", [1e-12, 0.0, -1e-12])
def test_matrices_are_definite_from_their_least_eigenvalue_on(shift: float) -> None:
    # The least eigenvalue of 1 1ᵀ is 0, and so that of 1 1ᵀ + shift is the shift.
    B = np.ones((6, 6)) + np.diag(np.full(6, shift))
    with precise():
        assert is_positive_definite(matrix(B)) == (shift > 0)


def test_wide_balls_are_not_called_definite() -> None:
    assert is_positive_definite(arb_mat([[arb(1, 0.5)]]))
    assert not is_positive_definite(arb_mat([[arb(1, 1.5)]]))


def test_largest_eigenvalue_is_a_hair_above() -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 7):
        A = rng.integers(-9, 10, (n, n)).astype(np.float64)
        A = A @ A.T  # integers: exact
        with precise():
            found = float(largest_eigenvalue(matrix(A)))
        top = float(np.linalg.eigvalsh(A)[-1])
        assert top * (1 - 1e-14) <= found <= top * (1 + 1e-8) + 1e-300
    assert largest_eigenvalue(arb_mat(3, 3)).is_zero()
