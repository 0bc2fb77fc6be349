"""Predictions from one half of the data: what they see, and what they are measured by."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.data import Dataset, digits
from empirical.plug_in_study import (
    BEFORE,
    NOISES,
    PREDICTORS,
    PlugInCell,
    cross_fitted,
    curve_table,
    embedded_datasets,
    error_table,
    file_datasets,
    middle_strength,
    plug_in_cells,
    predictors,
    signed_distances,
    signed_errors,
    sparse_classifier,
    student_part,
    student_table,
    study,
    tail_table,
    tails,
    wine,
)
from theory.linear import LinearClassifier
from theory.mixtures import student_gap

DUALS = {2.0: 2, np.inf: 1}


def gaussian(n: int, d: int, *, standardized: bool = False, seed: int = 0) -> Dataset:
    rng = np.random.default_rng([4, seed])
    y = np.repeat([-1, 1], n // 2)
    X = rng.normal(size=(y.size, d))
    X[:, :3] += 1.2 * y[:, None]
    return Dataset(name="small", X=X, y=y, scaling="deviations", standardized=standardized)


@pytest.fixture(scope="module")
def cells() -> list[PlugInCell]:
    return plug_in_cells(gaussian(120, 8), 3, seed=0, budgets=9)


def test_plug_in_cells_have_both_halves_of_each_split_in_both_norms(
    cells: list[PlugInCell],
) -> None:
    found = [(cell.split, cell.half, cell.norm) for cell in cells]
    assert found == [(s, h, norm) for s in range(3) for h in range(2) for norm in (2.0, np.inf)]
    for cell in cells:
        assert (cell.trained_on, cell.attacked, cell.features) == (60, 60, 8)
        assert list(cell.predicted) == [*PREDICTORS, BEFORE]
        for curve in (cell.measured, *cell.predicted.values()):
            assert curve.shape == cell.eps.shape == (9,)
            assert ((curve >= 0) & (curve <= 1)).all()
            assert (np.diff(curve) <= 0).all()
        assert cell.eps[0] == 0
        same = next(one for one in cells if one.norm == cell.norm)
        np.testing.assert_array_equal(cell.eps, same.eps)


def test_plug_in_cells_are_determined_by_their_seed(cells: list[PlugInCell]) -> None:
    again = plug_in_cells(gaussian(120, 8), 3, seed=0, budgets=9)
    other = plug_in_cells(gaussian(120, 8), 3, seed=1, budgets=9)
    for one, two in zip(cells, again, strict=True):
        np.testing.assert_array_equal(one.measured, two.measured)
        for name in PREDICTORS:
            np.testing.assert_array_equal(one.predicted[name], two.predicted[name])
    assert any((a.measured != b.measured).any() for a, b in zip(cells, other, strict=True))


def test_plug_in_cells_refuse() -> None:
    with pytest.raises(ValueError, match="splits must be at least 2"):
        plug_in_cells(digits(3, 8), 1, seed=0)
    with pytest.raises(ValueError, match="labels two"):
        plug_in_cells(digits(), 2, seed=0)


def test_measured_is_the_share_beyond_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each half: by the distance |w·x + b| over the dual norm, without any attack."""
    attacked: list[Any] = []

    def attack(models: Any, X: Any, y: Any, eps: Any, **settings: Any) -> Any:
        ((w,), (b,)), norm = (models[0].weights, models[0].bias), settings["attack"]
        distances = y * (X @ w + b) / np.linalg.norm(w, ord=2 if norm == "l2_fgm" else 1)
        attacked.append((distances[:, None] > eps).mean(axis=0))
        return true_attack(models, X, y, eps, **settings)

    true_attack = study.attack_accuracy
    monkeypatch.setattr(study, "attack_accuracy", attack)
    cells = plug_in_cells(gaussian(80, 5), 2, seed=3, budgets=7)
    for cell, ours in zip(cells, attacked, strict=True):
        # One input of 40 may stand at a budget, where attacks need a float's width more.
        assert cell.measured == pytest.approx(ours, abs=1 / 40 + 1e-12)


def test_cross_fitted_distances_are_by_classifiers_that_have_not_seen_the_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, seen = gaussian(60, 4), []

    def train(X: Any, y: Any, C: float) -> LinearClassifier:
        seen.append((X, y, C))
        return LinearClassifier(weights=[len(seen), 0, 0, 0])  # of this fold's number

    monkeypatch.setattr(predictors, "sparse_classifier", train)
    rng = np.random.default_rng(0)
    found = cross_fitted(data.X, data.y, 2.0, rng=rng, folds=5)
    assert len(seen) == 5
    for X, y, C in seen:
        assert pytest.approx(2.0 * 60 / 48) == C
        assert (X.shape, (y == 1).sum()) == ((48, 4), 24)
    every = {tuple(row) for row in data.X}
    for X, _, _ in seen:
        left = every - {tuple(row) for row in X}
        assert len(left) == 12
        every |= left
    for distances in found.values():  # the weight's size cancels: units of X
        assert distances == pytest.approx(data.y * data.X[:, 0], abs=1e-12)


