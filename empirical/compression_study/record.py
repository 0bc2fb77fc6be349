"""What the compression study writes down of one network, and how much of the study is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from theory.certify.bounds import DistanceBounds
from theory.validation import FloatArray

BoolArray = NDArray[np.bool_]
TrainedBy = Literal["natural", "adversarial"]

# L∞ budgets of attacks and certificates, in the box below; the last is that of the adversary.
EPS: tuple[float, ...] = (0.05, 0.1)
BOX = (0.0, 1.0)
MLP, CNN = "64-20-10", "CNN"


@dataclass(frozen=True, kw_only=True, eq=False)
class CompressionCell:
    """One pruned network, and what is known of its robustness on inputs it has not seen.

    Parameters
    ----------
    seed : int
        Number of the split, of the initial weights and of the order of inputs: cells of one model
        and seed share them, but for weights that tickets draw anew.
    model : str
        MLP, of one hidden layer, or CNN, of two convolutions.
    trained : "natural" or "adversarial"
        The second: half of the loss is that of inputs moved by a sign-gradient step of max(EPS).
    family : str
        How weights were chosen and trained on: a name in empirical.pruning.SCHEMES, pruned step by
        step; or "ticket original", "ticket random", "ticket none" for lottery tickets by what
        their weights were reset to.
    level : int
        Number of its compression in the family, from 0, which is dense.
    compression : float
        All weights over weights kept, as counted. Exact.
    trained_on : int
        Inputs of the training part.
    correct : array of bool, shape (n,)
        Whether each attacked input is classified correctly. Exact.
    eps : array, shape (k,)
        L∞ budgets; attacked inputs stay in the box [0, 1].
    fgsm : array of bool, shape (k, n)
        Whether inputs survive one sign-gradient step. Kind of the mean: upper.
    survived : array of bool, shape (k, n)
        Whether they survive that and PGD. Kind of the mean: upper.
    certified : array, shape (k,)
        Share of the same inputs proven robust by CROWN in the box; nan for convolutional networks,
        of which it proves little in much time. Kind: lower.
    distances : DistanceBounds or None
        L2, without a box, of the first m inputs, by branch and bound: exact where its status says
        so. None where distances are not asked for.
    deepfool : array, shape (m,), or None
        Of the same by DeepFool, without a box: 0 where wrong, inf where none was found. Kind:
        upper.
    flips : mapping of str to array, shape (n,)
        By norm, "L0" and "L2": how far the flips are that attacks find in the box, 0 where wrong,
        nan where none was found, which proves nothing. Kind: upper; L0 counts features, and 1 is
        exact. Empty for networks of one hidden layer.
    """

    seed: int
    model: str
    trained: TrainedBy
    family: str
    level: int
    compression: float
    trained_on: int
    correct: BoolArray
    eps: FloatArray
    fgsm: BoolArray
    survived: BoolArray
    certified: FloatArray
    distances: DistanceBounds | None = None
    deepfool: FloatArray | None = None
    flips: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The share of the n inputs classified correctly."""
        return float(self.correct.mean())

    @property
    def test_to_train(self) -> float:
        """Attacked inputs over inputs trained on, which intervals over seeds are widened by."""
        return self.correct.size / self.trained_on


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of the study is done.

    Parameters
    ----------
    seeds : int
        Splits of the digits, each with initial weights of its own, at least 2 for an interval and
        3 for a verdict.
    inputs : int
        Test inputs that are attacked and certified.
    searched : int
        How many of them have their exact distances searched for.
    convolutions : int
        Splits on which convolutional networks are pruned by all nine schemes, none or at least 2,
        and 3 for a verdict; all their inputs are attacked in L0 and L2 as well.
    epochs : int
        Passes over the training part at each level.

    Raises
    ------
    ValueError
        If there is too little of one.
    """

    seeds: int
    inputs: int = 200
    searched: int = 24
    convolutions: int = 0
    epochs: int = 15

    def __post_init__(self) -> None:
        if self.seeds < 2 or self.convolutions == 1 or self.convolutions < 0:
            raise ValueError(
                "seeds must be at least 2, and convolutions 0 or at least 2; got"
                f" {self.seeds} and {self.convolutions}."
            )
        if not 1 <= self.searched <= self.inputs or self.epochs < 1:
            raise ValueError(
                "searched must be in [1, inputs] and epochs at least 1; got"
                f" {self.searched} of {self.inputs}, and {self.epochs}."
            )


QUICK, DEFAULT, FULL = (
    Plan(seeds=3, inputs=100, searched=6, epochs=10),
    Plan(seeds=6, searched=16),
    Plan(seeds=24, convolutions=6),
)
