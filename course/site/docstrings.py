"""Docstrings as reStructuredText: what is mathematics or plain text in them stays so."""

import re

# Code, in one pair of backticks or two, is left as it is.
_CODE = re.compile(r"(``.+?``|`[^`]+`)")
# |g| would be a substitution, x* emphasis, w_ a link.
_MARKUP = re.compile(r"[|*]|(?<=\w)_(?!\w)")
_PROMPT = re.compile(r"\s*(>>>|\.\.\. )")


def as_rst(lines: list[str]) -> list[str]:
    r"""Return the lines of a docstring so that nothing but `code` in them is markup.

    Doctests, and what they print, are left as they are, and so is a block after "::".

    Examples
    --------
    >>> as_rst(["Return |x_1| of `w_`.", "", ">>> 2 * 3", "6"])
    ['Return \\|x_1\\| of `w_`.', '', '>>> 2 * 3', '6']
    """
    escaped, is_verbatim, block = [], False, None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            is_verbatim = False
        elif block is not None and indent <= block:
            block = None
        if _PROMPT.match(line):
            is_verbatim = True
        escaped.append(line if is_verbatim or block is not None else _escaped(line))
        if line.rstrip().endswith("::") and block is None:
            block = indent
    return escaped


def _escaped(line: str) -> str:
    parts = _CODE.split(line)  # text, code, text, ..., text
    return "".join(part if i % 2 else _MARKUP.sub(r"\\\g<0>", part) for i, part in enumerate(parts))