def test_cross_fitted_has_no_more_folds_than_the_rarer_label_has_inputs() -> None:
    data = gaussian(60, 4)
    rows = np.r_[0:4, 30:60]
    found = cross_fitted(data.X[rows], data.y[rows], 5.0, rng=np.random.default_rng(0))
    assert np.isfinite(found[2.0]).all()


def test_cross_fitted_says_what_fresh_inputs_do_where_seen_inputs_do_not() -> None:
    """Robust accuracy at .5 with many features: seen inputs say too much, cross-fitted do not."""
    seen, unseen, fresh = [], [], []
    for seed in range(6):
        data = gaussian(400, 150, seed=seed)
        train, rest = np.r_[0:40, 200:240], np.r_[40:200, 240:400]
        X, y = data.X[train], data.y[train]
        C = middle_strength(X, y)
        model = sparse_classifier(X, y, C)
        blind = cross_fitted(X, y, C, rng=np.random.default_rng(seed))[2.0]
        unseen.append((blind > 0.5).mean())
        seen.append((signed_distances(model, X, y, norm=2.0) > 0.5).mean())
        fresh.append((signed_distances(model, data.X[rest], data.y[rest], norm=2.0) > 0.5).mean())
    error = np.std(np.subtract(unseen, fresh), ddof=1) / math.sqrt(6)
    # The folds' classifiers have nine tenths of the inputs: a little less.
    assert abs(np.mean(unseen) - np.mean(fresh)) < 0.02 + 3 * error
    assert np.mean(seen) > np.mean(fresh) + 0.05


def test_units_chosen_with_an_input_make_it_unlike_a_fresh_one() -> None:
    """[P10]: squares of standardised features, of the half and of a further draw."""
    n, rng = 12, np.random.default_rng(0)
    X, more = rng.normal(size=(n, 200_000)), rng.normal(size=200_000)
    unit, centre = predictors.deviation_units(X), X.mean(axis=0)
    assert (((X - centre) / unit) ** 2).mean() == pytest.approx(1.0, abs=1e-12)
    # Five standard errors: the fourth moment is that of Student's t, some 6 times the square.
    assert (((more - centre) / unit) ** 2).mean() == pytest.approx(13 / 9, abs=0.04)


def test_units_of_features_that_do_not_vary_are_one() -> None:
    X = np.array([[1.0, 0.0], [1.0, 4.0]])
    assert predictors.deviation_units(X).tolist() == [1.0, 2.0]
    assert predictors.own_units(X).tolist() == [1.0, 1.0]


def test_standardised_halves_are_each_in_their_own_units(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    fit = study.sparse_classifier

    def train(X: Any, y: Any, C: float) -> LinearClassifier:
        seen.append(X)
        return fit(X, y, C)

    monkeypatch.setattr(study, "sparse_classifier", train)
    data = gaussian(80, 5, standardized=True)
    plug_in_cells(replace(data, X=data.X * [1.0, 10.0, 0.1, 1.0, 1.0]), 2, seed=0, budgets=3)
    assert len(seen) == 4
    for X in seen:
        assert X.std(axis=0) == pytest.approx(np.ones(5), abs=1e-12)


@pytest.mark.parametrize("norm", [2.0, np.inf])
def test_signed_distances_are_margins_over_the_dual_norm(norm: float) -> None:
    data, w = gaussian(20, 3), np.array([1.0, -2.0, 0.5])
    model = LinearClassifier(weights=w, bias=0.3)
    ours = data.y * (data.X @ w + 0.3) / np.linalg.norm(w, ord=DUALS[norm])
    assert signed_distances(model, data.X, data.y, norm=norm) == pytest.approx(ours, abs=1e-14)
    with pytest.raises(ValueError, match="there is no boundary"):
        signed_distances(LinearClassifier(weights=0 * w), data.X, data.y, norm=norm)


def planted(predicted: float, measured: float, split: int, half: int) -> PlugInCell:
    eps = np.array([0.0, 1.0])
    return PlugInCell(
        dataset="planted",
        split=split,
        half=half,
        norm=2.0,
        trained_on=100,
        attacked=25,
        features=3,
        nonzeros=2,
        eps=eps,
        predicted={"unseen, Gaussian": np.array([predicted, predicted / 2])},
        measured=np.array([measured, measured]),
        skewness=np.array([split, 1.0]),
        excess=np.array([half, 2.0]),
    )


def test_tables_tell_the_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "NORMS", (2.0,))
    cells = [planted(0.8, 0.6, 0, 0), planted(0.8, 0.7, 0, 1), planted(0.4, 0.5, 1, 0)]
    (row,) = error_table(cells)
    # Gaps (.2, -.2), (.1, -.3) of the first split and (-.1, -.3) of the second.
    assert row["largest"] == pytest.approx((0.25 + 0.3) / 2)
    assert row["mean"] == pytest.approx((0.2 + 0.2) / 2)
    assert row["bias"] == pytest.approx((-0.05 - 0.2) / 2)
    assert signed_errors(cells, "unseen, Gaussian") == pytest.approx([-0.05, -0.2])
    reach = stats.t.ppf(0.975, 1) * np.std([-0.05, -0.2], ddof=1) * math.sqrt(1 / 2 + 1)
    assert row["bias high"] - row["bias"] == pytest.approx(reach)
    # Half the mean of Kolmogorov's law, of sup |B| times sqrt(1/100 + 1/25).
    mean = stats.kstwobign.mean() * math.sqrt(1 / 100 + 1 / 25)
    assert row["floor"] == pytest.approx(mean, rel=1e-3)
    curves = {(one["what"], one["eps"]): one["accuracy"] for one in curve_table(cells)}
    assert curves["measured", 0.0] == pytest.approx((0.65 + 0.5) / 2)
    assert curves["unseen, Gaussian", 1.0] == pytest.approx((0.4 + 0.2) / 2)
    below, above = tail_table(cells)
    assert (below["skewness"], below["excess"]) == (0.5, 0.25)
    assert (above["label"], above["skewness"], above["excess"]) == (1, 1.0, 2.0)


