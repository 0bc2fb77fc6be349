"""Gaussian classes: closed forms, and the classifiers that no attack budget can beat.

The formulas are those of `theory.mixtures`; proofs: theory/proofs/mixtures.md.
"""

from theory.claims.claim import Claim, Source
from theory.mixtures import accuracy_after_drop, r_2, robust_accuracy, robust_bayes_accuracy

_DOBRIBAN = Source(
    citation="Dobriban, Hassani, Hong, Robey 2020",
    place="two-class Gaussian model",
    bibtex="""@misc{dobriban2020provable,
  author = {Edgar Dobriban and Hamed Hassani and David Hong and Alexander Robey},
  title  = {Provable tradeoffs in adversarially robust classification},
  year   = {2020},
  eprint = {2006.05161}
}""",
)
BHAGOJI = Source(
    citation="Bhagoji, Cullina, Mittal 2019",
    place="Gaussian classes; any prior by our proof",
    bibtex="""@inproceedings{bhagoji2019lower,
  author    = {Arjun Nitin Bhagoji and Daniel Cullina and Prateek Mittal},
  title     = {Lower Bounds on Adversarial Robustness from Optimal Transport},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {32},
  year      = {2019}
}""",
)
_GAUSSIAN = ("x | y ~ N(μ_y, Σ)", "no box")

CLAIMS = (
    Claim(
        key="mixtures.robust-accuracy",
        source=_DOBRIBAN,
        statement="robust accuracy of (w, b) at ε is"
        " Σ_k P(y = k) Φ((k (w·μ_k + b) − ε ‖w‖_*) / √(wᵀΣw))",
        form="identity",
        assumptions=(*_GAUSSIAN, "(w, b) does not depend on the inputs attacked"),
        standing="proven",
        note="Exact for L2 and Linf alike, whatever (w, b), prior and Σ.",
        predict=robust_accuracy,
    ),
    Claim(
        key="mixtures.r2",
        source=_DOBRIBAN,
        statement="r_2 = Σ_k P(y = k) (a_k Φ(a_k/s) + s φ(a_k/s)) / ‖w‖₂ with a_k = k (w·μ_k + b)"
        " and s = √(wᵀΣw)",
        form="identity",
        assumptions=(*_GAUSSIAN, "w ≠ 0", "(w, b) does not depend on the inputs attacked"),
        standing="proven",
        note="The mean of the positive part of a Gaussian margin; ours.",
        predict=r_2,
    ),
    Claim(
        key="mixtures.robust-bayes",
        source=BHAGOJI,
        statement="no classifier has a higher robust accuracy at ε than the linear one with"
        " w = Σ⁻¹(μ − z), z the point of the ε-ball nearest to μ = (μ₊ − μ₋)/2 in Σ⁻¹'s metric:"
        " a ridge for L2, soft thresholding (a sparse w) for Linf and diagonal Σ",
        form="bound",
        assumptions=(*_GAUSSIAN, "one Σ for both classes, nonsingular"),
        standing="proven",
        note="Holds for every classifier and every prior; more ε need not mean a sparser w.",
        predict=robust_bayes_accuracy,
    ),
    Claim(
        key="mixtures.plug-in",
        source=_DOBRIBAN,
        statement="the Gaussian formula with the mean and variance of the margin on one half of the"
        " data predicts Linf robust accuracy on the other half within 3 points, on real data",
        form="equivalence",
        assumptions=("binary linear classifier", "no box"),
        standing="open",
        note="Margins of real data are neither Gaussian nor of one variance.",
        predict=accuracy_after_drop,
    ),
)
