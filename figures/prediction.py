"""What training will reach: accuracy against the attack, and against the penalty's strength."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.risk_study import Simulated
from figures.style import BLACK, BLUE, GREEN, ORANGE, Rows, house_style, save
from theory.asymptotics import (
    Limit,
    limit_accuracy,
    limit_ceiling,
    limit_robust_accuracy,
)

_AXES = {
    "eps": "L2 size of the attack",
    "eps_inf": "L∞ size of the attack × √d",
}
_SERIES = {
    "clean accuracy": BLUE,
    "accuracy under attack": ORANGE,
    "share of weights not zero": GREEN,
}


def draw(
    path: Sequence[Limit],
    limit: Limit,
    attack: Mapping[str, float],
    measured: Simulated | None,
    out: Path,
) -> list[Path]:
    """Draw a prediction: its robust accuracy by budget, and its neighbours by strength.

    Parameters
    ----------
    path : sequence of Limit
        The same training at other strengths of its penalty.
    limit : Limit
    attack : mapping
        "eps" and "eps_inf", as `limit_robust_accuracy` takes them.
    measured : Simulated, optional
        Trainings at the setting of `limit`, drawn as marks.
    out : Path
        The folder.

    Returns
    -------
    list of Path
        PNG, SVG and CSV.
    """
    name = "eps_inf" if attack["eps_inf"] > 0 and attack["eps"] == 0 else "eps"
    rows = [*_by_budget(limit, attack, name), *_by_strength(path, attack)]
    rows += _measured(limit, attack, measured, name) if measured else []
    with house_style():
        figure = Figure(figsize=(7.2, 3.2))
        left, right = figure.subplots(1, 2, sharey=True)
        _curves(left, rows, "budget")
        left.set(xlabel=_AXES[name], ylabel="share, of inputs or of weights", ylim=(-0.02, 1.02))
        left.set_title("at the strength predicted")
        _curves(right, rows, "strength")
        right.axvline(_strength(limit), color=BLACK, lw=0.7, ls=":")
        right.set(xscale="log", xlabel="strength λ of the penalty (dotted: predicted)")
        right.set_title(f"attack of size {attack[name]:g}")
        for axes in (left, right):
            axes.legend(fontsize=7)
        return save(figure, rows, out, "prediction")


def _strength(limit: Limit) -> float:
    return limit.objective.l1 + limit.objective.l2


def _by_budget(limit: Limit, attack: Mapping[str, float], name: str) -> list[dict[str, Any]]:
    most = max(2 * attack[name], limit.overlap / (limit.norm if name == "eps" else limit.l1_norm))
    budgets = np.linspace(0, 1.2 * most, 61)
    kept = limit_robust_accuracy(limit, **{name: budgets})
    best = [limit_ceiling(limit.law, **{name: float(budget)}) for budget in budgets]
    return [
        _row("budget", series, float(x), float(y), kind)
        for series, values, kind in (
            ("best of any classifier", best, "exact (limit)"),
            ("accuracy under attack", kept, "estimate (limit)"),
        )
        for x, y in zip(budgets, values, strict=True)
    ]


def _by_strength(path: Sequence[Limit], attack: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        _row("strength", series, _strength(each), value, "estimate (limit)")
        for each in path
        for series, value in zip(
            _SERIES,
            (
                limit_accuracy(each),
                float(limit_robust_accuracy(each, **attack)),
                each.nonzero_fraction,
            ),
            strict=True,
        )
    ]


def _measured(
    limit: Limit, attack: Mapping[str, float], measured: Simulated, name: str
) -> list[dict[str, Any]]:
    found = measured.measures
    points = [
        ("budget", "accuracy under attack", 0.0, found["accuracy"]),
        ("budget", "accuracy under attack", attack[name], found["robust_accuracy"]),
        ("strength", "clean accuracy", _strength(limit), found["accuracy"]),
        ("strength", "accuracy under attack", _strength(limit), found["robust_accuracy"]),
        ("strength", "share of weights not zero", _strength(limit), found["nonzero_fraction"]),
    ]
    return [
        _row(panel, series, x, float(each.mean), "estimate") | {"error": float(each.error)}
        for panel, series, x, each in points
    ]


def _row(panel: str, series: str, x: float, y: float, kind: str) -> dict[str, Any]:
    return {"panel": panel, "series": series, "x": x, "y": y, "kind": kind, "error": None}


def _curves(axes: Axes, rows: Rows, panel: str) -> None:
    for series in dict.fromkeys(row["series"] for row in rows if row["panel"] == panel):
        mine = [row for row in rows if row["panel"] == panel and row["series"] == series]
        line = [row for row in mine if row["error"] is None]
        color = _SERIES.get(series, BLACK)
        style: dict[str, Any] = {} if series in _SERIES else {"lw": 0.8, "ls": "--"}
        x, y = [row["x"] for row in line], [row["y"] for row in line]
        axes.plot(x, y, color=color, label=series, **style)
        marks = [row for row in mine if row["error"] is not None]
        if marks:
            x, y = [row["x"] for row in marks], [row["y"] for row in marks]
            bars = [2 * row["error"] for row in marks]
            axes.errorbar(x, y, bars, fmt="o", ms=4, color=color, mec=BLACK, mew=0.5)
