"""The trend of r_2 and r_inf in pruned networks, met by exact searches, proofs and attacks."""

from collections.abc import Sequence
from functools import partial

from empirical.compression_study import CRITERIA, MLP, CompressionCell
from empirical.verify.compressed import (
    About,
    Path,
    about_r_2,
    at_budget,
    fgsm_at,
    path,
    r_2_measures,
)
from empirical.verify.existence import Candidates, Needed, judge_existence
from empirical.verify.verdict import Verdict, not_covered
from theory.claims import CATALOGUE
from theory.validation import FloatArray

_EPS = 0.05
_ABSENT = "the study has no network pruned by magnitude at every level of every seed."


def _pruned(cells: Sequence[CompressionCell]) -> Path | None:
    return path(cells, CRITERIA[0], model=MLP, trained="natural")


def _optimum(
    pruned: Path, values: FloatArray, least: float, about: About, unit: str = "of accuracy"
) -> Candidates:
    """Return what each compression between needs: to exceed the dense and the sparsest."""
    make = partial(Needed, least=least, unit=unit, **about)
    return {
        f"compression {pruned.compressions[level]:.3g}": [
            make(what="above dense", effect=values[:, level] - values[:, 0]),
            make(what="above sparsest", effect=values[:, level] - values[:, -1]),
        ]
        for level in range(1, pruned.levels - 1)
    }


def check_l2(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "r_2 first rises, then falls with sparsity", relative to dense r_2."""
    claim, pruned = CATALOGUE["guo2018.networks-l2"], _pruned(cells)
    if pruned is None:
        return not_covered(claim, _ABSENT)
    least, about, cases = claim.predict(), about_r_2(pruned), {}
    for name, measure in r_2_measures(pruned).items():
        values = pruned.values(measure)
        relative = values / values[:, 0].mean()
        cases[name] = _optimum(pruned, relative, least, about, unit="of dense r_2")
    return judge_existence(claim, cases)


def check_linf(cells: Sequence[CompressionCell]) -> Verdict:
    """Return the verdict on "r_inf first rises, then falls with sparsity"."""
    claim, pruned = CATALOGUE["guo2018.networks-linf"], _pruned(cells)
    if pruned is None:
        return not_covered(claim, _ABSENT)
    least, about = claim.predict(), pruned.about_shares
    measures = {"FGSM (upper)": fgsm_at(_EPS), **at_budget(_EPS)}
    return judge_existence(
        claim,
        {
            name: _optimum(pruned, pruned.values(measure), least, about)
            for name, measure in measures.items()
        },
    )
