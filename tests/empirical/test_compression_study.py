"""A tiny compression study: its cells held against definitions, other attacks and each other."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from empirical.compression_study import (
    BOX,
    CNN,
    COMPRESSIONS,
    CONVOLUTIONS,
    CRITERIA,
    EPS,
    FULL,
    MLP,
    QUICK,
    RESETS,
    CompressionCell,
    Plan,
    compression_parts,
    compression_study,
    networks,
    study,
)
from empirical.compression_study.measuring import attack_points, right, survivals
from empirical.compression_study.networks import (
    TICKET_RATES,
    Pruned,
    adversarial_networks,
    convolutional_networks,
    drawn_start,
    natural_networks,
)
from empirical.data import Part, Split, digits, split
from empirical.lowering import network_from_module
from empirical.module_budgets import model_robust_accuracy
from empirical.pruning import SCHEMES, masks_of
from theory.networks import ReluNetwork
from theory.networks.arrays import dense

PLAN = Plan(seeds=2, inputs=30, searched=4, epochs=4)
START = drawn_start(np.random.default_rng(2))
FEW = 60  # inputs that are attacked in two ways


@pytest.fixture(scope="module")
def parts() -> list[list[CompressionCell]]:
    return list(compression_study(PLAN, seed=0))


@pytest.fixture(scope="module")
def cells(parts: list[list[CompressionCell]]) -> list[CompressionCell]:
    return [cell for part in parts for cell in part]


@pytest.fixture(scope="module")
def data() -> Split:
    return split(digits(), rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def natural(data: Split) -> list[Pruned]:
    return natural_networks(data, START, epochs=15, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def adversarial(data: Split) -> list[Pruned]:
    return adversarial_networks(data, START, epochs=15, rng=np.random.default_rng(2))


def lowered(networks: list[Pruned]) -> list[ReluNetwork]:
    return [network_from_module(one.network, (64,)) for one in networks]


def first(test: Part, count: int) -> Part:
    return Part(*(part[:count] for part in test))


def test_study_has_a_cell_for_each_seed_family_and_level(cells: list[CompressionCell]) -> None:
    levels = range(len(COMPRESSIONS))
    families = [("natural", family) for family in (*CRITERIA, "ticket original")]
    families += [("adversarial", f"ticket {reset}") for reset in RESETS]
    expected = {(seed, *kind, level) for seed in range(2) for kind in families for level in levels}
    found = [(cell.seed, cell.trained, cell.family, cell.level) for cell in cells]
    assert set(found) == expected
    assert len(found) == len(expected)
    assert {cell.model for cell in cells} == {MLP}
    assert not any(cell.flips for cell in cells)


def test_plan_says_how_many_parts_come(parts: list[list[CompressionCell]]) -> None:
    assert len(parts) == PLAN.seeds == 2
    assert len(compression_parts(FULL, seed=0)) == FULL.seeds + FULL.convolutions
    assert QUICK.convolutions == 0


def everything(cell: CompressionCell) -> list[Any]:
    parts = [cell.compression, cell.correct, cell.eps, cell.fgsm, cell.survived, cell.certified]
    if cell.distances is not None:
        parts += [cell.distances.lower, cell.distances.upper, cell.deepfool]
    return [*parts, *cell.flips.values()]


def test_study_is_determined_by_its_seed(cells: list[CompressionCell]) -> None:
    part = next(compression_study(PLAN, seed=0))
    for one, again in zip(cells[: len(part)], part, strict=True):
        for ours, theirs in zip(everything(one), everything(again), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_study_of_other_seeds_differs(cells: list[CompressionCell]) -> None:
    part = next(compression_study(PLAN, seed=1))
    pairs = zip(cells[: len(part)], part, strict=True)
    assert any((one.correct != other.correct).any() for one, other in pairs)


def test_bounds_keep_their_order(cells: list[CompressionCell]) -> None:
    for cell in cells:
        assert (cell.survived <= cell.fgsm).all()
        assert (cell.fgsm <= cell.correct).all()
        assert (cell.survived[1:] <= cell.survived[:-1]).all()  # a larger ball holds the smaller
        # proven robust is a part of what no attack broke
        assert (cell.certified <= cell.survived.mean(axis=1)).all()


def test_distances_of_one_family_are_searched_for(cells: list[CompressionCell]) -> None:
    for cell in cells:
        assert (cell.distances is not None) == (cell.family == CRITERIA[0])
        if cell.distances is None:
            continue
        assert cell.deepfool is not None
        few = PLAN.searched
        assert cell.distances.box is None
        assert ((cell.distances.upper == 0) == ~cell.correct[:few]).all()
        assert (cell.distances.status == "exact").all()
        # DeepFool is held against the search, which is exact to one in ten thousand
        assert (cell.distances.lower <= cell.deepfool * (1 + 1e-9)).all()


def test_compressions_are_those_asked_for(natural: list[Pruned], adversarial: list[Pruned]) -> None:
    total = 64 * 20 + 20 * 10
    for one in natural:
        if one.family in CRITERIA:
            # a count of weights, of each of two layers, is rounded
            kept = total / COMPRESSIONS[one.level]
            assert total / one.compression == pytest.approx(kept, abs=1)
    for one in [*adversarial, *natural]:
        if one.family.startswith("ticket"):
            hidden = 1280 * (1 - TICKET_RATES["hidden"]) ** one.level
            output = 200 * (1 - TICKET_RATES["output"]) ** one.level
            # at most one weight a layer and round is rounded away
            assert total / one.compression == pytest.approx(hidden + output, abs=2 * one.level)


def weights(one: Pruned) -> list[Any]:
    return [value.detach().numpy() for value in one.network.state_dict().values()]


def test_resets_share_their_dense_network(adversarial: list[Pruned]) -> None:
    alike = [weights(one) for one in adversarial if one.level == 0]
    for other in alike[1:]:
        for ours, theirs in zip(alike[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_criteria_share_their_dense_network(natural: list[Pruned]) -> None:
    alike = [weights(one) for one in natural if one.level == 0 and one.family in CRITERIA]
    assert len(alike) == 2
    for ours, theirs in zip(*alike, strict=True):
        # the same sums in one batched product, rounded as float32 over some hundred steps
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_tickets_are_nested_and_what_is_pruned_is_zero(adversarial: list[Pruned]) -> None:
    for family in {one.family for one in adversarial}:
        path = [one for one in adversarial if one.family == family]
        for before, after in pairwise(path):
            old, new = masks_of(before.network), masks_of(after.network)
            assert all((new[name] <= old[name]).all() for name in new)
    for one, net in zip(adversarial, lowered(adversarial), strict=True):
        for W, mask in zip(net.weights, masks_of(one.network).values(), strict=True):
            assert not dense(W)[~mask.numpy()].any()


def test_adversarial_training_makes_networks_more_robust(
    data: Split, natural: list[Pruned], adversarial: list[Pruned]
) -> None:
    test = first(data.test, 200)
    two = [next(one for one in kind if one.level == 0) for kind in (natural, adversarial)]
    _, survived = survivals([one.network for one in two], lowered(two), test, seed=0)
    # Without an effect 200 inputs differ by less than 20 points but once in ten thousand.
    assert survived[1, -1].mean() > survived[0, -1].mean() + 0.2


@pytest.mark.parametrize("steps", [1, 20])
@pytest.mark.parametrize("start", [0, 7])
def test_attack_points_stay_in_ball_and_box(
    data: Split, natural: list[Pruned], steps: int, start: int
) -> None:
    test, eps = first(data.test, FEW), EPS[-1]
    models = [one.network for one in natural[:2]]
    (points,) = attack_points(models, test, eps=eps, steps=steps, starts=[start])
    assert points.shape == (2, *test.X.shape)
    assert np.abs(points - test.X).max() <= eps * (1 + 1e-12)  # a sum is rounded
    assert BOX[0] <= points.min() <= points.max() <= BOX[1]


def test_one_step_is_the_sign_of_the_gradient(data: Split, natural: list[Pruned]) -> None:
    test, eps, model = first(data.test, FEW), EPS[0], natural[0].network
    (points,) = attack_points([model], test, eps=eps, steps=1, starts=[0])
    X = torch.tensor(test.X, dtype=torch.float32, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(model(X), torch.tensor(test.y), reduction="sum")
    (slope,) = torch.autograd.grad(loss, X)
    by_hand = np.clip(test.X + eps * np.sign(slope.numpy()), *BOX)
    clear = np.abs(slope.numpy()) > 1e-6  # float32 may miss the sign of less
    assert clear.mean() > 0.5
    np.testing.assert_allclose(points[0][clear], by_hand[clear], atol=1e-12)


def test_survival_agrees_with_attacks_of_another_harness(
    data: Split, natural: list[Pruned], adversarial: list[Pruned]
) -> None:
    test = first(data.test, FEW)
    for few in (natural[:5], adversarial[-1:]):
        fgsm, survived = survivals([one.network for one in few], lowered(few), test, seed=0)
        for r, one in enumerate(few):
            found = model_robust_accuracy(
                one.network, *test, EPS, norm=np.inf, box=BOX, rng=np.random.default_rng(0)
            )
            broken = found.broken[found.attacks.index("fgm")] | found.wrong
            # An input whose gradient or lead is nearly zero may differ; PGD, from other starts
            # and in other steps, on a few more.
            assert np.mean(broken == ~fgsm[r]) >= 0.98
            assert np.mean(found.survived == survived[r]) >= 0.95


def test_right_counts_ties_as_wrong() -> None:
    net = ReluNetwork(weights=[np.eye(2)], biases=[np.zeros(2)])
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert right(net, X, np.zeros(3, dtype=int)).tolist() == [True, False, False]


def test_study_looks_at_inputs_of_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Split, list[Pruned]]] = []

    def spied(data: Split, *args: Any, **named: Any) -> list[Pruned]:
        pruned = natural_networks(data, *args, **named)
        seen.append((data, pruned))
        return pruned

    monkeypatch.setattr(study, "natural_networks", spied)
    part = next(compression_study(PLAN, seed=0))
    ((data, pruned),) = seen
    test = first(data.test, PLAN.inputs)
    natural = [cell for cell in part if cell.trained == "natural"]
    for cell, net in zip(natural, lowered(pruned), strict=True):
        np.testing.assert_array_equal(cell.correct, right(net, *test))
        assert cell.trained_on == len(data.train.y)
    # networks that are wrong somewhere tell the two parts apart
    trained_on = first(data.train, PLAN.inputs)
    assert any((right(net, *test) != right(net, *trained_on)).any() for net in lowered(pruned))


def test_study_draws_starts_of_attacks_and_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    attacks, starts = [], []

    def attacked(models: Any, nets: Any, test: Part, *, seed: int) -> Any:
        attacks.append(seed)
        blank = np.zeros((len(models), len(EPS), len(test.y)), dtype=bool)
        return blank, blank

    def trained(data: Split, start: Any, **named: Any) -> list[Pruned]:
        del data, named
        starts.append(start)
        return []

    monkeypatch.setattr(study, "survivals", attacked)
    monkeypatch.setattr(study, "natural_networks", trained)
    monkeypatch.setattr(study, "adversarial_networks", trained)
    for seed in (0, 1):
        list(compression_study(PLAN, seed=seed))
    for drawn in (attacks, starts):  # of each seed and split natural networks, then adversarial
        assert drawn[0::2] == drawn[1::2]
        assert len(set(drawn)) == 4


def test_networks_of_one_start_share_their_initial_weights(
    data: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[int] = []

    def untrained(*args: Any, seeds: Any, **named: Any) -> None:
        del args, named
        orders.append(seeds[0])

    monkeypatch.setattr(networks, "train_together", untrained)
    makers = (natural_networks, adversarial_networks)
    both = [make(data, START, epochs=1, rng=np.random.default_rng(3)) for make in makers]
    tickets = [[one for one in own if one.family == "ticket original"] for own in both]
    for one, other in zip(*tickets, strict=True):
        for ours, theirs in zip(weights(one), weights(other), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert orders == [*START.orders, *START.orders]


def test_survivals_try_random_starts() -> None:
    # The second class wins from x > .53 on; its unit is dead, and the slope 0, below .52.
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    values = ([[1.0]], [-0.52], [[0.0], [100.0]], [1.0, 0.0])
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))
    test = Part(np.full((60, 1), 0.5), np.zeros(60, dtype=int))
    nets = [network_from_module(model, (1,))]
    fgsm, survived = survivals([model], nets, test, seed=0)
    assert fgsm.all()
    # At eps = .1 a start leaves the plateau with probability .4: of 60 none does but once in 1e13.
    assert 0 < survived[0, 1].mean() < 1
    _, other = survivals([model], nets, test, seed=1)
    assert (survived != other).any()


@pytest.mark.slow
def test_convolutional_networks_are_pruned_by_nine_schemes(data: Split) -> None:
    pruned = convolutional_networks(data, START, epochs=1, rng=np.random.default_rng(0))
    found = [(one.model, one.family, one.level) for one in pruned]
    assert found == [(CNN, family, level) for family in SCHEMES for level in range(4)]
    axes = {"weight": 4, "kernel": 2, "filter": 1}
    for one in pruned:
        *convolved, last = masks_of(one.network).values()
        granularity = one.family.split()[0]
        alive = [mask.flatten(axes[granularity] - 4).any(-1) for mask in convolved]
        if granularity == "weight":
            alive = [*convolved, last]
        else:
            assert last.all()
        left, groups = (
            sum(float(count) for count in counts)
            for counts in ([a.sum() for a in alive], [a.numel() for a in alive])
        )
        # of each layer a count is rounded
        assert groups / CONVOLUTIONS[one.level] == pytest.approx(left, abs=len(alive))


@pytest.mark.slow
def test_study_of_convolutions_has_attacks_in_three_norms_and_no_certificates() -> None:
    plan = Plan(seeds=2, inputs=10, searched=1, convolutions=2, epochs=1)
    parts = list(compression_study(plan, seed=0))
    assert [part[0].model for part in parts] == [MLP] * 2 + [CNN] * 2
    for cell in (cell for part in parts[2:] for cell in part):
        assert np.isnan(cell.certified).all()
        assert cell.distances is None
        assert (cell.survived <= cell.fgsm).all()
        assert set(cell.flips) == {"L0", "L2"}
        for found in cell.flips.values():
            assert found.shape == (plan.inputs,)
            np.testing.assert_array_equal(found == 0, ~cell.correct)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": 1}, "seeds must be at least 2"),
        ({"seeds": 2, "convolutions": 1}, "convolutions 0 or at least 2"),
        ({"seeds": 2, "inputs": 10, "searched": 11}, "searched must be in"),
        ({"seeds": 2, "searched": 0}, "searched must be in"),
        ({"seeds": 2, "epochs": 0}, "epochs at least 1"),
    ],
)
def test_plan_refuses_too_little(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Plan(**wrong)
