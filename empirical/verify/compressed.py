"""What checks read off the cells of the compression study: arrays by seed and by level."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

import numpy as np

from empirical.compression_study import CompressionCell
from theory.validation import FloatArray

Measure = Callable[[CompressionCell], float]


class About(TypedDict):
    """What `Needed` has to know of the inputs of an effect."""

    test_to_train: float
    inputs: int | None


class Path(NamedTuple):
    """Cells of one model, training and family, by seed and level; all seeds have all levels."""

    cells: tuple[tuple[CompressionCell, ...], ...]

    @property
    def levels(self) -> int:
        """How many levels there are, the dense one among them."""
        return len(self.cells[0])

    @property
    def compressions(self) -> list[float]:
        """The compression of each level, the mean over seeds."""
        return [float(c) for c in self.values(lambda cell: cell.compression).mean(axis=0)]

    @property
    def about_shares(self) -> About:
        """What `Needed` has to know of effects that are shares of the attacked inputs."""
        cell = self.cells[0][0]
        return {"test_to_train": cell.test_to_train, "inputs": cell.correct.size}

    def pairs_with(self, other: "Path") -> bool:
        """Return whether the other has the same seeds and as many levels."""
        places = [[(c.seed, c.level) for row in one.cells for c in row] for one in (self, other)]
        return places[0] == places[1]

    def values(self, measure: Measure) -> FloatArray:
        """Return a measure, shape (seeds, levels)."""
        return np.array([[measure(cell) for cell in row] for row in self.cells])


def path(cells: Sequence[CompressionCell], family: str, *, model: str, trained: str) -> Path | None:
    """Return the path of a family, its seeds in order; None if there is none, or it has gaps."""
    kind = (model, trained, family)
    own = [cell for cell in cells if (cell.model, cell.trained, cell.family) == kind]
    places = {(cell.seed, cell.level): cell for cell in own}
    seeds, levels = (sorted({place[k] for place in places}) for k in (0, 1))
    if not own or len(places) != len(seeds) * len(levels):
        return None
    return Path(tuple(tuple(places[seed, level] for level in levels) for seed in seeds))


def at_budget(eps: float) -> dict[str, Measure]:
    """Return the measures of robust accuracy at a budget: attacked, upper, and proven, lower."""
    return {
        "PGD (upper)": lambda cell: float(cell.survived[budget(cell, eps)].mean()),
        "CROWN (lower)": lambda cell: float(cell.certified[budget(cell, eps)]),
    }


def fgsm_at(eps: float) -> Measure:
    """Return the measure of accuracy under one sign-gradient step: upper, of robust accuracy."""
    return lambda cell: float(cell.fgsm[budget(cell, eps)].mean())


def budget(cell: CompressionCell, eps: float) -> int:
    """Return the position of a budget among those of a cell.

    Raises
    ------
    ValueError
        If it is not one of them.
    """
    found = np.flatnonzero(np.isclose(cell.eps, eps, rtol=1e-9, atol=0))
    if found.size == 0:
        raise ValueError(f"eps must be a budget of the cell; got {eps} of {cell.eps.tolist()}.")
    return int(found[0])


def r_2_measures(searched: Path) -> dict[str, Measure]:
    """Return the measures of r_2: exact where every search ended, else its bounds; and attacked."""
    every = [cell.distances for row in searched.cells for cell in row]
    closed = all(found is not None and (found.status == "exact").all() for found in every)
    if closed:
        proven: dict[str, Measure] = {"exact": lambda cell: _mean(cell, "upper")}
    else:
        proven = {
            "search (lower)": lambda cell: _mean(cell, "lower"),
            "search (upper)": lambda cell: _mean(cell, "upper"),
        }
    return {**proven, "DeepFool (upper)": _deepfool}


def _mean(cell: CompressionCell, bound: str) -> float:
    return float("nan") if cell.distances is None else float(getattr(cell.distances, bound).mean())


def _deepfool(cell: CompressionCell) -> float:
    return float("nan") if cell.deepfool is None else float(cell.deepfool.mean())


def about_r_2(searched: Path) -> About:
    """Return what `Needed` has to know of r_2, of the inputs whose distances were searched for."""
    cell = searched.cells[0][0]
    ratio = 0.0 if cell.deepfool is None else cell.deepfool.size / cell.trained_on
    return {"test_to_train": ratio, "inputs": None}
