"""Statements as HTML: mathematics as MathML, which browsers set without a library."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from figures.report.signs import Part, parts, pieces

_LONG = 9  # parts that stay on one line
_TAGS = {"letter": "mi", "number": "mn", "word": "mtext", "sign": "mo"}


def statement_html(statement: str) -> Markup:
    """Return a statement with its mathematics in MathML; what it says of HTML stays text.

    Examples
    --------
    >>> statement_html("R&D r_2")
    Markup('R&amp;D <math><msub><mi mathvariant="normal">r</mi><mn>2</mn></msub></math>')
    """
    return Markup(" ").join(
        escape(piece) if isinstance(piece, str) else _math(piece) for piece in pieces(statement)
    )


def _math(found: tuple[Part, ...]) -> Markup:
    """Return mathematics that may break after a sign where it is long."""
    lines: list[list[Part]] = [[]]
    for part in found:
        if len(lines[-1]) >= _LONG and lines[-1][-1].kind == "sign":
            lines.append([])
        lines[-1].append(part)
    return Markup("<wbr>").join(Markup("<math>{}</math>").format(_row(line)) for line in lines)


def _row(found: Sequence[Part]) -> Markup:
    return Markup("").join(map(_scripted, found))


def _scripted(part: Part) -> Markup:
    base = _bare(part)
    below, above = (_script(text) for text in (part.below, part.above))
    if below and above:
        return Markup("<msubsup>{}{}{}</msubsup>").format(base, below, above)
    if below:
        return Markup("<msub>{}{}</msub>").format(base, below)
    if above:
        return Markup("<msup>{}{}</msup>").format(base, above)
    return base


def _bare(part: Part) -> Markup:
    if part.kind == "root":
        return Markup("<msqrt>{}</msqrt>").format(_row(part.inside))
    tag = _TAGS[part.kind]
    # Upright to the browser, italic by style: not every machine has a font of italic signs.
    how = {
        "letter": ' mathvariant="normal"',
        "sign": ' stretchy="false" lspace="0" rspace="0"',
    }.get(part.kind, "")
    return Markup(f"<{tag}{how}>{{}}</{tag}>").format(part.text)


def _script(text: str) -> Markup:
    if not text:
        return Markup("")
    if text == "inf":
        text = "∞"
    inside = _row(parts(text))
    return inside if len(parts(text)) == 1 else Markup("<mrow>{}</mrow>").format(inside)
