"""Certified CROWN-L2 radii of MNIST images, beside auto_LiRPA with bisection, in one run.

    OMP_NUM_THREADS=2 SPARSEBOUND_DATA=... PYTHONPATH=path/to/auto_LiRPA python <this file>

Trains a 784-300-100-10 network, prunes 95 % of its weights and trains on. auto_LiRPA 0.7 is no
dependency: without it only our own figures are shown. Then LipSDP-Neuron of 150 hidden units.
"""

import os
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import nn
from trained_networks import lowered, mlp, mnist, prune, train

from theory.certify import certified_radius
from theory.certify.certified import _least_leads
from theory.certify.domain import open_domain
from theory.certify.methods import chosen_margins
from theory.lipschitz import lipsdp_neuron
from theory.networks import ReluNetwork

IMAGES, TOLERANCE = 1000, 1e-4


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


class Peer:
    """auto_LiRPA's CROWN margins of the same network, on balls of given radii."""

    def __init__(self, module: nn.Sequential, X: Any, y: Any, dtype: torch.dtype) -> None:
        from auto_LiRPA import BoundedModule  # noqa: PLC0415

        self.X, self.dtype = torch.tensor(X, dtype=dtype), dtype
        self.module = BoundedModule(deepcopy(module).to(dtype), self.X[:2], verbose=False)
        every, labels = torch.eye(10, dtype=dtype), torch.tensor(y)
        rivals = torch.arange(10)[None] != labels[:, None]
        self.forms = (every[labels][:, None] - every[None])[rivals].reshape(len(y), 9, 10)

    def leads(self, eps: Any) -> Any:
        from auto_LiRPA import BoundedTensor  # noqa: PLC0415
        from auto_LiRPA.perturbations import PerturbationLpNorm  # noqa: PLC0415

        radii = torch.tensor(eps, dtype=self.dtype)[:, None]
        ball = BoundedTensor(self.X, PerturbationLpNorm(norm=2, eps=radii))
        with torch.no_grad():
            bound, _ = self.module.compute_bounds(
                x=(ball,), C=self.forms, method="CROWN", bound_upper=False
            )
        return bound.min(dim=1).values.double().numpy()

    def radii(self) -> Any:
        lo, hi = np.zeros(len(self.X)), np.full(len(self.X), 4.0)
        while (hi - lo).max() > TOLERANCE:
            middle = (lo + hi) / 2
            positive = self.leads(middle) > 0
            lo, hi = np.where(positive, middle, lo), np.where(positive, hi, middle)
        return lo


def compared(name: str, module: nn.Sequential) -> None:
    X, y = (part.numpy()[:IMAGES] for part in mnist("t10k"))
    X = X.astype(np.float64)
    net = lowered(module)
    spent, found = seconds(lambda: certified_radius(net, X, y, method="crown", tol=TOLERANCE))
    right = found.lower > 0
    print(f"{name}: {IMAGES} radii in {spent:.2f} s, {found.nodes[right].mean():.1f} bounds each,")
    print(f"  median {np.median(found.lower):.4f}, {right.mean():.1%} right")
    try:
        peers = {d: Peer(module, X, y, d) for d in (torch.float64, torch.float32)}
    except ImportError:
        print("  auto_LiRPA is not importable: no ratio")
        return
    eps = np.where(right, found.lower, 0.1)
    domain, crown = open_domain(net, X, y, norm=2, box=None), chosen_margins("crown", net, 2)
    one, ours = seconds(lambda: _least_leads(domain, crown["crown"], np.arange(IMAGES), eps))
    for dtype, peer in peers.items():
        peer.leads(eps)  # the first call builds what later ones use
        single, theirs = seconds(lambda peer=peer: peer.leads(eps))
        whole, radii = seconds(peer.radii)
        print(
            f"  auto_LiRPA, {dtype}: one bound {single / one:.1f} × as long ({single:.2f} /"
            f" {one:.2f} s), bounds within {np.abs(ours - theirs).max():.1e}; radii by bisection"
            f" {whole / spent:.1f} × as long ({whole:.1f} s), within"
            f" {np.abs(radii - found.lower)[right].max():.1e}"
        )


def lipsdp(rng: np.random.Generator) -> None:
    shapes = ((75, 100), (75, 75), (10, 75))
    weights = [rng.normal(size=shape) / shape[1] ** 0.5 for shape in shapes]
    spent, bound = seconds(lambda: lipsdp_neuron(ReluNetwork(weights=weights)))
    print(f"LipSDP-Neuron, 100-75-75-10: {bound.value:.4f} in {spent:.2f} s")


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    network = mlp(784, 300, 100, 10)
    train(network, mnist("train"), 3)
    compared("784-300-100-10, dense", network)
    masks = prune(network, 0.95)
    train(network, mnist("train"), 3, masks=masks)
    compared("784-300-100-10, 95 % pruned", network)
    lipsdp(np.random.default_rng(0))
