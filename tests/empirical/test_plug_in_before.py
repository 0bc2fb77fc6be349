"""The prediction before training: the law it reads off the data, and what training then gives."""

import math

import numpy as np
import pytest

from empirical.data import sample_classes, sparse_mean_classes
from empirical.plug_in_study import (
    before,
    coordinate_law,
    curves_before_training,
    limit_before_training,
    signed_distances,
    sparse_classifier,
)
from theory.asymptotics import NotConvergedError
from theory.mixtures import GaussianClasses

NORMS = (2.0, np.inf)


def test_coordinate_law_has_the_moments_of_each_feature() -> None:
    X = np.array([[0.0, 5.0, 1.0], [2.0, 5.0, 1.0], [5.0, 5.0, 3.0], [7.0, 5.0, 5.0]])
    law = coordinate_law(X, np.array([-1, -1, 1, 1]))
    # The middle feature does not vary. Half differences 2.5 and 1.5; variances 4/2 and 2/2.
    assert law.means == pytest.approx(math.sqrt(2) * np.array([2.5, 1.5]))
    assert law.scales == pytest.approx(np.sqrt([2.0, 1.0]))
    assert law.weights.tolist() == [0.5, 0.5]
    assert law.signal == pytest.approx(math.hypot(2.5, 1.5))
    with pytest.raises(ValueError, match="X must have a feature that varies"):
        coordinate_law(X[:, 1:2], np.array([-1, -1, 1, 1]))


def test_before_training_says_what_training_then_gives() -> None:
    """Independent Gaussian features, of different deviations, moved off the origin."""
    rng = np.random.default_rng(0)
    d, n, C = 200, 400, 0.05
    scales = rng.uniform(0.5, 2.0, d)
    mu = np.where(rng.random(d) < 0.1, 0.5, 0.0) * scales
    means = np.stack([3 - mu, 3 + mu])
    classes = GaussianClasses(means=means, covariance=scales**2)
    found: dict[float, list[float]] = {norm: [] for norm in NORMS}
    for _ in range(4):
        train = sample_classes(classes, n, rng=rng)
        other = sample_classes(classes, 4000, rng=rng)
        model = sparse_classifier(train.X, train.y, C)
        for norm in NORMS:
            distances = signed_distances(model, other.X, other.y, norm=norm)
            eps = np.quantile(distances, [0.1, 0.5, 0.9])
            predicted = curves_before_training(train.X, train.y, C, {norm: eps})[norm]
            found[norm] += [*(predicted - [0.9, 0.5, 0.1])]
    # Random by 1/sqrt(d) = .07 a draw; means of 400 inputs hide d/n of the noise in the signal.
    for errors in found.values():
        assert np.abs(errors).max() < 0.15
        assert abs(np.mean(errors)) < 0.08


def test_limit_keeps_the_number_of_weights_that_training_keeps() -> None:
    train = sample_classes(sparse_mean_classes(200), 400, rng=np.random.default_rng(1))
    limit = limit_before_training(train.X, train.y, 0.1)
    model = sparse_classifier(train.X, train.y, 0.1)
    # A count of some 20 of 200 has a deviation of about 4.
    assert limit.nonzero_fraction * 200 == pytest.approx(np.count_nonzero(model.weights), abs=12)


def test_correlated_features_are_not_foreseen() -> None:
    """Copies of one feature add no knowledge; the theory takes them for independent ones."""
    train = sample_classes(sparse_mean_classes(4, nonzeros=4), 400, rng=np.random.default_rng(2))
    X = np.tile(train.X, 8) + 0.05 * np.random.default_rng(3).normal(size=(400, 32))
    model = sparse_classifier(X, train.y, 0.1)
    distances = signed_distances(model, X, train.y, norm=2.0)
    eps = np.array([np.median(distances)])
    assert curves_before_training(X, train.y, 0.1, {2.0: eps})[2.0] > 0.8  # in truth 1/2


def test_no_answer_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise NotConvergedError("as planted")

    monkeypatch.setattr(before, "predict", refuse)
    train = sample_classes(sparse_mean_classes(20), 40, rng=np.random.default_rng(0))
    eps = np.linspace(0, 1, 3)
    found = curves_before_training(train.X, train.y, 1.0, {2.0: eps})
    assert np.isnan(found[2.0]).all()
    weak = curves_before_training(train.X, train.y, 1e-9, {2.0: eps})  # w = 0: no boundary
    assert np.isnan(weak[2.0]).all()
