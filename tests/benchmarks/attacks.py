"""How near attacks come to exact distances on linear digits models, and how long they take.

    OMP_NUM_THREADS=1 python tests/benchmarks/attacks.py

Prints a table in Markdown: of attacked / exact - 1 the median and the 95th percentile, over three
classifiers of each family and the test inputs that they have right.
"""

import time

import numpy as np

from empirical.attacks import attack_distances
from empirical.data import digits, split
from empirical.linear import FAMILIES, train_path
from theory.linear import flip_distance

NORMS = {"ddn": 2, "l2_deepfool": 2, "linf_deepfool": np.inf}


def excess(pair: tuple[int, ...], attack: str, box: tuple[float, float] | None) -> str:
    parts = split(digits(*pair), rng=np.random.default_rng(0))
    paths = (train_path(family, *parts.train, count=3) for family in FAMILIES)
    models = [trained.model for path in paths for trained in path]
    X, y = parts.test.X[:90], parts.test.y[:90]
    exact = np.array([flip_distance(m, X, y, norm=NORMS[attack], box=box) for m in models])
    start = time.perf_counter()
    found = attack_distances(models, X, y, attack=attack, box=box).distances
    took = time.perf_counter() - start
    compared = (exact > 0) & np.isfinite(exact) & np.isfinite(found)
    median, tail = np.quantile(found[compared] / exact[compared] - 1, [0.5, 0.95])
    return f"{median:.2%}, {tail:.2%} ({took:.1f} s)"


def main() -> None:
    settings = [((3, 8), None), ((), None), ((3, 8), (0.0, 1.0)), ((), (0.0, 1.0))]
    for attack in NORMS:
        print(
            "|", attack, "|", " | ".join(excess(pair, attack, box) for pair, box in settings), "|"
        )


if __name__ == "__main__":
    main()
