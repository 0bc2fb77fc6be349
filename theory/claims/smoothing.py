"""What randomised smoothing certifies of linear classifiers, and what they have.

L2, no box. Proofs: theory/proofs/smoothing.md.
"""

import numpy as np
from numpy.typing import ArrayLike

from theory.claims.claim import Claim, Source
from theory.linear import LinearClassifier, flip_distance
from theory.validation import FloatArray


def exact_distance(model: LinearClassifier, X: ArrayLike) -> FloatArray:
    """Return what a certificate without sampling error is claimed to be: the exact L2 distance.

    Kind: exact, for the distance.

    Parameters
    ----------
    model : LinearClassifier
    X : array, shape (n, d)

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    TypeError, ValueError
        As `flip_distance`.

    Examples
    --------
    >>> exact_distance(LinearClassifier(weights=[3.0, 4.0], bias=-1.0), [[1.0, 2.0]]).tolist()
    [2.0]
    """
    return flip_distance(model, X, norm=2)


def linear_many_counterexamples() -> tuple[tuple[LinearClassifier, FloatArray, float], ...]:
    """Return two models of three labels, each with an input (1, 2) and a sigma.

    At the first the certificate is .80 and the distance 1: label 0 has a corner, and noise that
    falls beside it is lost to both rivals. At the second they are .45 and .3: label 0 is almost a
    half-plane, and its rivals share the other half.
    """
    corner = LinearClassifier(weights=[[0.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])
    shared = LinearClassifier(weights=[[0.0, 0.0], [20.0, -99.0], [-20.0, -99.0]])
    return (
        (corner, np.array([[1.0, 1.0]]), 1.0),
        (shared, np.array([[0.0, 101 / 330]]), 1.0),
    )


_BIBTEX = """@inproceedings{cohen2019certified,
  author    = {Jeremy Cohen and Elan Rosenfeld and J. Zico Kolter},
  title     = {Certified Adversarial Robustness via Randomized Smoothing},
  booktitle = {International Conference on Machine Learning},
  pages     = {1310--1320},
  year      = {2019},
  eprint    = {1902.02918}
}"""

CLAIMS = (
    Claim(
        key="smoothing.linear-binary",
        source=Source(
            citation="Cohen, Rosenfeld, Kolter 2019",
            place="Theorem 1 and appendix B",
            bibtex=_BIBTEX,
        ),
        statement="σ Φ⁻¹(p) = |w·x + b| / ‖w‖₂, where p = P(the label at x + δ is that at x) and"
        " δ ~ N(0, σ² I)",
        form="identity",
        assumptions=(
            "linear classifier of two labels",
            "no box",
            "p known, not estimated from samples",
        ),
        standing="proven",
        note="For every σ. Sampled, n draws certify no more than σ Φ⁻¹(level^(1/n)).",
        predict=exact_distance,
    ),
    Claim(
        key="smoothing.linear-many",
        source=Source(
            citation="folklore",
            place='"for linear classifiers smoothing certifies the exact distance"',
            bibtex="@misc{folklore, note = {a reading of Cohen et al. 2019, appendix B}}",
        ),
        statement="σ/2 (Φ⁻¹(pA) − Φ⁻¹(pB)) = min over k ≠ A of (m_A − m_k) / ‖w_A − w_k‖₂, where pA"
        " and pB are the largest and second largest of the probabilities of labels at x + δ,"
        " δ ~ N(0, σ² I), and m_k = w_k·x + b_k",
        form="identity",
        assumptions=(
            "linear classifier of three or more labels",
            "no box",
            "pA and pB known, not estimated from samples",
        ),
        standing="refuted",
        note="Either side can be larger: linear_many_counterexamples. The smoothed classifier is no"
        " longer the linear one. With pB = 1 − pA the certificate never exceeds the distance.",
        predict=exact_distance,
    ),
)
