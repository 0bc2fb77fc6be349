"""What schemes of pruning remove: by enumeration on small networks, and counted to one."""

import itertools
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from empirical.models import lenet5_small
from empirical.pruning import (
    SCHEMES,
    Scheme,
    apply_masks,
    compression_at,
    compression_of,
    empty_layers,
    masks_above,
    masks_for,
    masks_of,
)
from empirical.pruning.schemes import Criterion, Granularity, Scope
from tests.empirical.pruned import arrays, chi_square_margin, drawn, lenet, linear, nearest

EVERY = [
    Scheme(granularity=g, criterion=c, scope=s)
    for g, c, s in itertools.product(get_args(Granularity), get_args(Criterion), get_args(Scope))
]
GLOBAL, LAYER = SCHEMES["weight magnitude global"], SCHEMES["weight magnitude layer"]
ANY = SCHEMES["weight random layer"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def groups_of(layer: Any, granularity: str) -> list[tuple[int, ...]]:
    """Return the leading indices of each group of a layer's weights, in order."""
    axes = {"weight": layer.weight.ndim, "kernel": 2, "filter": 1}[granularity]
    return list(np.ndindex(*layer.weight.shape[:axes]))


def removed_by_hand(model: nn.Sequential, scheme: Scheme, compression: int) -> Any:
    """Return groups as (layer's index, group's index) in a list, sorted, and cut."""
    kinds: Any = (nn.Linear, nn.Conv2d) if scheme.granularity == "weight" else nn.Conv2d
    listed = [
        (i, index)
        for i, layer in enumerate(model)
        if isinstance(layer, kinds)
        for index in groups_of(layer, scheme.granularity)
    ]
    pools = [listed]
    if scheme.scope == "layer":
        pools = [list(pool) for _, pool in itertools.groupby(listed, key=lambda group: group[0])]
    removed = set()
    for pool in pools:
        by_size = sorted(pool, key=lambda g: float(model[g[0]].weight[g[1]].detach().abs().mean()))
        removed |= set(by_size[: nearest(len(pool) * (compression - 1), compression)])
    return removed


@pytest.mark.parametrize("scheme", [s for s in EVERY if s.criterion == "magnitude"], ids=str)
@pytest.mark.parametrize("levels", [0, 2], ids=["distinct", "tied"])
def test_masks_for_removes_the_smallest_groups_by_enumeration(scheme: Scheme, levels: int) -> None:
    # with few levels many groups are equal, and Python's stable sort keeps the first first; means
    # of at most 36 such numbers are exact but for one rounding
    for seed, compression in itertools.product(range(3), (1, 2, 3, 8)):
        model = lenet(rng(seed))
        drawn(model, rng(seed), levels=levels)
        removed = removed_by_hand(model.double(), scheme, compression)
        masks = masks_for(model, scheme, compression=compression, rng=rng())
        for name, mask in masks.items():
            for index in groups_of(model[int(name)], scheme.granularity):
                kept = (int(name), index) not in removed
                assert bool((mask[index] == kept).all()), (name, index)


@settings(max_examples=60, deadline=None)
@given(
    scheme=st.sampled_from(EVERY),
    shapes=st.lists(
        st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=3
    ),  # in, out, kernel's side
    hidden=st.integers(1, 7),
    densities=st.lists(st.fractions(Fraction(1, 100), 1), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_masks_for_counts_exactly_and_nests(
    scheme: Scheme, shapes: Any, hidden: int, densities: Any, seed: int
) -> None:
    convolutions = [nn.Conv2d(a, b, k) for a, b, k in shapes]
    model = nn.Sequential(*convolutions, nn.Linear(hidden, 3))
    drawn(model, rng(seed), levels=1)  # nearly all is tied
    chosen = list(model) if scheme.granularity == "weight" else convolutions
    sizes = [len(groups_of(layer, scheme.granularity)) for layer in chosen]
    for density in sorted(densities, reverse=True):
        before = masks_of(model)
        masks = masks_for(model, scheme, compression=1 / density, rng=rng(seed))
        assert list(masks) == [str(i) for i in range(len(chosen))]
        lost = 1 - density
        gone = [
            sum(not bool(mask[index].any()) for index in groups_of(layer, scheme.granularity))
            for layer, mask in zip(chosen, masks.values(), strict=True)
        ]
        asked = [nearest(lost.numerator * n, lost.denominator) for n in sizes]
        if scheme.scope == "global":
            gone, asked = [sum(gone)], [nearest(lost.numerator * sum(sizes), lost.denominator)]
        assert gone == asked
        assert all(bool((mask <= before[name]).all()) for name, mask in masks.items())
        apply_masks(model, masks)


def test_nine_schemes_are_the_papers() -> None:
    # the names of the result files that the authors published with their code
    published = {
        (granularity, *rest)
        for granularity in ("weight", "kernel", "filter")
        for rest in (("magnitude", "global"), ("magnitude", "layer"), ("random", "layer"))
    }
    assert {(s.granularity, s.criterion, s.scope) for s in SCHEMES.values()} == published
    assert len(SCHEMES) == 9
    assert all(name == f"{s.granularity} {s.criterion} {s.scope}" for name, s in SCHEMES.items())


# Weights that are left, by the authors' result files.
PUBLISHED = {
    "weight magnitude global": [61470, 30735, 15368, 7684, 3842, 1921, 960],
    "weight magnitude layer": [61470, 30735, 15368, 7684, 3841, 1921, 961],
    "kernel magnitude layer": [61470, 60195, 59570, 59245, 59070, 58995, 58970],
    "kernel random layer": [61470, 60195, 59570, 59245, 59070, 58995, 58970],
    "kernel magnitude global": [61470, 60195, 59570, 59245, 59070, 58995, 58970],
    "filter magnitude layer": [61470, 60195, 59570, 59245, 59070, 58920, 58920],
    "filter random layer": [61470, 60195, 59570, 59245, 59070, 58920, 58920],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_masks_for_keeps_as_many_weights_as_published(name: str) -> None:
    model, draws = lenet5_small(bias=False, seed=0), rng()
    for level, published in enumerate(PUBLISHED[name]):
        masks = masks_for(model, SCHEMES[name], compression=2**level, rng=draws)
        apply_masks(model, masks)
        kept = 61470 / compression_of(model)
        # one division there and back
        assert kept == pytest.approx(published, abs=1e-6)


def test_masks_for_ranks_groups_of_different_size_by_their_mean() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.Conv2d(1, 1, 1, bias=False))
    model[0].weight.data.fill_(0.5)  # the sum of nine is larger, the mean smaller
    model[1].weight.data.fill_(-1.0)
    for name in ("filter magnitude global", "kernel magnitude global"):
        masks = arrays(masks_for(model, SCHEMES[name], compression=2, rng=rng()))
        assert (masks["0"].sum(), masks["1"].sum()) == (0, 1)


def test_masks_for_breaks_ties_in_order_of_layers_and_of_memory() -> None:
    model = linear([[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0]])
    masks = arrays(masks_for(model, GLOBAL, compression=2, rng=rng()))
    assert masks["0"].tolist() == [[0, 0], [0, 1]]
    masks = arrays(masks_for(model, LAYER, compression=2, rng=rng()))
    assert (masks["0"].tolist(), masks["2"].tolist()) == ([[0, 0], [1, 1]], [[0, 1]])


def test_masks_for_counts_what_is_pruned_already_even_if_it_is_large() -> None:
    model = linear([[9.0, 0.0, 1.0, 2.0]])
    apply_masks(model, {"0": torch.tensor([[0, 1, 1, 1]])})
    masks = arrays(masks_for(model, GLOBAL, compression=2, rng=rng()))
    assert masks["0"].tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(("rest", "gone"), [(0.5, 1), (5.0, 0)])
def test_masks_for_counts_pruned_weights_of_a_group_as_zero_and_keeps_them_so(
    rest: float, gone: int
) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 2, bias=False))
    model[0].weight.data = torch.tensor([[[[1.0, 1], [1, 1]]], [[[9.0, rest], [rest, rest]]]])
    partial = torch.tensor([[[[1, 1], [1, 1]]], [[[0, 1], [1, 1]]]])
    apply_masks(model, {"0": partial})
    masks = masks_for(model, SCHEMES["filter magnitude layer"], compression=2, rng=rng())
    partial[gone] = 0
    assert torch.equal(masks["0"].int(), partial.int())


def test_masks_for_can_empty_a_layer_unless_it_keeps_some() -> None:
    model = linear([[0.1, 0.2], [0.3, 0.4]], [[5.0, 6.0]])
    masks = masks_for(model, GLOBAL, compression=3, rng=rng())
    assert arrays(masks)["0"].sum() == 0
    kept = arrays(masks_for(model, GLOBAL, compression=3, rng=rng(), at_least=1))
    # the difference is taken elsewhere: 4 of 6 are removed either way
    assert (kept["0"].tolist(), kept["2"].tolist()) == ([[0, 0], [0, 1]], [[0, 1]])
    apply_masks(model, masks)
    assert empty_layers(model) == ("0",)


def test_masks_for_a_layer_keeps_at_least_what_is_asked_and_counts_less() -> None:
    model = linear([[1.0, 2.0, 3.0, 4.0]], [[5.0]])
    assert arrays(masks_for(model, LAYER, compression=8, rng=rng()))["2"].sum() == 0  # 7/8 of 1
    masks = arrays(masks_for(model, LAYER, compression=8, rng=rng(), at_least=2))
    assert masks["0"].tolist() == [[0, 0, 1, 1]]
    assert masks["2"].tolist() == [[1]]


def test_masks_for_does_not_bring_back_what_at_least_would_keep() -> None:
    model = linear([[1.0, 2.0]], [[5.0], [6.0], [7.0]])
    apply_masks(model, {"0": torch.tensor([[0, 0]])})
    masks = arrays(masks_for(model, GLOBAL, compression=5, rng=rng(), at_least=1))
    assert (masks["0"].tolist(), masks["2"].tolist()) == ([[0, 0]], [[0], [0], [1]])


def test_masks_for_leaves_linear_layers_dense_where_groups_are_of_convolutions() -> None:
    model = lenet(rng())
    for name in ("filter magnitude global", "kernel random layer"):
        assert set(masks_for(model, SCHEMES[name], compression=4, rng=rng())) == {"1", "4"}


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_random_masks_are_uniform_over_all_sets_of_a_size(scope: Any) -> None:
    model = linear([[1.0, 2.0]], [[3.0], [4.0], [5.0]])
    apply_masks(model, {"2": torch.tensor([[1], [0], [1]])})  # so 4 are left
    scheme = Scheme(granularity="weight", criterion="random", scope=scope)
    draws, n = rng(7), 2000
    seen: dict[Any, int] = {}
    for _ in range(n):
        masks = arrays(masks_for(model, scheme, compression=Fraction(5, 3), rng=draws))
        key = tuple(masks["0"].ravel()), tuple(masks["2"].ravel())
        assert key[1][1] == 0
        seen[key] = seen.get(key, 0) + 1
    # of layers: one of the first's two, by 2/5 of 2; none more of the second's, by 2/5 of 3 = 1.2;
    # of all: one more of the four, by 2/5 of 5
    cells = 2 if scope == "layer" else 4
    assert len(seen) == cells
    statistic = sum((count - n / cells) ** 2 / (n / cells) for count in seen.values())
    assert statistic < chi_square_margin(cells)


def test_random_masks_are_uniform_over_pairs() -> None:
    model, draws, n = linear([[1.0, 2.0, 3.0, 4.0, 5.0]]), rng(8), 3000
    seen: dict[Any, int] = {}
    for _ in range(n):
        mask = arrays(masks_for(model, ANY, compression=Fraction(5, 3), rng=draws))["0"]
        seen[tuple(mask.ravel())] = seen.get(tuple(mask.ravel()), 0) + 1
    assert len(seen) == 10
    statistic = sum((count - n / 10) ** 2 / (n / 10) for count in seen.values())
    assert statistic < chi_square_margin(10)


@pytest.mark.parametrize("scheme", EVERY, ids=str)
def test_masks_for_are_the_same_for_a_seed_and_change_no_network(scheme: Scheme) -> None:
    model = lenet(rng())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, again, other = (
        masks_for(model, scheme, compression=3, rng=rng(seed)) for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    differs = any(not torch.equal(first[name], other[name]) for name in first)
    assert differs == (scheme.criterion == "random")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_magnitude_draws_nothing() -> None:
    draws = rng(3)
    masks_for(lenet(rng()), GLOBAL, compression=3, rng=draws)
    assert draws.random() == rng(3).random()


def test_floats_stand_for_their_decimals() -> None:
    # nine tenths of 15 are 13.5, which rounds to 14; of the binary number 0.1 it would be less
    model = linear([list(range(1, 16))])
    masks = masks_for(model, GLOBAL, compression=compression_at(0.1), rng=rng())
    assert arrays(masks)["0"].sum() == 1
    assert compression_at(0.3) == Fraction(10, 3)


def test_masks_above_keeps_what_is_larger_and_nothing_pruned() -> None:
    model = linear([[0.5, -2.0, 1.0, 3.0]], [[-0.1]])
    apply_masks(model, {"0": torch.tensor([[1, 1, 1, 0]])})
    masks = arrays(masks_above(model, 1.0))
    assert (masks["0"].tolist(), masks["2"].tolist()) == ([[0, 1, 0, 0]], [[0]])
