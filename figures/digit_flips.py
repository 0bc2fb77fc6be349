"""One digit pair as images: weights, an input, and its nearest flips in and out of the box."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import RED, Rows, house_style, save
from theory.linear import LinearClassifier, nearest_flip
from theory.validation import FloatArray

_FLIPS: dict[str, dict[str, Any]] = {
    "L2": {"norm": 2, "box": None},
    "L2, in the box": {"norm": 2, "box": (0.0, 1.0)},
    "L∞": {"norm": np.inf, "box": None},
    "L∞, in the box": {"norm": np.inf, "box": (0.0, 1.0)},
}


def _image(axes: Axes, pixels: FloatArray, title: str, **style: Any) -> None:
    side = int(np.sqrt(pixels.size))
    axes.imshow(pixels.reshape(side, side), interpolation="nearest", **style)
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _digit(axes: Axes, pixels: FloatArray, title: str) -> None:
    """Draw a digit, its values outside [0, 1], which no image has, marked."""
    _image(axes, pixels, title, cmap="gray_r", vmin=0, vmax=1)
    side = int(np.sqrt(pixels.size))
    rows, columns = np.divmod(np.flatnonzero((pixels < 0) | (pixels > 1)), side)
    axes.plot(columns, rows, "x", color=RED, ms=4, mew=1)


def _draw_model(panels: Any, model: LinearClassifier, x: FloatArray, name: str) -> Rows:
    weights = model.weights[0]
    reach = np.abs(weights).max()
    _image(panels[0, 0], weights, f"{name}: weights", cmap="PuOr", vmin=-reach, vmax=reach)
    _digit(panels[1, 0], x, "input")
    rows = []
    for column, (title, setting) in enumerate(_FLIPS.items(), start=1):
        points, norms = nearest_flip(model, x[None], **setting)
        heading = f"nearest flip, {title}"
        _image(panels[0, column], points[0] - x, heading, cmap="PuOr", vmin=-0.5, vmax=0.5)
        _digit(panels[1, column], points[0], f"distance {norms[0]:.3f}")
        same = {"model": name, "flip": title, "distance": float(norms[0])}
        rows += [
            {**same, "pixel": i, "weight": weights[i], "input": x[i], "flipped": points[0, i]}
            for i in range(x.size)
        ]
    return rows


def draw(
    models: Mapping[str, LinearClassifier], x: FloatArray, out: Path, *, change: str
) -> list[Path]:
    """Draw two classifiers of a digit pair and one input (d,); return the files.

    The change is that of the label, in words: "have an 8 called a 3".
    """
    with house_style():
        figure = Figure(figsize=(10, 2 * 4.1))
        panels = figure.subplots(2 * len(models), 1 + len(_FLIPS), squeeze=False)
        rows: list[Mapping[str, Any]] = []
        for i, (name, model) in enumerate(models.items()):
            rows += _draw_model(panels[2 * i : 2 * i + 2], model, x, name)
        figure.suptitle(
            f"What it takes to {change}: the change (above) and the changed digit (below)."
            "\nPurple: a positive weight, or darker ink; orange: a negative one, or lighter."
            "\nRed crosses: values outside [0, 1], which no image has and the box forbids."
        )
        return save(figure, rows, out, "digit-flips")
