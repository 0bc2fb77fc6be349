"""Lottery tickets, adversarially trained and not, met by PGD and certificates."""

from collections.abc import Sequence

from empirical.compression_study import MLP, CompressionCell
from empirical.verify.compressed import Path, at_budget, path
from empirical.verify.existence import Candidates, Needed, judge_existence
from empirical.verify.verdict import Verdict, not_covered
from theory.claims import CATALOGUE
from theory.claims.claim import Claim

_EPS = 0.1
_FEW = 5.0  # a compression from which weights are few
_ABSENT = "the study has no such tickets at every level of every seed."


def _tickets(cells: Sequence[CompressionCell], reset: str, *, trained: str) -> Path | None:
    return path(cells, f"ticket {reset}", model=MLP, trained=trained)


def check_tickets(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "adversarial training finds sparse robust networks"."""
    claim = CATALOGUE["cosentino2019.tickets"]
    tickets = _tickets(cells, "original", trained="adversarial")
    if tickets is None:
        return not_covered(claim, _ABSENT)
    cases: dict[str, Candidates] = {}
    for name, measure in at_budget(_EPS).items():
        values = tickets.values(measure)
        cases[name] = {
            f"compression {compression:.3g}": [
                Needed(
                    what="gain over dense",
                    effect=values[:, level] - values[:, 0],
                    least=-claim.predict(),
                    **tickets.about_shares,
                )
            ]
            for level, compression in enumerate(tickets.compressions)
            if compression >= _FEW
        }
    return judge_existence(claim, cases)


def check_reset(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "original weights make better tickets than weights drawn anew"."""
    return _judged(
        CATALOGUE["cosentino2019.reset"],
        _tickets(cells, "original", trained="adversarial"),
        _tickets(cells, "random", trained="adversarial"),
        what="original less random",
    )


def check_natural(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "naturally trained tickets are not robust"."""
    return _judged(
        CATALOGUE["cosentino2019.natural"],
        _tickets(cells, "original", trained="adversarial"),
        _tickets(cells, "original", trained="natural"),
        what="adversarial less natural",
    )


def _judged(claim: Claim, one: Path | None, other: Path | None, *, what: str) -> Verdict:
    """Return whether the first tickets have more robust accuracy, on average over pruned levels."""
    if one is None or other is None or not one.pairs_with(other):
        return not_covered(claim, _ABSENT)
    cases: dict[str, Candidates] = {}
    for name, measure in at_budget(_EPS).items():
        effect = (one.values(measure) - other.values(measure))[:, 1:].mean(axis=1)
        needed = Needed(what=what, effect=effect, least=claim.predict(), **one.about_shares)
        cases[name] = {"mean over compressions": [needed]}
    return judge_existence(claim, cases)
