"""Inputs that are wrong already, models that cannot move, points that lie, and bad arguments."""

import math

import numpy as np
import pytest
import torch

from empirical import attacks
from empirical.attack_stack import LinearNetwork
from empirical.attacks import attack_accuracy, attack_distances
from theory.linear.classifier import LinearClassifier

UNIT_BOX = (0.0, 1.0)
FREE_ATTACKS = ["ddn", "l2_deepfool", "linf_deepfool"]
BUDGETED = ["fgsm", "l2_fgm", "linf_pgd", "l2_pgd"]


def drawn():
    """Return four binary models of one shape and 50 inputs in [0, 1], none of them on a tie."""
    rng = np.random.default_rng(0)
    models = [LinearClassifier(weights=w, bias=-w.sum() / 2) for w in rng.normal(size=(4, 64))]
    return models, rng.random((50, 64)), rng.choice([-1, 1], 50)


@pytest.mark.parametrize("attack", [*FREE_ATTACKS, "carlini_wagner"])
def test_attack_distances_of_wrong_inputs_are_zero(attack):
    models, X, _ = drawn()
    w, b, X = models[0].weights, models[0].bias, X[:4]
    models = [LinearClassifier(weights=size * w, bias=size * b) for size in (0.1, 1.0, 10.0)]
    y = np.where(X @ w[0] + b[0] > 0, -1, 1)
    result = attack_distances(models, X, y, attack=attack, box=UNIT_BOX)
    assert (result.status == "wrong").all()
    assert (result.distances == 0).all()
    assert (result.witnesses == X).all()


@pytest.mark.parametrize("attack", [*FREE_ATTACKS, "carlini_wagner"])
def test_attack_distances_of_zero_weights_are_unknown(attack):
    X = np.full((3, 4), 0.5)
    models = [
        LinearClassifier(weights=np.zeros(4), bias=1.0),
        LinearClassifier(weights=np.zeros(4), bias=0.0),
        LinearClassifier(weights=np.ones(4), bias=-1.0),
    ]
    result = attack_distances(models, X, [1, 1, 1], attack=attack, box=UNIT_BOX)
    # A tie is a rival that does not lose: the input itself is a witness.
    assert result.status.tolist() == [["unknown"] * 3, ["wrong"] * 3, ["witnessed"] * 3]
    assert np.isnan(result.distances[0]).all()


@pytest.mark.parametrize("attack", [*FREE_ATTACKS, "carlini_wagner"])
@pytest.mark.parametrize("box", [(0.25, 1.0), (0.5, 0.5)])
def test_attack_distances_are_unknown_where_the_box_forbids_every_move(attack, box):
    # The origin, outside the box, is fooled: Carlini and Wagner's attack returns it on failure.
    model = LinearClassifier(weights=np.ones(4), bias=-0.9)
    result = attack_distances([model], np.full((1, 4), 0.5), [1], attack=attack, box=box)
    assert result.status.tolist() == [["unknown"]]


@pytest.mark.parametrize("box", [UNIT_BOX, (0.01, 1.0)])
def test_carlini_wagner_claims_no_corner_that_it_did_not_reach(box):
    # Only the lower corner fools. In tanh's scale it lies at -inf, but foolbox returns the origin
    # on failure, which is that corner once it is clipped to the box.
    model = LinearClassifier(weights=np.ones(4), bias=-4 * box[0] - 1e-9)
    result = attack_distances([model], np.ones((1, 4)), [1], attack="carlini_wagner", box=box)
    assert result.status.tolist() == [["unknown"]]


@pytest.mark.parametrize("attack", BUDGETED)
def test_attack_accuracy_of_zero_weights_is_one(attack):
    model = LinearClassifier(weights=np.zeros(4), bias=1.0)
    survived = attack_accuracy([model], np.ones((2, 4)), [1, 1], [9.0], attack=attack, box=None)
    assert survived.all()


