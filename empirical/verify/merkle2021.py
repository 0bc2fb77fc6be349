"""Which pruning makes networks robust, and how much of it, met by searches, proofs and attacks."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from empirical.compression_study import CNN, CRITERIA, MLP, CompressionCell
from empirical.measures import mixed_accuracy
from empirical.pruning import SCHEMES
from empirical.verify.compressed import (
    About,
    Measure,
    Path,
    about_r_2,
    at_budget,
    budget,
    path,
    r_2_measures,
)
from empirical.verify.existence import Candidates, Needed, judge_existence, judge_parts
from empirical.verify.verdict import SIGNIFICANCE, Status, Verdict, not_covered
from theory.claims import CATALOGUE
from theory.claims.claim import Claim
from theory.validation import FloatArray

_EPS = 0.05
_ALLOWED = 0.01  # the accuracy that a sweet spot may lose
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of adversarial inputs, in the evidence
_ABSENT = "the study has no such networks at every level of every seed."


def _accuracy(cell: CompressionCell) -> float:
    return cell.accuracy


def _pruned(cells: Sequence[CompressionCell], family: str) -> Path | None:
    return path(cells, family, model=MLP, trained="natural")


def _sweet(pruned: Path, robust: FloatArray, **named: Any) -> Candidates:
    """Return what each compression needs: more robustness than dense, and as much accuracy."""
    accuracy = pruned.values(_accuracy)
    about = pruned.about_shares
    as_accurate = partial(Needed, what="accuracy over dense", least=-_ALLOWED, **about)
    return {
        f"compression {compression:.3g}": [
            Needed(what="gain over dense", effect=robust[:, level] - robust[:, 0], **named),
            as_accurate(effect=accuracy[:, level] - accuracy[:, 0]),
        ]
        for level, compression in enumerate(pruned.compressions)
        if level > 0
    }


def check_sweet_spot_l2(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on sweet spots in L2: a larger r_2 at no loss of accuracy."""
    claim, pruned = CATALOGUE["merkle2021.sweet-spot-l2"], _pruned(cells, CRITERIA[0])
    if pruned is None:
        return not_covered(claim, _ABSENT)
    cases = {}
    for name, measure in r_2_measures(pruned).items():
        values = pruned.values(measure)
        cases[name] = _sweet(
            pruned,
            values / values[:, 0].mean(),
            least=claim.predict(),
            unit="of dense r_2",
            **about_r_2(pruned),
        )
    return judge_existence(claim, cases)


