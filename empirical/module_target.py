"""A torch classifier as what attacks need: scores in float64, and a module of the same scores."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from empirical.attack_search import Task, as_task
from empirical.pruning import copied
from theory.validation import FloatArray, IntArray, as_finite

# Rows scored at once: what one layer of a convolution makes of them fits into memory.
_ROWS = 2048


class ModuleTarget:
    """A copy of a torch classifier in float64, in evaluation mode, on the CPU.

    The weights are those of the model, exactly: a float32 is a float64.

    Parameters
    ----------
    model : torch module
        Dense or pruned, not changed; takes flat rows (n, d), returns logits (n, c). One logit is
        the score of the label +1 against -1.
    dimension : int
        d.

    Raises
    ------
    TypeError
        If the model is not a torch module.
    ValueError
        If it does not take rows of d features, or does not return a row of logits for each.

    Examples
    --------
    >>> target = ModuleTarget(torch.nn.Linear(2, 3), 2)
    >>> target.scores(np.zeros((4, 2))).shape, target.classes.tolist()
    ((4, 3), [0, 1, 2])
    """

    def __init__(self, model: torch.nn.Module, dimension: int) -> None:
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"model must be a torch module; got {type(model).__name__}.")
        self.dimension = dimension
        self._model = copied(model).double().cpu().eval().requires_grad_(False)
        try:
            shape = tuple(self._logits(torch.zeros(2, dimension, dtype=torch.float64)).shape)
        except RuntimeError as error:
            raise ValueError(
                f"model must take rows with the features of X; got d={dimension}: {error}"
            ) from error
        if len(shape) != 2 or shape[0] != 2 or shape[1] == 0:
            raise ValueError(f"model must return logits of shape (n, c); got {shape} for n=2.")
        one = shape[1] == 1
        self.classes: IntArray = np.array([-1, 1]) if one else np.arange(shape[1])

    def scores(self, points: FloatArray) -> FloatArray:
        """Return the scores (n, c) of points (n, d); (0, f) for one output."""
        parts = [
            _paired(self._logits(torch.from_numpy(points[i : i + _ROWS]))).numpy()
            for i in range(0, len(points), _ROWS)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)))

    def module(self, *, unit: float, factors: FloatArray) -> torch.nn.Module:
        """Return the scores of n rows that are divided by the unit, each times its factor."""
        return _Scaled(self._model, unit, torch.from_numpy(factors[:, None].copy()))

    def _logits(self, points: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = self._model(points)
        return logits


class _Scaled(torch.nn.Module):
    factors: torch.Tensor

    def __init__(self, model: torch.nn.Module, unit: float, factors: torch.Tensor) -> None:
        super().__init__()
        self.model, self.unit = model, unit
        self.register_buffer("factors", factors)
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return _paired(self.model(inputs * self.unit)) * self.factors


def module_task(
    model: torch.nn.Module, X: ArrayLike, y: ArrayLike, *, box: Any, rng: np.random.Generator
) -> Task:
    """Return the checked arguments of an attack on a torch classifier.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite or outside the box, y holds other labels than the
        model's, or a score is not finite.
    """
    inputs = as_finite("X", X)
    if inputs.ndim != 2 or inputs.size == 0:
        raise ValueError(f"X must have shape (n, d) with n, d >= 1; got shape {inputs.shape}.")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy Generator; got {type(rng).__name__}.")
    target = ModuleTarget(model, inputs.shape[1])
    bad = ~np.isfinite(target.scores(inputs)).all(axis=1)
    if bad.any():
        raise ValueError(f"model must score X finitely; it does not at row {bad.argmax()}.")
    return as_task(target, inputs, y, box=box, seed=int(rng.integers(2**31)))


def _paired(logits: torch.Tensor) -> torch.Tensor:
    if logits.shape[1] > 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)
