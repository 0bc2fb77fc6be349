"""Before training: what the limit of many features says. Proofs: theory/proofs/asymptotics.md."""

from theory.asymptotics import best_strength, predict
from theory.claims.claim import Claim, Source

_MIXTURES = Source(
    citation="Mignacco, Krzakala, Lu, Urbani, Zdeborová 2020",
    place="Theorem 1, the L2 penalty; Salehi et al. 2019 for L1",
    bibtex="""@inproceedings{mignacco2020role,
  author = {Mignacco, Francesca and Krzakala, Florent and Lu, Yue and Urbani, Pierfrancesco and
    Zdeborov{\\'a}, Lenka},
  title = {The Role of Regularization in Classification of High-dimensional Noisy {G}aussian
    Mixture},
  booktitle = {International Conference on Machine Learning},
  year = {2020},
  eprint = {2002.11544}
}
@inproceedings{salehi2019impact,
  author = {Salehi, Fariborz and Abbasi, Ehsan and Hassibi, Babak},
  title = {The Impact of Regularization on High-dimensional Logistic Regression},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
  eprint = {1906.03761}
}""",
)
_ADVERSARIAL = Source(
    citation="Javanmard, Soltanolkotabi 2022",
    place="precise statistical analysis of classification accuracies for adversarial training",
    bibtex="""@article{javanmard2022precise,
  author = {Javanmard, Adel and Soltanolkotabi, Mahdi},
  title = {Precise statistical analysis of classification accuracies for adversarial training},
  journal = {The Annals of Statistics},
  volume = {50},
  number = {4},
  year = {2022},
  eprint = {2010.11213}
}""",
)
_UNIVERSALITY = Source(
    citation="Montanari, Saeed 2022",
    place="universality of empirical risk minimization; of L1 and of robustness by us",
    bibtex="""@inproceedings{montanari2022universality,
  author = {Montanari, Andrea and Saeed, Basil N.},
  title = {Universality of empirical risk minimization},
  booktitle = {Conference on Learning Theory},
  year = {2022},
  eprint = {2202.08832}
}""",
)
_MODEL = ("x = y μ + z, labels balanced, z ~ N(0, I)", "no intercept", "no box")

CLAIMS = (
    Claim(
        key="asymptotics.training",
        source=_MIXTURES,
        statement="as n, d → ∞ with n/d fixed, accuracy, robust accuracy, r_2 and the share of"
        " nonzero weights of the minimiser of Σ loss + λ₁√d‖w‖₁ + λ₂d‖w‖²/2 tend to what five"
        " equations in five numbers give; at d features their means differ from it by at most"
        " .1/√d (r_2 relatively by .3/√d)",
        form="limit",
        assumptions=(*_MODEL, "logistic, squared or hinge loss", "a minimiser, one, not w = 0"),
        standing="open",
        note="Proven in the sources for some losses and penalties, derived by us for all of these;"
        " how near a finite d is, is measured.",
        predict=predict,
    ),
    Claim(
        key="asymptotics.adversarial",
        source=_ADVERSARIAL,
        statement="the same of adversarial training, for L2 budgets ε and L∞ budgets ε/√d, within"
        " twice as much: the loss sees margins lowered by ε‖w‖_*, the weights a penalty whose"
        " strength is the price of that drop",
        form="limit",
        assumptions=(*_MODEL, "logistic, squared or hinge loss", "a minimiser, one, not w = 0"),
        standing="open",
        note="For L2 it is training with a ridge that solves an equation of its own.",
        predict=predict,
    ),
    Claim(
        key="asymptotics.universality",
        source=_UNIVERSALITY,
        statement="the same limit holds for noise of independent entries ±1, within twice as much",
        form="limit",
        assumptions=("x = y μ + z, labels balanced, z = ±1 independently", "no intercept"),
        standing="open",
        note="A signal carried by few features is not: the margin is then no longer Gaussian where"
        " few weights are large. Independent entries of heavy tails approach slowly.",
        predict=predict,
    ),
    Claim(
        key="asymptotics.averaging",
        source=_MIXTURES,
        statement="no training that treats all directions alike, whatever its loss and L2 penalty,"
        " is more accurate on average than the mean w = Σ y x: the strongest penalty is best",
        form="bound",
        assumptions=(*_MODEL, "w(Qx, y) = Q w(x, y) for every rotation Q"),
        standing="proven",
        note="[A12]: turn μ at random; Σ y x is then all that the sample says of its direction, and"
        " the sign of x·Σ y x the likelier label. For every n and d, not only in the limit.",
        predict=best_strength,
    ),
    Claim(
        key="asymptotics.l1-beats-l2",
        source=_UNIVERSALITY,
        statement="at n = 2d and ‖μ‖ = 2, the L1 penalty at its best strength keeps more accuracy"
        " than L2 at its best, clean and under L2 and L∞ attacks, where one feature in twenty"
        " carries the signal; less where all do",
        form="trend",
        assumptions=(*_MODEL, "logistic loss", "strengths as the limit chooses them"),
        standing="open",
        note="In the limit the sign changes at density .1; L∞ attacks raise it, L2 ones do not.",
        predict=best_strength,
    ),
)
