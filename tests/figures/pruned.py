"""Figures of pruned networks in tests: cells to draw, what was drawn, and which marks it has."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from empirical.compression_study import CNN, CompressionCell
from empirical.compression_tables import LINEAR_FAMILIES
from empirical.linear_study import LinearCell
from empirical.measures import TransferMatrix, transfer_matrix
from empirical.pruning import SCHEMES
from figures import adversarial_share, compression, r2_sparsity, schemes, tickets, transfer
from tests.empirical import planted as linear
from tests.empirical.planted_networks import INPUTS, Curve, planted

# Ends of intervals are drawn as value ± reach.
ROUNDING = 1e-9
NAMES = [
    "compression-64-20-10",
    "compression-cnn",
    "tickets",
    "r2-sparsity",
    "adversarial-share",
    "transfer",
]
SLOPES = {"dense": (1.0, 0.0), "compression 2": (1.0, 0.5), "compression 4": (0.0, 1.0)}
Save = Callable[..., list[Path]]


class Drawn:
    """A figure that was saved, its files, and its CSV read back."""

    def __init__(self, figure: Figure, files: list[Path]) -> None:
        self.figure, self.files = figure, files
        with files[-1].open(encoding="utf-8", newline="") as stream:
            self.rows = list(csv.DictReader(stream))


@contextmanager
def recorded(save: Save) -> Iterator[Callable[[Callable[[], list[Path]]], Drawn]]:
    """Yield what draws a figure, and keeps it, while figures are saved by a function."""
    figures = []

    def keep(figure: Figure, *rest: Any) -> list[Path]:
        figures.append(figure)
        return save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (adversarial_share, compression, r2_sparsity, schemes, tickets, transfer):
            patch.setattr(module, "save", keep)
        yield lambda call: Drawn(files=call(), figure=figures[-1])


def natural_and_tickets() -> list[CompressionCell]:
    falling = [0.95, 0.94, 0.9, 0.8, 0.5]
    robust = [0.6, 0.65, 0.5, 0.4, 0.2]
    curves = {
        ("natural", "weight magnitude global"): Curve(falling, robust, [0.3, 0.31, 0.2, 0.15, 0.1]),
        ("natural", "weight random layer"): Curve(falling, robust[::-1]),
        ("natural", "ticket original"): Curve(falling, robust),
        **{
            ("adversarial", f"ticket {reset}"): Curve(falling, [r + lead for r in robust])
            for reset, lead in (("original", 0.2), ("random", 0.1), ("none", 0.15))
        },
    }
    return planted(curves, spread=0.02, proven=-0.05, slack=0.01)


def convolutional() -> list[CompressionCell]:
    """Return nine schemes, each with numbers of its own, so that none stands for another."""
    curve = Curve([0.95, 0.9, 0.8, 0.5], [0.6, 0.5, 0.4, 0.2])
    cells = []
    for k, family in enumerate(SCHEMES):
        own = Curve(curve.accuracy, [value + k / 100 for value in curve.robust])
        cells += planted({("natural", family): own}, spread=0.02, seeds=3, model=CNN)
    return [
        replace(cell, flips={"L0": np.full(INPUTS, 4 * lead), "L2": np.full(INPUTS, lead)})
        for cell in cells
        for lead in [float(cell.survived[0].mean())]
    ]


def linear_cells() -> list[LinearCell]:
    return [
        linear.planted(
            linear.part(1.0 + split / 5, 2.0),
            weights=np.ones(1),
            split=split,
            family=family,
            dataset=dataset,
        )
        for dataset in ("first data", "second data")
        for split in range(3)
        for family in LINEAR_FAMILIES
        for _ in range(2)
    ]


def matrix_of(slopes: Any) -> TransferMatrix:
    models = {}
    for name, slope in slopes.items():
        models[name] = torch.nn.Linear(2, 2)
        state = {"weight": torch.tensor([slope, (0.0, 0.0)]), "bias": torch.zeros(2)}
        models[name].load_state_dict(state)
    X, y = np.random.default_rng(0).uniform(-1, 1, size=(30, 2)), np.arange(30) % 2
    rng = np.random.default_rng(0)
    return transfer_matrix(models, X, y, eps=0.5, norm=np.inf, box=(-1.0, 1.0), rng=rng)


Mark = tuple[str, float, float, float, float]


def marks(axes: Any) -> list[Mark]:
    """Return the colour, place, value and limits of each point with an interval."""
    found = []
    for bars in axes.containers:
        assert isinstance(bars, ErrorbarContainer)
        line, _, (ends,) = bars.lines
        for x, y, end in zip(*line.get_data(), ends.get_segments(), strict=True):
            found.append((line.get_color(), float(x), float(y), *end[:, 1].tolist()))
    return sorted(found)


def expected(rows: Sequence[Any], x: str, colour: Callable[[Any], str]) -> list[Mark]:
    return sorted(
        (colour(row), *(float(row[key]) for key in (x, "value", "low", "high"))) for row in rows
    )


def check_marks(axes: Any, rows: Sequence[Any], x: str, colour: Callable[[Any], str]) -> None:
    told, shown = expected(rows, x, colour), marks(axes)
    assert len(rows) > 0
    assert [mark[0] for mark in shown] == [mark[0] for mark in told]
    np.testing.assert_allclose(
        np.array([mark[1:] for mark in shown]),
        np.array([mark[1:] for mark in told]),
        rtol=0,
        atol=ROUNDING,
    )
