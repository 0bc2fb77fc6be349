"""How near attacks of torch networks come to exact L2 distances, on digits in their box [0, 1].

    OMP_NUM_THREADS=1 python tests/benchmarks/network_attacks.py

Prints a table in Markdown: of attacked / exact - 1 the median and the 95th percentile, over the
test inputs that networks of three kinds label rightly. Brendel and Bethge's walk wants numba.
"""

import time
from collections.abc import Iterator

import numpy as np
from torch import nn

from empirical.attack_methods import METHODS, has_numba
from empirical.data import Part, Split, digits, split
from empirical.lowering import network_from_module
from empirical.models import mlp
from empirical.module_attacks import model_attack_distances
from empirical.pruning import SCHEMES, one_shot
from empirical.training import Adversary, Training, train
from theory.certify.branch_and_bound import exact_distance
from theory.validation import FloatArray

WIDTHS, INPUTS, SEEDS = (64, 50, 50, 10), 40, 2
BOX = (0.0, 1.0)
NATURAL = Training(epochs=40)
HARDENED = Training(epochs=40, adversary=Adversary(norm=2, eps=0.5, steps=5, box=BOX))


def networks(parts: Split) -> Iterator[tuple[str, nn.Module]]:
    """Yield networks of three kinds, and what kind each is of."""
    for seed in range(SEEDS):
        model = mlp(*WIDTHS, seed=seed)
        train(model, parts, NATURAL, seed=seed)
        yield "dense", model
        one_shot(
            model,
            SCHEMES["weight magnitude global"],
            compression=10,
            train=lambda pruned, seed=seed: train(pruned, parts, NATURAL, seed=seed),
            rng=np.random.default_rng(seed),
        )
        yield "90 % pruned", model
        hardened = mlp(*WIDTHS, seed=seed)
        train(hardened, parts, HARDENED, seed=seed)
        yield "trained against attacks", hardened


def excess(
    model: nn.Module, part: Part, exact: FloatArray, attack: str
) -> tuple[FloatArray, float]:
    """Return attacked / exact - 1 of inputs that are right, and the seconds it took."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    names = attack if attack in {"quick", "ensemble"} else [attack]
    found = model_attack_distances(
        model, part.X, part.y, norm=2, box=BOX, attacks=names, rng=rng
    ).distances
    took = time.perf_counter() - began
    return found[exact > 0] / exact[exact > 0] - 1, took


def main() -> None:
    parts = split(digits(), rng=np.random.default_rng(0))
    part = Part(parts.test.X[:INPUTS], parts.test.y[:INPUTS])
    attacks = [name for name, method in METHODS.items() if method.norm == 2]
    attacks = [name for name in attacks if has_numba() or not METHODS[name].compiled]
    attacks += ["quick", *(["ensemble"] if has_numba() else [])]
    found: dict[str, dict[str, list[FloatArray]]] = {}
    seconds = dict.fromkeys(attacks, 0.0)
    for kind, model in networks(parts):
        net = network_from_module(model, (64,))
        exact = exact_distance(net, part.X, part.y, norm=2, box=BOX, time_limit=60)
        if not (exact.status == "exact").all():
            raise RuntimeError(f"{kind}: {(exact.status != 'exact').sum()} distances are open")
        for attack in attacks:
            ratios, took = excess(model, part, exact.upper, attack)
            found.setdefault(attack, {}).setdefault(kind, []).append(ratios)
            seconds[attack] += took
    print("| |", " | ".join(next(iter(found.values()))), "| seconds |")
    for attack, kinds in found.items():
        cells = []
        for pieces in kinds.values():
            ratios = np.concatenate(pieces)
            median, tail = np.nanquantile(ratios, [0.5, 0.95])
            unknown = int(np.isnan(ratios).sum())
            cells.append(f"{median:.2%}, {tail:.2%}" + f" ({unknown} unknown)" * bool(unknown))
            if np.nanmin(ratios) < -1e-6:
                raise RuntimeError(f"{attack} is nearer than exact: {np.nanmin(ratios):.2e}")
        print(f"| {attack} | {' | '.join(cells)} | {seconds[attack]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
