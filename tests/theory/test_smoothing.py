"""Certificates of smoothed classifiers: sampled ones at their level, linear ones in closed form."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import binom, multivariate_normal, norm

from theory.claims.smoothing import linear_many_counterexamples
from theory.linear import LinearClassifier, class_scores, flip_distance
from theory.smoothing import (
    NO_LABEL,
    clopper_pearson_lower,
    linear_smoothed_radius,
    smoothed_probabilities,
    smoothed_radius,
)


def labelled(model: LinearClassifier) -> Any:
    def classify(X: Any) -> Any:
        return model.classes[class_scores(model, X).argmax(axis=1)]

    return classify


def draw(seed: int, c: int = 1, d: int = 5, n: int = 20) -> tuple[LinearClassifier, Any]:
    rng = np.random.default_rng(seed)
    model = LinearClassifier(weights=rng.normal(size=(c, d)), bias=0.3 * rng.normal(size=c))
    return model, rng.normal(size=(n, d))


def sampled(classify: Any, X: Any, **changes: Any) -> Any:
    settings = {"sigma": 1.0, "n0": 20, "n": 500, "level": 0.01, "rng": np.random.default_rng(0)}
    return smoothed_radius(classify, X, **(settings | changes))


def test_smoothed_radius_by_hand() -> None:
    # always the same label: n hits of n
    found = sampled(lambda X: np.full(len(X), 3), [[0.0, 0.0]], sigma=2.0, n=1000, level=0.001)
    bound = 0.001 ** (1 / 1000)
    assert (found.labels[0], found.status[0]) == (3, "certified")
    # rounding
    assert (found.top[0], found.rival[0]) == pytest.approx((bound, 1 - bound), rel=1e-12)
    assert found.radii == pytest.approx([2 * norm.ppf(bound)], rel=1e-10)  # its slope times 1e-12
    assert (found.confidence, found.sigma) == (0.999, 2.0)


def test_smoothed_radius_counts_the_hits_of_fresh_draws() -> None:
    model, X = draw(2, n=1)
    seen: list[Any] = []

    def classify(points: Any) -> Any:
        seen.append(points)
        return labelled(model)(points)

    found = sampled(classify, X, n0=10, n=300, rows_a_call=64)
    points = np.concatenate(seen)
    assert [len(block) for block in seen] == [10, 64, 64, 64, 64, 44]
    assert len(np.unique(points, axis=0)) == 310
    hits = (labelled(model)(points[10:]) == found.labels[0]).sum()
    bound = clopper_pearson_lower(hits, 300, level=0.01)
    assert found.radii[0] == pytest.approx(norm.ppf(bound), rel=1e-12)  # rounding
    # 1550 standard normal numbers: five standard errors
    assert abs((points - X).mean()) < 5 / math.sqrt(points.size)
    assert abs((points - X).std() - 1) < 5 / math.sqrt(2 * points.size)


def test_smoothed_radius_abstains_where_no_label_has_a_majority() -> None:
    thirds = sampled(lambda X: np.floor(3 * norm.cdf(X[:, 0])).astype(int), [[0.0]], n=2000)
    assert (thirds.labels[0], thirds.radii[0], thirds.status[0]) == (NO_LABEL, 0.0, "abstained")
    assert thirds.top[0] < 0.5
    coin = sampled(lambda X: np.where(X[:, 0] > 0, 1, -1), [[0.0], [9.0]])
    assert coin.status.tolist() == ["abstained", "certified"]
    assert coin.labels.tolist() == [NO_LABEL, 1]  # which -1 could not say


def test_smoothed_radius_depends_on_the_generator_alone() -> None:
    model, X = draw(3)
    one, other = sampled(labelled(model), X), sampled(labelled(model), X, rows_a_call=7)
    assert [*one.radii, *one.labels] == [*other.radii, *other.labels]
    assert (sampled(labelled(model), X, rng=np.random.default_rng(1)).radii != one.radii).any()


def test_sampled_certificates_of_linear_classifiers_hold_at_their_level() -> None:
    # For two labels the smoothed classifier is the linear one: its label changes at flip_distance.
    model, X = draw(4, d=3, n=1000)
    found = sampled(labelled(model), X, n0=5, n=100, level=0.05)
    wrong = (found.labels != labelled(model)(X)) | (found.radii > flip_distance(model, X))
    wrong &= found.status == "certified"
    # a false alarm in 1e-6 of all seeds
    assert wrong.sum() <= binom.isf(1e-6, len(X), 0.05)
    assert wrong.any()  # nor is the bound needlessly low


@pytest.mark.parametrize("sigma", [1e-200, 1e-3, 0.5, 1.0, 100.0])
def test_two_labels_are_certified_their_distance(sigma: float) -> None:
    for seed in range(5):
        model, X = draw(seed)
        rows = np.vstack([np.zeros_like(model.weights), model.weights])
        two = LinearClassifier(weights=rows, bias=[0.0, model.bias[0]])
        sparse = LinearClassifier(weights=sp.csr_array(model.weights), bias=model.bias)
        for same in (model, two, sparse):
            found = linear_smoothed_radius(same, X, sigma=sigma)
            # rounding of Φ and back, in logarithms
            assert found.radii == pytest.approx(flip_distance(same, X), rel=1e-12)
            assert (found.labels == labelled(same)(X)).all()
            assert found.top + found.rival == pytest.approx(np.ones(len(X)), abs=1e-15)
            assert found.confidence == 1


def test_labels_that_no_noise_parts() -> None:
    constant = LinearClassifier(weights=[0.0, 0.0], bias=0.5)
    assert linear_smoothed_radius(constant, [[1.0, 2.0]], sigma=1.0).radii.tolist() == [np.inf]
    tied = linear_smoothed_radius(LinearClassifier(weights=[1.0, 1.0]), [[1.0, -1.0]], sigma=1.0)
    assert tied.labels.tolist() == [NO_LABEL]
    twins = LinearClassifier(weights=[[1.0], [1.0], [-1.0]], bias=[0.0, -1.0, 0.0])
    alone = LinearClassifier(weights=[[1.0], [-1.0]])
    X = [[0.7], [-0.2]]
    got = smoothed_probabilities(twins, X, sigma=1.0)
    assert (got[:, 1] == 0).all()
    equal = LinearClassifier(weights=[[1.0], [1.0], [-1.0]])
    assert smoothed_probabilities(equal, [[0.0]], sigma=1.0).tolist() == [[0.5, 0.0, 0.5]]
    # rounding
    assert got[:, [0, 2]] == pytest.approx(smoothed_probabilities(alone, X, sigma=1.0), abs=1e-15)


@pytest.mark.parametrize(("c", "d"), [(3, 1), (3, 2), (3, 20), (4, 3), (6, 6)])
def test_probabilities_match_a_million_draws(c: int, d: int) -> None:
    model, X = draw(c + d, c=c, d=d, n=2)
    rng, n, sigma = np.random.default_rng(5), 1_000_000, 0.8
    got = smoothed_probabilities(model, X, sigma=sigma)
    for x, p in zip(X, got, strict=True):
        labels = (x @ model.weights.T + model.bias).astype(np.float64)
        counts = np.zeros(c)
        factor = np.linalg.qr(model.weights.T)[1].T if d > c else model.weights
        for _ in range(10):  # of the noise only its products with the weights matter
            noise = rng.normal(size=(n // 10, factor.shape[1])) @ factor.T
            counts += np.bincount((labels + sigma * noise).argmax(axis=1), minlength=c)
        # four standard errors, and what the probabilities may be off by themselves
        slack = 4 * np.sqrt(p * (1 - p) / n) + 4 / n + (1e-12 if c == 3 else 3e-4)
        assert (abs(counts / n - p) <= slack).all()


@pytest.mark.parametrize("angle", [1e-7, 1e-3, 0.5, 1.5, 2.9, math.pi - 1e-3, math.pi - 1e-7])
def test_probabilities_of_three_labels_match_another_cubature(angle: float) -> None:
    # Duels of label 0 along two directions at this angle; SciPy's bivariate normal for reference.
    u, v = np.array([1.0, 0.0]), np.array([math.cos(angle), math.sin(angle)])
    model = LinearClassifier(weights=[np.zeros(2), -u, -v], bias=[0.0, 0.0, 0.1])
    X = np.random.default_rng(6).normal(size=(10, 2))
    X[0] = 0.0
    got = smoothed_probabilities(model, X, sigma=1.0)
    cosine = math.cos(angle)
    for x, p in zip(X, got, strict=True):
        law = multivariate_normal(cov=[[1.0, cosine], [cosine, 1.0]], allow_singular=True)
        wanted = law.cdf([x @ u, x @ v - 0.1], rng=np.random.default_rng(0))
        assert p[0] == pytest.approx(wanted, abs=3e-5)  # SciPy is asked for 1e-5
    assert got.sum(axis=1) == pytest.approx(np.ones(10), abs=1e-12)  # three labels' accuracy


def test_probabilities_at_a_corner_are_angles() -> None:
    model = LinearClassifier(weights=[[0.0, 0.0], [3.0, -4.0], [-3.0, -4.0]])
    half = math.atan2(4.0, 3.0)  # label 0 wins within this angle of the vertical
    got = smoothed_probabilities(model, [[0.0, 0.0]], sigma=3.0)[0]
    # rounding
    assert got == pytest.approx([half / math.pi, *[(1 - half / math.pi) / 2] * 2], abs=1e-15)


def test_counterexamples_lie_on_both_sides_of_the_distance() -> None:
    found = [
        (linear_smoothed_radius(model, X, sigma=sigma), flip_distance(model, X)[0])
        for model, X, sigma in linear_many_counterexamples()
    ]
    (below, one), (above, third) = found
    assert (one, third) == (1.0, pytest.approx(0.3, rel=1e-15))
    # by hand: independent duels, and two rivals alike
    top = norm.cdf(1) ** 2
    by_hand = (norm.ppf(top) - norm.ppf((1 - top) / 2)) / 2
    assert below.radii[0] == pytest.approx(by_hand, abs=1e-11)  # 1e-12 is taken off
    assert below.radii[0] < 0.81 < one
    assert above.radii[0] > 0.45 > third
    assert above.labels.tolist() == below.labels.tolist() == [0]


@pytest.mark.parametrize("c", [3, 4])
def test_certificates_of_many_labels_stay_within_their_bounds(c: int) -> None:
    for seed in range(6 if c == 3 else 2):
        model, X = draw(seed, c=c, d=3, n=30 if c == 3 else 8)
        exact, own = flip_distance(model, X), labelled(model)(X)
        for sigma in (0.02, 0.3, 1.0, 5.0):
            found = linear_smoothed_radius(model, X, sigma=sigma)
            same = (found.status == "certified") & (found.labels == own)
            lost = norm.cdf(-exact / sigma)
            with np.errstate(divide="ignore"):
                most = exact / 2 - sigma / 2 * norm.ppf(lost / (c - 1))
                one_sided = sigma * norm.ppf(found.top)
            assert (found.radii <= most * (1 + 1e-9))[same].all()  # rounding of Φ and back
            # With pB = 1 - pA no certificate exceeds the distance; Φ⁻¹ near 1 loses digits,
            far = found.top > 1 - 1e-8
            assert (one_sided <= exact * (1 + 1e-6))[same & ~far].all()
            # and a majority under noise is a majority without.
            assert (found.labels == own)[found.top > 0.5].all()


def test_certificates_of_many_labels_become_the_distance_as_noise_goes() -> None:
    model, X = draw(7, c=3, d=3, n=30)
    exact = flip_distance(model, X)
    X, exact = X[exact > 0.1], exact[exact > 0.1]
    sigmas = (0.1, 0.01, 0.001)
    radii = [linear_smoothed_radius(model, X, sigma=sigma).radii for sigma in sigmas]
    gaps = [np.abs(one / exact - 1).max() for one in radii]
    assert gaps[2] < gaps[1] < gaps[0]
    assert gaps[2] < 1e-3  # log 2 · (σ/d)² for the second rival, at d = .1 and more


def test_smoothed_label_survives_moves_within_its_certificate() -> None:
    rng = np.random.default_rng(8)
    model, X = draw(8, c=3, d=2, n=40)
    found = linear_smoothed_radius(model, X, sigma=1.0)
    for _ in range(50):
        moves = rng.normal(size=X.shape)
        moves *= 0.9999 * (found.radii / np.linalg.norm(moves, axis=1))[:, None]
        labels = smoothed_probabilities(model, X + moves, sigma=1.0).argmax(axis=1)
        assert (labels == found.labels)[found.status == "certified"].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": 0.0}, "sigma must be positive; got 0"),
        ({"sigma": math.nan}, "sigma must be finite; got nan"),
        ({"n": 0}, "n must be at least 1; got 0"),
        ({"n0": 0}, "n0 must be at least 1; got 0"),
        ({"n": 2.5}, "n must be an integer; got 2.5"),
        ({"rows_a_call": 0}, "rows_a_call must be at least 1; got 0"),
        ({"level": 0.0}, r"level must lie in \(0, 1\); got 0\.0"),
        ({"level": 1.0}, r"level must lie in \(0, 1\); got 1\.0"),
        ({"rng": 0}, "numpy.random.Generator; got int"),
        ({"X": [[math.nan]]}, r"X must be finite; got nan"),
        ({"X": [1.0]}, r"X must have shape \(n, d\)"),
        (
            {"classify": lambda X: np.zeros((len(X), 1), dtype=int)},
            r"m=20 integer labels.*\(20, 1\)",
        ),
        ({"classify": lambda X: np.zeros(len(X))}, "integer labels; got float64"),
        ({"classify": lambda X: 1}, r"m=20 integer labels; got int\d+ of shape \(\)"),
    ],
)
def test_smoothed_radius_refuses_by_value(changes: dict[str, Any], message: str) -> None:
    arguments = {"classify": lambda X: np.zeros(len(X), dtype=int), "X": [[0.0]]} | changes
    with pytest.raises((TypeError, ValueError), match=message):
        sampled(arguments.pop("classify"), arguments.pop("X"), **arguments)


@pytest.mark.parametrize("function", [linear_smoothed_radius, smoothed_probabilities])
def test_closed_forms_refuse_by_value(function: Any) -> None:
    model, X = draw(0, c=3)
    for bad, sigma, message in (
        (X, 0.0, "sigma must"),
        (X[:, 1:], 1.0, "d=5"),
        (X * np.nan, 1, "nan"),
    ):
        with pytest.raises(ValueError, match=message):
            function(model, bad, sigma=sigma)
