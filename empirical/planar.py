"""A network of two inputs, small enough to draw: its data, and the cells on which it is linear."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from empirical.data import Part
from empirical.lowering import network_from_estimator
from empirical.network_attacks import network_attack_distances
from theory.certify import certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, activation_pattern, class_scores
from theory.networks.arrays import dense
from theory.validation import FloatArray

# A piece of less than this share of the window's area is rounding.
_SLIVER = 1e-12
# Scores that differ by less than this share of the largest one tie.
_TIE = 1e-9


class PlanarCell(NamedTuple):
    """A convex piece of the plane on which the same units are on and the same label wins.

    Attributes
    ----------
    corners : array, shape (k, 2)
        In order around it.
    pattern : array of bool, shape (units,)
        Which hidden units pass their input on, layer after layer.
    label : int
    """

    corners: FloatArray
    pattern: NDArray[np.bool_]
    label: int


class PlanarFlip(NamedTuple):
    """What is known of one input's L2 distance to another label, with the points that show it.

    Attributes
    ----------
    x : array, shape (2,)
    label : int
    certified : float
        Kind: lower, proven, by `method`.
    method : str
    exact : float
        Kind: exact.
    nearest : array, shape (2,)
        A point at the exact distance.
    attacked : float
        Kind: upper.
    found : array, shape (2,)
        The attack's point, at that distance.
    """

    x: FloatArray
    label: int
    certified: float
    method: str
    exact: float
    nearest: FloatArray
    attacked: float
    found: FloatArray


def pinwheel(n: int, *, rng: np.random.Generator) -> Part:
    """Return n points of three curved arms around the origin, within about 2 of it; labels 0..2."""
    y = rng.integers(3, size=n)
    radius = rng.uniform(0.25, 1.9, size=n)
    angle = 2 * np.pi * y / 3 + 0.9 * radius + rng.normal(0.0, 0.16, size=n)
    return Part(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), y)


def planar_network(
    hidden: tuple[int, ...] = (8, 8), *, seed: int = 0
) -> tuple[ReluNetwork, Part, Part]:
    """Return a network trained on a pinwheel, the points it has seen, and others.

    Examples
    --------
    >>> net, seen, unseen = planar_network((4,))
    >>> net.dimension, net.widths, net.outputs
    (2, (4,), 3)
    """
    rng = np.random.default_rng(seed)
    seen, unseen = pinwheel(300, rng=rng), pinwheel(100, rng=rng)
    model = MLPClassifier(hidden, learning_rate_init=0.02, random_state=seed)
    for _ in range(200):
        model.partial_fit(*seen, classes=[0, 1, 2])
    return network_from_estimator(model).net, seen, unseen


def worst_attacked(net: ReluNetwork, part: Part) -> PlanarFlip:
    """Return, of the inputs that a network gets right, the one whose attack is furthest off.

    Without a box; furthest off where its distance over the exact one is largest.

    Raises
    ------
    ValueError
        If no input is right with its exact distance and an attack's known.
    """
    X, y = part
    exact, attack = exact_distance(net, X, y), network_attack_distances(net, X, y, box=None)
    known = (attack.status == "witnessed") & (exact.status == "exact")
    if not known.any():
        raise ValueError("part must hold an input that the network gets right and an attack moves.")
    i = int(np.argmax(np.divide(attack.distances, exact.upper, out=np.zeros(y.size), where=known)))
    certified = certified_radius(net, X[i : i + 1], y[i : i + 1])
    return PlanarFlip(
        x=X[i],
        label=int(y[i]),
        certified=float(certified.lower[0]),
        method=str(certified.method[0]),
        exact=float(exact.upper[i]),
        nearest=np.asarray(exact.witness)[i],
        attacked=float(attack.distances[i]),
        found=attack.witnesses[i],
    )


def planar_cells(net: ReluNetwork, reach: float) -> list[PlanarCell]:
    """Return the pieces of the square [-reach, reach]² that units and labels divide it into.

    Kind: exact, up to rounding.

    Parameters
    ----------
    net : ReluNetwork, of two inputs
    reach : float, positive

    Raises
    ------
    ValueError
        If the network has not two inputs, or reach is not positive.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0, 0.0]], [[1.0]]], biases=[[0.0], [-1.0]])
    >>> [(cell.pattern.tolist(), cell.label) for cell in planar_cells(net, 2.0)]
    [([False], -1), ([True], -1), ([True], 1)]
    """
    if net.dimension != 2 or not reach > 0:
        raise ValueError(
            f"the network must have 2 inputs, and reach be positive; got {net.dimension}, {reach}."
        )
    pieces = [reach * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])]
    least = _SLIVER * (2 * reach) ** 2
    for depth in range(net.depth):
        pieces = [part for piece in pieces for part in _divided(net, piece, depth, least)]
    return [_cell(net, piece) for piece in pieces]


def label_borders(net: ReluNetwork, cells: Sequence[PlanarCell]) -> FloatArray:
    """Return the edges of cells along which two labels tie for the largest score.

    Kind: exact, up to rounding.

    Returns
    -------
    array, shape (k, 2, 2)
        Two ends each; an edge of two cells comes twice.
    """
    edges = np.concatenate(
        [np.stack([cell.corners, np.roll(cell.corners, -1, axis=0)], axis=1) for cell in cells]
    )
    points = np.concatenate([edges, edges.mean(axis=1, keepdims=True)], axis=1)
    scores = np.sort(class_scores(net, points.reshape(-1, 2)), axis=1)
    tied = scores[:, -1] - scores[:, -2] <= _TIE * np.abs(scores).max()
    return np.asarray(edges[tied.reshape(-1, 3).all(axis=1)])


def plane_table(
    cells: Sequence[PlanarCell], edges: FloatArray, part: Part, flip: PlanarFlip
) -> list[dict[str, Any]]:
    """Return a row for each corner of a cell, end of a border, point, and flip of an input."""
    found: list[tuple[Any, ...]] = [
        *(("cell", i, *x, c.label, np.nan) for i, c in enumerate(cells) for x in c.corners),
        *(("border", i, *end, "", np.nan) for i, edge in enumerate(edges) for end in edge),
        *(("test point", i, *x, y, np.nan) for i, (x, y) in enumerate(zip(*part, strict=True))),
        ("certified radius", 0, *flip.x, flip.label, flip.certified),
        ("nearest flip", 0, *flip.nearest, "", flip.exact),
        ("attack's flip", 0, *flip.found, "", flip.attacked),
    ]
    names = ("what", "part", "x1", "x2", "label", "radius")
    return [dict(zip(names, row, strict=True)) for row in found]


def _divided(net: ReluNetwork, piece: FloatArray, depth: int, least: float) -> list[FloatArray]:
    """Return the parts of a piece on which all layers before this one are linear."""
    G, k = _affine(net, piece.mean(axis=0), depth)
    if depth == net.depth - 1:
        if net.outputs == 1:  # the scores are (0, f)
            G, k = np.vstack([np.zeros(2), G]), np.append(0.0, k)
        return _won(piece, G, k, least)
    G, k = G[net.relu[depth]], k[net.relu[depth]]
    parts = [piece]
    for row, level in zip(G, k, strict=True):
        if not row.any():
            continue  # the unit is constant here
        sides = [
            half for part in parts for half in (_half(part, -row, -level), _half(part, row, level))
        ]
        parts = [side for side in sides if _area(side) > least]
    return parts


def _won(piece: FloatArray, G: FloatArray, k: FloatArray, least: float) -> list[FloatArray]:
    """Return the parts of a piece in which each of some affine scores is largest."""
    parts = []
    for own in range(k.size):
        part = piece
        for other in range(k.size):
            slope, level = G[own] - G[other], k[own] - k[other]
            if other < own and not slope.any() and level == 0:
                part = part[:0]  # two scores that are equal everywhere: the first one wins
            elif other != own:
                part = _half(part, slope, level)
        if _area(part) > least:
            parts.append(part)
    return parts


def _affine(net: ReluNetwork, x: FloatArray, depth: int) -> tuple[FloatArray, FloatArray]:
    """Return G, k: what a layer computes is G x + k wherever the units before are as at x."""
    patterns = activation_pattern(net, x[None])
    G, k = np.eye(2), np.zeros(2)
    for j in range(depth + 1):
        W = dense(net.weights[j])
        G, k = W @ G, W @ k + net.biases[j]
        if j < depth:
            G, k = G * patterns[j][0][:, None], k * patterns[j][0]
    return G, k


def _half(corners: FloatArray, slope: FloatArray, level: float) -> FloatArray:
    """Return the part of a convex polygon where slope · x + level >= 0 (Sutherland, Hodgman)."""
    kept: list[Any] = []
    values = corners @ slope + level
    for i in range(values.size):
        here, before = values[i], values[i - 1]
        if (here >= 0) != (before >= 0):
            share = before / (before - here)
            kept.append(corners[i - 1] + share * (corners[i] - corners[i - 1]))
        if here >= 0:
            kept.append(corners[i])
    return np.array(kept).reshape(-1, 2)


def _area(corners: FloatArray) -> float:
    x, y = corners.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2) if x.size > 2 else 0.0


def _cell(net: ReluNetwork, piece: FloatArray) -> PlanarCell:
    middle = piece.mean(axis=0)[None]
    pattern = np.concatenate([p[0] for p in activation_pattern(net, middle)] or [np.zeros(0, bool)])
    label = net.classes[class_scores(net, middle)[0].argmax()]
    return PlanarCell(piece, pattern, int(label))
