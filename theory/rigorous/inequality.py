"""The matrix inequality of LipSDP-Neuron, in balls: lipschitz.md, section 4."""

from typing import Any

from flint import arb, arb_mat

from theory.rigorous.balls import Balls
from theory.rigorous.exact import Exact


def neuron_inequality(exact: Exact, last: arb_mat, multipliers: Any, level: arb) -> arb_mat:
    """Return the matrix of |δx|² + 2 Σ λ δa (δa - δz) - |last δa|² / level over (δx, δa).

    Where it is positive definite, |last δa|² <= level |δx|² for all pairs of inputs. Unknowns that
    do not occur, as those of linear units, are left out.

    Parameters
    ----------
    exact : Exact
    last : arb_mat, shape (k, n_j)
        What is read off the layer after which it stands.
    multipliers : sequence of j arrays, nonnegative, shapes (n_i,)
        Of the units of the layers up to that one.
    level : arb
        Of the square of the constant.
    """
    inputs, size = exact.weights[0].ncols(), _unknowns(exact, len(multipliers))
    passed = [_unit(k, size) for k in range(inputs)]
    form: list[Balls] = [[arb(0)] * size for _ in range(size)]
    for k in range(inputs):
        form[k][k] = arb(1) / 2
    start = inputs
    for j, values in enumerate(multipliers):
        seen = (exact.weights[j] * arb_mat(passed)).tolist()
        own = [_unit(start + i, size) for i in range(len(seen))]
        for i, value in enumerate(values.tolist()):
            if exact.relu[j][i] and value > 0:
                form[start + i] = [
                    arb(value) * (a - z) for a, z in zip(own[i], seen[i], strict=True)
                ]
        passed = [
            z if linear or all(v.is_zero() for v in z) else a  # what cannot move passes no move on
            for a, z, linear in zip(own, seen, ~exact.relu[j], strict=True)
        ]
        start += len(seen)
    half, read = arb_mat(form), last * arb_mat(passed)
    return _occurring(half + half.transpose() - read.transpose() * read / level)


def _unknowns(exact: Exact, layers: int) -> int:
    return exact.weights[0].ncols() + sum(W.nrows() for W in exact.weights[:layers])


def _unit(k: int, size: int) -> Balls:
    return [arb(int(i == k)) for i in range(size)]


def _occurring(A: arb_mat) -> arb_mat:
    """Return a symmetric matrix without its rows and columns of zeros."""
    rows = A.tolist()
    kept = [k for k, row in enumerate(rows) if not all(v.is_zero() for v in row)]
    return arb_mat([[rows[i][j] for j in kept] for i in kept])
