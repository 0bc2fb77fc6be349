"""Modules of torch as ReLU networks, held against their own forward in float64."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

from empirical.lowering import (
    network_from_module,
)
from tests.empirical.lowered import IMAGE, Odd, assert_same_outputs, seeded

LAYERS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "linear": (nn.Linear(4, 3), (4,)),
    "linear without bias": (nn.Linear(4, 3, bias=False), (4,)),
    "linear of rows": (nn.Linear(4, 3), (2, 4)),
    "relu": (nn.ReLU(), (4,)),
    "identity": (nn.Identity(), (4,)),
    "flatten": (nn.Flatten(), IMAGE),
    "flatten some": (nn.Flatten(2), IMAGE),
    "unflatten": (nn.Unflatten(1, (2, 3, 2)), (12,)),
    "unflatten the last": (nn.Unflatten(-1, (-1, 3)), IMAGE),
    "unflatten one between": (nn.Unflatten(2, (3, 2)), IMAGE),
    "dropout": (nn.Dropout(), (4,)),
    "conv": (nn.Conv2d(2, 3, 3), IMAGE),
    "conv without bias": (nn.Conv2d(2, 3, 3, bias=False), IMAGE),
    "conv stride": (nn.Conv2d(2, 3, (3, 2), stride=(2, 1)), IMAGE),
    "conv padding": (nn.Conv2d(2, 3, 3, padding=(1, 2), stride=2), IMAGE),
    "conv same": (nn.Conv2d(2, 3, 3, padding="same"), IMAGE),
    "conv same even": (nn.Conv2d(2, 3, (4, 2), padding="same", dilation=(1, 2)), IMAGE),
    "conv valid": (nn.Conv2d(2, 3, 2, padding="valid"), IMAGE),
    "conv dilation": (nn.Conv2d(2, 3, 3, dilation=2, padding=1), IMAGE),
    "conv groups": (nn.Conv2d(2, 6, 3, groups=2), IMAGE),
    "average": (nn.AvgPool2d(2), IMAGE),
    "average overlapping": (nn.AvgPool2d((3, 2), stride=1), IMAGE),
    "average padded": (nn.AvgPool2d(3, stride=2, padding=1), IMAGE),
    "average of what is inside": (nn.AvgPool2d(3, 1, padding=1, count_include_pad=False), IMAGE),
    "average by a divisor": (nn.AvgPool2d(2, divisor_override=3), IMAGE),
    "average ceil": (nn.AvgPool2d(2, ceil_mode=True), IMAGE),
    "adaptive": (nn.AdaptiveAvgPool2d((3, 2)), IMAGE),
    "adaptive to one": (nn.AdaptiveAvgPool2d(1), IMAGE),
    "adaptive in part": (nn.AdaptiveAvgPool2d((None, 3)), IMAGE),
    "max": (nn.MaxPool2d(2), IMAGE),
    "max of three": (nn.MaxPool2d(3), IMAGE),
    "max overlapping": (nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "max dilated": (nn.MaxPool2d((2, 3), stride=1, dilation=(3, 2), padding=(1, 1)), IMAGE),
    "max of one": (nn.MaxPool2d(1), IMAGE),
    "batch norm 1d": (nn.BatchNorm1d(4), (4,)),
    "batch norm 1d of sequences": (nn.BatchNorm1d(3), (3, 5)),
    "batch norm 2d": (nn.BatchNorm2d(2), IMAGE),
    "batch norm without weights": (nn.BatchNorm2d(2, affine=False, eps=0.1), IMAGE),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kind", LAYERS)
def test_network_from_module_computes_each_layer(kind: str) -> None:
    layer, shape = LAYERS[kind]
    assert_same_outputs(seeded(layer), shape)
    assert_same_outputs(seeded(nn.Sequential(nn.Sequential(layer), nn.Flatten(), nn.ReLU())), shape)


def random_network(rng: np.random.Generator) -> nn.Module:
    """Return a network of random layers for inputs of shape IMAGE."""
    layers: list[nn.Module] = []
    channels = IMAGE[0]
    for _ in range(rng.integers(1, 4)):
        width = int(rng.integers(1, 4))
        layers += [nn.Conv2d(channels, width, int(rng.integers(1, 4)), padding=1)]
        channels = width
        others = [nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2, 1), nn.AvgPool2d(2, 1)]
        layers += [others[i] for i in rng.permutation(4)[: rng.integers(5)]]
    layers += [nn.Flatten(), nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 3)]
    network = nn.Sequential(*layers)
    network.eval()(torch.zeros(1, *IMAGE))
    return network


@pytest.mark.parametrize("seed", range(12))
def test_network_from_module_computes_random_networks(seed: int) -> None:
    assert_same_outputs(seeded(random_network(np.random.default_rng(seed)), seed), IMAGE)


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x)


class Downsampling(nn.Module):
    """A block of a ResNet whose shortcut is a convolution."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(into, out, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(into, out, 1, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = functional.relu(self.norm(self.first(x)), inplace=True)
        out = self.second(out)
        out += self.shortcut(x)
        return torch.relu(out)


