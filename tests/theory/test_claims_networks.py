"""Local slopes by their definition, CLEVER by what it samples, and CLEVER's counterexample."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import betainc
from scipy.stats import weibull_max

from theory.claims import networks
from theory.claims.networks import (
    clever_counterexample,
    clever_score,
    local_lipschitz_radius,
)
from theory.lipschitz import gradient_norm_bound
from theory.networks import ReluNetwork, class_scores
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-9  # sums of some tens of products, and slopes that allow for their rounding


def draw(seed: int, out: int) -> tuple[ReluNetwork, Any, Any]:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(8, 4)), rng.normal(size=(out, 8))]
    net = ReluNetwork(weights=weights, biases=[rng.normal(size=8), rng.normal(size=out)])
    X = rng.normal(size=(20, 4))
    return net, X, net.classes[class_scores(net, X).argmax(axis=1)]


def affine(rng: np.random.Generator, out: int) -> tuple[ReluNetwork, Any]:
    W = rng.normal(size=(out, 4))
    net = ReluNetwork(weights=[np.eye(4), W], relu=[np.zeros(4, dtype=bool)])
    return net, W


@pytest.mark.parametrize("norm", [2, np.inf])
def test_radius_is_the_best_of_the_formula(norm: float) -> None:
    net, X, y = draw(0, 3)
    radii = np.geomspace(0.01, 3, 12)
    found = local_lipschitz_radius(net, X, y, radii=radii, norm=norm)
    for x, label, value in zip(X, y, found, strict=True):
        forms = np.delete(np.eye(3)[label] - np.eye(3), label, axis=0)
        leads = forms @ class_scores(net, x[None])[0]
        reached = []
        for radius in radii:
            (slopes,) = gradient_norm_bound(net, x[None], radius, directions=forms, norm=norm)
            reached.append(min(radius, *(leads / slopes)))
        assert value == pytest.approx(max(reached), rel=ROUNDING)


@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("out", [1, 3])
def test_radius_of_an_affine_network_is_its_distance_or_the_largest_radius(
    out: int, norm: float
) -> None:
    rng = np.random.default_rng(out)
    net, W = affine(rng, out)
    X = rng.normal(size=(20, 4))
    scores = class_scores(net, X)
    y = net.classes[scores.argmax(axis=1)]
    rows = np.vstack([0 * W, W]) if out == 1 else W
    own = scores.argmax(axis=1)
    dual = 2 if norm == 2 else 1
    exact = np.array(
        [
            min(
                (s[k] - s[j]) / np.linalg.norm(rows[k] - rows[j], dual)
                for j in range(len(rows))
                if j != k
            )
            for s, k in zip(scores, own, strict=True)
        ]
    )
    found = local_lipschitz_radius(net, X, y, radii=[0.2, 100.0], norm=norm)
    np.testing.assert_allclose(found, exact, rtol=ROUNDING)
    short = local_lipschitz_radius(net, X, y, radii=[0.2], norm=norm)
    np.testing.assert_allclose(short, np.minimum(exact, 0.2), rtol=ROUNDING)


@pytest.mark.parametrize("box", [None, (-2.0, 2.0)])
@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("out", [1, 3])
def test_no_point_within_the_radius_flips(out: int, norm: float, box: Any) -> None:
    net, X, y = draw(1, out)
    X = X.clip(-2, 2)
    y = net.classes[class_scores(net, X).argmax(axis=1)]
    radius = local_lipschitz_radius(net, X, y, radii=np.geomspace(0.01, 3, 30), norm=norm, box=box)
    rng = np.random.default_rng(0)
    for _ in range(300):
        moves = rng.normal(size=X.shape)
        moves *= radius[:, None] / np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
        points = X + 0.999999 * moves  # inside by more than rounding
        if box is not None:
            points = points.clip(*box)
        assert (net.classes[class_scores(net, points).argmax(axis=1)] == y).all()


def test_wrong_inputs_have_radius_and_score_zero() -> None:
    net, X, y = draw(2, 3)
    wrong = (y + 1) % 3
    assert not local_lipschitz_radius(net, X, wrong, radii=[1.0]).any()
    assert not clever_score(net, X, wrong, np.random.default_rng(0), radius=1.0).any()
    y[::2] = wrong[::2]
    found = local_lipschitz_radius(net, X, y, radii=[1.0])
    assert not found[::2].any()
    assert (found[1::2] > 0).all()


@pytest.mark.parametrize("norm", [2, np.inf])
def test_clever_is_exact_for_affine_networks(norm: float) -> None:
    rng = np.random.default_rng(0)
    net, W = affine(rng, 1)
    X = rng.normal(size=(10, 4))
    exact = np.abs(X @ W[0]) / np.linalg.norm(W[0], 2 if norm == 2 else 1)
    found = clever_score(net, X, np.where(X @ W[0] > 0, 1, -1), rng, radius=0.5, norm=norm)
    np.testing.assert_allclose(found, np.minimum(exact, 0.5), rtol=ROUNDING)


def test_clever_never_exceeds_radius_nor_lead_over_steepest_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, X, y = draw(3, 1)
    scores = clever_score(net, X, y, np.random.default_rng(0), radius=0.7)
    monkeypatch.setattr(networks, "_weibull_end", lambda maxima: float(maxima.max()))
    steepest = clever_score(net, X, y, np.random.default_rng(0), radius=0.7)
    assert (scores <= steepest).all()
    assert (scores < steepest).any()
    assert steepest.max() <= 0.7


def test_fitted_end_is_near_the_end_of_the_law_it_was_drawn_from() -> None:
    rng = np.random.default_rng(0)
    ends = [
        networks._weibull_end(weibull_max.rvs(3.0, loc=5.0, scale=2.0, size=500, random_state=rng))
        for _ in range(20)
    ]
    # Estimates of the end from 500 draws of this law scatter by about a tenth of its scale.
    assert np.median(ends) == pytest.approx(5.0, abs=0.2)
    assert networks._weibull_end(np.full(9, 3.0)) == 3.0


@pytest.mark.parametrize("norm", [2, np.inf])
def test_draws_are_uniform_in_the_ball(norm: float) -> None:
    points = networks._in_unit_ball(np.random.default_rng(0), (20_000, 3), norm)
    sizes = np.linalg.norm(points, ord=norm, axis=1)
    assert sizes.max() <= 1
    # Four standard errors of a share near 1/2 are .014.
    assert (sizes <= 0.5 ** (1 / 3)).mean() == pytest.approx(0.5, abs=0.0142)
    assert (points > 0).mean(axis=0) == pytest.approx([0.5] * 3, abs=0.0142)


def test_counterexample_is_as_described() -> None:
    net, X, radius = clever_counterexample()
    t = np.array([0.0, 0.5, 11 / 20.1 - 1e-9, 11 / 20.1 + 1e-9, -3.0])
    points = np.zeros((5, 200))
    points[:, 0] = t
    values = class_scores(net, points)[:, 1]
    np.testing.assert_allclose(values, 1 - t / 10 - 20 * np.maximum(0, t - 0.5), atol=1e-12)
    assert (values > 0).tolist() == [True, True, True, False, True]
    # Only the first of the 200 inputs is looked at.
    assert not net.weights[0][:, 1:].any()
    assert betainc(201 / 2, 0.5, 1 - 0.25) / 2 == pytest.approx(1.54e-14, rel=0.01)  # three digits
    scores = [
        clever_score(net, X, [1], np.random.default_rng(seed), radius=radius)[0]
        for seed in range(3)
    ]
    assert scores == [1.0, 1.0, 1.0]
    bound = local_lipschitz_radius(net, X, [1], radii=[0.49, 0.51, 1.0])
    assert bound[0] == 0.49  # of which the next one sees the steep side


@pytest.mark.parametrize("radii", [[], [0.0], [-1.0], [[1.0]], [math.inf], [math.nan]])
def test_radii_must_be_positive(radii: Any) -> None:
    net, X, y = draw(0, 1)
    with pytest.raises(ValueError, match="radii must be"):
        local_lipschitz_radius(net, X, y, radii=radii)


def test_other_norms_and_counts_are_refused() -> None:
    net, X, y = draw(0, 1)
    with pytest.raises(UnsupportedSettingError, match="norm must be 2 or inf"):
        local_lipschitz_radius(net, X, y, radii=[1.0], norm=1)
    for count in ({"batches": 0}, {"samples": 0}):
        with pytest.raises(ValueError, match="batches and samples must be at least 1"):
            clever_score(net, X, y, np.random.default_rng(0), radius=1.0, **count)
