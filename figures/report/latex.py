"""The table of verdicts as LaTeX, for papers."""

from collections.abc import Mapping, Sequence
from typing import Any

from figures.report.shown import slack_text, value_text
from figures.report.signs import Part, parts, pieces

_HEADS = ("claim", "source", "form", "we say", "attacks say", "predicted", "measured", "slack")
_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{"<": "$<$", ">": "$>$", "|": "$|$", '"': "''"},
}
_IN_MATHEMATICS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": "\\backslash ", "^": "\\wedge ", "−": "-", "–": "-"},
}
# Unicode's signs as commands of mathematics.
_COMMANDS = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta"},
    **{"η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi"},
    **{"π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi", "χ": "chi", "ψ": "psi"},
    **{"ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi"},
    **{"Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "ℓ": "ell", "∇": "nabla"},
    **{"≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "~": "sim", "→": "to", "∈": "in"},
    **{"∞": "infty", "±": "pm", "·": "cdot", "×": "times", "∘": "circ", "√": "surd"},
    **{"‖": "Vert", "⋯": "cdots", "∫": "int", "ℝ": "mathbf R"},
}


def verdicts_latex(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return a longtable, a row a verdict; it needs the packages booktabs and longtable.

    Parameters
    ----------
    verdicts : sequence of mapping
        As verdicts.json has them.
    """
    lines = [
        "% \\usepackage{booktabs,longtable}",
        "\\begin{longtable}{p{.2\\linewidth}p{.2\\linewidth}llllll}",
        "\\toprule",
        " & ".join(_HEADS) + " \\\\",
        "\\midrule",
        "\\endhead",
        *(f"{' & '.join(map(text_latex, _cells(verdict)))} \\\\" for verdict in verdicts),
        "\\bottomrule",
        "\\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def text_latex(text: str) -> str:
    r"""Return text with its mathematics as LaTeX, and nothing in it a command.

    Examples
    --------
    >>> text_latex("‖w‖₂ ≤ 5 % of r_2")
    '$\\Vert  w {\\Vert }_{2}$ $\\leq $ 5 \\% of ${r}_{2}$'
    """
    return " ".join(
        _plain(piece) if isinstance(piece, str) else f"${_row(piece)}$" for piece in pieces(text)
    )


def _cells(verdict: Mapping[str, Any]) -> list[str]:
    return [
        *(str(verdict[name]) for name in ("claim", "source", "form", "we say", "verdict")),
        *(value_text(verdict[name]) for name in ("predicted", "measured")),
        slack_text(verdict),
    ]


def _row(found: Sequence[Part]) -> str:
    return " ".join(map(_scripted, found))


def _scripted(part: Part) -> str:
    base = f"\\sqrt{{{_row(part.inside)}}}" if part.kind == "root" else _bare(part)
    below, above = (_row(parts(text)) for text in (part.below, part.above))
    if not below and not above:
        return base
    return f"{{{base}}}" + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def _bare(part: Part) -> str:
    if part.kind == "word":
        return "\\infty" if part.text == "inf" else f"\\textrm{{{_plain(part.text)}}}"
    return "".join(_sign(sign) for sign in part.text)


def _sign(sign: str) -> str:
    if sign in _COMMANDS:
        return f"\\{_COMMANDS[sign]} "
    if sign in _IN_MATHEMATICS:
        return _IN_MATHEMATICS[sign]
    return sign if sign.isascii() else f"\\textrm{{{_plain(sign)}}}"


def _plain(text: str) -> str:
    return "".join(_letter(sign) for sign in text)


def _letter(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign in _COMMANDS:
        return f"$\\{_COMMANDS[sign]}$"
    return {"−": "$-$", "–": "--", "’": "'", "…": "\\dots{}", "\xa0": "~"}.get(sign, sign)
