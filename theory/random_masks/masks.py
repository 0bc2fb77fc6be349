"""How the weights of a network are pruned at random: the law of a layer's mask, and draws of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from theory.networks import ReluNetwork
from theory.networks.arrays import is_sparse
from theory.networks.network import as_network
from theory.validation import FloatArray, UnsupportedSettingError, as_finite

UNITS = ("weight", "row", "column")
Masks = Any  # a number, or one number or LayerMask a layer


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerMask:
    """The law of the mask that prunes one layer; layers are pruned independently of each other.

    Parameters
    ----------
    alpha : float in [0, 1]
        The probability that a weight is pruned; of a fixed share, that share.
    unit : {"weight", "row", "column"}
        What is pruned at once: a weight; the incoming weights of a unit (a neuron); the outgoing
        weights of a unit before the layer.
    groups : array of int, shape (rows,) or (columns,), optional
        Rows, or columns, with the same number are pruned together: a filter is a group of rows.
    fixed : bool
        Whether exactly the share alpha is pruned, drawn without replacement, of the weights that
        are not zero or of the groups; else each by itself.

    Raises
    ------
    TypeError, ValueError
        If alpha lies outside [0, 1], the unit is unknown, or groups are no integers of rows or
        columns.

    Examples
    --------
    >>> LayerMask(alpha=0.75, unit="row").density
    0.25
    """

    alpha: float
    unit: str = "weight"
    groups: Any = None
    fixed: bool = False

    def __post_init__(self) -> None:
        alpha = as_finite("alpha", self.alpha)
        if alpha.ndim or not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be a number in [0, 1]; got {self.alpha!r}.")
        object.__setattr__(self, "alpha", float(alpha))
        if self.unit not in UNITS:
            raise ValueError(f"unit must be one of {', '.join(UNITS)}; got {self.unit!r}.")
        if self.groups is not None:
            groups = np.array(self.groups)
            if self.unit == "weight" or groups.ndim != 1 or groups.dtype.kind not in "iu":
                raise ValueError(
                    "groups must be a vector of integers, of rows or of columns; got"
                    f" {groups.dtype} of shape {groups.shape} for unit {self.unit!r}."
                )
            object.__setattr__(self, "groups", groups)

    @property
    def density(self) -> float:
        """The probability that a weight is kept, rho."""
        return 1.0 - self.alpha

    @property
    def independent(self) -> bool:
        """Whether every weight is pruned by itself."""
        return self.unit == "weight" and (not self.fixed or self.alpha in {0.0, 1.0})


def as_layer_masks(net: ReluNetwork, masks: Masks) -> tuple[LayerMask, ...]:
    """Return one law a layer; a number stands for that alpha, alone for all layers.

    Raises
    ------
    TypeError, ValueError
        If net is no ReluNetwork; if there are not L laws; if groups do not fit a layer, or a fixed
        share of it is no whole number.
    """
    depth = as_network(net).depth
    if isinstance(masks, LayerMask) or np.ndim(masks) == 0:
        laws: Sequence[Any] = [masks] * depth
    else:
        laws = list(masks)
    if len(laws) != depth:
        raise ValueError(f"masks must be one a layer, {depth}; got {len(laws)}.")
    checked = tuple(m if isinstance(m, LayerMask) else LayerMask(alpha=m) for m in laws)
    for j, (W, mask) in enumerate(zip(net.weights, checked, strict=True)):
        _refuse_misfit(f"masks[{j}]", W, mask)
    return checked


def as_single_masks(net: ReluNetwork, masks: Masks) -> tuple[LayerMask, ...]:
    """Return one law a layer, under which every weight is pruned by itself.

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`.
    UnsupportedSettingError
        If a layer is pruned another way.
    """
    laws = as_layer_masks(net, masks)
    for j, law in enumerate(laws):
        if not law.independent:
            raise UnsupportedSettingError(
                f"every weight must be pruned by itself; got masks[{j}] with unit"
                f" {law.unit!r}, fixed={law.fixed}."
            )
    return laws


def densities(masks: tuple[LayerMask, ...]) -> FloatArray:
    """Return the density of each layer."""
    return np.array([mask.density for mask in masks])


def pair_probability(W: Any, mask: LayerMask) -> float:
    """Return the probability that two weights pruned apart from each other are both kept."""
    if not mask.fixed:
        return mask.density**2
    n = population(W, mask)
    kept = n - round(mask.alpha * n)
    return kept * (kept - 1) / (n * (n - 1)) if n > 1 else mask.density**2


def population(W: Any, mask: LayerMask) -> int:
    """Return how many things the mask keeps or prunes: weights that are not zero, or groups."""
    if mask.unit == "weight":
        return int(W.nnz if is_sparse(W) else np.count_nonzero(W))
    return int(np.unique(labels(W, mask)).size)


def labels(W: Any, mask: LayerMask) -> NDArray[np.intp]:
    """Return the group of each row, or column."""
    if mask.groups is not None:
        return np.asarray(mask.groups, dtype=np.intp)
    return np.arange(W.shape[0 if mask.unit == "row" else 1])


def masked_network(net: ReluNetwork, masks: Masks, rng: np.random.Generator) -> ReluNetwork:
    """Return the network with a mask drawn for each layer; biases stay.

    Kind: a draw from the law of the masks.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats or LayerMask
        A number is the probability that a weight is pruned, each by itself.
    rng : numpy.random.Generator

    Returns
    -------
    ReluNetwork
        Sparse layers stay sparse.

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`; if rng is no Generator.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]])
    >>> drawn = masked_network(net, [LayerMask(alpha=0.5, unit="row", fixed=True), 0.0],
    ...     np.random.default_rng(0))
    >>> drawn.weights[0].tolist()
    [[0.0, 0.0], [3.0, 4.0]]
    """
    laws = as_layer_masks(net, masks)
    weights = [drawn_weights(W, law, rng) for W, law in zip(net.weights, laws, strict=True)]
    return ReluNetwork(weights=weights, biases=net.biases, relu=net.relu)


def drawn_weights(W: Any, mask: LayerMask, rng: np.random.Generator) -> Any:
    """Return a layer's weights with a mask drawn for them."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; got {type(rng).__name__}.")
    if mask.unit == "weight":
        return _drawn_entries(W, mask, rng)
    group = np.unique(labels(W, mask), return_inverse=True)[1]
    kept = _kept(int(group.max()) + 1, mask, rng)[group].astype(np.float64)
    if is_sparse(W):
        around = (sp.diags_array(kept) @ W) if mask.unit == "row" else (W @ sp.diags_array(kept))
        pruned = sp.csr_array(around)
        pruned.eliminate_zeros()
        return pruned
    return W * (kept[:, None] if mask.unit == "row" else kept)


