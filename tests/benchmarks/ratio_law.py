"""The ratio law: how far |g| / ‖∇g‖ of networks pruned at random is from the dense law.

    OMP_NUM_THREADS=1 python tests/benchmarks/ratio_law.py [WIDTH]... [--densities RHO...]

Widths 256 and 1024 (about ten minutes) if none is given; 4096 takes far longer. Normal
weights, as many inputs as units, one hidden layer and two, all layers pruned alike. The
Kolmogorov-Smirnov distance is that of samples, an estimate, and limits hold with 95 % for each
row, for any laws. The dense law is of the same width, of 100,000 draws by proofs/ratio_law.md,
11 (b), pruned ones by 11 (a); at density 1 a row compares (b) with whole networks, half as many:
what is left there is chance. A row is told as soon as it is known, and has its own seed.
"""

import argparse
import time

import numpy as np

from empirical.ratio_study import (
    RandomWeights,
    drawn_ratios,
    gap_between,
    gap_from,
    reduced_ratios,
)
from theory.initialised import ratio_cdf
from theory.validation import FloatArray

DENSITIES, DENSE_DRAWS = [1.0, 0.5, 0.2, 0.1, 0.02], 100_000
HEAD = "| hidden | width | ρ | ρ × width | distance | lower | upper | dead | s |"


def table(widths: tuple[int, ...], densities: list[float], draws: int) -> None:
    # Inputs of mean square 1, some larger than others.
    x = np.random.default_rng(widths).normal(size=widths[0])
    x *= np.sqrt(x.size) / np.linalg.norm(x)
    dense = reduced_ratios(RandomWeights(widths), x, count=DENSE_DRAWS, rng=stream(*widths))
    limit = gap_from(dense, lambda t: ratio_cdf(t, dimension=x.size, input_norm=np.sqrt(x.size)))
    print(f"dense law {widths}: {limit.value:.4f} from the limit law, at most {limit.upper:.4f}")
    print(HEAD)
    for density in densities:
        print(row(widths, density, dense, x, draws), flush=True)


def row(
    widths: tuple[int, ...], density: float, dense: FloatArray, x: FloatArray, draws: int
) -> str:
    law, rng = RandomWeights(widths, density), stream(*widths, round(1 / density))
    started = time.process_time()
    if density == 1:
        found = drawn_ratios(law, x, count=draws // 2, rng=rng)
    else:
        found = reduced_ratios(law, x, count=draws, rng=rng)
    gap, dead = gap_between(found, dense), (found == 0).mean()
    cells = f"{gap.value:.4f} | {gap.lower:.4f} | {gap.upper:.4f} | {dead:.2%}"
    spent = time.process_time() - started
    kept = f"{density} | {density * widths[0]:g}"
    return f"| {len(widths) - 1} | {widths[0]} | {kept} | {cells} | {spent:.0f} |"


def stream(*seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))  # the fastest there is


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("widths", type=int, nargs="*", default=[256, 1024])
    parser.add_argument("--densities", type=float, nargs="+", default=DENSITIES)
    parser.add_argument("--draws", type=int, default=16_000, help="of each pruned law")
    options = parser.parse_args()
    for n in options.widths:
        for hidden in (1, 2):
            table((n,) * (hidden + 1), options.densities, options.draws)
