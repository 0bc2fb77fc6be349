"""What a module must be to become a ReLU network, and that it stays as it is."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from empirical.lowering import (
    network_from_module,
)
from empirical.lowering.chain import check_outputs
from tests.empirical.lowered import IMAGE, Odd, seeded


def state(module: nn.Module) -> dict[str, Any]:
    """Return copies of all that a lowering must leave as it is."""
    return {
        "tensors": {name: tensor.clone() for name, tensor in module.state_dict().items()},
        "types": {name: tensor.dtype for name, tensor in module.state_dict().items()},
        "identities": [id(parameter) for parameter in module.parameters()],
        "gradients": [parameter.grad for parameter in module.parameters()],
        "training": [part.training for part in module.modules()],
        "attributes": [dict(vars(part)) for part in module.modules()],
        "hooks": [
            (list(part._forward_hooks.values()), list(part._forward_pre_hooks.values()))
            for part in module.modules()
        ],
    }


def assert_same_state(before: dict[str, Any], after: dict[str, Any]) -> None:
    for name, tensor in before.pop("tensors").items():
        assert torch.equal(tensor, after["tensors"][name])
    for one, other in zip(before.pop("attributes"), after["attributes"], strict=True):
        assert one.keys() == other.keys()
        assert all(one[name] is other[name] for name in one)
    assert before == {name: after[name] for name in before}


@pytest.mark.parametrize("kind", ["plain", "pruned", "batch norm", "hooked"])
def test_network_from_module_leaves_the_module_as_it_is(kind: str) -> None:
    module = nn.Sequential(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten())
    if kind != "batch norm":
        module[1] = nn.Identity()
        module.train()
    else:
        module.eval()
    if kind == "pruned":
        prune.random_unstructured(module[0], "weight", 0.5)
    if kind == "hooked":
        module[0].register_forward_hook(lambda *_: None)
    before = state(module)
    network_from_module(module, IMAGE)
    assert_same_state(before, state(module))


def test_network_from_module_applies_masks_to_the_newest_weights() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    prune.random_unstructured(module[0], "weight", 0.5)
    prune.l1_unstructured(module[0], "bias", 0.4)
    prune.random_unstructured(module[0], "weight", 0.5)  # a second mask on the first
    with torch.no_grad():  # as an optimiser's step does: module[0].weight is older until a forward
        module[0].weight_orig.add_(1.0)
    net = network_from_module(module, (6,))
    layer = module[0]
    expected = (layer.weight_orig * layer.weight_mask).detach().double().numpy()
    ours = net.weights[0].toarray() if sp.issparse(net.weights[0]) else net.weights[0]
    assert (ours == expected).all()
    assert (net.biases[0] == (layer.bias_orig * layer.bias_mask).detach().numpy()).all()


def test_network_from_module_reads_parametrised_weights() -> None:
    module = nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 3)), nn.ReLU())
    net = network_from_module(module, (4,))
    np.testing.assert_allclose(net.weights[0], module[0].weight.detach().numpy(), rtol=1e-6)


class TwoInputs(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        return x if y is None else x + y


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Tanh()), r"layer '1' \(Tanh\) cannot be lowered: known"),
        (nn.Sequential(nn.Sequential(nn.GELU())), r"layer '0\.0' \(GELU\)"),
        (nn.Conv2d(2, 1, 3, padding=1, padding_mode="circular"), "'zeros'; got 'circular'"),
        (nn.Sequential(nn.BatchNorm2d(2)), r"layer '0' \(BatchNorm2d\).* in eval mode"),
        (nn.BatchNorm2d(2, track_running_stats=False).eval(), "have running statistics"),
        (nn.Sequential(nn.Dropout(0.3)), r"layer '0' \(Dropout\).* in eval mode"),
        (nn.Sequential(nn.Flatten(0, 1)), "without the batch axis; got 0 to 1"),
        (nn.Unflatten(0, (1, -1)), r"within 1\.\.3, without the batch axis; got 0"),
        (nn.Unflatten(3, (2, 2)), r"shape \(2, 6, 6\) cannot take the shape \(2, 6, 2, 2\)"),
        (
            nn.AdaptiveAvgPool2d(4),
            r"sizes must divide those of the image; got \(4, 4\) of \(6, 6\)",
        ),
        (nn.MaxPool2d(4, stride=3, ceil_mode=True), "ceil_mode must be False"),
        (nn.AvgPool2d(4, stride=3, ceil_mode=True), "ceil_mode must be False"),
        (nn.Linear(5, 3), r"layer '0' \(Linear\).* must have 5 entries; got shape \(2, 6, 6\)"),
        (nn.Conv2d(3, 1, 1), r"must have 3 channels; got shape \(2, 6, 6\)"),
        (
            nn.Sequential(nn.Flatten(), nn.Conv2d(2, 1, 1)),
            r"\(channels, height, width\); got \(72,\)",
        ),
        (nn.Conv2d(2, 1, 7), "windows must fit into the padded image"),
        (nn.BatchNorm2d(3).eval(), "must have 3 channels"),
        (nn.MaxPool2d(2, return_indices=True), "return_indices must be False"),
        (nn.LazyConv2d(2, 3), r"layer '0' \(LazyConv2d\)"),
        (nn.LSTM(6, 3), r"layer '0' \(LSTM\)"),
        (Odd(lambda _, x: x * x), r"operation 'mul' \(mul\).*must be of one shape and be added"),
        (Odd(lambda _, x: 1 / x), "the divisor must not"),
        (Odd(lambda _, x: x / torch.zeros(1)), "a divisor must not be zero"),
        (Odd(lambda _, x: torch.sigmoid(x)), r"operation 'sigmoid' \(sigmoid\).*known are"),
        (Odd(lambda _, x: x.mean((2, 3))), r"operation 'mean' \(mean\).*known are"),
        (Odd(lambda _, x: x[:, 0]), "parts of a tensor cannot be taken"),
        (Odd(lambda _, x: x.view(-1)), r"cannot take the shape|must be \(batch size"),
        (Odd(lambda _, x: x.view(-1, 36)), "cannot take the shape"),
        (Odd(lambda _, x: x + x.T.T if x.sum() > 0 else x), "traceable by torch.fx"),
        (Odd(lambda _, x: (x, x)), "must return one tensor"),
        (Odd(lambda _, _x: torch.ones(3)), "one tensor that depends on its input"),
        (Odd(lambda _, x: x.view(x.shape[0], x.shape[1], 36).shape), "must return one tensor"),
        (Odd(lambda _, x: torch.add(x, x, alpha=2)), "alpha"),
        (Odd(lambda _, x: functional.dropout(x)), "must be in eval mode"),
        (Odd(lambda _, x: functional.max_pool2d(x, 4, 3, 0, 1, True)), "ceil_mode must be False"),
        (TwoInputs(), "must have one input; it also has 'y'"),
    ],
)
def test_network_from_module_refuses_by_name(module: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_from_module(module, IMAGE)


def test_network_from_module_refuses_what_is_no_module_and_what_is_no_shape() -> None:
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.Module; got int"):
        network_from_module(3, (4,))
    for shape in ((), (0,), (-1, 3), (2.5,), 2):
        with pytest.raises(ValueError, match="must be a sequence of positive integers; got"):
            network_from_module(nn.ReLU(), shape)
    with pytest.raises(ValueError, match="max_entries must be at least 1; got 0"):
        network_from_module(nn.ReLU(), (4,), max_entries=0)


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        (nn.Conv2d(2, 3, 3), 2 * 3 * 9 * 16),
        (nn.AvgPool2d(2, 1), 2 * 4 * 25),
        (nn.MaxPool2d(3, 1), None),
        (nn.Sequential(nn.Flatten(), nn.Linear(72, 3)), 72 * 3),
        # two sparse maps whose product is not
        (nn.Sequential(nn.AvgPool2d(6), nn.Flatten(), nn.Linear(2, 3)), None),
        (nn.Sequential(nn.ReLU(), nn.ReLU()), 72 * 3),
    ],
)
def test_network_from_module_refuses_what_is_too_large(
    module: nn.Module, needed: int | None
) -> None:
    limit = 90 if needed is None else needed - 1
    with pytest.raises(ValueError, match=f"max_entries={limit} .*they need at least") as refusal:
        network_from_module(seeded(module), IMAGE, max_entries=limit)
    if needed is not None:
        assert refusal.match(f"at least {needed:,}")
        network_from_module(seeded(module), IMAGE, max_entries=needed)


def test_network_from_module_refuses_before_it_builds() -> None:
    wide = nn.Sequential(nn.Conv2d(64, 100, 3))
    with pytest.raises(ValueError, match=r"layer '0' \(Conv2d\).* at least 829,440,000\."):
        network_from_module(wide, (64, 122, 122))


def test_network_from_module_finds_what_layers_do_not_show() -> None:
    hooked = nn.Sequential(nn.Linear(4, 3))
    hooked[0].register_forward_hook(lambda _layer, _inputs, output: output + 1)
    in_place = Odd(lambda self, x: self.relu(x) + x, relu=nn.ReLU(inplace=True))
    for module in (hooked, in_place):
        with pytest.raises(RuntimeError, match="largest difference is"):
            network_from_module(module, (4,))


def test_check_outputs_refuses_other_shapes_and_what_is_no_number() -> None:
    with pytest.raises(RuntimeError, match=r"shape, \(2, 1\); it gives \(2, 2\)"):
        check_outputs(np.zeros((2, 2)), np.zeros((2, 1)))
    for wrong in (np.nan, np.inf, 1.0 + 1e-5):
        with pytest.raises(RuntimeError, match="largest difference"):
            check_outputs(np.ones((2, 1)), np.array([[1.0], [wrong]]))
    check_outputs(np.zeros((2, 1)), np.zeros((2, 1)))
