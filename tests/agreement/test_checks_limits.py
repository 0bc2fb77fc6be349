"""The checks of ceilings must refuse those that are too low, and those that nothing reaches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from empirical.verify import Verdict, limits, limits_generators, limits_spheres, verdict_of
from theory.claims import CATALOGUE

KEYS = [key for key in CATALOGUE if key.startswith("limits.")]
predict = {key: CATALOGUE[key].predict for key in KEYS}
ONE, TWO, GENERATOR = "limits.gaussian", "limits.two-gaussians", "limits.generator"
SPHERE, DISTANCE, RATE = "limits.sphere", "limits.sphere-distance", "limits.sphere-rate"


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], Verdict]:
    def of(key: str, wrong: Any) -> Verdict:
        monkeypatch.setitem(CATALOGUE, key, replace(CATALOGUE[key], predict=wrong))
        return verdict_of(key, [], seed=0)

    return of


WRONG: dict[str, tuple[str, Any]] = {
    "half the deviation": (
        ONE,
        lambda a, e, deviation: predict[ONE](a, e, deviation=deviation / 2),
    ),
    "no attack": (ONE, lambda a, e, deviation: predict[ONE](a, 0.0, deviation=deviation)),
    "half a budget": (TWO, lambda c, a, e, norm: predict[TWO](c, a, e / 2, norm=norm)),
    "any accuracy": (TWO, lambda c, a, e, norm: predict[TWO](c, 0.0, e, norm=norm)),
    "one label": (GENERATOR, lambda p, e, lipschitz: predict[GENERATOR]([1.0], e)),
    "half the constant": (
        GENERATOR,
        lambda p, e, lipschitz: predict[GENERATOR](p, e, lipschitz=lipschitz / 2),
    ),
    "a flat sphere": (SPHERE, lambda a, e, dimension: predict[ONE](a, e, deviation=1.0)),
    "a circle": (SPHERE, lambda a, e, dimension: predict[SPHERE](a, e, dimension=2)),
    "half the radius": (
        SPHERE,
        lambda a, e, dimension: predict[SPHERE](a, e, dimension=dimension, radius=0.5),
    ),
    "a distance too small": (
        DISTANCE,
        lambda a, dimension: 0.97 * predict[DISTANCE](a, dimension=dimension),
    ),
    "a distance too large": (
        DISTANCE,
        lambda a, dimension: 1.03 * predict[DISTANCE](a, dimension=dimension),
    ),
    "half a rate": (RATE, lambda a, dimension: predict[RATE](a, dimension=dimension) / 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ceilings_are_refuted(name: str, judged: Callable[[str, Any], Verdict]) -> None:
    assert judged(*WRONG[name]).status == "refuted"


def test_every_claim_has_a_wrong_ceiling() -> None:
    assert {key for key, _ in WRONG.values()} == set(KEYS)


@pytest.mark.parametrize("key", [ONE, GENERATOR])
def test_low_ceilings_are_passed_and_not_only_missed(
    key: str, judged: Callable[[str, Any], Verdict]
) -> None:
    verdict = judged(key, lambda *given, **named: 0.8 * predict[key](*given, **named))
    assert verdict.status == "refuted"
    assert float(verdict.evidence["violations"]) > 0


@pytest.mark.parametrize(
    ("key", "module", "name"),
    [
        (ONE, limits, "_DRAWN_TO_REACH"),
        (TWO, limits, "_DRAWN_TO_REACH"),
        (GENERATOR, limits_generators, "_DRAWN_TO_REACH"),
        (SPHERE, limits_spheres, "_DRAWN_OF_CAP"),
    ],
)
def test_noise_alone_makes_no_ceiling_hold(
    key: str, module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, 500)  # four standard errors of up to .09
    assert verdict_of(key, [], seed=0).status == "inconclusive"
