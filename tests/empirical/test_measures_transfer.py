"""Points of one network tried on others: affine networks, where all is known, and given points."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from empirical.measures import strongest_points, transfer_matrix, transfer_of_points
from empirical.models import mlp
from empirical.module_attacks import model_attack_distances
from empirical.pruning import apply_masks
from tests.empirical.attacked import ten_digits, threes_and_eights

BOX = (0.0, 1.0)
NAN = float("nan")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def linear(weights: Any, bias: Any) -> nn.Module:
    """Return an affine network of given weights (c, d) or (1, d) and bias (c,), in float64."""
    w, b = (torch.tensor(np.array(each), dtype=torch.float64) for each in (weights, bias))
    model = nn.Linear(w.shape[1], w.shape[0]).double()
    model.load_state_dict({"weight": w, "bias": b})
    return model


def binary() -> tuple[dict[str, nn.Module], list[Any], Any, Any]:
    """Return three models of one logit, their weights and biases, and 50 inputs in [0, 1]."""
    fitted, X, y = threes_and_eights()
    parts = [(model.weights, model.bias) for model in fitted[:3]]
    return {str(i): linear(*part) for i, part in enumerate(parts)}, parts, X, y


def ten() -> tuple[dict[str, nn.Module], Any, Any]:
    fitted, X, y = ten_digits()
    names = ("strong", "middle", "weak")
    models = zip(names, fitted, strict=True)
    return {name: linear(model.weights, model.bias) for name, model in models}, X[:40], y[:40]


def most_wrong(weights: Any, X: Any, y: Any, *, eps: float, norm: float, box: Any) -> Any:
    """Return the point within eps that a binary affine model gets most wrong; no box in L2."""
    slope = -y[:, None] * weights
    if norm == 2:
        return X + eps * slope / np.linalg.norm(weights)
    return np.clip(X + eps * np.sign(slope), *(box or (-np.inf, np.inf)))


@pytest.mark.parametrize(
    ("norm", "box", "eps"), [(2, None, 0.8), (math.inf, None, 0.1), (math.inf, BOX, 0.2)]
)
def test_strongest_points_of_binary_affine_models_are_those_of_geometry(
    norm: float, box: Any, eps: float
) -> None:
    models, parts, X, y = binary()
    for model, (weights, bias) in zip(models.values(), parts, strict=True):
        points = strongest_points(model, X, y, eps=eps, norm=norm, box=box, rng=rng())
        expected = most_wrong(weights, X, y, eps=eps, norm=norm, box=box)
        # weights that are zero leave a feature where it is or not: scores alone are unique
        leads = [y * (each @ weights[0] + bias[0]) for each in (points, expected)]
        # sums of 64 products of weights up to some tens
        assert leads[0] == pytest.approx(leads[1], abs=1e-9)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_transfer_between_binary_affine_models_is_that_of_geometry(norm: float) -> None:
    models, parts, X, y = binary()
    eps = 0.8 if norm == 2 else 0.1
    found = transfer_matrix(models, X, y, eps=eps, norm=norm, box=None, rng=rng())
    leads = np.array([y * (X @ weights[0] + bias[0]) for weights, bias in parts])
    for s, (source, _) in enumerate(parts):
        dual = source[0] / np.linalg.norm(source) if norm == 2 else np.sign(source[0])
        for t, (target, _) in enumerate(parts):
            drop, own_drop = eps * target[0] @ dual, eps * source[0] @ dual
            tried = (leads[s] > 0) & (leads[t] > 0) & (leads[s] <= own_drop)
            assert found.tried[s, t] == tried.sum()
            assert found.fooled[s, t] == (tried & (leads[t] <= drop)).sum()
    off = ~np.eye(3, dtype=bool)
    assert 0 < found.rate[off].min() < found.rate[off].max()
    assert (found.rate.diagonal() == 1).all()
    assert found.names == ("0", "1", "2")
    assert found.kind == "exact"


def test_orthogonal_models_do_not_transfer_and_copies_always_do() -> None:
    X = np.random.default_rng(1).uniform(0.1, 0.5, size=(30, 2))
    models = {
        "first": linear([[1.0, 0.0]], [0.0]),
        "second": linear([[0.0, 1.0]], [0.0]),
        "scaled": linear([[7.0, 0.0]], [0.0]),
    }
    found = transfer_matrix(models, X, np.ones(30), eps=1.0, norm=2, box=None, rng=rng())
    assert found.rate.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert (found.tried == 30).all()
    # Wilson's limit of none of thirty
    z = stats.norm.ppf(0.975) ** 2
    assert found.high[0, 1] == pytest.approx(z / (30 + z), rel=1e-9)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_counts_are_those_of_the_stored_points(norm: float) -> None:
    models, X, y = ten()
    eps = 0.7 if norm == 2 else 0.12
    found = transfer_matrix(models, X, y, eps=eps, norm=norm, box=BOX, rng=rng())
    moves = found.witnesses - X
    assert np.linalg.norm(moves, ord=norm, axis=2).max() <= eps * (1 + 1e-8)
    assert found.witnesses.min() >= 0
    assert found.witnesses.max() <= 1

    def right(model: nn.Module, points: Any) -> Any:
        return model(torch.tensor(points)).argmax(dim=1).numpy() == y

    clean = np.array([right(model, X) for model in models.values()])
    assert (found.right == clean).all()
    assert not clean.all()
    for s in range(3):
        held = np.array([right(model, found.witnesses[s]) for model in models.values()])
        assert (found.wrong_at[s] == ~held).all()
        for t in range(3):
            tried = clean[s] & clean[t] & ~held[s]
            assert found.tried[s, t] == tried.sum() > 0
            assert found.fooled[s, t] == (tried & ~held[t]).sum()
            assert found.rate[s, t] == pytest.approx(found.fooled[s, t] / found.tried[s, t])
            assert found.low[s, t] <= found.rate[s, t] <= found.high[s, t]


def lead(model: nn.Module, points: Any, y: Any) -> Any:
    scores = model.double()(torch.tensor(points)).detach().numpy()
    own = scores[np.arange(len(y)), y]
    scores[np.arange(len(y)), y] = -np.inf
    return own - scores.max(axis=1)


def test_strongest_points_of_networks_are_worse_than_the_first_that_flip() -> None:
    model = mlp(8, 16, 3, seed=1)
    X = np.random.default_rng(2).random((30, 8))
    y = model(torch.tensor(X, dtype=torch.float32)).argmax(dim=1).numpy()
    found = model_attack_distances(model, X, y, norm=2, box=BOX, attacks=["ddn"], rng=rng())
    eps = float(np.nanquantile(found.distances, 0.7))
    points = strongest_points(model, X, y, eps=eps, norm=2, box=BOX, rng=rng())
    near = found.distances <= 0.8 * eps
    assert near.sum() > 5
    strong, minimal = (lead(model, each, y) for each in (points, found.witnesses))
    assert (strong[near] < -1e-3).all()
    assert np.abs(minimal[near]).max() < 1e-9  # ties but for rounding
    assert (strong <= lead(model, X, y)).all()


def test_minimal_flips_of_equal_margins_do_not_transfer_but_points_of_a_budget_do() -> None:
    # unit slopes at an angle of cosine 0.6; inputs that lie equally far from both boundaries
    slopes = {"a": [1.0, 0.0], "b": [0.6, 0.8]}
    models = {name: linear([slope], [0.0]) for name, slope in slopes.items()}
    size = np.linspace(0.5, 1.0, 20)
    X = size[:, None] * np.array([1.0, 0.5])  # 0.6 + 0.8 / 2 = 1
    y = np.ones(20)
    flips = {
        name: X - (1 + 1e-9) * size[:, None] * np.array(slope) for name, slope in slopes.items()
    }
    minimal = transfer_of_points(flips, models, X, y, eps=1.1, norm=2, box=None)
    assert minimal.rate.tolist() == [[1, 0], [0, 1]]
    # moved by eps, the other's lead falls by 0.6 eps: by more than all margins from 1 / 0.6 on
    for eps, share in ((1.1, (size < 0.66).mean()), (1.7, 1.0)):
        strong = transfer_matrix(models, X, y, eps=eps, norm=2, box=None, rng=rng())
        assert strong.rate == pytest.approx(np.array([[1, share], [share, 1]]))


def test_points_of_budget_zero_are_the_inputs_and_fool_none() -> None:
    models, X, y = ten()
    found = transfer_matrix(models, X, y, eps=0.0, norm=2, box=BOX, rng=rng())
    assert (found.witnesses == X).all()
    assert (found.tried == 0).all()
    for table in (found.rate, found.low, found.high):
        assert np.isnan(table).all()


def test_dead_and_pruned_networks_have_their_place() -> None:
    models, X, y = ten()
    fitted = ten_digits()[0]
    masked = linear(fitted[1].weights, fitted[1].bias)
    keep = torch.rand(10, 64, generator=torch.Generator().manual_seed(0)) < 0.7
    apply_masks(nn.Sequential(masked), {"0": keep})
    dead = linear(np.zeros((10, 64)), np.zeros(10))
    found = transfer_matrix(
        {"dense": models["middle"], "pruned": masked, "dead": dead},
        X, y, eps=0.7, norm=2, box=BOX, restarts=0, rng=rng(),
    )  # fmt: skip
    assert not found.right[2].any()  # all are ties
    assert (found.tried[2] == 0).all()
    assert (found.tried[:, 2] == 0).all()
    assert found.tried[0, 1] > 0
    by_hand = X @ (keep.numpy() * fitted[1].weights).T + fitted[1].bias
    assert (found.right[1] == (by_hand.argmax(axis=1) == y)).all()


def test_given_points_are_counted_by_hand() -> None:
    models = {"a": linear([[1.0, 0.0]], [0.0]), "b": linear([[0.0, 1.0]], [0.0])}
    X, y = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]), [1, 1, 1, 1]
    crafted = [[-1.0, 1.0], [-1.0, 0.0], [-1.0, -1.0], [1.0, 1.0]]
    found = transfer_of_points({"a": crafted, "b": X}, models, X, y, eps=3, norm=2, box=None)
    assert found.right.tolist() == [[True] * 4, [True, True, False, True]]
    # the first fools a alone, the second ties b, b is wrong at the third, the fourth fools none
    assert found.tried.tolist() == [[3, 2], [0, 0]]
    assert found.fooled.tolist() == [[3, 1], [0, 0]]
    assert found.rate[0].tolist() == [1.0, 0.5]
    assert np.isnan(found.rate[1]).all()
    assert found.wrong_at[0, 1].tolist() == [False, True, True, False]


def test_seeds_repeat_results_and_global_generators_stay() -> None:
    models, X, y = ten()
    before = torch.random.get_rng_state()
    runs = [
        transfer_matrix(models, X[:9], y[:9], eps=0.3, norm=2, box=BOX, rng=rng()).witnesses
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*runs)
    assert (torch.random.get_rng_state() == before).all()
    assert all(model.weight.grad is None for model in models.values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"norm": 1}, "norm must be 2 or inf; got 1"),
        ({"eps": -0.1}, "eps must be at least 0; got -0.1"),
        ({"eps": NAN}, "eps must be finite"),
        ({"eps": [0.1, 0.2]}, r"eps must be one number; got shape \(2,\)"),
        ({"restarts": -1}, "restarts must be an integer, at least 0; got -1"),
        ({"restarts": True}, "restarts must be an integer"),
        ({"level": 1.0}, r"level must lie in \(0, 1\); got 1.0"),
        ({"models": {}}, "models must hold at least one"),
        ({"y": [3]}, "y must hold labels"),
        ({"X": np.empty((0, 2))}, r"X must have shape \(n, d\)"),
        ({"X": [[2.0, 0.0]]}, "X must lie in the box"),
    ],
)
def test_transfer_matrix_refuses_by_value(changed: dict[str, Any], message: str) -> None:
    given = {"models": {"a": nn.Linear(2, 3)}, "X": [[0.5, 0.5]], "y": [0]}
    given |= {"eps": 0.1, "norm": 2, "box": BOX} | changed
    with pytest.raises(ValueError, match=message):
        transfer_matrix(given.pop("models"), given.pop("X"), given.pop("y"), rng=rng(), **given)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"b": [[0.5, 0.5]]}, "points must be of the models, a; got b"),
        ({}, "points must be of the models, a; got none"),
        ({"a": [[0.5, 0.8]]}, "within eps=0.1 of their inputs; row 0 does not"),
        ({"a": [[0.5, NAN]]}, "points of a must be finite"),
        ({"a": [[0.5]]}, r"points of a must have shape \(1, 2\); got \(1, 1\)"),
    ],
)
def test_given_points_are_refused_by_value(points: Any, message: str) -> None:
    models = {"a": nn.Linear(2, 3)}
    with pytest.raises(ValueError, match=message):
        transfer_of_points(points, models, [[0.5, 0.5]], [0], eps=0.1, norm=2, box=BOX)
    outside = {"a": [[0.5, 1.05]]}
    with pytest.raises(ValueError, match="points of a must lie in the box"):
        transfer_of_points(outside, models, [[0.5, 1.0]], [0], eps=0.1, norm=2, box=BOX)


def test_models_that_are_no_modules_are_refused() -> None:
    with pytest.raises(TypeError, match="model must be a torch module; got str"):
        transfer_matrix({"a": "b"}, [[0.5]], [0], eps=0.1, norm=2, box=BOX, rng=rng())
