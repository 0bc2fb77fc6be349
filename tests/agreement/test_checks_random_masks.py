"""The checks of randomly pruned networks see planted errors, and measure what they say."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from empirical.verify import DRAWN_CHECKS, Verdict, masked_networks
from empirical.verify.masked_networks import (
    Case,
    aligned_network,
    digits_network,
    drawn_weights,
    every_mask,
    largest_norms,
    means_over_masks,
    path_powers,
    random_network,
)
from theory.claims import CATALOGUE
from theory.claims.guo2018_masks import cancelling_counterexample
from theory.networks import ReluNetwork, class_scores, jacobian
from theory.random_masks import expected_path_norm, path_constants

ROUNDING = 1e-9  # of sums of some hundred products
BOUNDS = ("l1", "l2", "sharp", "margin")


def judged(key: str, seed: int = 0) -> Verdict:
    return DRAWN_CHECKS[f"guo2018.lipschitz-{key}"](np.random.default_rng(seed))


def plant(monkeypatch: pytest.MonkeyPatch, key: str, wrong: Callable[..., Any]) -> None:
    """Replace what a claim predicts by a function of its prediction and of the arguments."""
    claim = CATALOGUE[f"guo2018.lipschitz-{key}"]
    planted = replace(claim, predict=lambda *args, **named: wrong(claim.predict, *args, **named))
    monkeypatch.setitem(CATALOGUE, claim.key, planted)


def times(factor: float) -> Callable[..., Any]:
    return lambda predict, *args, **named: factor * predict(*args, **named)


@pytest.mark.parametrize("key", BOUNDS)
def test_bounds_hold_and_are_all_but_filled_without_cancellation(key: str) -> None:
    verdict = judged(key)
    assert verdict.status == "holds"
    wide = {
        name: float(ratio) for name, ratio in verdict.evidence.items() if "aligned, wide" in name
    }
    assert len(wide) == (4 if key == "margin" else 2)
    # Four standard errors of 400 masks, of norms that vary by .15 at most, are 3 %; what
    # √E p² exceeds E p by is one more.
    assert all(0.97 < ratio < 1.05 for ratio in wide.values())
    assert all(
        float(ratio) > 1 for name, ratio in verdict.evidence.items() if "measured, digits" in name
    )


@pytest.mark.parametrize("key", BOUNDS)
def test_bounds_that_are_a_little_lower_are_refuted(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, key, times(0.93))
    verdict = judged(key)
    assert verdict.status == "refuted"
    assert verdict.contradicts_us


@pytest.mark.parametrize("key", BOUNDS)
def test_bounds_that_take_densities_for_alphas_are_refuted(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(predict: Any, net: ReluNetwork, alphas: Any, *args: Any, **named: Any) -> Any:
        return predict(net, [1 - alpha for alpha in alphas], *args, **named)

    plant(monkeypatch, key, swapped)
    assert judged(key).status == "refuted"


def test_margins_that_take_the_dense_difference_are_refuted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def differences(
        predict: Any, net: ReluNetwork, alphas: Any, label: int, *, norm: float = 2
    ) -> Any:
        W = np.asarray(net.weights[-1])
        around = ReluNetwork(weights=[*net.weights[:-1], np.abs(W[label] - W)])
        if norm == 1:
            return expected_path_norm(around, alphas)
        return path_constants(around)  # larger than anything with a density in it

    plant(monkeypatch, "margin", differences)
    assert judged("margin").status == "refuted"


@pytest.mark.parametrize(
    "wrong",
    [
        times(0.5),
        times(0.0),  # it does not rise
        times(-1.0),
        lambda predict, net, alphas, norm: 1 - np.sqrt(1 - predict(net, alphas, norm=norm)),
        lambda predict, net, alphas, norm: predict(net, alphas, norm=3 - norm),
    ],
)
def test_another_eta_is_refuted(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "eta", wrong)
    verdict = judged("eta")
    assert verdict.status == "refuted"
    assert verdict.contradicts_us


def test_eta_rises_as_predicted() -> None:
    verdict = judged("eta")
    assert verdict.status == "holds"
    assert float(verdict.evidence["least rise, measured, less four standard errors"]) > 0


def test_product_is_caught_at_its_counterexample_and_without_cancellation() -> None:
    evidence = judged("product").evidence
    assert evidence["E L, counterexample"] == pytest.approx(np.sqrt(2) / 4 + 1 / 2, rel=ROUNDING)
    assert float(evidence["violations, aligned"]) >= 1
    assert evidence["violations, digits"] == 0


def test_more_than_dense_is_seen_at_the_counterexample_and_on_digits() -> None:
    for seed in (0, 1):
        evidence = judged("falls", seed).evidence
        assert evidence["E L, counterexample"] == pytest.approx(0.5, rel=ROUNDING)
        assert float(evidence["violations, digits"]) >= 1
        assert float(evidence["digits, largest measured / dense"]) > 1.1


@pytest.mark.parametrize(("key", "enough"), [("product", 1.3), ("falls", 3.0)])
def test_false_claims_would_hold_if_they_said_enough_more(
    key: str, enough: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(
        monkeypatch,
        key,
        lambda predict, *args, **named: enough * np.maximum(1.0, predict(*args, **named)),
    )
    verdict = judged(key)
    assert verdict.status == "holds"
    assert verdict.contradicts_us


def case(net: ReluNetwork, alphas: Any, X: Any, **more: Any) -> Case:
    return Case("some", net, alphas, np.asarray(X), more.pop("radius", 0.5), **more)


@pytest.mark.parametrize("q", [1, 2])
def test_gradients_are_those_of_the_pruned_network(q: int) -> None:
    rng = np.random.default_rng(0)
    net, X = random_network(rng, 4, 6, 5, 3), rng.normal(size=(2, 4))
    at_center = case(net, (0.3, 0.5, 0.2), X, radius=0.0, masks=5)
    weights = drawn_weights(at_center, rng)
    found = largest_norms(at_center, weights, rng, q=q)
    forms = np.array([[1.0, -1.0, 0.0]])
    margins = largest_norms(at_center, weights, rng, q=q, forms=forms)
    assert found.shape == (5, 2, 3)
    for i in range(5):
        J = jacobian(ReluNetwork(weights=[W[i] for W in weights], biases=net.biases), X)
        np.testing.assert_allclose(found[i], np.linalg.norm(J, ord=q, axis=2), rtol=ROUNDING)
        np.testing.assert_allclose(
            margins[i], np.linalg.norm(forms @ J, ord=q, axis=2), rtol=ROUNDING
        )


@pytest.mark.parametrize("q", [1, 2])
def test_points_fill_the_ball_and_its_sphere(q: int) -> None:
    rng = np.random.default_rng(0)
    center = rng.normal(size=3)
    some = case(random_network(rng, 3, 1), (0.0,), center[None], radius=0.7, points=4000)
    points = masked_networks._in_ball(some, center, q, rng)
    sizes = np.linalg.norm(points - center, ord=2 if q == 2 else np.inf, axis=1) / 0.7
    assert sizes[0] == 0
    assert sizes.max() <= 1 + ROUNDING
    assert (sizes > 1 - ROUNDING).sum() == 2000
    # Four standard errors of a share of 2000 near 1/8, that of the ball of half the radius.
    assert (sizes[2::2] < 0.5).mean() == pytest.approx(1 / 8, abs=0.03)


def test_masks_prune_each_layer_by_its_share_and_independently() -> None:
    rng = np.random.default_rng(0)
    net = random_network(rng, 10, 10, 10)
    first, second = drawn_weights(case(net, (0.2, 0.7), np.ones((1, 10)), masks=1000), rng)
    for weights, W, alpha in zip((first, second), net.weights, (0.2, 0.7), strict=True):
        assert (np.isin(weights - W, 0.0) | (weights == 0)).all()
        # Four standard errors of a share of 100 000, and of each weight's share of 1000.
        assert (weights == 0).mean() == pytest.approx(alpha, abs=0.0065)
        assert np.abs((weights == 0).mean(axis=0) - alpha).max() < 0.066
    together = np.corrcoef((first == 0).reshape(1000, -1).T)
    assert np.abs(together - np.eye(100)).max() < 5.5 / np.sqrt(1000)  # the largest of 4950


def test_every_mask_is_met_once_with_its_chance() -> None:
    net = ReluNetwork(weights=[[[1.0, 2.0]], [[3.0]]])
    (first, last), chances = every_mask(net, (0.2, 0.5))
    assert first.shape == (8, 1, 2)
    assert last.shape == (8, 1, 1)
    told = {(*a.ravel(), *b.ravel()): p for a, b, p in zip(first, last, chances, strict=True)}
    for a, b, c in product((0.0, 1.0), (0.0, 2.0), (0.0, 3.0)):
        chance = (0.8 if a else 0.2) * (0.8 if b else 0.2) * 0.5
        assert told.pop((a, b, c)) == pytest.approx(chance, rel=ROUNDING)
    assert not told


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_cancelling_example_has_the_mean_of_its_proof(rho: float) -> None:
    net, _, center, radius = cancelling_counterexample()
    weights, chances = every_mask(net, (0.0, 1 - rho))
    at = case(net, (0.0, 1 - rho), center[None], radius=radius)
    norms = largest_norms(at, weights, np.random.default_rng(0), q=2)
    assert chances @ norms[:, 0, 0] == pytest.approx(2 * rho * (1 - rho), abs=ROUNDING)


def test_path_powers_add_up_all_paths() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in ((2, 3, 4), (2, 2, 3))]
    for i, k in product(range(2), range(2)):
        paths = [
            sum(abs(weights[1][i, k, h] * weights[0][i, h, u]) for h in range(3)) for u in range(4)
        ]
        assert path_powers(weights, 1)[i, k] == pytest.approx(sum(paths), rel=ROUNDING)
        squares = sum(path**2 for path in paths)
        assert path_powers(weights, 2)[i, k] == pytest.approx(squares, rel=ROUNDING)


@pytest.mark.parametrize("q", [1, 2])
def test_gradients_of_aligned_networks_fill_their_paths(q: int) -> None:
    rng = np.random.default_rng(0)
    at = case(aligned_network(rng, 4, 5), (0.4, 0.3), rng.uniform(1, 2, (2, 4)), masks=50)
    weights = drawn_weights(at, rng)
    norms = largest_norms(at, weights, rng, q=q)
    paths = path_powers(weights, q) ** (1 / q)
    np.testing.assert_allclose(norms, np.stack([paths, paths], axis=1), rtol=ROUNDING)
    margin = largest_norms(at, weights, rng, q=1, forms=np.array([[1.0, -1.0]]))[:, 0, 0]
    np.testing.assert_allclose(margin, path_powers(weights, 1).sum(axis=1), rtol=ROUNDING)


def test_means_have_the_standard_errors_of_independent_masks() -> None:
    norms = np.array([[1.0, 2.0], [3.0, 2.0]])
    means = means_over_masks(norms)
    assert means.values.tolist() == [2.0, 2.0]
    np.testing.assert_allclose(means.errors, [1.0, 0.0], rtol=ROUNDING)


def test_the_network_of_digits_is_trained_and_has_not_seen_its_inputs() -> None:
    net, X = digits_network(np.random.default_rng(0), 60)
    assert net.outputs == 10
    again, same = digits_network(np.random.default_rng(0), 60)
    assert all((V == W).all() for V, W in zip(net.weights, again.weights, strict=True))
    assert (same == X).all()
    confident = np.sort(class_scores(net, X), axis=1)
    # Of a trained one the first output leads the second by far, of most inputs.
    assert np.median(confident[:, -1] - confident[:, -2]) > 2
