"""Attacks on torch classifiers: exact distances of affine ones, and every witness by definition."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.attack_methods import METHODS, has_numba
from empirical.models import cnn, mlp
from empirical.module_attacks import MODEL_ATTACKS, ModelAttackResult, model_attack_distances
from empirical.pruning import apply_masks
from tests.empirical.attacked import module_of_ten_digits
from theory.linear import flip_distance

BOX = (0.0, 1.0)
# Two orders of summation of some tens of products of order one.
ROUNDING = 1e-12
COMPILED = [
    pytest.mark.slow,  # numba compiles for a minute
    pytest.mark.skipif(not has_numba(), reason="numba is not installed"),
]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pruned(model: nn.Module) -> nn.Module:
    """Return the model with a random half of its weights pruned."""
    generator = torch.Generator().manual_seed(1)  # the weights were drawn by seed 0
    layers = {name: p for name, p in model.named_modules() if hasattr(p, "weight")}
    masks = {k: torch.rand(p.weight.shape, generator=generator) < 0.5 for k, p in layers.items()}
    apply_masks(model, masks)
    return model


def lead(model: nn.Module, x: Any, label: int) -> float:
    """Return the label's lead by the model's weights in float64, written out for its layers."""
    value = torch.from_numpy(x)[None]
    for layer in model:  # type: ignore[attr-defined]
        if isinstance(layer, nn.Linear):
            value = value @ layer.weight.double().T + (0 if layer.bias is None else layer.bias)
        elif isinstance(layer, nn.Conv2d):
            weight, bias = layer.weight.double(), layer.bias.double()
            value = nn.functional.conv2d(value, weight, bias, padding=1)
        else:
            value = layer(value)
    scores = value[0].detach().numpy()
    return float(scores[label] - np.delete(scores, label).max())


def assert_honest(found: ModelAttackResult, model: nn.Module, X: Any, y: Any) -> None:
    for i, status in enumerate(found.status):
        distance, witness = found.distances[i], found.witnesses[i]
        if status == "unknown":
            assert np.isnan(distance)
            assert np.isnan(witness).all()
            assert found.winner[i] == ""
            continue
        assert lead(model, witness, y[i]) <= ROUNDING * 10
        moved = np.linalg.norm(witness - X[i], ord=found.norm)
        assert distance == pytest.approx(moved, rel=ROUNDING, abs=0)
        assert (status == "wrong") == (distance == 0)
        assert (found.winner[i] in found.attacks) == (status == "witnessed")
        if found.box is not None:
            assert found.box[0] <= witness.min()
            assert witness.max() <= found.box[1]


@pytest.mark.parametrize(
    "attack",
    [
        "l2_deepfool",
        "ddn",
        "carlini_wagner",
        "linf_deepfool",
        pytest.param("l2_brendel_bethge", marks=COMPILED),
        pytest.param("linf_brendel_bethge", marks=COMPILED),
    ],
)
def test_distances_on_affine_models_are_near_the_exact_ones(attack: str) -> None:
    model, record, X, y = module_of_ten_digits(torch.float32)
    norm = MODEL_ATTACKS[attack]
    found = model_attack_distances(model, X, y, norm=norm, box=BOX, attacks=[attack], rng=rng())
    exact = flip_distance(record, X, y, norm=norm, box=BOX)
    assert ((exact == 0) == (found.status == "wrong")).all()
    ratio = found.distances[exact > 0] / exact[exact > 0]
    assert ratio.min() >= 1 - 1e-9  # rounding of the scores
    assert np.median(ratio) <= 1.01
    assert np.quantile(ratio, 0.95) <= 1.05


@pytest.mark.parametrize("attack", ["ead", "l0_ead", "l0_greedy"])
def test_sparse_moves_on_affine_models_are_never_below_the_exact_ones(attack: str) -> None:
    model, record, X, y = module_of_ten_digits(torch.float32)
    norm = MODEL_ATTACKS[attack]
    found = model_attack_distances(model, X, y, norm=norm, box=BOX, attacks=[attack], rng=rng())
    exact = flip_distance(record, X, y, norm=norm, box=BOX)
    ratio = found.distances[exact > 0] / exact[exact > 0]
    assert ratio.min() >= 1 - 1e-9  # rounding of the scores
    # EAD is a heuristic of L1, not of L0.
    assert np.median(ratio) <= {"ead": 1.05, "l0_ead": 3.0, "l0_greedy": 1.0}[attack]


@pytest.mark.slow
@pytest.mark.skipif(not has_numba(), reason="numba is not installed")
@pytest.mark.parametrize("norm", [2])
def test_ensembles_that_walk_the_boundary_do_best(norm: float) -> None:
    model, record, X, y = module_of_ten_digits(torch.float32)
    found = model_attack_distances(model, X, y, norm=norm, box=BOX, attacks="ensemble", rng=rng())
    quick = model_attack_distances(model, X, y, norm=norm, box=BOX, attacks="quick", rng=rng())
    exact = flip_distance(record, X, y, norm=norm, box=BOX)
    assert (found.distances >= exact * (1 - 1e-9)).all()
    assert (found.distances <= quick.distances).all()
    assert (found.distances < quick.distances).any()
    assert set(found.attacks) - set(quick.attacks) == {f"l{norm}_brendel_bethge"}


@pytest.mark.parametrize("norm", [0, 1, 2, math.inf])
@pytest.mark.parametrize("kind", ["mlp", "pruned", "cnn"])
def test_witnesses_flip_the_model_itself_and_an_ensemble_is_the_best_of_its_members(
    kind: str, norm: float
) -> None:
    model: nn.Module = cnn((1, 6, 6), [4], [3], seed=0) if kind == "cnn" else mlp(36, 12, 3, seed=0)
    model = pruned(model) if kind == "pruned" else model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    X = np.random.default_rng(1).random((12, 36))
    y = model(torch.tensor(X, dtype=torch.float32)).argmax(dim=1).numpy()
    y[0] = (y[0] + 1) % 3
    settings: Any = {"norm": norm, "box": BOX, "steps": {"carlini_wagner": 40, "l0_ead": 40}}
    found = model_attack_distances(model, X, y, attacks="quick", rng=rng(), **settings)
    assert_honest(found, model, X, y)
    assert found.status[0] == "wrong"
    assert (found.status == "witnessed").sum() >= 8
    assert found.kind == "upper"
    each = [
        model_attack_distances(model, X, y, attacks=[name], rng=rng(), **settings).distances
        for name in found.attacks
    ]
    np.testing.assert_array_equal(found.distances, np.fmin.reduce(each))
    assert all((value == before[name]).all() for name, value in model.state_dict().items())


def test_one_logit_has_two_labels_and_no_box_is_needed() -> None:
    model = nn.Sequential(nn.Linear(2, 1))
    model.load_state_dict({"0.weight": torch.tensor([[3.0, 4.0]]), "0.bias": torch.tensor([-1.0])})
    found = model_attack_distances(
        model, [[1.0, 1.0], [0.0, 0.0]], [1, 1], norm=2, box=None, attacks="quick", rng=rng()
    )
    assert found.distances == pytest.approx([1.2, 0.0], rel=1e-3)
    assert found.status.tolist() == ["witnessed", "wrong"]
    assert found.attacks == ("l2_deepfool", "ddn")


@pytest.mark.parametrize("norm", [0, 1, 2, math.inf])
def test_constant_models_leave_all_unknown(norm: float) -> None:
    model = mlp(4, 3, 2, seed=0)
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model[2].bias[0] = 1.0
    X = np.full((3, 4), 0.5)
    found = model_attack_distances(
        model, X, [0, 0, 1], norm=norm, box=BOX, attacks="quick", rng=rng()
    )
    assert found.status.tolist() == ["unknown", "unknown", "wrong"]
    assert np.isnan(found.distances[:2]).all()


def test_global_generators_stay_and_results_repeat() -> None:
    model, _, X, y = module_of_ten_digits(torch.float32)
    before, numpys = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    runs = [
        model_attack_distances(model, X, y, norm=2, box=BOX, attacks=["ddn"], rng=rng()).distances
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*runs)
    assert (torch.random.get_rng_state() == before).all()
    assert (np.random.get_state()[1] == numpys).all()  # noqa: NPY002


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attacks": ["newton"]}, "attacks of norm 2 must be among l2_deepfool, ddn.*'newton'"),
        ({"attacks": ["linf_pgd"]}, "attacks of norm 2 must be among.*'linf_pgd'"),
        ({"attacks": []}, "attacks of norm 2 must be among.*'none'"),
        ({"attacks": "ddn"}, 'attacks must be "ensemble", "quick" or a sequence'),
        ({"attacks": ["carlini_wagner"], "box": None}, "box must be .* 'carlini_wagner'"),
        ({"norm": 0, "box": None, "attacks": ["l0_greedy"]}, "'l0_greedy'"),
        ({"norm": 3}, "norm must be"),
        ({"steps": {"ddn": 5}}, "steps must be of carlini_wagner.*'ddn'"),
        ({"steps": {"ead": 0}}, "steps of ead must be a positive integer; got 0"),
        ({"y": [0, 10]}, "y must hold labels of the model.*got 10"),
        ({"y": [0]}, "y must have shape"),
        ({"X": [[0.5] * 64, [1.5] * 64]}, "X must lie in the box"),
        ({"X": [[0.5] * 64, [np.nan] * 64]}, "X must be finite"),
        ({"X": [[0.5] * 63] * 2}, "model must take rows with the features of X; got d=63"),
        ({"X": [0.5] * 64}, "X must have shape"),
        ({"box": ([0.0] * 64, [1.0] * 63 + [2.0])}, "box must be None or one pair"),
    ],
)
def test_malformed_arguments_are_refused(changed: dict[str, Any], message: str) -> None:
    given = {"X": [[0.5] * 64] * 2, "y": [0, 1], "norm": 2, "box": BOX, "attacks": ["ddn"]}
    given |= changed
    X, y = given.pop("X"), given.pop("y")
    with pytest.raises(ValueError, match=message):
        model_attack_distances(nn.Linear(64, 10), X, y, rng=rng(), **given)


def test_models_that_are_none_or_score_nan_are_refused() -> None:
    broken = nn.Linear(2, 2)
    with torch.no_grad():
        broken.weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="model must score X finitely"):
        model_attack_distances(broken, [[1.0, 1.0]], [0], norm=2, box=None, rng=rng())
    with pytest.raises(TypeError, match="model must be a torch module"):
        model_attack_distances(len, [[1.0]], [0], norm=2, box=None, rng=rng())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng must be a numpy Generator"):
        model_attack_distances(nn.Linear(1, 2), [[1.0]], [0], norm=2, box=None, rng=0)  # type: ignore[arg-type]


def test_compiled_attacks_without_numba_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.module_attacks.has_numba", lambda: False)
    assert METHODS["l2_brendel_bethge"].compiled
    with pytest.raises(ModuleNotFoundError, match="numba must be installed for 'l2_brendel"):
        model_attack_distances(
            nn.Linear(1, 2), [[0.5]], [0], norm=2, box=BOX, attacks="ensemble", rng=rng()
        )