def check_sweet_spot_linf(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on sweet spots in L∞: more robust accuracy at no loss of accuracy."""
    claim, pruned = CATALOGUE["merkle2021.sweet-spot-linf"], _pruned(cells, CRITERIA[0])
    if pruned is None:
        return not_covered(claim, _ABSENT)
    named = {"least": claim.predict(), **pruned.about_shares}
    cases = {
        name: _sweet(pruned, pruned.values(measure), **named)
        for name, measure in at_budget(_EPS).items()
    }
    return judge_existence(claim, cases)


def check_magnitude(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on magnitude against random pruning, of accuracy and robustness."""
    claim = CATALOGUE["merkle2021.magnitude"]
    smallest, any_of_them = (_pruned(cells, family) for family in CRITERIA)
    if smallest is None or any_of_them is None or not smallest.pairs_with(any_of_them):
        return not_covered(claim, _ABSENT)
    robust = {
        name: _gap(claim, smallest, any_of_them, measure)
        for name, measure in at_budget(_EPS).items()
    }
    accurate = {"test inputs": _gap(claim, smallest, any_of_them, _accuracy)}
    return judge_parts(claim, {"accuracy": accurate, "robust accuracy": robust})


def _gap(claim: Claim, one: Path, other: Path, measure: Measure) -> Candidates:
    effect = (one.values(measure) - other.values(measure))[:, 1:].mean(axis=1)
    needed = Needed(what="difference", effect=effect, least=claim.predict(), **one.about_shares)
    return {"mean over compressions": [needed]}


def check_granularity(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on weights against kernels against filters, by attack."""
    claim = CATALOGUE["merkle2021.granularity"]
    measure = at_budget(_EPS)["PGD (upper)"]
    paths: dict[str, list[Path]] = {}
    for family, scheme in SCHEMES.items():
        one = path(cells, family, model=CNN, trained="natural")
        if one is None:
            return not_covered(claim, "only the full study prunes convolutional networks.")
        paths.setdefault(scheme.granularity, []).append(one)
    first = paths["weight"][0]
    if not all(first.pairs_with(other) for own in paths.values() for other in own):
        return not_covered(claim, _ABSENT)
    parts: dict[str, dict[str, Candidates]] = {}
    for fine, coarse in (("weight", "kernel"), ("kernel", "filter")):
        needed = Needed(
            what="difference",
            effect=_mean_of(paths[fine], measure) - _mean_of(paths[coarse], measure),
            least=claim.predict(),
            **first.about_shares,
        )
        parts[f"{fine} over {coarse}"] = {"PGD (upper)": {"mean over compressions": [needed]}}
    return judge_parts(claim, parts)


def _mean_of(paths: Sequence[Path], measure: Measure) -> FloatArray:
    """Return the mean over paths and pruned levels, shape (seeds,)."""
    own = np.array([one.values(measure)[:, 1:].mean(axis=1) for one in paths])
    return np.asarray(own.mean(axis=0), dtype=np.float64)


def check_ratio(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "the best compression depends on the share of adversarial inputs".

    It does where the best ones of q = 0 and of q = 1 each exceed the other at their own q. Gains of
    what other seeds chose are negative by chance alone: only one that by every measure is surely
    best at both ends refutes.
    """
    claim, pruned = CATALOGUE["merkle2021.ratio"], _pruned(cells, CRITERIA[0])
    if pruned is None or len(pruned.cells) < 3:
        return not_covered(claim, _ABSENT)
    clean, about = pruned.values(_accuracy), pruned.about_shares
    robust = {name: pruned.values(measure) for name, measure in at_budget(_EPS).items()}
    verdict = judge_existence(
        claim,
        {
            name: {"chosen by other seeds": _regrets(clean, values, claim.predict(), about)}
            for name, values in robust.items()
        },
    )
    best = _surely_best([clean, *robust.values()], about)
    if best is None:
        verdict = replace(verdict, status=_unless_refuted(verdict))
    else:
        told = f"compression {pruned.compressions[best]:.3g} is surely best at q = 0 and q = 1"
        verdict = replace(verdict, status="refuted", summary=f"by {' and '.join(robust)} {told}")
    return replace(verdict, evidence={**verdict.evidence, **_best_by_share(pruned)})


def _unless_refuted(verdict: Verdict) -> Status:
    return "inconclusive" if verdict.status == "refuted" else verdict.status


def _regrets(clean: FloatArray, robust: FloatArray, least: float, about: About) -> list[Needed]:
    """Return what each seed gains at q = 0, and at 1, from its own best instead of the other's.

    Which level is best is chosen by the other seeds alone.
    """
    gains = []
    for seed in range(len(clean)):
        others = np.arange(len(clean)) != seed
        first, last = (int(table[others].mean(axis=0).argmax()) for table in (clean, robust))
        at_zero, at_one = clean[seed, first] - clean[seed, last], robust[seed, last]
        gains.append((at_zero, at_one - robust[seed, first]))
    return [
        Needed(
            what=f"best of q = {q} over that of q = {1 - q}, at q = {q}",
            effect=gain,
            least=least,
            **about,
        )
        for q, gain in enumerate(np.array(gains).T)
    ]


def _surely_best(tables: Sequence[FloatArray], about: About) -> int | None:
    """Return the level that significantly exceeds each other in every table, if there is one.

    Corrected for the number of levels that might; that it needs every table needs no correction.
    """
    levels = tables[0].shape[1]
    best = int(tables[0].mean(axis=0).argmax())
    for table in tables:
        for gap in np.delete(table[:, [best]] - table, best, axis=1).T:
            ahead = Needed(what="gap", effect=gap, least=0.0, **about)
            if ahead.p_value(1) * levels > SIGNIFICANCE:
                return None
    return best


def _best_by_share(pruned: Path) -> dict[str, float]:
    """Return the compression of most accuracy at shares of inputs attacked by PGD, over seeds."""

    def mixed(cell: CompressionCell) -> FloatArray:
        survived = cell.survived[budget(cell, _EPS)]
        return mixed_accuracy(cell.correct, survived, _SHARES).value

    mean = np.mean([[mixed(cell) for cell in row] for row in pruned.cells], axis=0)
    return {
        f"best compression by PGD, q = {q:g}": pruned.compressions[level]
        for q, level in zip(_SHARES, mean.argmax(axis=0), strict=True)
    }
