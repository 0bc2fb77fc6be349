"""Linear classifiers under attack: accuracy left against sparsity, moved by the budget ε."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

from figures.report.moving import (
    ALL,
    BOUND,
    MEASURED,
    POWERS,
    PREDICTED,
    SHOWN,
    Column,
    Drawing,
    Moving,
    Rows,
    finished,
    number,
    of_kind,
)

# The chart's columns, and those of the table.
_OF = {
    "eps": "eps",
    "weights": "nonzero weights",
    "predicted": "r_inf predicted",
    "predicted_low": "r_inf predicted low",
    "predicted_high": "r_inf predicted high",
    "measured": "r_inf attacked",
    "measured_low": "r_inf attacked low",
    "measured_high": "r_inf attacked high",
    "bound": "r_inf bound",
}
_TEXT = (
    "Accuracy left when every feature may move by ε (L∞, no box), over sparsity. Predicted: from"
    " Gaussian margins with the moments of inputs held out. Measured: FGSM, exact for two labels,"
    " on other inputs. Means over splits with 95 % intervals; the bound is from two moments. Faint:"
    " predictions at the other budgets."
)


def _rows(table: Iterable[Mapping[str, Any]]) -> Rows:
    return [
        {"dataset": row["dataset"], "family": row["family"]}
        | {name: number(row[own]) for name, own in _OF.items()}
        for row in table
    ]


def _spec() -> Drawing:
    x = alt.X(
        "weights:Q",
        title="nonzero weights",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=POWERS),
    )
    scale = alt.Scale(domain=[0, 1], clamp=True)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title="robust accuracy", scale=scale)

    shown = alt.Chart(SHOWN).encode(x=x)
    predicted, measured = of_kind(shown, PREDICTED), of_kind(shown, MEASURED)
    elsewhere = alt.Chart(ALL).mark_line(opacity=0.16, strokeWidth=1)
    return finished(
        of_kind(elsewhere.encode(x=x, y=y("predicted"), detail="eps:Q"), PREDICTED),
        predicted.mark_area(opacity=0.16).encode(y=y("predicted_low"), y2="predicted_high:Q"),
        of_kind(shown, BOUND).mark_line(strokeDash=[5, 3], strokeWidth=1.4).encode(y=y("bound")),
        predicted.mark_line(strokeWidth=2.2).encode(y=y("predicted")),
        measured.mark_rule(strokeWidth=1.4).encode(y=y("measured_low"), y2="measured_high:Q"),
        measured.mark_point(filled=True, size=55, opacity=1).encode(y=y("measured")),
        description="Robust accuracy against the number of nonzero weights: a line predicted,"
        " points measured, and an upper bound. The table below has the numbers.",
    )


BUDGETS = Moving(
    name="budgets",
    title="The size of the attack",
    text=_TEXT,
    table="budgets",
    rows=_rows,
    choices=(Column(name="dataset", label="Data"), Column(name="family", label="Classifier")),
    slider=Column(name="eps", label="ε"),
    columns=(
        Column(name="dataset"),
        Column(name="family"),
        Column(name="eps"),
        Column(name="weights", label="nonzero weights"),
        Column(name="predicted", label="predicted"),
        Column(name="predicted_low", label="from"),
        Column(name="predicted_high", label="to"),
        Column(name="measured", label="measured"),
        Column(name="measured_low", label="from"),
        Column(name="measured_high", label="to"),
        Column(name="bound", label="upper bound"),
    ),
    spec=_spec,
)
