"""Networks at initialisation: how near a change of sign is. Proofs: theory/proofs/ratio_law.md."""

from theory.claims.claim import Claim, Source
from theory.initialised import ratio_quantiles

_SOURCE = Source(
    citation="Daniely, Shacham 2020; Bubeck, Cherapanamjeri, Gidel, Tachet des Combes 2021",
    place="most ReLU networks suffer from ℓ2 adversarial perturbations; the constant is ours",
    bibtex="""@inproceedings{daniely2020most,
  author = {Daniely, Amit and Shacham, Hadas},
  title = {Most {ReLU} Networks Suffer from $\\ell^2$ Adversarial Perturbations},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {33},
  year = {2020}
}
@inproceedings{bubeck2021single,
  author = {Bubeck, S{\\'e}bastien and Cherapanamjeri, Yeshwanth and Gidel, Gauthier and
    {Tachet des Combes}, R{\\'e}mi},
  title = {A Single Gradient Step Finds Adversarial Examples on Random Two-Layers Neural Networks},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {34},
  year = {2021}
}""",
)
CLAIMS = (
    Claim(
        key="initialised.distance",
        source=_SOURCE,
        statement="of networks drawn and not trained, R has the median .674 ‖x‖ / √d, and a step"
        " of 2 R along the gradient changes the sign of g, in all but a share of networks that"
        " tends to 0",
        form="limit",
        assumptions=(
            "ReLU network without biases, its depth fixed",
            "weights are drawn independently of the input, normal, of mean zero",
            "d and all widths grow together",
        ),
        standing="open",
        note="The law of R is guo2018.ratio-law at ρ = 1. Of the sign, Bubeck et al. 2021 prove it"
        " for one hidden layer and one gradient step; deep and narrow networks fall behind.",
        predict=ratio_quantiles,
    ),
)
