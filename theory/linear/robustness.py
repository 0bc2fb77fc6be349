"""Robust accuracy, r_2 and r_inf of a linear classifier on given inputs."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from theory.linear.classifier import LinearClassifier, class_scores, live_rows
from theory.linear.contest import Contest, label_blocks, open_contest
from theory.linear.distance import flip_distance
from theory.validation import FloatArray, as_box, as_budget, refuse_outside

Loss = Literal["cross-entropy", "margin"]


def robust_accuracy(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike,
    eps: ArrayLike,
    *,
    norm: float,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return the fraction of inputs whose label no attack of norm at most eps can change.

    Kind: exact. An input counts if its `flip_distance` exceeds eps: at equality a rival ties, and
    at eps = 0 this is the accuracy with ties counted as errors.

    Parameters
    ----------
    model, X, y, norm, box
        As in `flip_distance`.
    eps : float or array of any shape, nonnegative
        In the units of X; for norm 0 a number of features.

    Returns
    -------
    array, shape of eps

    Raises
    ------
    TypeError, ValueError
        As `flip_distance`; and if a budget is negative or not finite.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> robust_accuracy(model, [[1.0, 2.0], [1.0, 1.0]], [1, 1], [0.0, 1.5], norm=2).tolist()
    [1.0, 0.5]
    """
    budgets = as_budget(eps)
    distances = np.sort(flip_distance(model, X, y, norm=norm, box=box))
    broken = np.searchsorted(distances, budgets, side="right")
    return np.asarray((distances.size - broken) / distances.size)


def r_2(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike,
    *,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> float:
    """Return the mean L2 distance to the decision boundary, errors counted as zero.

    Kind: exact for these inputs. inf if a correct input has no boundary to reach.

    Parameters
    ----------
    model, X, y, box
        As in `flip_distance`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As `flip_distance`.

    Notes
    -----
    E[1{correct} · distance]: Guo et al. 2018 (arXiv 1810.09619), linear classifiers.

    Examples
    --------
    >>> r_2(LinearClassifier(weights=[3.0, 4.0]), [[1.0, 2.0], [0.0, -1.0]], [1, 1])
    1.1
    """
    return float(flip_distance(model, X, y, norm=2, box=box).mean())


def r_inf(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike,
    eps: float,
    *,
    loss: Loss | None = None,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> float:
    """Return the accuracy after every feature moved by eps along the sign of the loss's gradient.

    Kind: exact robust accuracy (Linf) for two labels, where every loss that falls with the margin
    has the same gradient sign and no attack does better, box or not; for more, an upper bound on
    it. Ties count as errors.

    Parameters
    ----------
    model, X, y, box
        As in `flip_distance`.
    eps : float, nonnegative
    loss : {"cross-entropy", "margin"}, optional
        Needed for more than two labels. "margin" is the highest rival's score less the label's.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As `flip_distance`; if eps is negative; if there are more than two labels and no loss.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), linear classifiers; FGS of Goodfellow et al. 2015.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> r_inf(model, [[1.0, 2.0], [1.0, 1.0]], [1, 1], 1.0)
    0.5
    """
    step = as_budget(eps)
    if step.shape != ():
        raise ValueError(f"eps must be one number; got shape {step.shape}.")
    if loss not in ("cross-entropy", "margin", *(() if model.classes.size > 2 else (None,))):
        raise ValueError(
            f'loss must be "cross-entropy" or "margin" for {model.classes.size} labels;'
            f" got {loss!r}."
        )
    contest = open_contest(model, X, y)
    attacked = contest.X + step * np.sign(_ascent(model, contest, loss))
    if box is not None:
        bounds = as_box(box, model.dimension)
        refuse_outside(contest.X, bounds)
        attacked = np.clip(attacked, *bounds)
    scores = class_scores(model, attacked)
    every = np.arange(scores.shape[0])
    kept = scores[every, contest.own].copy()
    scores[every, contest.own] = -np.inf
    return float((kept > scores.max(axis=1)).mean())


def _ascent(model: LinearClassifier, contest: Contest, loss: Loss | None) -> FloatArray:
    """Return the gradient of each input's loss, each feature up to a positive factor.

    It is the mean of w_k - w_y over rivals k, weighted by probability (cross-entropy) or all on
    the highest (margin). At each feature the weights are relative to the likeliest rival that
    differs from the label there, so that its sign survives however sure the model is.
    """
    rows, features = live_rows(model)
    logits = -contest.lead
    if loss == "margin":
        rivals = np.arange(logits.shape[1])
        logits = np.where(rivals == logits.argmax(axis=1)[:, None], 0.0, -np.inf)
    ascent = np.zeros_like(contest.X)
    every = np.arange(contest.own.size)
    for part, own, _ in label_blocks(every, contest.own, contest.own):
        change = rows - rows[own]
        says = np.where(change != 0, logits[part][:, :, None], -np.inf)
        likeliest = says.max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):  # -inf - -inf, where no rival differs
            share = np.where(np.isneginf(says), 0.0, np.exp(says - likeliest))
        ascent[np.ix_(part, features)] = np.einsum("icj,cj->ij", share, change)
    return ascent
