"""The limit of training, for one setting or for many; refusals of what has none."""

from collections.abc import Sequence

import numpy as np

from theory.asymptotics.batch import batch_of
from theory.asymptotics.continuation import Reached, followed
from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.limit import Limit
from theory.asymptotics.objective import Objective
from theory.asymptotics.separable import separability_ratio
from theory.asymptotics.start import BoolArray
from theory.validation import UnsupportedSettingError, as_finite

# What a residual may be for the limit to be told; Newton's method usually ends near 1e-13.
_ACCEPTED = 1e-8
_CHUNK = 64  # settings solved side by side: more would leave the cache


class NotConvergedError(ArithmeticError):
    """The equations of the limit were not solved to the accuracy that is promised."""


def predict(objective: Objective, law: CoordinateLaw, *, ratio: float) -> Limit:
    """Return what training reaches when n = ratio · d inputs are seen and d is large.

    Kind: estimate (limit): the trained classifier's numbers tend to these as d grows; theirs
    differ by about 1/sqrt(d) at random and 1/d on average. Labels are balanced, inputs Gaussian
    around y mu, no intercept.

    Parameters
    ----------
    objective : Objective
    law : CoordinateLaw
    ratio : float, above 0
        n / d.

    Returns
    -------
    Limit

    Raises
    ------
    TypeError, ValueError
        If the ratio is not a positive number.
    UnsupportedSettingError
        If there is no minimiser, more than one, or the minimiser is w = 0.
    NotConvergedError
        If the equations are not solved to a residual of 1e-8.

    Notes
    -----
    theory/proofs/asymptotics.md. The logistic L1 case: Salehi, Abbasi, Hassibi 2019 (arXiv
    1906.03761); mixtures: Mignacco et al. 2020 (arXiv 2002.11544); adversarial training: Javanmard
    and Soltanolkotabi 2022 (arXiv 2010.11213).

    Examples
    --------
    >>> from theory.asymptotics import limit_accuracy, spiked_law
    >>> limit = predict(Objective(loss="logistic", l1=0.05), spiked_law(1, density=0.1), ratio=1)
    >>> round(limit_accuracy(limit), 4), round(limit.nonzero_fraction, 3)
    (0.7336, 0.458)
    """
    _check(objective, law, ratio)
    reached = followed(batch_of([objective], [law], [ratio]))
    if reached.stuck[0]:
        raise UnsupportedSettingError(_why_zero(objective, float(reached.share_at_zero[0])))
    if not _is_solved(reached)[0]:
        raise NotConvergedError(
            "the equations of the limit must be solved to a relative residual of"
            f" {_ACCEPTED:g}; got {reached.residual[0]:.1e} for {objective}, ratio {ratio:g}:"
            " there may be no minimiser; try a larger l1 or l2, or a larger ratio."
        )
    return _limit(reached, 0, objective, law, ratio)


def predict_many(
    objectives: Sequence[Objective], laws: Sequence[CoordinateLaw], ratios: Sequence[float]
) -> list[Limit | None]:
    """Return the limits of many settings, solved side by side; None where `predict` refuses.

    Kind: estimate (limit), as `predict`.

    Parameters
    ----------
    objectives, laws, ratios : sequences of one length

    Returns
    -------
    list of Limit or None

    Raises
    ------
    TypeError, ValueError
        If the lengths differ, or a ratio is not a positive number.

    Examples
    --------
    >>> from theory.asymptotics import spiked_law
    >>> objectives = [Objective(loss="squared", l1=l1) for l1 in (0.1, 1e6)]
    >>> [limit is None for limit in predict_many(objectives, [spiked_law(1)] * 2, [2, 2])]
    [False, True]
    """
    if not len(objectives) == len(laws) == len(ratios):
        raise ValueError(
            "objectives, laws and ratios must be equally many;"
            f" got {len(objectives)}, {len(laws)} and {len(ratios)}."
        )
    found: list[Limit | None] = [None] * len(objectives)
    for loss in sorted({objective.loss for objective in objectives}):
        mine = [
            row
            for row, objective in enumerate(objectives)
            if objective.loss == loss and _is_supported(objective, laws[row], ratios[row])
        ]
        for first in range(0, len(mine), _CHUNK):
            rows = mine[first : first + _CHUNK]
            settings = [objectives[row] for row in rows], [laws[row] for row in rows]
            reached = followed(batch_of(*settings, [ratios[row] for row in rows]))
            for place in np.flatnonzero(_is_solved(reached)).tolist():
                row = rows[place]
                found[row] = _limit(reached, place, objectives[row], laws[row], ratios[row])
    return found


def _is_supported(objective: Objective, law: CoordinateLaw, ratio: float) -> bool:
    try:
        _check(objective, law, ratio)
    except UnsupportedSettingError:
        return False
    return True


def _check(objective: Objective, law: CoordinateLaw, ratio: float) -> None:
    """Refuse a setting that has no single minimiser, as far as that is known beforehand."""
    if as_finite("ratio", ratio).shape != () or ratio <= 0:
        raise ValueError(f"ratio must be a number above 0; got {ratio}.")
    if objective.l1 > 0 or objective.l2 > 0:
        return
    attacked = objective.eps > 0 or objective.eps_inf > 0
    if objective.loss == "squared":
        if not attacked and ratio <= 1:
            raise UnsupportedSettingError(
                "ratio must be above 1 for the squared loss without a penalty, which else has many"
                f" minimisers; got {ratio:g}: add a penalty, l1 or l2."
            )
        return
    if objective.eps_inf > 0 or (objective.eps > 0 and np.ptp(law.scales) > 0):
        return  # no threshold is known here; a missing minimiser shows as no convergence
    whitened = float(np.sqrt(law.weights @ ((law.means**2 + law.deviations**2) / law.scales**2)))
    threshold = separability_ratio(whitened, objective.eps / float(law.scales[0]))
    if ratio <= threshold:
        raise UnsupportedSettingError(
            f"ratio must be above {threshold:.6g} for the {objective.loss} loss without a penalty,"
            f" or the inputs are separable and there is no minimiser; got {ratio:g}: add a"
            " penalty, l1 or l2."
        )


def _why_zero(objective: Objective, share: float) -> str:
    return (
        "the minimiser must not be w = 0, which has no boundary; got it for"
        f" {objective} (at w = 0 the slopes of a share {share:.1e} of the features exceed the"
        " threshold): lower l1, eps or eps_inf."
    )


def _is_solved(reached: Reached) -> BoolArray:
    certified = np.maximum(
        reached.residual,
        np.maximum(reached.moments.prox_residual, reached.moments.quadrature_error),
    )
    return np.asarray(~reached.stuck & (certified < _ACCEPTED))


def _limit(
    reached: Reached, row: int, objective: Objective, law: CoordinateLaw, ratio: float
) -> Limit:
    weights, moments = reached.weights, reached.moments
    return Limit(
        objective=objective,
        law=law,
        ratio=float(ratio),
        overlap=float(weights.overlap[row]),
        spread=float(np.sqrt(weights.spread_square[row])),
        norm=float(np.sqrt(weights.norm_square[row])),
        l1_norm=float(weights.absolute[row]),
        nonzero_fraction=min(float(weights.share[row]), 1.0),
        susceptibility=float(weights.susceptibility[row]),
        training_loss=float(moments.loss[row]),
        iterations=int(reached.rounds[row]),
        residual=float(reached.residual[row]),
        prox_residual=float(moments.prox_residual[row]),
        quadrature_error=float(moments.quadrature_error[row]),
    )
