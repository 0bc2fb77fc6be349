"""What checks of claims about pruned networks must say of planted studies: true, false, open."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from empirical.compression_study import CNN, CRITERIA, CompressionCell
from empirical.pruning import SCHEMES
from empirical.verify import COMPRESSION_CHECKS, Verdict, verdict_of
from empirical.verify.compressed import budget
from tests.empirical.planted_networks import Curve, planted, share

MAGNITUDE, RANDOM = (("natural", family) for family in CRITERIA)
TICKETS = {reset: ("adversarial", f"ticket {reset}") for reset in ("original", "random")}
NATURAL_TICKETS = ("natural", "ticket original")
LEVEL = [0.9] * 5
# Between the steps of six seeds ±.03 the mean of an effect is known to about ±.06.
NOISE = 0.03


def judged(key: str, cells: list[CompressionCell]) -> Verdict:
    return verdict_of(key, [], cells, seed=0)


def magnitude(robust: Any, *, accuracy: Any = LEVEL, **named: Any) -> list[CompressionCell]:
    """Return networks pruned by magnitude; their r_2 is their robust accuracy.

    But for that of the sparsest, whose seeds are off the other way: distances whose differences
    are the same for every seed say nothing.
    """
    cells = planted({MAGNITUDE: Curve(accuracy, robust, robust)}, **named)
    for cell in cells:
        if cell.level == 4 and cell.distances is not None and cell.deepfool is not None:
            twice = 2 * (robust[4] - cell.deepfool + named.get("slack", 0.0))
            for values in (cell.distances.lower, cell.distances.upper, cell.deepfool):
                np.add(values, twice, out=values)
    return cells


@pytest.mark.parametrize("key", COMPRESSION_CHECKS)
def test_no_study_covers_nothing(key: str) -> None:
    verdict = judged(key, [])
    assert verdict.status == "not covered"
    assert np.isnan(verdict.measured)


RISES, FALLS = [0.5, 0.5, 0.6, 0.4, 0.2], [0.5, 0.45, 0.4, 0.3, 0.2]
KEEPS_RISING = [0.5, 0.55, 0.6, 0.65, 0.7]


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize(
    ("robust", "spread", "status"),
    [
        (RISES, 0.01, "holds"),
        (FALLS, 0.01, "refuted"),
        (KEEPS_RISING, 0.01, "refuted"),  # it rises, but never falls
        ([0.5] * 5, 0.002, "refuted"),  # it does neither
        ([0.5, 0.54, 0.4, 0.3, 0.2], 0.2, "inconclusive"),  # of seeds that differ much more
    ],
)
def test_optimum_needs_a_rise_and_a_fall(
    norm: str, robust: Any, spread: float, status: str
) -> None:
    assert judged(f"guo2018.networks-{norm}", magnitude(robust, spread=spread)).status == status


@pytest.mark.parametrize(("norm", "status"), [("linf", "holds"), ("l2", "inconclusive")])
def test_optimum_of_seeds_that_agree_is_as_sure_as_shares_are(norm: str, status: str) -> None:
    # Shares of a thousand inputs are known to a few; of distances that never differ, nothing is.
    assert judged(f"guo2018.networks-{norm}", magnitude(RISES, spread=0.0)).status == status


def of_two(curve: Any, proven: Any, accuracy: Any = LEVEL) -> list[CompressionCell]:
    """Return networks of which attacks and proofs leave different curves; seeds differ a little."""
    return [
        replace(
            cell, certified=np.full(2, proven[cell.level] + 0.001 * cell.seed * (cell.level > 0))
        )
        for cell in magnitude(curve, accuracy=accuracy, spread=0.004)
    ]


@pytest.mark.parametrize(
    ("key", "proven"),
    [
        ("merkle2021.sweet-spot-linf", [0.2, 0.2, 0.2, 0.2, 0.3]),
        ("guo2018.networks-linf", [0.2, 0.2, 0.2, 0.3, 0.2]),
    ],
)
def test_one_compression_has_it_by_attack_and_by_proof(key: str, proven: Any) -> None:
    attacked = [0.5, 0.6, 0.5, 0.5, 0.5]
    verdict = judged(key, of_two(attacked, proven))
    assert verdict.status == "inconclusive"
    assert "PGD (upper) and CROWN (lower), but of no one by all; excluded by none;" in (
        verdict.summary
    )
    both = judged(key, of_two(attacked, [0.2, 0.3, 0.2, 0.2, 0.2]))
    assert both.status == "holds"


def test_tickets_of_one_compression_lose_little_by_attack_and_by_proof() -> None:
    dense, few = [0.7, 0.7, 0.7], [[0.7, 0.3], [0.3, 0.7]]
    apart, together = (
        [
            replace(cell, certified=np.full(2, proven[cell.level] - 0.001 * cell.seed))
            for cell in tickets([*dense, *few[0]], spread=0.004)
        ]
        for proven in ([*dense, *few[1]], [*dense, *few[0]])
    )
    assert judged("cosentino2019.tickets", apart).status == "inconclusive"
    assert judged("cosentino2019.tickets", together).status == "holds"


def test_two_seeds_decide_nothing() -> None:
    cells = [cell for cell in paired(MAGNITUDE, RANDOM, 0.2, 0.01) if cell.seed < 2]
    assert judged("merkle2021.magnitude", cells).status == "not covered"
    assert judged("guo2018.networks-linf", cells).status == "not covered"


def test_measures_refuse_budgets_that_were_not_attacked() -> None:
    cell = magnitude(LEVEL)[0]
    assert budget(cell, 0.1) == 1
    with pytest.raises(ValueError, match=r"eps must be a budget of the cell; got 0\.07"):
        budget(cell, 0.07)
    cells = [replace(cell, eps=np.array([0.02, 0.1])) for cell in magnitude(RISES)]
    with pytest.raises(ValueError, match=r"got 0\.05"):
        judged("guo2018.networks-linf", cells)


@pytest.mark.parametrize(("rise", "status"), [(0.03, "holds"), (0.02, "refuted")])
def test_optimum_counts_a_rise_of_five_percent_of_dense_r_2(rise: float, status: str) -> None:
    robust = [0.5, 0.5 + rise, 0.4, 0.3, 0.2]
    verdict = judged("guo2018.networks-l2", magnitude(robust, spread=1e-4))
    assert verdict.status == status
    assert verdict.measured == pytest.approx(rise / 0.5, abs=1e-9)  # relative to the dense one
    assert verdict.predicted == 0.05


def test_optimum_of_attacks_alone_does_not_hold() -> None:
    # Attacks leave 10 points more of pruned networks, proofs nothing more: they hide gradients.
    cells = magnitude([0.5, 0.5, 0.5, 0.4, 0.2], attacked=0.1, spread=0.002)
    verdict = judged("guo2018.networks-linf", cells)
    assert verdict.status == "inconclusive"
    assert "shown by FGSM (upper) and PGD (upper); excluded by CROWN (lower);" in verdict.summary
    assert str(verdict.evidence["interval of"]).startswith("CROWN (lower)")


def test_optimum_says_which_bounds_of_r_2_it_is_of() -> None:
    exact, searched = (
        judged("guo2018.networks-l2", magnitude(RISES, spread=0.01, slack=slack)).evidence
        for slack in (0.0, 0.1)
    )
    assert any(name.startswith("exact, compression 4") for name in exact)
    assert any(name.startswith("search (lower), compression 4") for name in searched)
    assert any(name.startswith("search (upper), compression 4") for name in searched)
    for evidence in (exact, searched):
        assert any(name.startswith("DeepFool (upper)") for name in evidence)


def test_optimum_whose_bounds_are_loose_is_not_decided_by_attacks() -> None:
    # The search leaves all of it open: at least as low as FALLS, at most as high as RISES.
    high, low = (magnitude(robust, spread=0.01) for robust in (RISES, FALLS))
    for one, other in zip(high, low, strict=True):
        assert one.distances is not None
        assert other.distances is not None
        one.distances.lower[:] = other.distances.lower
        one.distances.status[:] = "time limit"
    verdict = judged("guo2018.networks-l2", high)
    assert verdict.status == "inconclusive"
    shown, excluded = "search (upper) and DeepFool (upper)", "search (lower)"
    assert f"shown by {shown}; excluded by {excluded};" in verdict.summary


def tickets(original: Any, random: Any = LEVEL, **named: Any) -> list[CompressionCell]:
    curves = {
        TICKETS["original"]: Curve(LEVEL, original),
        TICKETS["random"]: Curve(LEVEL, random),
    }
    return planted(curves, **named)


@pytest.mark.parametrize(
    ("robust", "spread", "status"),
    [
        ([0.7, 0.7, 0.7, 0.68, 0.3], 0.01, "holds"),  # at compression 8
        ([0.7, 0.7, 0.7, 0.3, 0.68], 0.01, "holds"),  # at compression 16
        ([0.7, 0.7, 0.7, 0.6, 0.5], 0.01, "refuted"),  # compression 4 is not few weights
        ([0.7, 0.7, 0.7, 0.66, 0.5], NOISE, "inconclusive"),
    ],
)
def test_tickets_with_few_weights_lose_less_than_five_points(
    robust: Any, spread: float, status: str
) -> None:
    assert judged("cosentino2019.tickets", tickets(robust, spread=spread)).status == status


def test_tickets_that_only_seem_robust_are_not_said_to_be() -> None:
    cells = tickets([0.7, 0.7, 0.7, 0.7, 0.7], proven=-0.3, spread=0.01)
    verdict = judged("cosentino2019.tickets", cells)
    assert verdict.status == "inconclusive"
    assert "shown by PGD (upper); excluded by CROWN (lower);" in verdict.summary


def test_magnitude_that_costs_accuracy_is_refuted_whatever_its_robustness() -> None:
    cells = paired(MAGNITUDE, RANDOM, 0.2, 0.01)
    wrong = [
        replace(cell, correct=share(0.6)) if cell.family == MAGNITUDE[1] and cell.level else cell
        for cell in cells
    ]
    verdict = judged("merkle2021.magnitude", wrong)
    assert verdict.status == "refuted"
    assert verdict.summary.startswith("accuracy: refuted, robust accuracy: holds; accuracy: ")


PRUNED_BY = {gap: [0.6, *[0.5 + gap] * 4] for gap in (-0.2, 0.0, 0.05, 0.2)}


def paired(
    one: tuple[str, str], other: tuple[str, str], gap: float, spread: float
) -> list[CompressionCell]:
    """Return two families: the first, of which seeds differ, is better by the gap once pruned."""
    first = planted({one: Curve(LEVEL, PRUNED_BY[gap])}, spread=spread)
    return first + planted({other: Curve([0.9, *[0.7] * 4], PRUNED_BY[0.0])})


@pytest.mark.parametrize(
    ("gap", "spread", "status"),
    [
        (0.2, 0.01, "holds"),
        (-0.2, 0.01, "refuted"),
        (0.05, 0.2, "inconclusive"),
        (0.0, 0.01, "inconclusive"),
        (0.05, 0.01, "holds"),
    ],
)
@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("cosentino2019.reset", TICKETS["original"], TICKETS["random"]),
        ("merkle2021.magnitude", MAGNITUDE, RANDOM),
    ],
)
def test_comparisons_of_two_families(
    key: str, one: Any, other: Any, gap: float, *, spread: float, status: str
) -> None:
    assert judged(key, paired(one, other, gap, spread)).status == status


@pytest.mark.parametrize(
    ("gap", "spread", "status"),
    [
        (0.2, 0.01, "holds"),
        (0.05, 0.01, "refuted"),  # more robust, but by less than 10 points
        (0.2, 0.2, "inconclusive"),
    ],
)
def test_natural_tickets_are_worse_by_ten_points(gap: float, spread: float, status: str) -> None:
    cells = paired(TICKETS["original"], NATURAL_TICKETS, gap, spread)
    assert judged("cosentino2019.natural", cells).status == status


def test_comparisons_need_the_same_seeds() -> None:
    cells = paired(MAGNITUDE, RANDOM, 0.2, 0.01)
    fewer = [cell for cell in cells if cell.family == MAGNITUDE[1] or cell.seed > 0]
    assert judged("merkle2021.magnitude", fewer).status == "not covered"
    gap = [cell for cell in cells if (cell.seed, cell.level) != (2, 3)]
    assert judged("merkle2021.magnitude", gap).status == "not covered"


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize(
    ("robust", "accuracy", "spread", "status"),
    [
        (KEEPS_RISING, LEVEL, 0.01, "holds"),
        (FALLS, LEVEL, 0.01, "refuted"),
        (KEEPS_RISING, [0.9, 0.85, 0.85, 0.85, 0.85], 0.01, "refuted"),  # robust, not accurate
        ([0.5, 0.53, 0.4, 0.4, 0.4], LEVEL, 0.2, "inconclusive"),
        ([0.5, 0.55, 0.4, 0.4, 0.4], [0.9, 0.895, 0.9, 0.9, 0.9], 0.005, "holds"),
    ],
)
def test_sweet_spots_are_robust_and_accurate(
    norm: str, robust: Any, accuracy: Any, spread: float, status: str
) -> None:
    cells = magnitude(robust, accuracy=accuracy, spread=spread)
    assert judged(f"merkle2021.sweet-spot-{norm}", cells).status == status


def test_sweet_spot_is_one_compression_with_both() -> None:
    # One is robust, another accurate: no sweet spot.
    accuracy, robust = [0.9, 0.9, 0.8, 0.8, 0.8], [0.5, 0.4, 0.6, 0.6, 0.6]
    cells = magnitude(robust, accuracy=accuracy, spread=0.01)
    assert judged("merkle2021.sweet-spot-linf", cells).status == "refuted"


def granular(weight: float, kernel: float, filters: float, spread: float) -> list[CompressionCell]:
    robust = {"weight": weight, "kernel": kernel, "filter": filters}
    cells = []
    for number, family in enumerate(SCHEMES):
        value = robust[family.split()[0]]
        curve = Curve(LEVEL[:4], [0.6, *[value] * 3])
        # One scheme of each three differs by seeds, so that granularities do.
        own = spread * (number % 3 == 0) * (3 if number < 3 else 1)
        cells += planted({("natural", family): curve}, spread=own, model=CNN)
    return cells


@pytest.mark.parametrize(
    ("robust", "spread", "status"),
    [
        ((0.5, 0.4, 0.3), 0.01, "holds"),
        ((0.5, 0.3, 0.4), 0.01, "refuted"),  # filters beat kernels
        ((0.3, 0.5, 0.4), 0.01, "refuted"),
        ((0.42, 0.4, 0.3), 0.06, "inconclusive"),
    ],
)
def test_granularity_orders_weights_kernels_and_filters(
    robust: tuple[float, float, float], spread: float, status: str
) -> None:
    assert judged("merkle2021.granularity", granular(*robust, spread)).status == status


def test_granularity_needs_the_same_seeds_of_every_scheme() -> None:
    cells = granular(0.5, 0.4, 0.3, 0.01)
    families = list(SCHEMES)
    moved = [replace(c, seed=c.seed + (c.family == families[-1])) for c in cells]
    assert judged("merkle2021.granularity", moved).status == "not covered"
    fewer = [cell for cell in cells if cell.seed or cell.family != families[0]]
    assert judged("merkle2021.granularity", fewer).status == "not covered"


@pytest.mark.parametrize(
    ("accuracy", "robust", "spread", "status"),
    [
        ([0.95, 0.9, 0.85, 0.8, 0.7], [0.4, 0.5, 0.6, 0.5, 0.4], 0.01, "holds"),
        ([0.95, 0.9, 0.85, 0.8, 0.7], FALLS, 0.01, "refuted"),  # dense is best for every share
        ([0.9, 0.9, 0.9, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5, 0.5], 0.01, "inconclusive"),
        ([0.95, 0.9, 0.85, 0.8, 0.7], [0.5, 0.51, 0.5, 0.5, 0.5], 0.2, "inconclusive"),
        # The dense one leads by t = gap / (.748 spread · sqrt(1/6 + 1/5)) of 5 degrees of freedom:
        # 5.5, and 3.2, which would do for one level (2.57) and not for each of five (4.03).
        ([0.95, 0.9, 0.85, 0.8, 0.7], [0.6, 0.5, 0.5, 0.5, 0.5], 0.04, "refuted"),
        ([0.95, 0.9, 0.85, 0.8, 0.7], [0.6, 0.5, 0.5, 0.5, 0.5], 0.069, "inconclusive"),
    ],
)
def test_ratio_decides_the_best_compression(
    accuracy: Any, robust: Any, spread: float, status: str
) -> None:
    verdict = judged("merkle2021.ratio", magnitude(robust, accuracy=accuracy, spread=spread))
    assert verdict.status == status


def test_ratio_names_the_best_compression_of_each_share() -> None:
    accuracy, robust = [0.9, 0.8, 0.7, 0.6, 0.5], [0.3, 0.5, 0.5, 0.5, 0.2]
    evidence = judged("merkle2021.ratio", magnitude(robust, accuracy=accuracy)).evidence
    best = [evidence[f"best compression by PGD, q = {q:g}"] for q in (0, 0.25, 0.5, 0.75, 1)]
    # Mixed at 1/4: .75 and .725; at 1/2: .6 and .65; at 1 the first of equals.
    assert best == [1.0, 1.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("robust", "proven", "status"),
    [
        ([0.5, 0.5, 0.5, 0.5, 0.7], [0.2, 0.2, 0.2, 0.2, 0.4], "refuted"),
        ([0.7, 0.5, 0.5, 0.5, 0.5], [0.2, 0.2, 0.2, 0.2, 0.4], "inconclusive"),
        ([0.5, 0.5, 0.5, 0.5, 0.7], [0.4, 0.2, 0.2, 0.2, 0.2], "inconclusive"),
    ],
)
def test_ratio_is_not_refuted_by_one_measure_alone(robust: Any, proven: Any, status: str) -> None:
    cells = of_two(robust, proven, accuracy=[0.93, 0.93, 0.93, 0.93, 0.95])
    assert judged("merkle2021.ratio", cells).status == status


def test_ratio_of_a_seed_is_chosen_by_the_others() -> None:
    # Two levels that are best in turn: what is best for the other five is the worse of a seed's
    # own, by 10 points, at q = 0; and at q = 1, where the turns are the other way round.
    turn = np.array([1, -1, 1, -1, 1, -1]) * 0.05
    cells = [
        replace(
            cell,
            correct=share(0.8 + (turn[cell.seed] if cell.level == 0 else -turn[cell.seed])),
            survived=np.stack([share(0.5 - turn[cell.seed] * (1 - 2 * cell.level))] * 2),
            certified=np.full(2, 0.3 - turn[cell.seed] * (1 - 2 * cell.level)),
        )
        for cell in magnitude(LEVEL)
        if cell.level < 2
    ]
    verdict = judged("merkle2021.ratio", cells)
    gains = [v for name, v in verdict.evidence.items() if "chosen by other seeds, best" in name]
    assert gains == pytest.approx([-0.1] * 4, abs=1e-9)
    assert verdict.status == "inconclusive"
