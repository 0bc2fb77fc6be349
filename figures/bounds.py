"""How numbers over seeds are drawn against compression: bounds by their kind, with intervals."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures.style import BLACK, Rows

# Triangles point to where the truth is: down from an upper bound, up from a lower one.
_KINDS: dict[str, dict[str, Any]] = {
    "estimate": {"ls": "-", "marker": "", "lw": 1.1},
    "exact": {"ls": "-", "marker": "o", "lw": 1.3},
    "upper": {"ls": "-", "marker": "v", "lw": 1.3},
    "lower": {"ls": "--", "marker": "^", "lw": 0.9},
}
_CALLED = {
    "estimate": "predicted",
    "exact": "exact",
    "upper": "upper bound, by flips found",
    "lower": "lower bound, proven",
}
_MARK: dict[str, Any] = {"ms": 4, "mfc": "white", "mew": 0.9}
_UNKNOWN: dict[str, Any] = {"ls": "", "marker": "x", "ms": 5}


def column(rows: Rows, name: str) -> Any:
    """Return a column of a table as an array."""
    return np.array([row[name] for row in rows])


def measure_name(row: Any) -> str:
    """Return what a row of a compression table measures, in words."""
    norm = str(row["norm"]).removesuffix(".0")
    named = {
        "accuracy": "accuracy",
        "robust accuracy": f"robust accuracy, L∞, ε = {row['eps']}, pixels stay in [0, 1]",
        "distance": f"mean L{norm} distance to a flip, pixels stay in [0, 1]",
        "r_2": f"r₂: mean L2 distance to a flip, no box ({row['inputs']} inputs)",
    }
    return named[row["measure"]]


def draw_kinds(axes: Axes, rows: Rows, *, x: str, color: str) -> None:
    """Draw one family's values against a column, kind by kind; shade between lower and upper.

    Each has its interval, a prediction a band; what is measured beside one is points. Where a value
    is not known, nan, a cross stands at the foot of the panel.
    """
    points = any(row["kind"] == "estimate" for row in rows)
    for kind, what in dict.fromkeys((row["kind"], row["what"]) for row in rows):
        chosen = [row for row in rows if (row["kind"], row["what"]) == (kind, what)]
        if kind == "estimate":
            at, value, low, high = (column(chosen, k) for k in (x, "value", "low", "high"))
            axes.plot(at, value, color=color, **_KINDS[kind])
            axes.fill_between(at, low, high, color=color, alpha=0.12, lw=0)
        else:
            joined = {"ls": ""} if points else {}
            _draw_measured(axes, chosen, x=x, color=color, **_KINDS[kind] | joined)
    _shade(axes, rows, x=x, color=color)


def _shade(axes: Axes, rows: Rows, *, x: str, color: str) -> None:
    """Shade what the best lower and the best upper bound leave open."""
    ends = []
    for at in dict.fromkeys(row[x] for row in rows):
        low, high = (
            [row["value"] for row in rows if (row[x], row["kind"]) == (at, kind)]
            for kind in ("lower", "upper")
        )
        if low and high:
            ends.append((at, max(low), min(high)))
    if ends:
        axes.fill_between(*np.array(ends).T, color=color, alpha=0.12, lw=0)


def _draw_measured(axes: Axes, rows: Rows, *, x: str, color: str, **look: Any) -> None:
    at, value = column(rows, x), column(rows, "value")
    reach = np.abs([column(rows, "low") - value, column(rows, "high") - value])
    axes.errorbar(at, value, reach, color=color, elinewidth=0.8, **_MARK, **look)
    unknown = at[np.isnan(value)]
    if unknown.size:
        foot = np.full(unknown.size, 0.04)
        axes.plot(unknown, foot, color=color, transform=axes.get_xaxis_transform(), **_UNKNOWN)


def panels(figure: Figure, count: int, *, across: int) -> list[Axes]:
    """Return panels in rows; places that are not needed stay empty."""
    grid = figure.subplots(math.ceil(count / across), across, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    return list(grid[:count])


def handles(colours: Sequence[tuple[str, str]], rows: Rows) -> list[Line2D]:
    """Return legend entries: colours by name; in black the kinds that rows have, and crosses."""
    found = [Line2D([], [], color=color, lw=2, label=label) for label, color in colours]
    for kind, look in _KINDS.items():
        by = ", ".join(dict.fromkeys(row["what"] for row in rows if row["kind"] == kind))
        if by:
            name = f"{_CALLED[kind]} ({by})"
            found.append(Line2D([], [], color=BLACK, label=name, **_MARK, **look))
    if np.isnan(column(rows, "value")).any():
        found.append(Line2D([], [], color=BLACK, label="not known", **_UNKNOWN))
    return found


def compression_axis(axes: Axes, compressions: Sequence[float]) -> None:
    """Let the horizontal axis be of compressions from 1, in powers of two."""
    most = _most(compressions)
    _log_axis(axes, _powers(most), lambda c, _: f"{c:g}")
    axes.set_xlim(2**-0.25, 2**0.25 * most)
    axes.set_xlabel("compression (all weights / weights left)")


def share_axis(axes: Axes, shares: Sequence[float]) -> None:
    """Let the horizontal axis be of shares of weights left up to all, in powers of a half."""
    most = _most([1 / share for share in shares if share > 0])
    _log_axis(axes, [1 / c for c in _powers(most)], lambda s, _: _fraction(s))
    axes.set_xlim(2**-0.25 / most, 2**0.25)
    axes.set_xlabel("weights left: sparse left, dense right")


def _log_axis(axes: Axes, ticks: Sequence[float], text: Any) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(text))


def _fraction(share: float) -> str:
    return "all" if share == 1 else f"1/{1 / share:g}"


def _most(compressions: Sequence[float]) -> float:
    """Return the largest that can be drawn: that of a network without a weight is infinite."""
    return max(2.0, *(c for c in (1.0, *compressions) if np.isfinite(c)))


def _powers(most: float) -> list[float]:
    return [2.0**k for k in range(int(np.log2(most) + 0.1) + 1)]
