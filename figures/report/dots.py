"""Rows of dots: quantities below each other, each with what is predicted, measured and bounded."""

from collections.abc import Sequence

import altair as alt

from figures.report.moving import ALL, KINDS, SHOWN, Drawing, finished, kind_colour


def dot_rows(
    quantities: Sequence[str], *, title: str, scale: alt.Scale, axis: alt.Axis, description: str
) -> Drawing:
    """Return a row a quantity: hollow marks at the slider's place, and ticks wherever it may be.

    The rows drawn have columns what, kind, value, low and high.

    Parameters
    ----------
    quantities : sequence of str
        Values of "what", from above.
    title, scale, axis
        Of the horizontal axis.
    description : str
        For who cannot see it.
    """

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", title=title, scale=scale, axis=axis)

    y = alt.Y("what:N", title=None, sort=list(quantities), axis=alt.Axis(labelLimit=220))
    shape = alt.Shape(
        "kind:N",
        scale=alt.Scale(domain=KINDS, range=["diamond", "circle", "triangle-left"]),
        legend=alt.Legend(title=None, orient="top", columns=1, symbolOpacity=1),
    )
    color = kind_colour(across=1)  # beside long names there is little room
    known = "isValid(datum.value)" + (
        " && datum.value > 0" if scale.to_dict()["type"] == "log" else ""
    )
    everywhere = alt.Chart(ALL).transform_filter(known)
    here = alt.Chart(SHOWN).transform_filter(known)
    return finished(
        everywhere.mark_tick(opacity=0.25, thickness=1.5, size=14).encode(
            x=x("value"), y=y, color=color
        ),
        here.transform_filter("datum.high > datum.low && datum.low > 0")
        .mark_rule(strokeWidth=1.6)
        .encode(x=x("low"), x2="high:Q", y=y, color=color),
        here.mark_point(filled=False, size=130, strokeWidth=2.2, opacity=1).encode(
            x=x("value"), y=y, color=color, shape=shape
        ),
        description=description,
    )
