"""Networks pruned at random: how steep their outputs are, moved by the density."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

from figures.report.dots import dot_rows
from figures.report.moving import (
    BOUND,
    MEASURED,
    PREDICTED,
    STEPS,
    Column,
    Drawing,
    Moving,
    Rows,
    number,
)

# Quantities of the table, the loosest bound first: what they are called here, and of which kind.
_CALLED = {
    "product of densities": ("product of densities", BOUND),
    "second moment": ("second moment of paths", BOUND),
    "sharper": ("sharper, by rows", BOUND),
    "moments": ("root mean square", PREDICTED),
    "root mean square": ("root mean square", MEASURED),
    "mean": ("mean", MEASURED),
}
_ORDER = list(dict.fromkeys(name for name, _ in _CALLED.values()))
_TEXT = (
    "L2 norm of an output's gradient when each weight is kept with probability ρ: score per unit of"
    " pixel, mean of ten outputs over test digits. Upper bounds are of the mean of the local"
    " Lipschitz constant over masks. The root mean square is predicted by moments: exact where only"
    " the output layer is pruned, else an estimate. Measured over masks drawn, with 95 % intervals."
    " Faint: the other densities."
)


def _rows(table: Iterable[Mapping[str, Any]]) -> Rows:
    found = []
    for row in table:
        name, kind = _CALLED.get(row["what"], (row["what"], BOUND))
        density = number(1 - float(row["alpha"]))
        values = {key: number(row[key]) for key in ("value", "low", "high")}
        about = {"network": row["network"], "pruned": row["pruned"], "density": density}
        found.append({**about, "what": name, "kind": kind, **values})
    return found


def _spec() -> Drawing:
    return dot_rows(
        _ORDER,
        title="L2 norm of the gradient",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=STEPS),
        description="Upper bounds, predictions and measurements of a gradient's norm, a row each,"
        " at the density chosen. The table below has the numbers.",
    )


MASKS = Moving(
    name="masks",
    title="The density of random masks",
    text=_TEXT,
    table="random-pruning",
    rows=_rows,
    choices=(Column(name="network", label="Network"), Column(name="pruned", label="Pruned")),
    slider=Column(name="density", label="ρ"),
    columns=(
        Column(name="network"),
        Column(name="pruned"),
        Column(name="density"),
        Column(name="what", label="quantity"),
        Column(name="kind", label="kind"),
        Column(name="value", label="value"),
        Column(name="low", label="from"),
        Column(name="high", label="to"),
    ),
    spec=_spec,
)
