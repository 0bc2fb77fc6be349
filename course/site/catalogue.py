"""The catalogue of claims as pages: one a source, and a table of all."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby

from figures.report.maths import statement_html
from theory.claims import Claim

# A tag or an entity of HTML, or a character that Markdown may read as markup.
_MARKUP = re.compile(r"(<[^>]*>|&#?\w+;)|([\\`*_{}\[\]()#+\-.!|$~^:])")
_PROOF = re.compile(r"theory/proofs/(\w+)\.md")
_PROOF_LINK = "[theory/proofs/{0}.md](../proofs/{0}.md)"
_NAME = re.compile(r"\b([a-z]\w*(?:_\w+){2,})\b")  # of a function: no sign has two underscores
# What the catalogue says of a claim, in the words of the pages.
_STANDINGS = {"proven": "proven", "refuted": "false as stated", "open": "open"}
_HEAD = """\
# The claims

{count} statements about sparsity and robustness, as data: under which assumptions they are made,
which number they predict, and what we say of them. This catalogue is made from `theory/claims`
whenever the site is built; `sparsebound claims` prints the same.

- **proven**: under the assumptions listed; the proofs are [here](../proofs/index.md).
- **false as stated**: there is a counterexample, and the note says which.
- **open**: left to the data. `sparsebound check KEY` measures it and gives a verdict.

The form decides the test that makes a measurement a verdict: an *identity* must be met, a *bound*
not be passed, a *limit* be approached; a *trend* has a sign, an *equivalence* a margin.
"""


def shown(text: str) -> str:
    r"""Return Markdown that shows a text as it stands, its mathematics set, its proofs linked.

    Examples
    --------
    >>> shown("as in [1]: theory/proofs/classics.md")
    'as in &#91;1&#93;&#58; [theory/proofs/classics.md](../proofs/classics.md)'
    """
    parts = _PROOF.split(" ".join(text.split()))  # text, proof, text, proof, ..., text
    return "".join(_PROOF_LINK.format(p) if i % 2 else _set(p) for i, p in enumerate(parts))


def _set(text: str) -> str:
    """Return a text with its mathematics in MathML, and names of functions as code."""
    parts = _NAME.split(text)
    return "".join(f"`{part}`" if i % 2 else _mathml(part) for i, part in enumerate(parts))


def _mathml(text: str) -> str:
    safe = _unmarked(str(statement_html(text.strip())))
    before = " " if text[:1].isspace() else ""
    return f"{before}{safe}{' ' if safe and text[-1:].isspace() else ''}"


def _unmarked(html: str) -> str:
    """Return HTML whose text means nothing to Markdown."""
    return _MARKUP.sub(lambda found: found[1] or f"&#{ord(found[2])};", html)


def claim_pages(claims: Iterable[Claim]) -> dict[str, str]:
    """Return the catalogue as Markdown, by path: claims/index.md and a page for each source.

    Parameters
    ----------
    claims : iterable of Claim
        What is before the first dot of a key is the name of its page.

    Returns
    -------
    dict of str to str
    """
    ordered = list(claims)
    sources = {name: list(group) for name, group in groupby(sorted(ordered, key=_source), _source)}
    first_seen = dict.fromkeys(_source(claim) for claim in ordered)
    pages = {f"claims/{name}.md": _page(name, sources[name]) for name in first_seen}
    return {"claims/index.md": _index(sources, first_seen), **pages}


def _source(claim: Claim) -> str:
    return claim.key.split(".")[0]


def _title(name: str, claims: Iterable[Claim]) -> str:
    """Return who made the claims if that is one paper, else what they are about."""
    citations = {claim.source.citation for claim in claims}
    title = citations.pop() if len(citations) == 1 else name.capitalize()
    return _unmarked(escape(title))


def _anchor(claim: Claim) -> str:
    return claim.key.replace(".", "-")


def _index(sources: Mapping[str, list[Claim]], names: Iterable[str]) -> str:
    order = list(names)
    tables = [_table(name, sources[name]) for name in order]
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *order, "```"])
    count = sum(len(claims) for claims in sources.values())
    return "\n\n".join([_HEAD.format(count=count), *tables, toctree, ""])


def _table(name: str, claims: list[Claim]) -> str:
    rows = [
        f"| [`{claim.key}`]({name}.md#{_anchor(claim)}) {claim.form}<br>{shown(claim.statement)}"
        f" | {_STANDINGS[claim.standing]} |"
        for claim in claims
    ]
    heading = f"## {_title(name, claims)}\n"
    return "\n".join([heading, "| claim | we say |", "|---|---|", *rows])


def _page(name: str, claims: list[Claim]) -> str:
    sections = [_section(claim) for claim in claims]
    entries = dict.fromkeys(claim.source.bibtex.strip() for claim in claims)
    sources = "\n\n".join(["## BibTeX", *(f"```bibtex\n{entry}\n```" for entry in entries)])
    return "\n\n".join([f"# {_title(name, claims)}", *sections, sources, ""])


def _section(claim: Claim) -> str:
    predict = f"{claim.predict.__module__}.{claim.predict.__qualname__}"
    assumptions = "\n".join(f"- {shown(one)}" for one in claim.assumptions)
    return "\n\n".join(
        [
            f"({_anchor(claim)})=\n## `{claim.key}`",
            f"> {shown(claim.statement)}",
            f"{shown(claim.source.citation)}, {shown(claim.source.place)}.\n"
            f"Form: {claim.form}. We say: **{_STANDINGS[claim.standing]}**.",
            f"Assuming\n\n{assumptions}",
            shown(claim.note),
            f"Predicted by {{py:obj}}`{predict}`, measured by",
            f"```bash\nsparsebound check {claim.key}\n```",
        ]
    )
