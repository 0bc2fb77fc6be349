"""What must not change what attacks find: units, confidence, company, storage and chance."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from empirical.attacks import attack_accuracy, attack_distances
from tests.empirical.attacked import standardised, ten_digits, threes_and_eights
from theory.linear.classifier import LinearClassifier

UNIT_BOX = (0.0, 1.0)
FREE_ATTACKS = ["ddn", "l2_deepfool", "linf_deepfool"]
BUDGETED = ["fgsm", "l2_fgm", "linf_pgd", "l2_pgd"]


@pytest.mark.parametrize("attack", FREE_ATTACKS)
@pytest.mark.parametrize("size", [2.0**-30, 2.0**30])
def test_attack_distances_follow_the_units_of_the_data(attack, size):
    models, X, y = standardised()
    scaled = [LinearClassifier(weights=f.weights / size, bias=f.bias) for f in models]
    here = attack_distances(models, X, y, attack=attack, box=None).distances
    there = attack_distances(scaled, X * size, y, attack=attack, box=None).distances
    # Powers of two change no digit.
    np.testing.assert_allclose(there, here * size, rtol=1e-12)


@pytest.mark.parametrize("attack", [*FREE_ATTACKS, "carlini_wagner"])
@pytest.mark.parametrize("case", [threes_and_eights, ten_digits])
def test_attack_distances_ignore_confidence(attack, case):
    models, X, y = case()
    X, y, box = X[:15], y[:15], UNIT_BOX
    sure = [LinearClassifier(weights=1e4 * f.weights, bias=1e4 * f.bias) for f in models]
    before = attack_distances(models, X, y, attack=attack, box=box)
    after = attack_distances(sure, X, y, attack=attack, box=box)
    assert (after.status == before.status).all()
    # The last digit of a logit may turn a step of the search, which ends within .5 % all the same.
    np.testing.assert_allclose(after.distances, before.distances, rtol=0.01)


@pytest.mark.parametrize("attack", BUDGETED)
def test_attack_accuracy_ignores_confidence(attack):
    models, X, y = threes_and_eights()
    sure = [LinearClassifier(weights=1e4 * f.weights, bias=1e4 * f.bias) for f in models]
    eps = [0.05, 0.2]
    before = attack_accuracy(models, X, y, eps, attack=attack, box=UNIT_BOX)
    assert (attack_accuracy(sure, X, y, eps, attack=attack, box=UNIT_BOX) == before).all()


@pytest.mark.parametrize("attack", [*FREE_ATTACKS, "carlini_wagner"])
@pytest.mark.parametrize("case", [threes_and_eights, ten_digits])
def test_attack_distances_of_a_stack_are_those_of_its_models(attack, case):
    models, X, y = case()
    X, y = X[:12], y[:12]
    stacked = attack_distances(models, X, y, attack=attack, box=UNIT_BOX)
    for j, model in enumerate(models):
        alone = attack_distances([model], X, y, attack=attack, box=UNIT_BOX)
        # BLAS may sum a batch of another size in another order.
        np.testing.assert_allclose(stacked.distances[j], alone.distances[0], rtol=1e-6)
        assert (stacked.status[j] == alone.status[0]).all()


@pytest.mark.parametrize("attack", FREE_ATTACKS)
def test_attack_distances_do_not_depend_on_the_blocks(attack, monkeypatch):
    models, X, y = ten_digits()
    whole = attack_distances(models, X, y, attack=attack, box=UNIT_BOX)
    monkeypatch.setattr("empirical.attack_stack._BLOCK", 64 * 7)
    pieces = attack_distances(models, X[:20], y[:20], attack=attack, box=UNIT_BOX)
    # BLAS may sum a batch of another size in another order.
    np.testing.assert_allclose(pieces.distances, whole.distances[:, :20], rtol=1e-6)


@pytest.mark.parametrize("attack", BUDGETED)
def test_attack_accuracy_of_a_stack_is_that_of_its_models(attack):
    models, X, y = ten_digits()
    eps = [0.03, 0.3]
    stacked = attack_accuracy(models, X, y, eps, attack=attack, box=UNIT_BOX)
    alone = [attack_accuracy([f], X, y, eps, attack=attack, box=UNIT_BOX)[0] for f in models]
    assert (stacked == alone).all()


@pytest.mark.parametrize("attack", FREE_ATTACKS)
def test_attack_distances_accept_sparse_weights_and_one_input(attack):
    models, X, y = threes_and_eights()
    sparse = [LinearClassifier(weights=sp.csr_array(f.weights), bias=f.bias) for f in models]
    dense = attack_distances(models, X[:1], y[:1], attack=attack, box=None)
    found = attack_distances(sparse, X[:1], y[:1], attack=attack, box=None)
    assert found.distances.shape == (4, 1)
    assert (found.distances == dense.distances).all()


def test_attacks_are_deterministic_and_leave_the_generator_alone():
    # Half way between two rivals the gradient is zero, and DDN goes where its noise leads it.
    a = np.array([1.0, 2.0])
    model = LinearClassifier(weights=np.stack([0 * a, a, -a]), bias=[1.0, 0.0, 0.0])
    X, y = np.zeros((20, 2)), np.zeros(20, dtype=int)
    state = torch.get_rng_state()
    first = attack_distances([model], X, y, attack="ddn", box=None)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    with torch.no_grad():
        second = attack_distances([model], X, y, attack="ddn", box=None)
    assert np.unique(first.witnesses[0, :, 0] > 0).tolist() == [False, True]
    np.testing.assert_array_equal(first.witnesses, second.witnesses)
