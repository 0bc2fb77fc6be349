"""The report: what `sparsebound reproduce` and sweeps found, as one page that opens anywhere."""

from figures.report.charts import MOVING, ChartParts, chart_parts
from figures.report.folder import (
    LATEX,
    PAGE,
    RUN,
    VERDICTS,
    Drawn,
    Reproduced,
    Run,
    read_reproduced,
    run_of,
    write_run,
)
from figures.report.latex import verdicts_latex
from figures.report.page import Sweeps, report_page
from figures.report.pdf import write_pdfs

__all__ = [
    "LATEX",
    "MOVING",
    "PAGE",
    "RUN",
    "VERDICTS",
    "ChartParts",
    "Drawn",
    "Reproduced",
    "Run",
    "Sweeps",
    "chart_parts",
    "read_reproduced",
    "report_page",
    "run_of",
    "verdicts_latex",
    "write_pdfs",
    "write_run",
]
