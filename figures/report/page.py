"""The page: what is shown of a run and of sweeps, put into templates that escape all of it."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from empirical.seed_table import Group
from figures.report.captions import caption_of, shows
from figures.report.charts import MOVING, ChartParts, chart_data
from figures.report.commands import check_command, reproduce_command
from figures.report.folder import Drawn, Reproduced, Run
from figures.report.maths import statement_html
from figures.report.moving import Moving
from figures.report.packed import packed, packed_json, script_json
from figures.report.shown import agreement, measured_text, slack_text, value_text
from figures.report.sweeps_chart import SWEEPS
from figures.report.sweeps_table import chart_rows, table_columns

_PICTURE_ONLY = {"verdicts"}  # the page's own table says the same
_SIZE = re.compile(rb"<svg[^>]*?\bviewBox=\"[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)\"", re.DOTALL)
_SCRIPTS = ("page.js", "claims.js", "charts.js", "sweeps.js")


@dataclass(frozen=True, kw_only=True)
class Sweeps:
    """What a ledger says.

    Parameters
    ----------
    ledger : str
        Its name.
    groups : sequence of Group
    cells, failed : int
    codes, machines : sequence of str
        That ran its cells.
    """

    ledger: str
    groups: Sequence[Group]
    cells: int
    failed: int
    codes: Sequence[str]
    machines: Sequence[str]


def report_page(reproduced: Reproduced | None, sweeps: Sweeps | None, *, parts: ChartParts) -> str:
    """Return the page, complete in itself: it asks nothing of the network or the disk.

    Parameters
    ----------
    reproduced : Reproduced, optional
    sweeps : Sweeps, optional
    parts : ChartParts
    """
    environment = Environment(
        loader=PackageLoader("figures.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"maths": statement_html, "packed_json": packed_json}
    charts = _charts(reproduced, parts)
    if sweeps is not None and (rows := chart_rows(sweeps.groups)):
        charts.append(_chart(SWEEPS, rows, parts))
    return environment.get_template("report.html").render(
        style=_inlined("report.css"),
        scripts=[_inlined(name) for name in _SCRIPTS],
        library=Markup(parts.script.replace("</script", "<\\/script")) if charts else "",
        claims=_claims(reproduced) if reproduced else [],
        figures=_figures(reproduced.figures) if reproduced else [],
        run=_run(reproduced.run) if reproduced else None,
        charts=charts,
        sweeps=sweeps,
        sweep_columns=table_columns(sweeps.groups) if sweeps else [],
    )


def _claims(reproduced: Reproduced) -> list[dict[str, Any]]:
    pictures = [one.name for one in reproduced.figures if one.name not in _PICTURE_ONLY]
    return [
        {
            "key": verdict["claim"],
            "verdict": verdict,
            "paper": str(verdict["claim"]).split(".")[0],
            "agreement": agreement(verdict),
            "predicted": value_text(verdict["predicted"]),
            "measured": measured_text(verdict),
            "slack": slack_text(verdict),
            "evidence": [(name, value_text(v)) for name, v in verdict["evidence"].items()],
            "data": _data_link(verdict),
            "figures": [name for name in pictures if shows(name, verdict["claim"])],
            "command": check_command(reproduced.run, verdict["claim"]),
        }
        for verdict in reproduced.verdicts
    ]


def _figures(drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    found = []
    for figure in drawn:
        if figure.name not in _PICTURE_ONLY:
            width, height = _size(figure.svg)
            found.append(
                {
                    "name": figure.name,
                    "caption": caption_of(figure.name),
                    "svg": packed(figure.svg),
                    "csv": packed(figure.csv),
                    "width": width,
                    "height": height,
                }
            )
    return found


def _charts(reproduced: Reproduced | None, parts: ChartParts) -> list[dict[str, Any]]:
    tables = reproduced.tables if reproduced else {}
    return [
        _chart(chart, chart.rows(tables[chart.table]), parts)
        for chart in MOVING
        if tables.get(chart.table)
    ]


def _chart(chart: Moving, rows: Sequence[Any], parts: ChartParts) -> dict[str, Any]:
    return {
        "chart": chart,
        "data": chart_data(chart, rows),
        "spec": script_json(parts.specs[chart.name]),
    }


def _run(run: Run) -> dict[str, Any]:
    versions = ", ".join(f"{name} {version}" for name, version in run.libraries.items())
    return {"run": run, "versions": versions, "command": reproduce_command(run)}


def _data_link(verdict: Mapping[str, Any]) -> str:
    """Return the numbers of a verdict as a link that holds them."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("name", "value"))
    for name in ("claim", "verdict", "predicted", "measured", "low", "high"):
        writer.writerow((name, verdict[name]))
    writer.writerows(verdict["evidence"].items())
    return "data:text/csv;charset=utf-8," + quote(stream.getvalue())


def _size(svg: bytes) -> tuple[int, int]:
    """Return the width and height of a picture, for its place before it is there."""
    found = _SIZE.search(svg)
    return (round(float(found[1])), round(float(found[2]))) if found else (800, 500)


def _inlined(name: str) -> Markup:
    text = files("figures.report").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)
