"""The reference of what can be imported: a page a module, from the docstrings."""

import ast
from collections.abc import Iterable
from pathlib import Path

ROOMS = ("theory", "empirical")
# Parts of packages that have an address of their own: their packages do not pass them on.
PARTS = (
    "theory.certify.branch_and_bound",
    "theory.linear.moments",
    "empirical.verify.verdict",
)
_OWN = {
    "theory": "What mathematics predicts",
    "empirical": "What trained, pruned and attacked models do",
}
_HEAD = """\
# Reference

What can be imported, from the docstrings. Every function says the *kind* of the numbers that it
returns: `exact`, `lower` (proven), `upper` (witnessed by a stored point) or `estimate`. Studies and
figures, which have no users but the commands, are not listed; their docstrings are in the source.
"""


def reference_pages(root: Path) -> dict[str, str]:
    """Return the reference as Markdown, by path: reference/index.md and a page for each module.

    Parameters
    ----------
    root : Path
        Of the repository: modules are listed by what is there, not imported.
    """
    found = {room: modules_of(root, room) for room in ROOMS}
    pages = {f"reference/{name}.md": _page(name) for modules in found.values() for name in modules}
    return {"reference/index.md": _index(root, found), **pages}


def modules_of(root: Path, room: str) -> list[str]:
    """Return the public modules of a room: packages and files, parts of them, and all claims."""
    top = [
        f"{room}.{path.stem}"
        for path in (root / room).iterdir()
        if _is_module(path) and not path.stem.endswith(_STUDIES)
    ]
    claims = [
        f"theory.claims.{path.stem}"
        for path in (root / room / "claims").glob("*.py")
        if path.stem not in ("__init__", "claim")
    ]
    return sorted([*top, *claims, *(part for part in PARTS if part.startswith(f"{room}."))])


_STUDIES = ("_study", "_tables", "_table", "summary", "curves", "__init__", "__pycache__")


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def first_line(root: Path, module: str) -> str:
    """Return the first line of a module's docstring.

    Raises
    ------
    ValueError
        If it has none.
    """
    path = root.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not text:
        raise ValueError(f"{file} must have a docstring; got none.")
    return text.splitlines()[0]


def _index(root: Path, found: dict[str, list[str]]) -> str:
    parts = [_HEAD]
    for room, modules in found.items():
        rows = [f"- [`{name}`]({name}.md): {_escaped(first_line(root, name))}" for name in modules]
        parts += [f"## {_OWN[room]}", "\n".join(rows)]
    parts.append(_toctree(name for modules in found.values() for name in modules))
    return "\n\n".join([*parts, ""])


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*")


def _toctree(names: Iterable[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])


def _page(module: str) -> str:
    directive = f".. automodule:: {module}\n   :members:"
    return f"# {module}\n\n```{{eval-rst}}\n{directive}\n```\n"
