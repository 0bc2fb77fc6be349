"""What training minimises."""

from dataclasses import dataclass
from typing import Literal, get_args

from theory.validation import as_finite

Loss = Literal["logistic", "squared", "hinge"]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The empirical risk of a linear classifier without an intercept, n inputs, d features.

    sum_i l_i(w) + l1 sqrt(d) ||w||_1 + l2 d ||w||_2^2 / 2, where l_i(w) is the largest loss of
    input i within the training attack: an L2 move of size eps and a move of every feature by
    eps_inf / sqrt(d), together. Losses of the signed margin m = y w·x: log(1 + exp(-m)),
    (1 - m)^2 / 2 and max(0, 1 - m).

    Parameters
    ----------
    loss : {"logistic", "squared", "hinge"}
    l1, l2 : float, at least 0
        Strengths of the penalties.
    eps : float, at least 0
        L2 budget of the training attack, in units of x; 0 by default.
    eps_inf : float, at least 0
        sqrt(d) times its Linf budget; 0 by default.

    Raises
    ------
    TypeError, ValueError
        If the loss is unknown, or a number is not finite or is negative.

    Examples
    --------
    >>> Objective(loss="logistic", l1=0.5)
    Objective(loss='logistic', l1=0.5, l2=0.0, eps=0.0, eps_inf=0.0)
    """

    loss: Loss
    l1: float = 0.0
    l2: float = 0.0
    eps: float = 0.0
    eps_inf: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in get_args(Loss):
            raise ValueError(f"loss must be one of {', '.join(get_args(Loss))}; got {self.loss!r}.")
        for name in ("l1", "l2", "eps", "eps_inf"):
            value = as_finite(name, getattr(self, name))
            if value.shape != () or value < 0:
                raise ValueError(f"{name} must be a number of at least 0; got {value}.")
            object.__setattr__(self, name, float(value))
