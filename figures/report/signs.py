"""Statements as claims write them, in words and signs, taken apart into what is set how.

Claims say r_2 = t w·(m₊ − m₋) / (2 ‖w‖₂): scripts by _ and ^ or by Unicode's small signs. Each
piece between blanks is words or mathematics; lines may break between pieces, as in the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST = 48  # signs of a piece of mathematics: a line on a narrow screen holds no more
_SIGNS = frozenset("=<>≤≥≠≈~→∈∞±+−/·×∘√∫ΣΠ‖|{}∇⋯")
# What tells mathematics from words: a sign, a Greek letter, or a function's f(.
_TELLING = re.compile(r"[_^=<>≤≥≠≈~→∈∞±−/·∘√∫ΣΠ‖|∇⋯Α-Ωα-ωℓℝ]|(?<![A-Za-z])[A-Za-z]\(|^\+$")
_WORD = re.compile(r"[A-Za-z]{2,}(?:[-'’][A-Za-z]+)*|[-'’][A-Za-z]+")
_NAME = re.compile(r"[A-Za-z]\w*_\w+_\w+", re.ASCII)  # of something in the code
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|\.\d+")
_BELOW_OF = re.compile(r"_(?:\{([^{}]*)\}|([A-Za-z0-9]+|[α-ω*+−]))")
_ABOVE_OF = re.compile(r"\^(?:\{([^{}]*)\}|([A-Za-z0-9]|[α-ω*+−]))")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of mathematics that is set as one, with what is below and above it.

    Parameters
    ----------
    kind : {"letter", "number", "word", "sign", "root"}
        A letter is a variable. The content of a root is `inside`, its text empty.
    text, below, above : str
    inside : tuple of Part
    """

    kind: str
    text: str = ""
    below: str = ""
    above: str = ""
    inside: tuple["Part", ...] = ()


def pieces(statement: str) -> Iterator[str | tuple[Part, ...]]:
    """Yield a statement's words as text, and its mathematics as parts; blanks stood between them.

    Examples
    --------
    >>> found = list(pieces("for each ‖w‖₂"))
    >>> found[:2], [(part.text, part.below) for part in found[2]]
    (['for', 'each'], [('‖', ''), ('w', ''), ('‖', '2')])
    """
    tokens = _joined(statement.split())
    for i, token in enumerate(tokens):
        beside = [*tokens[max(i - 1, 0) : i], *tokens[i + 1 : i + 2]]
        yield parts(token) if _is_mathematics(token, beside) else token


def parts(text: str) -> tuple[Part, ...]:
    """Return the parts of a piece of mathematics.

    Examples
    --------
    >>> [(part.kind, part.text, part.below) for part in parts("k·r_inf")]
    [('letter', 'k', ''), ('sign', '·', ''), ('letter', 'r', 'inf')]
    >>> parts("√(a+b)")[0].kind, len(parts("√(a+b)")[0].inside)
    ('root', 3)
    """
    found, at = [], 0
    while at < len(text):
        part, at = _base(text, at)
        below, above, at = _scripts(text, at)
        if part.kind == "root" and (below or above):  # what has scripts of its own is all below it
            inside = _bracketed(part.inside, below, above)
            part, below, above = Part(kind="root", inside=inside), "", ""
        found.append(
            Part(kind=part.kind, text=part.text, inside=part.inside, below=below, above=above)
        )
    return tuple(found)


def _joined(tokens: list[str]) -> list[str]:
    """Return tokens, those that a root spans made one."""
    joined: list[str] = []
    for token in tokens:
        if joined and _is_open(joined[-1]):
            joined[-1] = f"{joined[-1]} {token}"
        else:
            joined.append(token)
    return joined


def _is_open(token: str) -> bool:
    start = token.rfind("√(")
    return start >= 0 and _closing(token, start + 1) == len(token)


def _is_mathematics(token: str, beside: list[str]) -> bool:
    bare = token.strip("(),.;:")
    if len(token) > _LONGEST or _NAME.fullmatch(bare):
        return False
    if bare in {"a", "A", "I"}:  # an article, but for a sign beside it
        return any(set(other) <= _SIGNS for other in beside)
    if len(bare) == 1 and bare.isalpha():
        return True
    return bool(_TELLING.search(token)) or any(
        _small("sub", sign) or _small("super", sign) for sign in token
    )


def _base(text: str, at: int) -> tuple[Part, int]:
    if text.startswith("√(", at):
        end = _closing(text, at + 1)
        return Part(kind="root", inside=parts(text[at + 2 : end])), min(end + 1, len(text))
    for kind, pattern in (("number", _NUMBER), ("word", _WORD)):
        if match := pattern.match(text, at):
            if kind == "word" and text[match.end() : match.end() + 1] in {"_", "^"}:
                break  # a product of letters, the last with a script
            return Part(kind=kind, text=match[0]), match.end()
    letter = text[at].isalpha() and text[at] not in _SIGNS
    return Part(kind="letter" if letter else "sign", text=text[at]), at + 1


def _scripts(text: str, at: int) -> tuple[str, str, int]:
    below = above = ""
    while at < len(text):
        if match := _BELOW_OF.match(text, at):
            below, at = below + (match[1] or match[2]), match.end()
        elif match := _ABOVE_OF.match(text, at):
            above, at = above + (match[1] or match[2]), match.end()
        elif small := _small("sub", text[at]):
            below, at = below + small, at + 1
        elif small := _small("super", text[at]):
            above, at = above + small, at + 1
        else:
            break
    return below, above, at


def _small(how: str, sign: str) -> str:
    """Return what a sign is the small form of; nothing if it is none of this kind.

    Examples
    --------
    >>> _small("sub", "₊"), _small("super", "ᵀ"), _small("sub", "x")
    ('+', 'T', '')
    """
    kind, _, codes = unicodedata.decomposition(sign).partition(" ")
    return "".join(chr(int(code, 16)) for code in codes.split()) if kind == f"<{how}>" else ""


def _bracketed(inside: tuple[Part, ...], below: str, above: str) -> tuple[Part, ...]:
    opening, closing = (
        Part(kind="sign", text="("),
        Part(kind="sign", text=")", below=below, above=above),
    )
    return (opening, *inside, closing)


def _closing(text: str, start: int) -> int:
    """Return where the bracket that opens at `start` closes, or the length if it does not."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)
