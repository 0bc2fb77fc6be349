"""The mean C&W L2 distances that Merkle et al. 2021 publish for MNIST, met and looked behind.

    OMP_NUM_THREADS=1 SPARSEBOUND_DATA=... python tests/benchmarks/published_distances.py [order]

Their CNN of 61,470 weights, pruned globally by magnitude to compression 1, 2, 4 and 8 and trained
on to convergence after each, as their code does: Adam, batches of 64, patience 5, the last epoch
kept. Then two attacks of the same networks on the first test images, in the box [0, 1]:

- theirs: foolbox's C&W, 9 × 5,000 steps of size 1 from c = 100, of the *probabilities* that their
  network ends in (github.com/FlorianMerkle/network-pruning-and-robustness, Pipelines/helperfiles);
- ours: the better of DDN and DeepFool, of the scores before the softmax.

Both are upper bounds of the same distances, so what exceeds the other says more of its attack than
of the network. Half an hour for 60 images, most of it their attack. "order" leaves theirs out and
takes five networks and 200 images instead: is compression 2 farther from a flip than 1, and 1 than
8, as published? Differences are paired, of each network; their limits are of 95 %.
"""

import sys
import time
from collections.abc import Iterator

import foolbox
import numpy as np
import torch
from torch import nn

from empirical.data import Part, Split, mnist
from empirical.measures import over_seeds
from empirical.models import lenet5_small
from empirical.module_attacks import model_attack_distances
from empirical.pruning import SCHEMES, copied, iterative
from empirical.training import History, Training, train
from theory.validation import FloatArray

# Mean (standard deviation over five runs of 1,000 images), by compression.
PUBLISHED = {1: (2.768, 0.137), 2: (3.080, 0.121), 4: (2.932, 0.083), 8: (2.593, 0.043)}
TRAINING = Training(epochs=100, patience=5, keep="last", batch=64)
SEEDS = 5


def theirs(model: nn.Module, part: Part) -> FloatArray:
    """Return the distances that their attack finds, of inputs that are wrong near 0."""
    X, y = torch.tensor(part.X, dtype=torch.float32), torch.tensor(part.y)
    through_softmax = nn.Sequential(model, nn.Softmax(dim=1)).eval()
    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=9, steps=5000, stepsize=1, initial_const=100, abort_early=True
    )
    target = foolbox.PyTorchModel(through_softmax, bounds=(0, 1), device="cpu")
    points, _, _ = attack(target, X, y, epsilons=[100.0])
    return (points[0] - X).norm(dim=1).double().numpy()


def ours(model: nn.Module, part: Part) -> FloatArray:
    return model_attack_distances(
        model,
        part.X.astype(np.float64),
        part.y,
        norm=2,
        box=(0.0, 1.0),
        attacks=["l2_deepfool", "ddn"],
        rng=np.random.default_rng(0),
    ).distances


def accuracy(model: nn.Module, part: Part) -> float:
    X = torch.tensor(part.X, dtype=torch.float32)
    with torch.no_grad():
        labels = torch.cat([model(rows).argmax(dim=1) for rows in X.split(1000)])
    return float((labels.numpy() == part.y).mean())


def stages_of(images: Split, seed: int) -> Iterator[tuple[int, nn.Module, int]]:
    """Yield each compression, the network at it, and the epochs it was trained for."""
    model, seeds = lenet5_small(seed=seed), iter(range(10 * seed, 10 * seed + 10))

    def trained(pruned: nn.Module) -> History:
        return train(pruned, images, TRAINING, seed=next(seeds))

    stages = iterative(
        model,
        SCHEMES["weight magnitude global"],
        compressions=list(PUBLISHED),
        train=trained,
        rng=np.random.default_rng(seed),
    )
    for compression, stage in zip(PUBLISHED, stages, strict=True):
        yield compression, copied(model), len(stage.trained.loss)


def compared(images: Split, part: Part) -> None:
    """Print what both attacks find on one network, beside what is published."""
    for compression, network, epochs in stages_of(images, seed=0):
        mean, deviation = PUBLISHED[compression]
        began = time.perf_counter()
        published, checked = theirs(network, part), ours(network, part)
        error = published.std(ddof=1) / np.sqrt(published.size)
        print(
            f"compression {compression}: {epochs} epochs, test accuracy"
            f" {accuracy(network, images.test):.2%}; their attack {published.mean():.3f} ±"
            f" {error:.3f}, published {mean} ({deviation}), {published.mean() / mean - 1:+.0%};"
            f" ours {checked.mean():.3f}, {published.mean() / checked.mean():.2f} times nearer;"
            f" {time.perf_counter() - began:.0f} s",
            flush=True,
        )


def ordered(images: Split, part: Part) -> None:
    """Print what our attack finds on several networks, and the differences that order them."""
    rows = []
    for seed in range(SEEDS):
        means = {
            compression: float(ours(network, part).mean())
            for compression, network, _ in stages_of(images, seed=seed)
        }
        rows.append(means)
        print(f"network {seed}:", ", ".join(f"{c}: {m:.3f}" for c, m in means.items()), flush=True)
    for more, fewer in ((2, 1), (1, 8)):
        gap = over_seeds([row[more] - row[fewer] for row in rows], level=0.95)
        print(f"{more} less {fewer}: {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")


if __name__ == "__main__":
    data = mnist()
    is_order = sys.argv[1:] == ["order"]
    count = 200 if is_order else 60
    (ordered if is_order else compared)(data, Part(data.test.X[:count], data.test.y[:count]))
