"""The compression study in tables: accuracy, robustness, distances and r_2, over seeds.

Each row says the kind of what is averaged. Its mean over seeds is an estimate, with 95 % limits
("low", "high") over random splits of one data set; all three are nan where it is not covered.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from empirical.compression_study import BOX, CompressionCell
from empirical.intervals import resampled_interval
from empirical.linear_study import TEST_TO_TRAIN, LinearCell
from empirical.summary import attacked_r_2, predicted_r_2

Row = dict[str, Any]
# Of linear classifiers: sparse by a penalty, by cutting, and by cutting and training on.
LINEAR_FAMILIES = ("L1 logistic", "L2 logistic, cut", "L2 logistic, cut and refitted")

_OTHERS = "from moments of other inputs"
_TOLD = ("what", "kind", "value", "low", "high", "seeds", "inputs")
# Of convolutional networks: what finds flips in the box, by norm.
_FINDERS = {"L2": (2.0, "DDN"), "L0": (0.0, "one pixel or greedy")}


class _Measured(NamedTuple):
    """A number of each seed's network of one level, and what it is."""

    measure: str
    what: str
    kind: str
    values: list[float]
    test_to_train: float
    norm: float | str = ""
    eps: float | str = ""
    box: tuple[float, float] | str = ""


def compression_table(cells: Sequence[CompressionCell]) -> list[Row]:
    """Return accuracy, robust accuracy and distances, a row a number of a family's level, by seeds.

    Kind: each row says it. Exact: accuracy on the inputs at hand, and r_2 where every search ended;
    upper: what attacks leave or find; lower: what is proven. What was not measured has no row. A
    mean is nan where a distance is infinite or unknown, or there is one seed only.

    The measure "distance" is the mean in the box of all inputs, 0 where wrong: in L2 r_2 with a
    box, in L0 a number of features.

    Parameters
    ----------
    cells : sequence of CompressionCell
        In any order; "seeds" counts those of a level. Families are told in their order, each from
        dense to sparse.
    """
    families = dict.fromkeys((cell.model, cell.trained, cell.family) for cell in cells)
    rows = []
    for place in families:
        own = [cell for cell in cells if (cell.model, cell.trained, cell.family) == place]
        for level in sorted({cell.level for cell in own}):
            group = [cell for cell in own if cell.level == level]
            rows += [_row(group, found) for found in _measured(group)]
    return rows


def r_2_table(cells: Sequence[CompressionCell], linear_cells: Sequence[LinearCell]) -> list[Row]:
    """Return r_2 against the share of weights left: of linear classifiers, then of networks.

    Kind: each row says it. Of linear classifiers: upper, by DeepFool on test inputs, and estimate,
    predicted from moments of other inputs. Of networks as `compression_table`. Distances are L2,
    without a box, in the units of the inputs.

    Parameters
    ----------
    cells : sequence of CompressionCell
        Those without distances give no row.
    linear_cells : sequence of LinearCell
        Families other than LINEAR_FAMILIES give none.
    """
    rows: list[Row] = []
    for dataset in dict.fromkeys(cell.dataset for cell in linear_cells):
        for family in LINEAR_FAMILIES:
            path = [c for c in linear_cells if (c.dataset, c.trained.family) == (dataset, family)]
            steps = len(path) // max(1, len({cell.split for cell in path}))
            for step in range(steps):
                rows += _linear_rows(path[step::steps])
    for row in compression_table(cells):
        if row["measure"] == "r_2":
            same = {"classifier": "network", "on": row["model"], "trained": row["trained"]}
            same |= {"family": row["family"], "weights left": 1 / row["compression"]}
            rows.append(same | {key: row[key] for key in _TOLD})
    return rows


def _linear_rows(splits: Sequence[LinearCell]) -> Iterator[Row]:
    """Yield what is told of one strength of a family: attacked, and predicted."""
    first = splits[0]
    left = [cell.trained.nonzeros / cell.trained.model.weights.size for cell in splits]
    same: Row = {"classifier": "linear", "on": first.dataset, "trained": "natural"}
    same |= {"family": first.trained.family, "weights left": float(np.median(left))}
    quantities = {"DeepFool": ("upper", attacked_r_2), _OTHERS: ("estimate", predicted_r_2)}
    for what, (kind, quantity) in quantities.items():
        values = [quantity(cell) for cell in splits]
        told = resampled_interval(values, test_to_train=TEST_TO_TRAIN)
        sizes = {"seeds": len(splits), "inputs": first.test.y.size}
        yield {**same, "what": what, "kind": kind, **told._asdict(), **sizes}


def _row(group: Sequence[CompressionCell], found: _Measured) -> Row:
    first, sizes = group[0], [cell.compression for cell in group]
    value, low, high = resampled_interval(found.values, test_to_train=found.test_to_train)
    return {
        "model": first.model,
        "trained": first.trained,
        "family": first.family,
        "level": first.level,
        "compression": float(np.mean(sizes)),
        "measure": found.measure,
        "what": found.what,
        "kind": found.kind,
        "norm": found.norm,
        "eps": found.eps,
        "box": found.box,
        "value": value,
        "low": low,
        "high": high,
        "seeds": len(group),
        "inputs": round(found.test_to_train * first.trained_on),
    }


def _measured(group: Sequence[CompressionCell]) -> Iterator[_Measured]:
    ratio = group[0].test_to_train
    yield _Measured("accuracy", "count", "exact", [c.accuracy for c in group], ratio)
    for k, eps in enumerate(group[0].eps.tolist()):
        under: Any = {"norm": np.inf, "eps": eps, "box": BOX}
        attacked = [float(cell.survived[k].mean()) for cell in group]
        yield _Measured("robust accuracy", "PGD", "upper", attacked, ratio, **under)
        proven = [float(cell.certified[k]) for cell in group]
        if not np.isnan(proven).all():
            yield _Measured("robust accuracy", "CROWN", "lower", proven, ratio, **under)
    yield from _flips(group)
    yield from _distances(group)


def _flips(group: Sequence[CompressionCell]) -> Iterator[_Measured]:
    """Yield mean distances in the box, norm by norm, where attacks looked for them."""
    for name, (norm, what) in _FINDERS.items():
        found = [cell.flips[name] for cell in group if name in cell.flips]
        if found:
            ratio = found[0].size / group[0].trained_on
            means = [float(own.mean()) for own in found]
            yield _Measured("distance", what, "upper", means, ratio, norm=norm, box=BOX)


def _distances(group: Sequence[CompressionCell]) -> Iterator[_Measured]:
    """Yield r_2 by search, exact or from both sides, and by attack, where it was asked for."""
    under: Any = {"norm": 2.0, "box": "none"}
    searched = [cell.distances for cell in group if cell.distances is not None]
    if searched:
        ratio = searched[0].upper.size / group[0].trained_on
        closed = all((found.status == "exact").all() for found in searched)
        for kind in ("exact",) if closed else ("lower", "upper"):
            side = "lower" if kind == "lower" else "upper"
            means = [float(getattr(found, side).mean()) for found in searched]
            yield _Measured("r_2", "branch and bound", kind, means, ratio, **under)
    attacked = [cell.deepfool for cell in group if cell.deepfool is not None]
    if attacked:
        ratio = attacked[0].size / group[0].trained_on
        means = [float(found.mean()) for found in attacked]
        yield _Measured("r_2", "DeepFool", "upper", means, ratio, **under)
