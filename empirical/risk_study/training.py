"""Training on one sample: scikit-learn's solver of an objective where it has one, or our own."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from empirical.risk_study.optimality import optimality_gap, slopes_at
from empirical.risk_study.splitting import ConvergenceError, minimise
from theory.asymptotics import Objective
from theory.validation import FloatArray, UnsupportedSettingError

_ROUNDS = 100_000
_TOLERANCE = 1e-5  # of the gap, for training: some 1e-3 of the weights, by strong convexity


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedWeights:
    """Weights that a solver has found.

    Parameters
    ----------
    weights : array, shape (d,)
        Zeros are exact, as every solver here leaves them.
    solver : str
        A key of SOLVERS.
    gap : float
        `optimality_gap`: an upper bound on the risk less the least one, as a share of the risk.
        NaN if the solver leaves no proof: hinge loss by scikit-learn.
    """

    weights: FloatArray
    solver: str
    gap: float


def _lbfgs(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    C = 1 / (objective.l2 * X.shape[1]) if objective.l2 else math.inf
    return LogisticRegression(C=C, fit_intercept=False, tol=1e-6, max_iter=_ROUNDS).fit(X, y)


def _liblinear(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    settings: dict[str, Any] = {"fit_intercept": False, "max_iter": _ROUNDS, "random_state": 0}
    C = 1 / (objective.l1 * math.sqrt(X.shape[1]))
    return LogisticRegression(l1_ratio=1, solver="liblinear", C=C, tol=1e-6, **settings).fit(X, y)


def _ridge(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    return Ridge(alpha=objective.l2 * X.shape[1], fit_intercept=False).fit(X, y)


def _lasso(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    # Of scikit-learn's mean of squares: hence the division by n.
    alpha = objective.l1 * math.sqrt(X.shape[1]) / X.shape[0]
    return Lasso(alpha=alpha, fit_intercept=False, tol=1e-6, max_iter=_ROUNDS).fit(X, y)


def _elastic_net(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    n, d = X.shape
    l1, l2 = objective.l1 * math.sqrt(d) / n, objective.l2 * d / n
    settings: dict[str, Any] = {"fit_intercept": False, "tol": 1e-6, "max_iter": _ROUNDS}
    return ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), **settings).fit(X, y)


def _linear_svc(objective: Objective, X: FloatArray, y: FloatArray) -> Any:
    C = 1 / (objective.l2 * X.shape[1])
    settings: dict[str, Any] = {"fit_intercept": False, "max_iter": _ROUNDS, "random_state": 0}
    return LinearSVC(loss="hinge", C=C, tol=1e-6, **settings).fit(X, y)


# scikit-learn's solvers, what of losses they train, and with which penalties (L1, L2).
_SCIKIT_LEARN: Mapping[str, tuple[str, frozenset[tuple[bool, bool]], Callable[..., Any]]] = {
    "lbfgs": ("logistic", frozenset({(False, True), (False, False)}), _lbfgs),
    "liblinear": ("logistic", frozenset({(True, False)}), _liblinear),
    "ridge": ("squared", frozenset({(False, True)}), _ridge),
    "lasso": ("squared", frozenset({(True, False)}), _lasso),
    "elastic net": ("squared", frozenset({(True, True)}), _elastic_net),
    "linear svc": ("hinge", frozenset({(False, True)}), _linear_svc),
}
SOLVERS = (*_SCIKIT_LEARN, "splitting")


def reference_solver(objective: Objective) -> str:
    """Return the solver to train an objective with: scikit-learn's, or "splitting" without one.

    Parameters
    ----------
    objective : Objective

    Returns
    -------
    str
        One of SOLVERS.

    Examples
    --------
    >>> reference_solver(Objective(loss="squared", l1=1.0))
    'lasso'
    >>> reference_solver(Objective(loss="squared", l1=1.0, eps=0.5))
    'splitting'
    """
    fits = (name for name in _SCIKIT_LEARN if _trains(name, objective))
    return next(fits, "splitting")


def train(
    objective: Objective, X: FloatArray, y: FloatArray, *, solver: str | None = None
) -> TrainedWeights:
    """Return the weights that minimise an objective on a sample.

    Parameters
    ----------
    objective : Objective
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 and +1.
    solver : str, optional
        One of SOLVERS; `reference_solver` by default. "splitting" trains every objective.

    Returns
    -------
    TrainedWeights

    Raises
    ------
    ConvergenceError
        If the solver does not converge.
    UnsupportedSettingError
        If the solver does not train this objective.
    ValueError
        If the solver is unknown, or shapes or labels do not fit.

    Examples
    --------
    >>> X, y = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([1.0, -1.0])
    >>> train(Objective(loss="squared", l2=1.0), X, y).weights.round(4).tolist()
    [0.3494, 0.1928]
    """
    solver = reference_solver(objective) if solver is None else solver
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}; got {solver!r}.")
    if X.ndim != 2 or y.shape != X.shape[:1] or not (np.abs(y) == 1).all():
        raise ValueError(
            f"X and y must fit: (n, d), and n labels -1 or 1; got {X.shape} and {y!s:.40}."
        )
    A = X * y[:, None]
    if solver == "splitting":
        found = minimise(objective, A, tolerance=_TOLERANCE)
        return TrainedWeights(weights=found.weights, solver=solver, gap=found.gap)
    if not _trains(solver, objective):
        raise UnsupportedSettingError(
            f"{solver} must have an objective that it trains; got {objective}."
        )
    weights = _fitted(solver, objective, X, y)
    if objective.loss == "hinge":
        return TrainedWeights(weights=weights, solver=solver, gap=math.nan)
    gap = optimality_gap(objective, weights, A, slopes_at(objective, weights, A))
    return TrainedWeights(weights=weights, solver=solver, gap=gap)


def _trains(solver: str, objective: Objective) -> bool:
    loss, penalties, _ = _SCIKIT_LEARN[solver]
    attacked = objective.eps > 0 or objective.eps_inf > 0
    asked = (objective.l1 > 0, objective.l2 > 0)
    return not attacked and loss == objective.loss and asked in penalties


def _fitted(solver: str, objective: Objective, X: FloatArray, y: FloatArray) -> FloatArray:
    if (y == y[0]).all() and objective.loss != "squared":
        # These solvers want both labels; turned about, an input has the same loss.
        X, y = np.concatenate([X[:1] * -1, X[1:]]), np.concatenate([y[:1] * -1, y[1:]])
    fit = _SCIKIT_LEARN[solver][2]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitted = fit(objective, X, y)
        except ConvergenceWarning as warning:
            raise ConvergenceError(
                f"{solver} must converge for {objective}; got: {warning}"
            ) from warning
    return np.asarray(np.ravel(fitted.coef_), dtype=np.float64)