@pytest.mark.parametrize(
    ("point", "is_believed"),
    [(-0.5, True), (-1.5, False), (0.5, False), (math.nan, False), (-math.inf, False)],
)
def test_attacks_believe_no_point_unchecked(point, is_believed, monkeypatch):
    # Right of zero the label stands; -.5 fools within the box [-1, 1]; -1.5 lies outside.
    model, X = LinearClassifier(weights=[1.0, 0.0]), np.array([[0.25, 0.0]])
    claimed = np.array([[[point, 0.0]]])
    monkeypatch.setitem(attacks._DISTANCE_ATTACKS, "ddn", (2.0, lambda _: claimed.copy()))
    result = attack_distances([model], X, [1], attack="ddn", box=(-1.0, 1.0))
    assert result.status.item() == ("witnessed" if is_believed else "unknown")
    assert np.isfinite(result.distances.item()) == is_believed
    monkeypatch.setitem(attacks._BUDGET_ATTACKS, "fgsm", (2.0, lambda *_: [claimed, claimed]))
    survived = attack_accuracy([model], X, [1], [0.7, 0.8], attack="fgsm", box=(-1.0, 1.0))
    # The move is of length .75.
    assert survived.ravel().tolist() == [True, not is_believed]


def test_linear_network_scores_each_row_by_its_own_model():
    rng = np.random.default_rng(0)
    weights, bias, X = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4)), rng.normal(size=(6, 5))
    network = LinearNetwork(weights, bias, unit=2.0, factors=np.ones((3, 2)))
    logits = network(torch.from_numpy(X / 2)).numpy()
    expected = [weights[i // 2] @ X[i] + bias[i // 2] for i in range(6)]
    np.testing.assert_allclose(logits, expected, rtol=1e-12, atol=1e-12)  # float64 rounding
    with pytest.raises(ValueError, match=r"m·n=6 rows; got 5"):
        network(torch.from_numpy(X[:5]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attack": "boundary"}, r"attack must be one of ddn, .*; got 'boundary'"),
        ({"attack": "fgsm"}, r"attack must be one of ddn, .*; got 'fgsm'"),
        ({"attack": "carlini_wagner"}, r"box must be a finite pair .*; got None"),
        ({"attack": "carlini_wagner", "box": (0, math.inf)}, r"box must be a finite pair"),
        ({"box": (np.zeros(64), 1.0)}, r"box lo must be a number.*got shape \(64,\)"),
        ({"box": (0.0, np.ones(64))}, r"box hi must be a number.*got shape \(64,\)"),
        ({"box": (0.0, 0.5)}, r"X must lie in the box"),
        ({"y": np.full(50, 2)}, r"y must hold labels of the model, \{-1, 1\}; got 2"),
        ({"y": np.ones(49)}, r"y must have shape \(n,\)"),
        ({"X": np.full((50, 64), np.nan)}, r"X must be finite; got nan"),
        ({"X": np.ones((50, 63))}, r"X must have shape"),
        ({"models": []}, r"models must hold at least one.*got 0"),
        ({"models": [LinearClassifier(weights=np.ones((c, 64))) for c in (1, 2)]}, r"\(1, 64\)"),
    ],
)
def test_attack_distances_refuse_what_they_do_not_cover(changed, message):
    models, X, y = drawn()
    given = {"models": models, "X": X, "y": y, "attack": "ddn", "box": None} | changed
    with pytest.raises(ValueError, match=message):
        attack_distances(**given)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"eps": [0.1, -0.1]}, r"eps must be at least 0; got -0.1"),
        ({"eps": 0.1}, r"eps must have shape \(k,\)"),
        ({"eps": []}, r"eps must have shape \(k,\)"),
        ({"eps": [math.nan]}, r"eps must be finite"),
        ({"attack": "ddn"}, r"attack must be one of fgsm, l2_fgm, linf_pgd, l2_pgd; got 'ddn'"),
        ({"box": (np.zeros(64), 1.0)}, r"box lo must be a number"),
    ],
)
def test_attack_accuracy_refuses_what_it_does_not_cover(changed, message):
    models, X, y = drawn()
    given = {"models": models, "X": X, "y": y, "eps": [0.1], "attack": "fgsm", "box": None}
    with pytest.raises(ValueError, match=message):
        attack_accuracy(**(given | changed))
