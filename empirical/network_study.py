"""Small networks on digits, pruned by magnitude: what is certified, exact and attacked, as tables.

Every table says of each bound its kind: lower, exact or upper; of distances also norm and box.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neural_network import MLPClassifier

from empirical.data import Part, digits, split
from empirical.lowering import network_from_estimator
from empirical.network_attacks import network_attack_distances
from theory.certify import METHODS, certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.lipschitz import (
    eclipse,
    frobenius_product,
    lipsdp_neuron,
    path_norm,
    sampled_bound,
    spectral_product,
)
from theory.networks import ReluNetwork, class_scores
from theory.networks.arrays import dense
from theory.validation import FloatArray, as_budget

CERTIFICATES = tuple(method for method in METHODS if method != "best")
_KINDS = dict.fromkeys(CERTIFICATES, "lower") | {"exact": "exact", "attack": "upper"}
# The columns of a distance table, by what finds the number; each is named with its kind.
COLUMNS = {what: what if what == kind else f"{what} {kind}" for what, kind in _KINDS.items()}
_SETTING: Mapping[str, Any] = {"norm": 2, "box": "none"}
Row = dict[str, Any]

_EPOCHS, _RETRAINED, _BATCH = 60, 20, 200  # scikit-learn takes a batch of 200 in one step
_STARTS, _ROUNDS = 40, 4  # of the ascent to steep gradients
# Bounds of one number come from different computations, each rounded.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class PrunedNetwork:
    """A network with the given share of its weights left, and its accuracy.

    Parameters
    ----------
    net : ReluNetwork
    density : float
        The share kept of the weights, those of all layers together; biases are all kept.
    retrained : bool
        Whether the weights left were trained on after pruning. True for density 1.
    accuracy : float
        On all test inputs.
    """

    net: ReluNetwork
    density: float
    retrained: bool
    accuracy: float


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkStudy:
    """One trained network, what pruning makes of it, and inputs that it has not seen.

    Parameters
    ----------
    name : str
    networks : tuple of PrunedNetwork
        From dense to sparse; the first is the one trained.
    test : Part
    """

    name: str
    networks: tuple[PrunedNetwork, ...]
    test: Part

    def at(self, density: float, *, retrained: bool = True) -> PrunedNetwork:
        """Return the network of a density; ValueError if the study has none."""
        for one in self.networks:
            if (one.density, one.retrained) == (density, retrained):
                return one
        listed = ", ".join(f"{one.density:g}" for one in self.networks if one.retrained)
        raise ValueError(f"density must be one of {listed}; got {density}.")


def digits_networks(
    densities: Sequence[float] = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05),
    *,
    hidden: tuple[int, ...] = (20, 20),
    seed: int = 0,
) -> NetworkStudy:
    """Return a network trained on the ten digits, and pruned: left so, and trained on.

    The smallest weights of all layers become zero: at once; and, for those trained on, step by
    step, density by density, the zeros staying zero while the others are trained.

    Parameters
    ----------
    densities : sequence of float, in (0, 1]
        Falling, from 1.
    hidden : tuple of int
        Units of the hidden layers.
    seed : int

    Raises
    ------
    ValueError
        If the densities are not falling from 1, or one is not positive.

    Examples
    --------
    >>> study = digits_networks((1.0, 0.1), hidden=(5,))
    >>> [(one.density, one.retrained) for one in study.networks]
    [(1.0, True), (0.1, False), (0.1, True)]
    """
    kept = np.asarray(densities, dtype=np.float64)
    if kept.size == 0 or kept[0] != 1 or (np.diff(kept) >= 0).any() or not (kept > 0).all():
        raise ValueError(f"densities must fall from 1 and be positive; got {list(densities)}.")
    rng = np.random.default_rng(seed)
    parts = split(digits(), rng=rng)
    model = MLPClassifier(hidden, alpha=1e-3, learning_rate_init=5e-3, random_state=seed)
    for _ in range(_EPOCHS):
        model.partial_fit(*parts.train, classes=np.unique(parts.train.y))
    networks = [_lowered(model, parts.test, 1.0, True)]
    retrained = deepcopy(model)
    for density in kept[1:].tolist():
        at_once = deepcopy(model)
        _masked(at_once, _largest(at_once.coefs_, density))
        networks.append(_lowered(at_once, parts.test, density, False))
        _retrain(retrained, parts.train, _largest(retrained.coefs_, density), rng)
        networks.append(_lowered(retrained, parts.test, density, True))
    name = "-".join(map(str, (parts.test.X.shape[1], *hidden, model.n_outputs_)))
    return NetworkStudy(name=f"{name} on digits", networks=tuple(networks), test=parts.test)


def distance_table(
    net: ReluNetwork, X: ArrayLike, y: ArrayLike, *, time_limit: float = 1.0
) -> list[Row]:
    """Return for each input what is known of its L2 distance to the nearest flip, without a box.

    Kind: the last word of each column: lower, proven, for certificates and "search lower"; exact,
    nan where the search did not end in time; upper, witnessed, for "search upper" and for "attack
    upper", inf where no flip was found. All are 0 where the input is wrong already.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
    time_limit : float, positive
        Seconds of the exact search for each input, which starts without the attack's points.

    Raises
    ------
    TypeError, ValueError
        If the inputs do not fit the network; if a proven bound exceeds a witnessed one, so that
        one of them is wrong.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> (row,) = distance_table(net, [[3.0]], [1])
    >>> [round(row[what], 3) for what in ("crown lower", "exact", "attack upper")]
    [2.0, 2.0, 2.0]
    """
    columns: dict[str, Any] = {"input": range(np.size(y)), "label": y}
    columns |= {name: [value] * np.size(y) for name, value in _SETTING.items()}
    for method in CERTIFICATES:
        columns[COLUMNS[method]] = certified_radius(net, X, y, method=method).lower
    found = exact_distance(net, X, y, time_limit=time_limit)
    columns["exact"] = np.where(found.status == "exact", found.upper, np.nan)
    columns |= {"search lower": found.lower, "search upper": found.upper}
    attacked = network_attack_distances(net, X, y, box=None)
    columns[COLUMNS["attack"]] = np.where(attacked.status == "unknown", np.inf, attacked.distances)
    columns["correct"] = attacked.status != "wrong"
    _refuse_crossed(columns)
    values = [np.asarray(column).tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def accuracy_table(rows: Sequence[Mapping[str, Any]], eps: ArrayLike) -> list[Row]:
    """Return from a distance table the accuracy that each method proves, or leaves, at budgets.

    Kind: each row says it: lower, proven; exact, if every search ended; or upper, by attack. It is
    of the accuracy on these inputs under L2 moves of at most eps, without a box.

    Parameters
    ----------
    rows : sequence of mapping
        As of `distance_table`.
    eps : array, shape (k,)

    Raises
    ------
    ValueError
        If there are no rows, or a budget is negative.

    Examples
    --------
    >>> row = {"correct": True} | dict.fromkeys(COLUMNS.values(), 0.5) | {"attack upper": 1.0}
    >>> {found["what"]: found["accuracy"] for found in accuracy_table([row], [0.7])}["attack"]
    1.0
    """
    if not rows:
        raise ValueError("rows must hold at least one input; got none.")
    budgets = as_budget(eps)
    right = np.array([row["correct"] for row in rows])
    found = []
    for what, kind in _KINDS.items():
        reach = np.array([row[COLUMNS[what]] for row in rows])[:, None]
        if np.isnan(reach).any():
            continue
        # A certificate holds at its radius; at an exact or an attack's distance is a flip.
        holds = reach >= budgets if kind == "lower" else reach > budgets
        accuracy = (right[:, None] & holds).mean(axis=0)
        found += [
            {"what": what, "kind": kind, **_SETTING, "eps": float(e), "accuracy": float(a)}
            for e, a in zip(budgets, accuracy, strict=True)
        ]
    return found


def lipschitz_table(study: NetworkStudy, *, rng: np.random.Generator) -> list[Row]:
    """Return bounds on the L2 Lipschitz constant of each network of a study, all outputs together.

    Kind: each row says it: upper, proven, or lower, from a gradient.
    """
    found = []
    for one in study.networks:
        net = one.net
        bounds = {
            "Frobenius product": frobenius_product(net),
            "path norm": path_norm(net, norm=2),
            "spectral product": spectral_product(net),
            "ECLipsE": eclipse(net),
            "LipSDP-Neuron": lipsdp_neuron(net),
            "sampled": sampled_bound(net, study.test.X[:_STARTS], rng, rounds=_ROUNDS),
        }
        same = {"density": one.density, "retrained": one.retrained, "accuracy": one.accuracy}
        same["weights"] = sum(int(np.count_nonzero(dense(W))) for W in net.weights)
        found += [
            {**same, "what": what, "kind": bound.kind, "constant": bound.value}
            for what, bound in bounds.items()
        ]
    return found


def _masked(model: Any, masks: Sequence[NDArray[np.bool_]]) -> None:
    model.coefs_ = [W * mask for W, mask in zip(model.coefs_, masks, strict=True)]


def _retrain(
    model: Any, part: Part, masks: Sequence[NDArray[np.bool_]], rng: np.random.Generator
) -> None:
    """Train on, in place, the weights in the masks; the others are zero at every step."""
    _masked(model, masks)
    for _ in range(_RETRAINED):
        order = rng.permutation(part.y.size)
        for start in range(0, order.size, _BATCH):
            rows = order[start : start + _BATCH]
            model.partial_fit(part.X[rows], part.y[rows])
            _masked(model, masks)


def _largest(matrices: Sequence[FloatArray], density: float) -> list[NDArray[np.bool_]]:
    """Return masks of the share of all entries, those of all layers together, largest in size."""
    sizes = np.abs(np.concatenate([W.ravel() for W in matrices]))
    kept = np.zeros(sizes.size, dtype=bool)
    kept[np.argsort(-sizes, kind="stable")[: max(1, round(density * sizes.size))]] = True
    parts = np.split(kept, np.cumsum([W.size for W in matrices])[:-1])
    return [part.reshape(W.shape) for part, W in zip(parts, matrices, strict=True)]


def _lowered(model: Any, test: Part, density: float, retrained: bool) -> PrunedNetwork:
    net = network_from_estimator(model).net
    accuracy = float((net.classes[class_scores(net, test.X).argmax(axis=1)] == test.y).mean())
    return PrunedNetwork(net=net, density=density, retrained=retrained, accuracy=accuracy)


def _refuse_crossed(columns: Row) -> None:
    """Raise ValueError if a proven lower bound exceeds a witnessed upper one by more than rounding.

    The searches do not know of each other: this is a check of all of them.
    """
    for low in (*(COLUMNS[method] for method in CERTIFICATES), "search lower"):
        for high in ("search upper", COLUMNS["attack"]):
            crossed = columns[low] > columns[high] * (1 + _ROUNDING) + _ROUNDING
            if crossed.any():
                i = int(np.argmax(crossed))
                raise ValueError(
                    f"{low} must not exceed {high}; got {columns[low][i]} > {columns[high][i]}"
                    f" for input {i}."
                )
