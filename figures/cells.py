"""What a certificate, the exact distance and an attack are: a network of two inputs, drawn."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from empirical import planar
from empirical.data import Part
from figures.style import BLACK, BLUE, GREEN, RED, Rows, house_style, save
from theory.networks import ReluNetwork

_FILLS, _MARKS = ("#d3e4f3", "#fce6bf", "#ecd5e5"), ("o", "s", "^")  # of labels, in turn
_REACH = 2.4  # of the window: the pinwheel's points are within about 2


def _draw_plane(axes: Axes, net: ReluNetwork, part: Part, flip: planar.PlanarFlip) -> Rows:
    cells, names = planar.planar_cells(net, _REACH), net.classes.tolist()
    edges = planar.label_borders(net, cells)
    fills = [_FILLS[names.index(cell.label) % 3] for cell in cells]
    axes.add_collection(PolyCollection([c.corners for c in cells], fc=fills, ec="white", lw=0.9))
    axes.add_collection(LineCollection(list(edges), colors=BLACK, lw=1.6))
    look: dict[str, Any] = {"color": "#777777", "mfc": "none", "ms": 4, "mew": 0.7, "ls": ""}
    for k, label in enumerate(names):
        shown = part.X[part.y == label].T
        axes.plot(*shown, marker=_MARKS[k % 3], label=f"test point of label {label}", **look)
    return planar.plane_table(cells, edges, part, flip)


def _draw_flip(axes: Axes, flip: planar.PlanarFlip) -> None:
    looks: list[tuple[str, float, dict[str, Any]]] = [
        (f"certified by {flip.method}: no flip within", flip.certified, {"ec": GREEN}),
        ("exact: the nearest flip is at", flip.exact, {"ec": BLACK}),
        ("attack: the flip it found is at", flip.attacked, {"ec": RED, "ls": "--"}),
    ]
    for label, radius, look in looks:
        fill = "#009e7344" if radius == flip.certified else "none"
        words = f"{label} {radius:.3f}"
        axes.add_patch(Circle(tuple(flip.x), radius, lw=1.4, fc=fill, label=words, **look))
    flips = {"nearest flip": (flip.nearest, "*", BLACK), "attack's flip": (flip.found, "X", RED)}
    for name, (point, mark, colour) in flips.items():
        axes.plot(*np.stack([flip.x, point]).T, color=colour, lw=1)
        axes.plot(*point, mark, color=colour, mec="white", ms=12, ls="")
        _name(axes, name, point, point - flip.x)
    axes.plot(*flip.x, "o", color=BLUE, mec="white", ms=9, ls="")
    _name(axes, "input", flip.x, 2 * flip.x - flip.nearest - flip.found)


def _name(axes: Axes, text: str, point: Any, away: Any) -> None:
    """Write a name beside a point, in the direction that leads away from the lines."""
    offset = np.array([36, 20]) * away / max(float(np.linalg.norm(away)), 1e-300)
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}
    style: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "bbox": box}
    axes.annotate(text, point, xytext=offset, textcoords="offset points", **style)


def draw(net: ReluNetwork, part: Part, out: Path) -> list[Path]:
    """Draw a network of two inputs and that of the inputs whose attack misses most.

    Raises
    ------
    ValueError
        If the network has not two inputs, or gets none of the part right.
    """
    flip = planar.worst_attacked(net, part)
    with house_style():
        figure = Figure(figsize=(7, 7))
        axes = figure.subplots()
        rows = _draw_plane(axes, net, part, flip)
        _draw_flip(axes, flip)
        window = (-_REACH, _REACH)
        axes.set(xlim=window, ylim=window, aspect="equal", xlabel="feature 1", ylabel="feature 2")
        axes.grid(visible=False)
        widths = "-".join(map(str, (2, *net.widths, net.outputs)))
        figure.suptitle(
            f"A {widths} ReLU network is linear on each cell (white edges). The label changes at\n"
            "black lines. Circles: how far one input is from there. Of the test points that are\n"
            "right it is the one for which the attack (DeepFool, DDN) is furthest off."
        )
        figure.legend(loc="outside lower center", ncols=2)
        return save(figure, rows, out, "cells")
