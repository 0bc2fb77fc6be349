"""How tight certificates are: beside each other at radius 1, and beside attacks.

    OMP_NUM_THREADS=1 SPARSEBOUND_DATA=... python tests/benchmarks/tightness.py

First a 784-100-100-10 network trained against L2 attacks of radius 1, in the manner of Chiu et al.
2025, Table 1: the share of test images that each method verifies at radius 1.
"""

import time

import numpy as np
import torch
from mnist_networks import attacked, lowered, mlp, mnist, train

from theory.certify import certified_accuracy

IMAGES = 300


def radius_one() -> None:
    torch.manual_seed(0)
    module = mlp(784, 100, 100, 10)
    train(module, 2)
    train(module, 8, radius=1.0)
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


if __name__ == "__main__":
    radius_one()
