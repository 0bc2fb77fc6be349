"""Networks pruned at random: margin over local gradient, of which Guo et al. 2018 do not speak.

R = |g(x)| / ‖∇g(x)‖, L2, of one output or of the difference of two: the distance from x to where
the linearised g is zero. Theorem 3.2 bounds ‖∇g‖ from above; that the gradient falls says nothing
of R. Proofs: theory/proofs/ratio_law.md.
"""

from dataclasses import replace

from theory.claims import guo2018
from theory.claims.claim import Claim
from theory.initialised import (
    expected_squares,
    fixed_pattern_margin_slope,
    gaussian_margin_slope,
    ratio_cdf,
)

_SOURCE = replace(guo2018.CLAIMS[0].source, place="beside Theorem 3.2, by us")
_FREE = "ReLU network without biases, its depth fixed"
_DRAWN = "weights are drawn independently of the input, those of a layer from one law"
_ZERO = "of mean zero, with a finite fourth moment"
_MASKS = "each weight of layer j is kept by itself, with probability ρ_j"
_WIDE = (
    "d and all widths grow, ρ_j n_{j−1} → ∞ for every layer, and ‖x‖₄⁴ / (ρ_1 ‖x‖₂⁴) → 0: x is"
    " spread over many inputs"
)
_SAME_LAW = "the law of R √d / ‖x‖ tends to that of |N(0, 1)|, which no density is in"

CLAIMS = (
    Claim(
        key="guo2018.ratio-law",
        source=_SOURCE,
        statement="over weights and masks, " + _SAME_LAW,
        form="limit",
        assumptions=(_FREE, _DRAWN, _ZERO, _MASKS, _WIDE),
        standing="proven",
        note="Pruning at random before training moves no margin, measured in gradients. What has"
        " to be large is the number of weights that a unit keeps; where outputs are dead, R is 0/0,"
        " and the distance of the laws is at least P(dead), theory.initialised.dead_probability."
        " For symmetric laws and a fixed d the limit is ‖x‖ |u_1|, u uniform on the sphere.",
        predict=ratio_cdf,
    ),
    Claim(
        key="guo2018.ratio-moments",
        source=_SOURCE,
        statement="E g² / E ‖∇g‖² = ‖x‖² / d at every width, depth and density",
        form="identity",
        assumptions=(
            _FREE,
            _DRAWN,
            "of a law that is symmetric and has no atoms",
            _MASKS,
            "x has no zeros",
        ),
        standing="proven",
        note="Mean zero is not enough: weights 2 and −1 with 1/3 and 2/3, one hidden unit,"
        " x = (1, 1), give 5/7 instead of 1; random signs give 2.",
        predict=expected_squares,
    ),
    Claim(
        key="guo2018.ratio-fixed",
        source=_SOURCE,
        statement="for any weights drawn once, over masks alone, " + _SAME_LAW,
        form="limit",
        assumptions=(_FREE, _DRAWN, _ZERO, _MASKS, _WIDE),
        standing="refuted",
        note="With nothing pruned R is one number: no law without atoms is nearer to it than 1/2,"
        " at any width. What holds of fresh networks says nothing of a given one.",
        predict=ratio_cdf,
    ),
    Claim(
        key="guo2018.ratio-mean",
        source=_SOURCE,
        statement="over weights and masks, with weights of mean m / √fan-in times their deviation, "
        + _SAME_LAW,
        form="limit",
        assumptions=(_FREE, _DRAWN, "with a finite fourth moment", _MASKS, _WIDE),
        standing="refuted",
        note="The limit depends on m √ρ; with one hidden layer it is"
        " theory.initialised.shifted_ratio_cdf. At x = (1, …, 1) and m = 2 the two laws are more"
        " than 1/2 apart at ρ = 1.",
        predict=ratio_cdf,
    ),
    Claim(
        key="guo2018.ratio-pattern",
        source=_SOURCE,
        statement="of a given network whose units masks do not turn, |E c·g| / √E‖∇ c·g‖² is at"
        " most what it is with nothing pruned, for every form c of the outputs",
        form="bound",
        assumptions=("network without biases", "any weights", _MASKS, "no mask turns a unit"),
        standing="proven",
        note="It falls with each density. Biases break it: of x + b it is (ρ x + b) / √ρ.",
        predict=fixed_pattern_margin_slope,
    ),
    Claim(
        key="guo2018.over-sparsification",
        source=_SOURCE,
        statement="over inputs and masks, mean margin / root mean squared gradient of a trained"
        " network with its hidden layers pruned at random, and not trained on, is lower the fewer"
        " weights are left, down to where one in five is: it does not rise before it collapses",
        form="trend",
        assumptions=(
            "ten digits, small networks, inputs not seen in training",
            "margins over the best other label of the dense network",
        ),
        standing="open",
        note="Proven where units stay as they are and without biases: guo2018.ratio-pattern."
        " theory.initialised.gaussian_margin_slope predicts the curve from the weights. Further"
        " down biases are all that is left. Of pruning by size, or with training in between, it"
        " says nothing.",
        predict=gaussian_margin_slope,
    ),
)
