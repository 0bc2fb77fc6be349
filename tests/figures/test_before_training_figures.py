"""Figures of predictions before training: each draws what its CSV says, and can be read."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from empirical.before_training_study import MEASURES
from figures import before_training, phase_diagram, style
from tests.figures.pruned import Drawn, check_marks
from tests.figures.test_legible import check_words_inside

NAMES = ["before-training", "phase-diagram"]
COLOURS = {"L1": style.ORANGE, "L2": style.BLUE}
DENSITIES, BUDGETS = (1 / 32, 1 / 8, 1 / 2, 1.0), (0.0, 0.5, 1.0, 1.5, 2.0)
# Measured differences and their reach: L1 ahead, L2 ahead, not told apart.
MEASURED = {(1 / 8, 0.5): (0.1, 0.05), (1 / 2, 0.5): (-0.2, 0.1), (1 / 2, 1.5): (0.01, 0.02)}


def planted(value: float, reach: float = 0.0) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def curve_rows() -> list[dict[str, Any]]:
    rows = []
    places = {"strength": (0.01, 0.1, 1.0, 4.0), "ratio": (0.5, 1.0, 2.0, 8.0)}
    for (a, against), (m, measure) in product(enumerate(places), enumerate(MEASURES)):
        one = {"against": against, "measure": measure}
        ends = [(at, 0.97 - m / 10) for at in places[against][:: len(places[against]) - 1]]
        if m < 3:
            told = {"penalty": "any", "what": "ceiling", "kind": "exact"}
            rows += [{**one, "at": at, **told, **planted(value)} for at, value in ends]
        for (k, penalty), (i, at) in product(enumerate(COLOURS), enumerate(places[against])):
            value = 0.8 - m / 10 - i / 50 - k / 25 + a / 100
            told = {"at": at, "penalty": penalty, "kind": "estimate"}
            rows += [{**one, **told, "what": "predicted", **planted(value)}]
            if 0 < i < 3:
                rows += [{**one, **told, "what": "measured", **planted(value + 0.004, 0.01)}]
    return rows


def phase_rows() -> list[dict[str, Any]]:
    rows = []
    for attack, density, budget in product(("L2", "Linf"), DENSITIES, BUDGETS):
        # Equally robust at 1/4 in L2, at denser signals the stronger the attack is in L∞.
        border = -2.0 + (budget if attack == "Linf" else 0.0)
        lead = 0.02 * (border - np.log2(density))
        l2 = 0.9 - budget / 4
        place = {"attack": attack, "density": density, "budget": budget, "kind": "estimate"}
        sides = {"l1": l2 + lead, "l2": l2, "l1 strength": 0.5, "l2 strength": 1000.0}
        rows += [{**place, "what": "predicted", **planted(lead), **sides}]
        if (density, budget) in MEASURED:
            found = planted(*MEASURED[density, budget])
            rows += [{**place, "what": "measured", **found, **sides}]
    return rows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    """Draw every figure once; warnings are errors, so each draws without one."""
    out, kept = tmp_path_factory.mktemp("figures"), []

    def save(figure: Figure, *rest: Any) -> list[Path]:
        kept.append(figure)
        return style.save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (before_training, phase_diagram):
            patch.setattr(module, "save", save)
        files = [
            before_training.draw(curve_rows(), out, dimension=960),
            phase_diagram.draw(phase_rows(), out, dimension=960),
        ]
    return {
        name: Drawn(*one) for name, one in zip(NAMES, zip(kept, files, strict=True), strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
def test_draw_saves_every_figure_with_its_words_inside(drawn: dict[str, Drawn], name: str) -> None:
    one = drawn[name]
    assert [path.name for path in one.files] == [f"{name}.{end}" for end in ("png", "svg", "csv")]
    assert one.rows
    check_words_inside(one.figure)
    titles = [axes.title.get_window_extent() for axes in one.figure.axes if axes.get_title()]
    titles += [one.figure.texts[0].get_window_extent()]
    assert len(titles) == 3
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])


@pytest.mark.parametrize("name", NAMES)
def test_draw_says_at_which_dimension_is_measured(drawn: dict[str, Drawn], name: str) -> None:
    assert "d = 960" in drawn[name].figure.texts[0].get_text()


def test_before_training_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["before-training"]
    grid = np.reshape(np.array(one.figure.axes, dtype=object), (4, 2))
    for (m, measure), (k, against) in product(
        enumerate(MEASURES), enumerate(("strength", "ratio"))
    ):
        own = [row for row in one.rows if (row["against"], row["measure"]) == (against, measure)]
        axes = grid[m, k]
        measured = [row for row in own if row["what"] == "measured"]
        check_marks(axes, measured, "at", lambda row: COLOURS[row["penalty"]])
        check_lines(axes, [row for row in own if row["what"] != "measured"])


def check_lines(axes: Any, rows: list[Any]) -> None:
    """Check that there is a line a penalty, one of the ceiling if any, and a dotted upright."""
    in_bars = {id(bars.lines[0]) for bars in axes.containers}
    lines = [line for line in axes.lines if id(line) not in in_bars]
    shown = {
        (to_hex(line.get_color()), line.get_linestyle()): np.array(line.get_data()).T.tolist()
        for line in lines
    }
    assert len(shown) == len(lines)
    (upright,) = [shown.pop(key) for key in list(shown) if key[1] == ":"]
    assert upright[0][0] == upright[1][0]
    told: dict[Any, Any] = {}
    for row in rows:
        colour = COLOURS.get(row["penalty"], style.BLACK)
        told.setdefault((colour, "-"), []).append([float(row["at"]), float(row["value"])])
    assert shown == told


def test_phase_diagram_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["phase-diagram"]
    for axes, attack in zip(one.figure.axes, ("L2", "Linf"), strict=False):
        shades, zero, coin = (part for part in axes.collections if isinstance(part, QuadContourSet))
        assert zero.levels.tolist() == [0.0]
        (line,) = zero.get_paths()
        x, y = line.vertices.T
        # Between grid points matplotlib interpolates along shares, not their logs.
        border = 2.0 ** (-2 + (y if attack == "Linf" else 0 * y))
        assert np.abs(np.log2(x / border)).max() < 0.6
        assert shades.levels.tolist() == pytest.approx((-shades.levels[::-1]).tolist())
        assert 0.0 in shades.levels
        leads = [abs(float(row["value"])) for row in one.rows]
        assert max(leads) <= shades.levels[-1] + 1e-9
        # Somewhere both are below a half, at the strongest attack.
        (grey,) = coin.get_paths()
        assert grey.vertices[:, 1].max() == 2.0
        assert grey.vertices[:, 1].min() > 1.0


def test_phase_diagram_marks_winners(drawn: dict[str, Drawn]) -> None:
    figure = drawn["phase-diagram"].figure
    for axes in figure.axes[:2]:
        points = [part for part in axes.collections if isinstance(part, PathCollection)]
        shown = {
            tuple(place): (label, shade)
            for part, label in zip(points, ("L1", "L2", "neither"), strict=True)
            for place, shade in zip(part.get_offsets().tolist(), part.get_array(), strict=True)
        }
        winners = ("L1", "L2", "neither")
        assert shown == {
            place: (winner, value)
            for (place, (value, _)), winner in zip(MEASURED.items(), winners, strict=True)
        }


def test_draw_refuses_half_a_table(tmp_path: Path) -> None:
    half = [row for row in curve_rows() if row["against"] == "ratio"]
    with pytest.raises(ValueError, match=r"table must have .*; got no strength\."):
        before_training.draw(half, tmp_path, dimension=960)
    half = [row for row in phase_rows() if row["attack"] == "L2"]
    with pytest.raises(ValueError, match=r"table must have attacks .*; got no Linf\."):
        phase_diagram.draw(half, tmp_path, dimension=960)