def _drawn_entries(W: Any, mask: LayerMask, rng: np.random.Generator) -> Any:
    if is_sparse(W):
        around = W.copy()  # zeros are taken out in place
        around.data *= _kept(W.nnz, mask, rng)
        around.eliminate_zeros()
        return around
    if not mask.fixed:
        return W * (rng.random(W.shape) < mask.density)
    pruned = W.copy()
    pruned[pruned != 0] *= _kept(int(np.count_nonzero(W)), mask, rng)
    return pruned


def _kept(n: int, mask: LayerMask, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of n things are kept."""
    if mask.fixed:
        return rng.permutation(n) >= round(mask.alpha * n)
    return np.asarray(rng.random(n) < mask.density)


def _refuse_misfit(name: str, W: Any, mask: LayerMask) -> None:
    side = W.shape[0 if mask.unit == "row" else 1]
    if mask.groups is not None and mask.groups.size != side:
        raise ValueError(f"{name} must group {side} {mask.unit}s; got {mask.groups.size}.")
    if mask.fixed:
        pruned = mask.alpha * population(W, mask)
        if abs(pruned - round(pruned)) > 1e-6:  # far above rounding, far below one
            raise ValueError(
                f"{name} must prune a whole number of the {population(W, mask)} there are;"
                f" got alpha={mask.alpha}."
            )
