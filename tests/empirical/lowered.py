"""Networks that tests lower, and how what comes of them is compared."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from empirical.lowering import network_from_module
from theory.networks import ReluNetwork, forward

IMAGE = (2, 6, 6)


def seeded(module: nn.Module, seed: int = 0) -> nn.Module:
    """Return a module in eval mode, every parameter and running statistic drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator)
                tensor.copy_(drawn.abs() + 0.1 if name.endswith("running_var") else drawn)
    return module.eval()


def assert_same_outputs(module: nn.Module, shape: tuple[int, ...]) -> ReluNetwork:
    net = network_from_module(module, shape)
    X = np.random.default_rng(7).normal(size=(5, *shape))
    twin = copy.deepcopy(module).double()
    with torch.no_grad():
        expected = twin(torch.as_tensor(X)).reshape(5, -1).numpy()
    ours = forward(net, X.reshape(5, -1))
    # the same sums in another order, in float64
    np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    return net


class Odd(nn.Module):
    """A forward of one's own."""

    def __init__(self, rule: Any, **parts: nn.Module) -> None:
        super().__init__()
        self.rule = rule
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: torch.Tensor) -> Any:
        return self.rule(self, x)
