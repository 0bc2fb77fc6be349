"""MathJax, out of an installed package: formulas without a network."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_PACKAGE = "sphinx-mathjax-offline"
_FILE = "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
# Of es5/tex-svg.js of MathJax 3.2.2, as the npm package mathjax has it.
_SHA256 = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"


def copy_mathjax(folder: Path) -> None:
    """Copy MathJax with its glyphs, one file, into a folder, as tex-svg.js.

    Raises
    ------
    ModuleNotFoundError
        If the package that holds it is not installed.
    ValueError
        If the file is another.
    """
    try:
        source = Path(str(distribution(_PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError:
        raise ModuleNotFoundError(
            f"{_PACKAGE} must be installed; pip install -e '.[site]' does it."
        ) from None
    data = source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != _SHA256:
        raise ValueError(f"{source} must be MathJax 3.2.2, sha256 {_SHA256}; got {found}.")
    (folder / "tex-svg.js").write_bytes(data)
