"""How tight certificates are: beside each other at radius 1, and beside attacks.

    OMP_NUM_THREADS=1 SPARSEBOUND_DATA=... python tests/benchmarks/tightness.py

First a 784-100-100-10 network trained against L2 attacks of radius 1, in the manner of Chiu et al.
2025, Table 1: the share of test images that each method verifies at radius 1. Then the median ratio
of the best certified radius to the distance that attacks find (L2, no box), from dense to pruned.
"""

import time
from typing import Any

import numpy as np
import torch
from torch import nn
from trained_networks import Data, attacked, digits, lowered, mlp, mnist, prune, train

from empirical.network_attacks import network_attack_distances
from theory.certify import certified_accuracy, certified_radius

IMAGES, RATIOS = 300, 50


def radius_one() -> None:
    torch.manual_seed(0)
    module = mlp(784, 100, 100, 10)
    train(module, mnist("train"), 2)
    train(module, mnist("train"), 8, radius=1.0)
    images, labels = (part[:IMAGES] for part in mnist("t10k"))
    left = module(attacked(module, images, labels, 1.0, steps=50)).argmax(dim=1) == labels
    clean = module(images).argmax(dim=1) == labels
    print(f"784-100-100-10, radius-1 training: {clean.float().mean():.1%} right", flush=True)
    net, X, y = lowered(module), images.double().numpy(), labels.numpy()
    for method in ("interval", "crown", "lipschitz", "lipsdp", "sdp", "best"):
        started = time.perf_counter()
        share = float(certified_accuracy(net, X, y, 1.0, method=method))
        print(f"  {method:<10} {share:6.1%}   {time.perf_counter() - started:5.1f} s", flush=True)
    print(f"  attack     {np.mean(left.numpy()):6.1%}   (50 steps of PGD in [0, 1]: upper)")


def ratio(module: nn.Sequential, test: Data) -> str:
    X, y = test[0][:RATIOS].double().numpy(), test[1][:RATIOS].numpy()
    net = lowered(module)
    certified = certified_radius(net, X, y).lower
    found = network_attack_distances(net, X, y, box=None).distances
    known = found > 0
    if (certified[known] > found[known] * (1 + 1e-9)).any():
        raise RuntimeError("a certificate exceeds an attack")
    return f"{np.median(certified[known] / found[known]):.2f} ({known.mean():.0%})"


def against_attacks(name: str, widths: tuple[int, ...], data: Any, radius: float) -> None:
    """Print the ratios, and the share of inputs that are right, normally and robustly trained."""
    train_part, test = data("train"), data("t10k")
    epochs = 60 if len(train_part[0]) < 2000 else 3
    for kind, own in (("normal", 0.0), (f"L2 radius {radius}", radius)):
        torch.manual_seed(0)
        module = mlp(*widths)
        train(module, train_part, epochs, radius=own)
        cells = [ratio(module, test)]
        for share in (0.8, 0.95, 0.98):
            masks = prune(module, share)
            train(module, train_part, epochs, radius=own, masks=masks)
            cells.append(ratio(module, test))
        print(f"| {name}, {kind} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    radius_one()
    print("| median certified / attacked | dense | 80 % pruned | 95 % | 98 % |")
    against_attacks("digits 64-50-50-10", (64, 50, 50, 10), digits, 0.5)
    against_attacks("MNIST 784-300-100-10", (784, 300, 100, 10), mnist, 1.0)
