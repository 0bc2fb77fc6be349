"""Every claim of the catalogue is complete: key, assumptions, source, prediction, written proof."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any, get_args

import pytest

import theory
import theory.claims
from theory.claims.claim import Claim, Form, Standing

MODULES = {
    found.name: importlib.import_module(f"theory.claims.{found.name}")
    for found in pkgutil.iter_modules(theory.claims.__path__)
}
CLAIMS: list[tuple[str, Claim]] = [
    (name, claim) for name, module in MODULES.items() for claim in getattr(module, "CLAIMS", ())
]
EACH = pytest.mark.parametrize(("module", "claim"), CLAIMS, ids=[c.key for _, c in CLAIMS])


def is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def test_there_are_claims_and_their_keys_are_unique() -> None:
    keys = [claim.key for _, claim in CLAIMS]
    assert len(keys) >= 10
    assert len(set(keys)) == len(keys)


def test_the_catalogue_holds_every_claim() -> None:
    assert set(theory.claims.CATALOGUE) == {claim.key for _, claim in CLAIMS}
    assert all(theory.claims.CATALOGUE[claim.key] is claim for _, claim in CLAIMS)


@EACH
def test_key_names_its_module(module: str, claim: Claim) -> None:
    prefix, dot, name = claim.key.partition(".")
    assert dot == "."
    # A source whose claims fill several files: guo2018, guo2018_masks.
    assert module == prefix or module.startswith(f"{prefix}_")
    assert name
    assert claim.key == claim.key.lower().strip()


@EACH
def test_claim_says_what_it_has_to(module: str, claim: Claim) -> None:
    texts: list[Any] = [claim.statement, claim.note, *claim.assumptions]
    texts += [claim.source.citation, claim.source.place]
    assert all(isinstance(text, str) and text.strip() for text in texts)
    assert isinstance(claim.assumptions, tuple)
    assert claim.assumptions
    assert claim.form in get_args(Form)
    assert claim.standing in get_args(Standing)


@EACH
def test_bibtex_is_an_entry_with_balanced_braces(module: str, claim: Claim) -> None:
    entry = claim.source.bibtex.strip()
    assert entry.startswith("@")
    assert entry.endswith("}")
    assert "{" in entry
    assert is_balanced(entry)


@EACH
def test_prediction_can_be_called_and_says_what_it_returns(module: str, claim: Claim) -> None:
    assert callable(claim.predict)
    assert (claim.predict.__doc__ or "").startswith("Return")


@EACH
def test_what_is_proven_or_refuted_has_a_written_proof(module: str, claim: Claim) -> None:
    source = claim.key.split(".", maxsplit=1)[0]
    proof = Path(theory.__file__).parent / "proofs" / f"{source}.md"
    if claim.standing != "open":
        assert proof.is_file()
        assert proof.read_text(encoding="utf-8").startswith("# ")
