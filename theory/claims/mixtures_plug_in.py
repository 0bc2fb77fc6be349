"""Margins that are not Gaussian, or known by a sample only: what formulas for Gaussian ones miss.

The formulas are those of `theory.mixtures`; proofs: theory/proofs/plug_in.md.
"""

from theory.claims.claim import Claim, Source
from theory.mixtures import accuracy_after_drop, gaussian_error, smoothed_error, student_accuracy

_CANTELLI = Source(
    citation="Cantelli 1928",
    place="the one-sided inequality",
    bibtex="""@inproceedings{cantelli1928sui,
  author    = {Francesco Paolo Cantelli},
  title     = {Sui confini della probabilità},
  booktitle = {Atti del Congresso Internazionale dei Matematici},
  volume    = {6},
  pages     = {47--59},
  year      = {1928}
}""",
)
_MASSART = Source(
    citation="Massart 1990",
    place="corollary 1; the term of the bandwidth by our proof",
    bibtex="""@article{massart1990tight,
  author  = {Pascal Massart},
  title   = {The Tight Constant in the {Dvoretzky-Kiefer-Wolfowitz} Inequality},
  journal = {The Annals of Probability},
  volume  = {18},
  pages   = {1269--1283},
  year    = {1990}
}""",
)


def _ours(place: str) -> Source:
    return Source(
        citation="sparsebound",
        place=place,
        bibtex="@misc{sparsebound, title = {sparsebound}, note = {theory/proofs/plug_in.md}}",
    )


_FIXED = "(w, b) does not depend on the inputs predicted from or attacked"

CLAIMS = (
    Claim(
        key="mixtures.two-moments",
        source=_CANTELLI,
        statement="with the mean m_k and deviation s_k of each label's margin right, the Gaussian"
        " formula misses Pr(margin > t) by at most Σ_k P(y = k) g((m_k − t) / s_k) with"
        " g(a) = Φ(|a|) − a²/(1 + a²): at most .541",
        form="bound",
        assumptions=("margins of finite variance", "no box", _FIXED),
        standing="proven",
        note="Reached, but for any small amount, by margins of two values: mean and variance alone"
        " promise no more. For one label g is sharp; for two that stand on different sides of t the"
        " prediction is sharper than g.",
        predict=gaussian_error,
    ),
    Claim(
        key="mixtures.student",
        source=_ours("part 3"),
        statement="if noise is Student's t in d dimensions with ν > 2 degrees of freedom,"
        " robust accuracy at ε is Σ_k P(y = k) F_ν(√(ν/(ν−2)) (m_k − ε‖w‖_*)/s_k), F_ν the"
        " distribution function of Student's t: up to 1/2 (as ν → 2) above the Gaussian formula",
        form="identity",
        assumptions=("x = μ_y + √(ν − 2) L g / √χ²_ν, g ~ N(0, I)", "no box", _FIXED),
        standing="proven",
        note="The error is .005 at ν = 30, .038 at 5, .087 at 3 and .195 at 2.2.",
        predict=student_accuracy,
    ),
    Claim(
        key="mixtures.smoothed",
        source=_MASSART,
        statement="whatever the tails, the share of n margins above t, each smoothed to"
        " N(margin, h²), is at every t within √(log(2/δ)/(2n)) + √(2/π) h sup f of"
        " Pr(margin > t), with probability 1 − δ",
        form="bound",
        assumptions=(
            "margins independent draws of one law with a density f",
            "h chosen without them",
            "no box",
            _FIXED,
        ),
        standing="proven",
        note="No moment has to exist. The code's h is chosen by the sample, and margins of"
        " cross-fitting are not independent: there it is a rule of thumb.",
        predict=smoothed_error,
    ),
    Claim(
        key="mixtures.unseen-margins",
        source=_ours("part 6"),
        statement="the Gaussian formula with the moments of cross-fitted margins of the training"
        " half predicts robust accuracy on the other half within 5 points, as a mean over budgets,"
        " on real data",
        form="equivalence",
        assumptions=(
            "L1 logistic regression",
            "each input's margin by a classifier that has not seen it, in units of its dual norm",
            "no box",
        ),
        standing="open",
        note="Errors of opposite signs at different budgets cancel in a mean; the largest gap of"
        " one split is that of two samples of one law, some 6 to 10 points.",
        predict=accuracy_after_drop,
    ),
    Claim(
        key="mixtures.seen-margins",
        source=_ours("part 6"),
        statement="moments of the margins of the very inputs that a classifier was trained on"
        " predict too much robust accuracy",
        form="trend",
        assumptions=("x | y ~ N(±μ, I)", "L1 logistic regression", "no box"),
        standing="open",
        note="By some 5 points, as a mean over budgets, at half a feature an input, and 13 at 16.",
        predict=accuracy_after_drop,
    ),
)
