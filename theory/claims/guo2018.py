"""Guo, Zhang, Zhang, Chen 2018: robustness of sparse linear classifiers (Theorem 3.1).

A binary classifier f(x) = w·x + b, labels -1 and +1, no box. Everything follows from moments of
the correctly classified part of each class: how large a part (prior times accuracy), the mean m_k
of its inputs, and the variance of its margin k f(x). Proofs: theory/proofs/guo2018.md.
"""

import numpy as np

from theory.claims.claim import Claim, Source
from theory.linear import LinearClassifier
from theory.linear.moments import (
    CorrectMoments,
    margin_means,
    markov_bound,
    norm_of_w,
    two_moment_bound,
)
from theory.validation import FloatArray, UnsupportedSettingError

_SIGNS = np.array([-1.0, 1.0])


def r_2_as_written(model: LinearClassifier, moments: CorrectMoments) -> float:
    """Return r_2 = t w·(m₊ - m₋) / (2 ‖w‖₂), where Theorem 3.1 says so.

    Kind: exact. t is the common accuracy.

    Raises
    ------
    UnsupportedSettingError
        If w = 0, or if priors or accuracies differ: see `r_2_general`.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), Theorem 3.1, first part.

    Examples
    --------
    >>> from theory.linear.moments import correct_moments
    >>> model = LinearClassifier(weights=[3.0, 4.0])
    >>> r_2_as_written(model, correct_moments(model, [[1.0, 0.0], [0.0, -1.0]], [1, -1]))
    0.7
    """
    for name in ("priors", "accuracies"):
        pair = getattr(moments, name)
        if abs(pair[1] - pair[0]) > 1e-12:
            raise UnsupportedSettingError(
                f"Theorem 3.1 needs equal {name}; got {pair[0]:.6g} and {pair[1]:.6g}:"
                " use r_2_general."
            )
    return r_2_unrestricted(model, moments)


def r_2_unrestricted(model: LinearClassifier, moments: CorrectMoments) -> float:
    """Return t w·(m₊ - m₋) / (2 ‖w‖₂) with t the overall accuracy, whatever the two accuracies.

    Kind: estimate. It misses r_2 by `r_2_hidden_term`.

    Raises
    ------
    UnsupportedSettingError
        If w = 0.

    Examples
    --------
    >>> from theory.linear.moments import correct_moments
    >>> model = LinearClassifier(weights=[4.0], bias=1.0)
    >>> moments = correct_moments(model, [[1.0], [2.0], [-1.0]], [1, 1, -1])
    >>> round(r_2_unrestricted(model, moments), 6)  # where r_2 is 1.416667
    1.25
    """
    along = _along(model, moments.means)
    return float(moments.shares.sum() * (along[1] - along[0]) / 2 / norm_of_w(model, 2))


def r_2_hidden_term(model: LinearClassifier, moments: CorrectMoments) -> float:
    """Return by how much `r_2_unrestricted` exceeds r_2.

    Kind: exact: -(P(+1 and correct) - P(-1 and correct)) times the signed distance of the
    midpoint of m₊ and m₋ from the boundary. So the theorem needs less than it assumes: either
    factor zero suffices.

    Raises
    ------
    UnsupportedSettingError
        If w = 0.

    Examples
    --------
    >>> from theory.linear.moments import correct_moments
    >>> model = LinearClassifier(weights=[4.0], bias=1.0)
    >>> moments = correct_moments(model, [[1.0], [2.0], [-1.0]], [1, 1, -1])
    >>> round(r_2_hidden_term(model, moments), 6)
    -0.166667
    """
    midpoint = _along(model, moments.means).mean() + model.bias[0]
    return float(-(moments.shares @ _SIGNS) * midpoint / norm_of_w(model, 2))


def r_2_general(model: LinearClassifier, moments: CorrectMoments) -> float:
    """Return r_2 for any priors and accuracies: sum_k P(k and correct) k f(m_k) / ‖w‖₂.

    Kind: exact.

    Raises
    ------
    UnsupportedSettingError
        If w = 0.

    Notes
    -----
    Our general form of Guo et al. 2018, Theorem 3.1: the terms in b cancel only for equal shares.

    Examples
    --------
    >>> from theory.linear.moments import correct_moments
    >>> model = LinearClassifier(weights=[4.0], bias=1.0)
    >>> moments = correct_moments(model, [[1.0], [2.0], [-1.0]], [1, 1, -1])
    >>> round(r_2_general(model, moments), 6)  # the mean of 5/4, 9/4 and 3/4
    1.416667
    """
    norm = norm_of_w(model, 2)
    return float(moments.shares @ margin_means(model, moments) / norm)


def no_effect() -> float:
    """Return the effect that sparsity has if it has none: the null of a trend, in its unit."""
    return 0.0


def clipping_counterexample() -> tuple[LinearClassifier, FloatArray, FloatArray, float]:
    """Return a classifier, inputs, labels and a budget where clipping breaks Markov's bound.

    One signal pixel, 0 for -1 and 1 for +1, of weight 1; a hundred pixels that are always 0, of
    weight ±.01. Within the box [0, 1] the latter cannot fall, so of ‖w‖₁ = 2 an attack commands
    only 1.5: margins of .5 survive eps = .3, while the bound says .5 / (.3 · 2) = .83.
    """
    weights = np.concatenate([[1.0], np.tile([0.01, -0.01], 50)])
    X = np.zeros((2, 101))
    X[1, 0] = 1.0
    return LinearClassifier(weights=weights, bias=-0.5), X, _SIGNS, 0.3


def _along(model: LinearClassifier, points: FloatArray) -> FloatArray:
    return np.asarray((model.weights @ points.T)[0])


