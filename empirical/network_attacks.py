"""How near flips of ReLU networks are, by attacks that see nothing but their logits.

foolbox attacks a torch module built from the record. Every point that it returns is scored again in
NumPy, by products written here: nothing of what certifies, nor `theory.networks.forward`, is used.
The search itself is that of `empirical.attack_search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from empirical.attack_methods import METHODS
from empirical.attack_search import as_task, keep_nearer, no_flips
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.validation import FloatArray, IntArray

# Without numba, and without a box.
_ATTACKS = ("l2_deepfool", "ddn", "linf_deepfool", "linf_pgd")


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkAttackResult:
    """The nearest flips that attacks found for n inputs.

    Kind of the distances: `upper`, each witnessed by a point that was checked.

    Parameters
    ----------
    distances : array, shape (n,)
        In `norm`; 0 where the input is already wrong or tied, nan where no flip was found.
    witnesses : array, shape (n, d)
        A point in the box, with a wrong label or a tie, at that distance; nan where there is none.
    status : array of str, shape (n,)
        "witnessed", "wrong" (the input already is) or "unknown".
    norm : float
        2 or inf.
    box : None or (lo, hi)
    """

    distances: FloatArray
    witnesses: FloatArray
    status: NDArray[np.str_]
    norm: float
    box: tuple[float, float] | None


class LogitsModule(torch.nn.Module):
    """The logits of a ReLU network in float64, (0, f) for a network with one output.

    Parameters
    ----------
    net : ReluNetwork
        Its linear units stay linear.
    unit : float
        The batch holds inputs divided by it.
    factors : array, shape (n,)
        Positive; the logits of each row are multiplied by its own.
    """

    factors: torch.Tensor

    def __init__(self, net: ReluNetwork, *, unit: float, factors: FloatArray) -> None:
        super().__init__()
        weights = [np.asarray(dense(W)) for W in net.weights]
        weights[0] = weights[0] * unit
        for j, (W, b, mask) in enumerate(zip_longest(weights, net.biases, net.relu)):
            self.register_buffer(f"weights_{j}", torch.from_numpy(W.T.copy()))
            self.register_buffer(f"biases_{j}", torch.from_numpy(b.copy()))
            self.register_buffer(f"relu_{j}", None if mask is None else torch.from_numpy(mask))
        self.register_buffer("factors", torch.from_numpy(factors[:, None].copy()))
        self.depth = net.depth
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, c) for inputs of shape (n, d)."""
        values = inputs
        for j in range(self.depth):
            values = values @ self.get_buffer(f"weights_{j}") + self.get_buffer(f"biases_{j}")
            if (mask := self._buffers[f"relu_{j}"]) is not None:
                values = torch.where(mask, values.relu(), values)
        if values.shape[1] == 1:
            values = torch.cat([torch.zeros_like(values), values], dim=1)
        return values * self.factors


@dataclass(frozen=True, kw_only=True, eq=False)
class _NetworkTarget:
    """A ReLU network, scored in NumPy."""

    net: ReluNetwork

    @property
    def dimension(self) -> int:
        return self.net.dimension

    @property
    def classes(self) -> IntArray:
        return self.net.classes

    def scores(self, points: FloatArray) -> FloatArray:
        return _scores(self.net, points)

    def module(self, *, unit: float, factors: FloatArray) -> torch.nn.Module:
        return LogitsModule(self.net, unit=unit, factors=factors)


def network_attack_distances(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    attacks: Sequence[str] = ("l2_deepfool", "ddn"),
    box: tuple[float, float] | None,
) -> NetworkAttackResult:
    """Return how far the best of some attacks has to move each input of a network.

    Kind: `upper`; every distance has its witness, checked in NumPy and pulled back towards its
    input by bisection. Where all attacks fail there is nan (unknown): that proves nothing.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
        The true labels: -1 and +1 for one output, 0..c-1 for more.
    attacks : sequence of {"l2_deepfool", "ddn"} or of {"linf_deepfool", "linf_pgd"}
        In this order, all of one norm: L2 or L∞. DDN and PGD start from what was found before.
    box : None or (lo, hi)
        Numbers, the same for each feature; inputs lie in it and witnesses stay in it.

    Returns
    -------
    NetworkAttackResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    foolbox 3.3, as in `empirical.attacks`. Deterministic: no attack starts at random.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> network_attack_distances(net, [[3.0], [-2.0]], [1, 1], box=None).distances.round(9).tolist()
    [2.0, 1.0]
    """
    norm = _norm_of(attacks)
    task = as_task(_NetworkTarget(net=net), X, y, box=box)
    flips = no_flips(task, norm)
    wrong = flips.sizes == 0
    for name in attacks:
        for points in METHODS[name].run(task, flips, METHODS[name].steps):
            keep_nearer(task, flips, points)
    status = np.select([wrong, np.isnan(flips.sizes)], ["wrong", "unknown"], "witnessed")
    return NetworkAttackResult(
        distances=flips.sizes, witnesses=flips.witnesses, status=status, norm=norm, box=box
    )


def _norm_of(attacks: Sequence[str]) -> float:
    norms = {METHODS[name].norm if name in _ATTACKS else -1.0 for name in attacks}
    if len(norms) != 1 or norms == {-1.0}:
        raise ValueError(
            f"attacks must be names of one norm among {', '.join(_ATTACKS)}; got {attacks!r}."
        )
    return norms.pop()


def _scores(net: ReluNetwork, points: FloatArray) -> FloatArray:
    """Return the scores (n, c) of points (n, d); (0, f) for a network with one output."""
    values = points
    for W, b, mask in zip_longest(net.weights, net.biases, net.relu):
        values = np.asarray((W @ values.T).T) + b
        if mask is not None:
            values = np.where(mask, np.maximum(values, 0.0), values)
    if values.shape[1] == 1:
        values = np.hstack([np.zeros_like(values), values])
    return np.asarray(values)
