"""`sparsebound claims`: the catalogue."""

import textwrap
from importlib.resources import files

import click

from sparsebound.options import as_json, json_text
from theory.claims import CATALOGUE, Claim, find_claims


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--bibtex", is_flag=True, help="Print the sources' BibTeX entries.")
@click.option(
    "--example", is_flag=True, help="Print a claim of one's own, a file for `sparsebound check`."
)
@as_json
def claims(keys: tuple[str, ...], bibtex: bool, example: bool, as_json: bool) -> None:
    """List what is claimed, by whom, and what we say of it.

    A KEY is a claim (guo2018.r2) or a source (guo2018); without one all are listed. What we say:
    proven (under its assumptions), refuted (false as stated), or open (left to the data).
    """
    if example:
        if keys or bibtex or as_json:
            raise click.UsageError("--example stands alone.")
        text = files("sparsebound").joinpath("example_claim.py").read_text(encoding="utf-8")
        click.echo(text, nl=False)
        return
    found = {claim.key: claim for key in keys for claim in find_claims(key)} or CATALOGUE
    listed = list(found.values())
    if bibtex:
        click.echo("\n\n".join(dict.fromkeys(claim.source.bibtex for claim in listed)))
    elif as_json:
        click.echo(json_text([_object(claim) for claim in listed]))
    else:
        click.echo("\n\n".join(_paragraph(claim) for claim in listed))


def _object(claim: Claim) -> dict[str, object]:
    return {
        "key": claim.key,
        "source": f"{claim.source.citation}, {claim.source.place}",
        "form": claim.form,
        "status": claim.standing,
        "statement": claim.statement,
        "assumptions": list(claim.assumptions),
        "note": claim.note,
    }


def _paragraph(claim: Claim) -> str:
    title = click.style(claim.key, bold=True)
    body = [
        claim.statement,
        f"assuming: {'; '.join(claim.assumptions)}",
        claim.note,
    ]
    wrapped = (
        textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="    ") for text in body
    )
    source = f"{claim.source.citation}, {claim.source.place}"
    return "\n".join([f"{title}  ({claim.form}, {claim.standing})  {source}", *wrapped])
