"""Radii proven in balls: sound by rational arithmetic, sharp by float64's own radii."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.theory import rational_networks as rational
from tests.theory.random_networks import KINDS, draw, draw_boxed, draw_degenerate, labelled
from theory.certify import certified_radius
from theory.certify.domain import open_domain
from theory.certify.methods import chosen_margins
from theory.networks import ReluNetwork
from theory.rigorous import METHODS, proven_leads, proven_radii
from theory.validation import UnsupportedSettingError

# |x| - 1, labels -1 and +1: flips at ±1.
ABSOLUTE = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
HAIR, MORE = 1 - 1e-9, 1 - 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_leads_lie_below_the_same_formula_in_rational_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(rng, (3, 4, 4, 3))
    X, y = labelled(rng, net, 2)
    eps = float(rng.uniform(0.05, 0.5))
    found = proven_leads(net, X, y, eps, norm=np.inf)
    for x, label, bounds in zip(X, y, found, strict=True):
        exact = rational.crown_leads(net, rational.row(x), int(label), Fraction(eps))
        for bound, value in zip(bounds, exact, strict=True):
            assert Fraction(float(bound)) <= value
            # The nearest float64 number below, and the chord's slope at 128 bits.
            assert value - Fraction(float(bound)) <= Fraction(1, 10**15) * (1 + abs(value))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("boxed", [False, True])
def test_leads_lie_below_those_of_every_point_tried(method: str, norm: float, boxed: bool) -> None:
    if method == "lipschitz" and norm != 2:
        pytest.skip("lipschitz is for norm 2")
    rng = np.random.default_rng(1)
    net = draw(rng, (3, 5, 4, 3))
    X, y = labelled(rng, net, 2)
    box = (-1.0, 1.0) if boxed else None
    eps = 0.25
    found = proven_leads(net, X, y, eps, norm=norm, method=method, box=box)
    for x, label, bounds in zip(X, y, found, strict=True):
        for _ in range(40):
            move = rng.uniform(-1, 1, 3)
            move *= eps * (1 - 1e-12) / np.linalg.norm(move, ord=norm)  # float64 rounds the norm
            point = x + move if box is None else np.clip(x + move, *box)
            exact = rational.leads(net, rational.row(point), int(label))
            assert all(Fraction(float(b)) <= v for b, v in zip(bounds, exact, strict=True))


def test_radius_a_little_too_large_is_refused() -> None:
    # At the distance itself the flip ties; every radius below it is proven: the lines are exact.
    tried = [2.0, np.nextafter(2.0, 0.0), 2.0 * (1 + 1e-7), 2.0 * (1 + 1e-5), 2.1, 1.5]
    found = proven_radii(ABSOLUTE, [[3.0]] * 6, [1] * 6, tried)
    assert found.tolist() == [2.0 * HAIR, tried[1], tried[2] * MORE, 0.0, 0.0, 1.5]


@pytest.mark.parametrize("kind", KINDS)
def test_radii_are_those_of_float64(kind: str) -> None:
    rng = np.random.default_rng(list(KINDS).index(kind))
    for _ in range(2):
        net = draw_degenerate(rng, kind)
        X, y, box = draw_boxed(rng, net, 2)
        settings: list[Any] = [(m, p, b) for m in METHODS for p in (2, np.inf) for b in (None, box)]
        for method, norm, sides in settings:
            if method == "lipschitz" and norm != 2:
                continue
            radii = certified_radius(net, X, y, norm=norm, method=method, box=sides).lower
            found = proven_radii(net, X, y, radii, norm=norm, method=method, box=sides)
            assert (found <= radii).all()
            assert (found >= radii * MORE).all()


@pytest.mark.parametrize("method", METHODS)
def test_leads_are_those_of_float64(method: str) -> None:
    rng = np.random.default_rng(5)
    net = draw(rng, (6, 10, 8, 3))
    X, y = labelled(rng, net, 3)
    domain = open_domain(net, X, y, norm=2, box=None)
    expected = chosen_margins(method, net, 2)[method](domain, np.full(3, 0.2))
    # Sums of some ten float64 terms each round; LipSDP's constant grows by a hair.
    assert proven_leads(net, X, y, 0.2, method=method) == pytest.approx(
        expected, rel=1e-9, abs=1e-9
    )


def test_numbers_of_any_size_are_taken_as_they_are() -> None:
    tiny, huge = 5e-324, 1e308
    # |x| · tiny · huge · huge: its product of weights overflows and underflows in float64.
    net = ReluNetwork(
        weights=[[[tiny], [-tiny]], [[huge, huge]], [[huge]]],
        biases=[[0.0, 0.0], [-tiny], [0.0]],
        relu=[np.ones(2, bool), np.zeros(1, bool)],
    )
    # Flips where |x| = tiny / (tiny · huge) = 1e-308, by hand.
    x = 3e-308
    found = proven_radii(net, [[x], [x]], [1, 1], [1.9e-308, 2.1e-308])
    assert found.tolist() == [1.9e-308, 0.0]


@pytest.mark.parametrize("method", METHODS)
def test_no_flip_at_all_is_proven(method: str) -> None:
    dead = ReluNetwork(weights=[[[1.0]], [[0.0]]], biases=[[0.0], [1.0]])
    assert proven_radii(dead, [[0.5]], [1], [np.inf], method=method).tolist() == [np.inf]
    assert proven_radii(dead, [[0.5]], [-1], [np.inf], method=method).tolist() == [0.0]
    # x + 2 > 0 in the box; somewhere without it.
    net = ReluNetwork(weights=[[[1.0]], [[1.0]]], biases=[[3.0], [-1.0]])
    boxed = proven_radii(net, [[0.5]], [1], [np.inf], method=method, box=(-1.0, 1.0))
    assert boxed.tolist() == [np.inf]
    assert proven_radii(net, [[0.5]], [1], [np.inf], method=method).tolist() == [0.0]
    open_box = proven_radii(net, [[0.5]], [1], [np.inf], method=method, box=(-1.0, np.inf))
    assert open_box.tolist() == [0.0]


def test_large_networks_are_refused_by_size() -> None:
    net = ReluNetwork(weights=[np.ones((1000, 301)), np.ones((2, 1000))])
    with pytest.raises(UnsupportedSettingError, match=r"300,000 weights.*got 303,000"):
        proven_radii(net, np.zeros((1, 301)), [0], [0.1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"norm": 1}, "norm must be 2 or inf"),
        ({"method": "sdp"}, "method must be one of interval, fast-lin, crown, lipschitz"),
        ({"method": "lipschitz", "norm": np.inf}, "for norm 2"),
        ({"method": ["crown", "crown"]}, "one an input, 1; got 2"),
        ({"radii": [-1.0]}, "at least 0; got -1.0"),
        ({"radii": [np.nan]}, "at least 0; got nan"),
        ({"radii": [0.1, 0.1]}, r"one an input, 1; got shape \(2,\)"),
        ({"box": (-1.0, 1.0)}, "box"),
        ({"y": [7]}, "labels of the model"),
    ],
)
def test_what_is_not_covered_is_refused(change: dict[str, Any], said: str) -> None:
    call: dict[str, Any] = {"X": [[3.0]], "y": [1], "radii": [0.1], **change}
    with pytest.raises(ValueError, match=said):
        proven_radii(ABSOLUTE, call.pop("X"), call.pop("y"), call.pop("radii"), **call)
