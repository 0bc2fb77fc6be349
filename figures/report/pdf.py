"""Figures as PDF, for papers."""

from collections.abc import Iterable
from pathlib import Path

import vl_convert

from empirical.whole_files import whole_file
from figures.report.folder import Drawn


def write_pdfs(figures: Iterable[Drawn], folder: Path) -> list[Path]:
    """Write each figure as PDF, made of its SVG; return the files.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    written = []
    for figure in figures:
        path = folder / f"{figure.name}.pdf"
        with whole_file(path) as unfinished:
            unfinished.write_bytes(vl_convert.svg_to_pdf(figure.svg.decode("utf-8")))
        written.append(path)
    return written