def test_embedded_datasets_have_two_labels_and_need_no_file() -> None:
    found = embedded_datasets()
    assert len({data.name for data in found}) == 4
    assert all(np.unique(data.y).tolist() == [-1, 1] for data in found)
    with pytest.raises(ValueError, match="two of 0, 1, 2; got 1, 1"):
        wine(1, 1)


def test_file_datasets_are_none_without_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SPARSEBOUND_DATA", str(tmp_path))
    assert file_datasets() == []
    assert not list(tmp_path.iterdir())  # nothing was fetched


def test_file_datasets_find_genes(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("SPARSEBOUND_DATA", str(tmp_path))
    (tmp_path / "genes").mkdir()
    X = np.random.default_rng(0).normal(size=(6, 4))
    np.savez(tmp_path / "genes" / "alon.npz", X=X, y=[0, 1] * 3, levels=["n", "t"])
    (data,) = file_datasets()
    assert (data.name, data.standardized, data.X.shape) == ("colon tissue, genes", True, (6, 4))


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("freedom", [5.0, math.inf])
def test_student_part_has_unit_variance_and_the_margins_it_says(noise: Any, freedom: float) -> None:
    mu, n = np.array([1.0, 0.0, 0.0, 0.0]), 100_000
    X, y = student_part(n, mu, freedom, noise=noise, rng=np.random.default_rng(0))
    rest = X - y[:, None] * mu
    # Five standard errors; the fourth moment of Student's t at 5 is 9.
    assert rest.var(axis=0) == pytest.approx(np.ones(4), abs=5 * math.sqrt(8 / n))
    sizes = {"common scale": 1, "independent features": 2}[noise]
    margins = (rest @ np.ones(4)) / 2
    law = stats.norm if freedom == math.inf else stats.t(5, scale=math.sqrt(3 / 5))
    distance = stats.kstest(margins, law.cdf).statistic
    if sizes == 1 or freedom == math.inf:
        assert distance < 2.2 / math.sqrt(n)  # of Kolmogorov's law all but .0001
    else:
        assert distance > 2.2 / math.sqrt(n)
        assert stats.kstest(rest[:, 0], law.cdf).statistic < 2.2 / math.sqrt(n)


def test_heavy_tails_harm_moments_and_not_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "NOISES", NOISES[:1])
    monkeypatch.setattr(tails, "_ATTACKED", 2000)
    table = student_table(3, seed=0, freedoms=(math.inf, 2.2))
    largest = {(row["freedom"], row["predictor"]): row["largest"] for row in table}
    known = abs(student_gap(2.2).gap)
    # 2.2 / sqrt(2000) of sampling, of Kolmogorov's law all but .0001.
    assert largest[2.2, "true moments, Gaussian"] == pytest.approx(known, abs=0.05)
    assert largest[math.inf, "true moments, Gaussian"] < 0.05
    assert largest[2.2, "unseen, smoothed"] < largest[2.2, "unseen, Gaussian"] - 0.03
    assert {row["known"] for row in table} == {0.0, known}
