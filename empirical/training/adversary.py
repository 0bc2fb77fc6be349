"""The attack that training meets, on all replicas at once."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from empirical.training.settings import Adversary

# Loss of each row: of inputs (R, n, ...) with labels (R, n), as a tensor (R, n).
RowLosses = Callable[[Tensor, Tensor], Tensor]


def attacked(
    losses: RowLosses,
    X: Tensor,
    y: Tensor,
    adversary: Adversary,
    *,
    eps: float,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Return inputs moved by projected gradient ascent of their losses.

    Parameters
    ----------
    losses : function
    X, y : tensors, shapes (R, n, ...), (R, n)
    adversary : Adversary
    eps : float, nonnegative
        The ball's radius now; steps shrink with it.
    generators : sequence of R
        Of the random starts, one a replica.
    """
    if eps == 0:
        return X
    stride = adversary.stride * eps / adversary.eps
    move = torch.zeros_like(X)
    if adversary.random_start:
        move = _in_box(X, _random_moves(X, adversary.norm, eps, generators), adversary)
    for _ in range(adversary.steps):
        move.requires_grad_()
        (slope,) = torch.autograd.grad(losses(X + move, y).sum(), move)
        with torch.no_grad():
            move = _in_ball(move + stride * _steepest(slope, adversary.norm), adversary.norm, eps)
            move = _in_box(X, move, adversary)
    return X + move


def _steepest(slope: Tensor, norm: float) -> Tensor:
    """Return the moves of norm 1 that gain most."""
    return slope.sign() if math.isinf(norm) else slope / _sizes(slope).clamp(min=1e-30)


def _in_ball(move: Tensor, norm: float, eps: float) -> Tensor:
    if math.isinf(norm):
        return move.clamp(-eps, eps)
    return move * (eps / _sizes(move).clamp(min=eps))


def _in_box(X: Tensor, move: Tensor, adversary: Adversary) -> Tensor:
    return move if adversary.box is None else (X + move).clamp(*adversary.box) - X


def _sizes(move: Tensor) -> Tensor:
    """Return the L2 norm of each row's move, of a shape that divides it."""
    size: Tensor = torch.linalg.vector_norm(move.flatten(2), dim=2)
    return size.reshape(*size.shape, *[1] * (move.ndim - 2))


def _random_moves(
    X: Tensor, norm: float, eps: float, generators: Sequence[torch.Generator]
) -> Tensor:
    """Return moves drawn evenly from the ball."""
    kind: Any = {"dtype": X.dtype, "device": X.device}
    if math.isinf(norm):
        drawn = [torch.rand(X.shape[1:], generator=g, **kind) for g in generators]
        return eps * (2 * torch.stack(drawn) - 1)
    drawn = [torch.randn(X.shape[1:], generator=g, **kind) for g in generators]
    lengths = [torch.rand(X.shape[1], generator=g, **kind) for g in generators]
    move, length = torch.stack(drawn), torch.stack(lengths) ** (1 / X[0, 0].numel())
    return move / _sizes(move) * (eps * length.reshape(*length.shape, *[1] * (X.ndim - 2)))
