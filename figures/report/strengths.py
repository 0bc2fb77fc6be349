"""Classifiers predicted before they are trained, moved by the strength λ of the penalty."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from figures.report.dots import dot_rows
from figures.report.moving import (
    BOUND,
    MEASURED,
    PREDICTED,
    Column,
    Drawing,
    Moving,
    Rows,
    number,
)

_CALLED = {
    "accuracy": "accuracy",
    "robust accuracy, L2": "robust accuracy, L2",
    "robust accuracy, Linf": "robust accuracy, L∞",
    "share of nonzero weights": "weights that are not 0",
}
_TEXT = (
    "Logistic regression with an L1 or an L2 penalty of strength λ, two Gaussian classes. Predicted"
    " before training, for n and d that grow together, and read off the line between neighbouring"
    " strengths; measured: scikit-learn's classifiers, with 95 % intervals. Upper bounds: the best"
    " of any classifier. Faint: predictions at other strengths."
)
_FAINT = -1.0  # a strength that the slider does not come to


def _rows(table: Iterable[Mapping[str, Any]]) -> Rows:
    """Return rows at the strengths measured, with the prediction there; others are faint."""
    listed = [row for row in table if row["against"] == "strength"]
    found: Rows = []
    for penalty in dict.fromkeys(row["penalty"] for row in listed if row["what"] == "predicted"):
        for measure, called in _CALLED.items():
            own = [
                r for r in listed if r["measure"] == measure and r["penalty"] in {penalty, "any"}
            ]
            about = {"penalty": penalty, "what": called}
            found += [{**about, **row} for row in _of_measure(own)]
    return found


def _of_measure(rows: Sequence[Mapping[str, Any]]) -> Rows:
    line, points, ceiling = (
        [row for row in rows if row["what"] == what]
        for what in ("predicted", "measured", "ceiling")
    )
    known = np.array([(np.log(float(r["at"])), float(r["value"])) for r in line]).reshape(-1, 2)
    found: Rows = [{"kind": PREDICTED, "strength": _FAINT, "value": number(v)} for _, v in known]
    for point in points:
        here = {"strength": number(point["at"])}
        told = number(np.interp(np.log(float(point["at"])), *known.T)) if len(known) else None
        found.append({"kind": PREDICTED, **here, "value": told})
        limits = {name: number(point[name]) for name in ("value", "low", "high")}
        found.append({"kind": MEASURED, **here, **limits})
        found += [{"kind": BOUND, **here, "value": number(r["value"])} for r in ceiling[:1]]
    return found


def _spec() -> Drawing:
    return dot_rows(
        list(_CALLED.values()),
        title="share of inputs, or of weights",
        scale=alt.Scale(type="linear", domain=[0, 1]),
        axis=alt.Axis(tickCount=5),
        description="Accuracy, robust accuracies and the share of nonzero weights, predicted,"
        " measured and at most, at the strength chosen. The table below has the numbers.",
    )


STRENGTHS = Moving(
    name="strengths",
    title="The strength of the penalty, before training",
    text=_TEXT,
    table="before-training",
    rows=_rows,
    choices=(Column(name="penalty", label="Penalty"),),
    slider=Column(name="strength", label="λ"),
    columns=(
        Column(name="penalty"),
        Column(name="strength"),
        Column(name="what", label="quantity"),
        Column(name="kind", label="kind"),
        Column(name="value", label="value"),
        Column(name="low", label="from"),
        Column(name="high", label="to"),
    ),
    spec=_spec,
)