def _source(place: str) -> Source:
    return Source(
        citation="Guo, Zhang, Zhang, Chen 2018",
        place=place,
        bibtex="""@inproceedings{guo2018sparse,
  author    = {Yiwen Guo and Chao Zhang and Changshui Zhang and Yurong Chen},
  title     = {Sparse {DNNs} with Improved Adversarial Robustness},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {31},
  year      = {2018},
  eprint    = {1810.09619}
}""",
    )


_LINEAR = ("binary linear classifier, w ≠ 0", "no box: attacked inputs may go anywhere")
_BALANCED = ("P(y = ±1) = 1/2", "the same accuracy t > 0 on both classes")

CLAIMS = (
    Claim(
        key="guo2018.r2",
        source=_source("Theorem 3.1, first part"),
        statement="r_2 = t w·(m₊ − m₋) / (2 ‖w‖₂)",
        form="identity",
        assumptions=(*_LINEAR, *_BALANCED),
        standing="proven",
        note="The proof needs only equal shares P(k and correct), or a boundary that halves the"
        " segment from m₋ to m₊.",
        predict=r_2_as_written,
    ),
    Claim(
        key="guo2018.r2-general",
        source=_source("Theorem 3.1, our general form"),
        statement="r_2 = Σ_k P(y = k, correct) k (w·m_k + b) / ‖w‖₂",
        form="identity",
        assumptions=_LINEAR,
        standing="proven",
        note="What equal shares hide is (P(+1, correct) − P(−1, correct)) f((m₊ + m₋)/2) / ‖w‖₂,"
        " with its term in b.",
        predict=r_2_general,
    ),
    Claim(
        key="guo2018.r2-unrestricted",
        source=_source("Theorem 3.1, first part, used without its assumptions"),
        statement="r_2 = t w·(m₊ − m₋) / (2 ‖w‖₂) with t the overall accuracy, for any classifier",
        form="identity",
        assumptions=_LINEAR,
        standing="refuted",
        note="Off by −(P(+1, correct) − P(−1, correct)) f((m₊ + m₋)/2) / ‖w‖₂: r_2_hidden_term.",
        predict=r_2_unrestricted,
    ),
    Claim(
        key="guo2018.rinf-markov",
        source=_source("Theorem 3.1, second part"),
        statement="r_inf(ε) ≤ Σ_k P(y = k, correct) k f(m_k) / (ε ‖w‖₁), which is"
        " t w·(m₊ − m₋) / (2 ε ‖w‖₁) for equal shares P(k, correct)",
        form="bound",
        assumptions=_LINEAR,
        standing="proven",
        note="Markov's inequality on the margin of the correctly classified, ε > 0. For unequal"
        " shares the paper's form is no bound.",
        predict=markov_bound,
    ),
    Claim(
        key="guo2018.rinf-two-moments",
        source=_source("Theorem 3.1, second part, sharpened by us"),
        statement="r_inf(ε) ≤ Σ_k P(y = k, correct) B(ε ‖w‖₁; mean, variance of the margin), with"
        " B(a) = 1 for a ≤ mean, mean/a up to mean + var/mean, var/(var + (a − mean)²) beyond",
        form="bound",
        assumptions=_LINEAR,
        standing="proven",
        note="The best bound that the two moments allow; never above Markov's.",
        predict=two_moment_bound,
    ),
    Claim(
        key="guo2018.rinf-clipped",
        source=_source("Theorem 3.1, second part, used with clipped pixels"),
        statement="r_inf(ε) ≤ t w·(m₊ − m₋) / (2 ε ‖w‖₁) when attacked inputs are clipped to a box",
        form="bound",
        assumptions=("binary linear classifier, w ≠ 0", "attacked inputs are clipped to [0, 1]"),
        standing="refuted",
        note="Signal weight 1, fifty weights .01 and fifty −.01 on pixels that are always 0,"
        " b = −1/2, ε = .3: half of these pixels cannot move the harmful way, and the bound .83"
        " meets r_inf = 1.",
        predict=markov_bound,
    ),
    Claim(
        key="guo2018.r2-held-out",
        source=_source("Theorem 3.1, our general form, on unseen inputs"),
        statement="r_2 from moments of one part of the data predicts the r_2 of another part: on"
        " average over random parts, the error is less than 10 % of r_2",
        form="equivalence",
        assumptions=(*_LINEAR, "both parts drawn alike", "the classifier saw neither"),
        standing="proven",
        note="The general form is a mean over inputs, hence the expected error is zero; single"
        " errors are of the size of both parts' sampling errors.",
        predict=r_2_general,
    ),
    Claim(
        key="guo2018.l2-sparsity",
        source=_source("linear classifiers, a reading of Theorem 3.1"),
        statement="the L2 robustness of linear classifiers does not depend on sparsity: halving"
        " the number of weights at equal accuracy changes r_2 by less than 5 %",
        form="equivalence",
        assumptions=(*_LINEAR, "accuracy within 3 points of the best of the family"),
        standing="open",
        note="Theorem 3.1 only says that r_2 depends on (w, b) through (w, b) / ‖w‖₂.",
        predict=no_effect,
    ),
    Claim(
        key="guo2018.linf-sparsity",
        source=_source("linear classifiers, a reading of Theorem 3.1"),
        statement="the Linf robustness of linear classifiers gains from sparsity: halving the"
        " number of weights at equal accuracy raises r_inf(ε), on average over families, for an ε"
        " that costs a typical classifier about half its accuracy",
        form="trend",
        assumptions=(*_LINEAR, "accuracy within 3 points of the best of the family"),
        standing="open",
        note="The bound falls with ‖w‖₁; that r_inf follows it is not in the theorem.",
        predict=no_effect,
    ),
)
