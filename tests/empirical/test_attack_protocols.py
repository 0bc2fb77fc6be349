"""What names of attacks stand for under today's protocols, written down a second time."""

import math

import pytest

from empirical import attack_methods, attack_search, attack_stack, module_attacks, module_budgets
from empirical.attack_methods import METHODS
from empirical.sweeps import PROTOCOLS

# A cell's key says no more of attacks than "quick", "ensemble" or names: whoever changes what they
# stand for raises their protocol, and writes both anew here.
ATTACK, MEASURE = 1, 2
METHODS_THEN = {
    "l2_deepfool": (2, 0, False, (), False),
    "ddn": (2, 0, False, (), False),
    "carlini_wagner": (2, 150, True, ("l2_deepfool",), False),
    "l2_brendel_bethge": (2, 100, False, ("l2_deepfool", "ddn"), True),
    "linf_deepfool": (math.inf, 0, False, (), False),
    "linf_pgd": (math.inf, 0, False, ("linf_deepfool",), False),
    "linf_brendel_bethge": (math.inf, 100, False, ("linf_deepfool",), True),
    "ead": (1, 150, False, (), False),
    "l0_ead": (0, 150, False, (), False),
    "l0_greedy": (0, 100, True, (), False),
}
STACK_THEN = {
    **{"GAP": 10.0, "DDN_RUNS": ((10.0, 0.5, 30), (5.0, 0.05, 20), (10.0, 0.005, 40))},
    **{"DDN_FRACTION": 4.0, "DEEPFOOL_FRACTION": 2.0**-20, "DEEPFOOL_GAP": 2.0**20},
    "PGD": {"steps": 40, "rel_stepsize": 0.1},
}


def test_what_attacks_do_changes_with_their_protocol() -> None:
    today = {
        name: (one.norm, one.steps, one.boxed, one.starts, one.compiled)
        for name, one in METHODS.items()
    }
    why = "raise PROTOCOLS['attack'] (and, for PGD, ['measure']) with what attacks do"
    assert list(today) == list(METHODS_THEN), why  # of equals, the first wins
    assert today == METHODS_THEN, why
    assert {name: getattr(attack_stack, name) for name in STACK_THEN} == STACK_THEN, why
    assert (attack_methods._PUSHES, attack_methods._WALK_RADIUS) == ((1e-6, 1e-3, 0.03, 0.3), 0.3)
    assert (attack_methods._WALK_HALVINGS, attack_search._HALVINGS) == (12, 45), why
    attacks = ["fgm", "random_fgm", "pgd", "random_pgd", "noise"]
    assert {norm: list(runs) for norm, runs in module_budgets._RUNS.items()} == {
        math.inf: attacks,
        2: attacks,
    }, why
    assert (PROTOCOLS["attack"], PROTOCOLS["measure"]) == (ATTACK, MEASURE)


@pytest.mark.parametrize(
    ("attacks", "norm", "boxed", "names"),
    [
        ("quick", 2, False, "l2_deepfool ddn"),
        ("quick", 2, True, "l2_deepfool ddn carlini_wagner"),
        ("ensemble", 2, True, "l2_deepfool ddn carlini_wagner l2_brendel_bethge"),
        ("quick", math.inf, False, "linf_deepfool linf_pgd"),
        ("ensemble", math.inf, False, "linf_deepfool linf_pgd linf_brendel_bethge"),
        ("quick", 1, False, "ead"),
        ("quick", 0, False, "l0_ead"),
        ("ensemble", 0, True, "l0_ead l0_greedy"),
    ],
)
def test_groups_of_attacks_change_with_their_protocol(
    attacks: str, norm: float, boxed: bool, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_attacks, "has_numba", lambda: True)
    assert module_attacks._chosen(attacks, norm, is_boxed=boxed) == tuple(names.split())