class Written(nn.Module):
    """A forward in the ways that people write one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.head = nn.Linear(3, 2)
        self.scale = nn.Parameter(torch.tensor([2.0]))
        self.register_buffer("mean", torch.randn(2, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) / 0.5
        x = functional.max_pool2d(self.conv(1 - x).relu(), 2, stride=1)
        x = functional.avg_pool2d(x, 3)
        x = functional.dropout(x, 0.5, training=self.training)
        x = x.view(x.size(0), -1) + x.reshape(x.shape[0], -1) + torch.flatten(x, 1)
        x = torch.add(x, x.view(-1, 3)) - 3 * x.flatten(1)
        return self.scale * self.head(x)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Residual(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4))), (4,)),
        (Residual(nn.ReLU()), (4,)),
        (nn.Sequential(*(Residual(nn.Sequential(nn.Linear(4, 4), nn.ReLU())) for _ in "ab")), (4,)),
        (nn.Sequential(Downsampling(2, 3), Residual(nn.Conv2d(3, 3, 3, padding=1))), IMAGE),
        (nn.Sequential(Residual(Residual(nn.MaxPool2d(3, 1, 1))), nn.ReLU()), IMAGE),
        (Written(), IMAGE),
    ],
)
def test_network_from_module_follows_forward(module: nn.Module, shape: tuple[int, ...]) -> None:
    assert_same_outputs(seeded(module), shape)


def test_network_from_module_carries_values_in_linear_units() -> None:
    inner = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4))
    net = network_from_module(Residual(inner), (4,))
    assert net.widths == (10,)
    assert net.relu[0].tolist() == [True] * 6 + [False] * 4


@pytest.mark.parametrize(("width", "units"), [(9, 9 + 4), (2, 2 + 2)])
def test_network_from_module_carries_a_value_or_what_it_is_made_of(width: int, units: int) -> None:
    module = Odd(
        lambda self, x: torch.relu(self.a(x)) + self.b(x),
        a=nn.Linear(4, width),
        b=nn.Linear(4, width),  # needed after the ReLU: as it is, or as the four inputs
    )
    assert assert_same_outputs(seeded(module), (4,)).widths == (units,)


def test_network_from_module_lets_relus_side_by_side_share_a_layer() -> None:
    module = Odd(
        lambda self, x: torch.relu(self.a(x)) + torch.relu(self.b(x)),
        a=nn.Linear(4, 3),
        b=nn.Linear(4, 3),
    )
    net = assert_same_outputs(seeded(module), (4,))
    assert net.widths == (6,)
    assert net.relu[0].all()


def test_network_from_module_maximises_in_a_tree() -> None:
    net = network_from_module(nn.MaxPool2d(4), (1, 4, 4))
    # 8 differences beside 8 entries, then 4 beside 4 sums of two units, ...
    assert net.depth == 5
    assert [int(mask.sum()) for mask in net.relu] == [8, 4, 2, 1]
    assert net.widths == (16, 8, 4, 2)


def test_network_from_module_leaves_out_what_is_not_used() -> None:
    module = Odd(
        lambda self, x: (torch.relu(self.other(x)), torch.relu(self.used(x)))[1],
        used=nn.Linear(4, 3),
        other=nn.Linear(4, 50),
    )
    assert assert_same_outputs(seeded(module), (4,)).widths == (3,)


def test_network_from_module_keeps_sparse_weights_sparse() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    for layer, share in ((module[0], 0.8), (module[2], 0.7)):
        prune.random_unstructured(layer, "weight", share)
    net = network_from_module(module, (8,))
    assert [sp.issparse(W) for W in net.weights] == [True, False, False]
    assert net.densities[0] == pytest.approx(13 / 64)  # round(0.8 * 64) = 51 are pruned
