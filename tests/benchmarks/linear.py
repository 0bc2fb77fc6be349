"""How fast the linear half is, in ratios to what bounds it or what a user would pick instead.

    OMP_NUM_THREADS=2 python tests/benchmarks/linear.py

Prints one line a figure: what, measured, goal. Peers run in turn with ours, pair by pair, and the
median of the ratios is given. With SPARSEBOUND_DATA naming a folder with mnist/, the boxed
distances are also taken on MNIST's test images.
"""

import gzip
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clarabel
import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from empirical.data import digits
from empirical.linear import train_path
from theory.linear import LinearClassifier, flip_distance

PIXELS, CLASSES = 784, 10


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def paired(ours: Callable[[], Any], peer: Callable[[], Any], rounds: int = 9) -> tuple[float, ...]:
    """Return the medians of our time, of the peer's, and of their ratio, taken in turn."""
    ours(), peer()
    times = np.array([(seconds(ours), seconds(peer)) for _ in range(rounds)])
    return (*np.median(times, axis=0), float(np.median(times[:, 0] / times[:, 1])))


def report(what: str, measured: str, goal: str) -> None:
    print(f"{what:<66} {measured:>24}   goal {goal}", flush=True)


def free_distances(rng: np.random.Generator) -> None:
    X = rng.random((100_000, PIXELS))
    model = LinearClassifier(weights=rng.normal(size=(CLASSES, PIXELS)), bias=rng.normal(size=10))
    transposed = model.weights.T
    ours, peer, ratio = paired(lambda: flip_distance(model, X), lambda: X @ transposed)
    what = "L2 distances, 100,000 × 784, ten classes, over X @ W.T alone"
    report(what, f"{ratio:.2f} × ({ours:.3f} s / {peer:.3f} s)", "1.8 ×")
    tracemalloc.start()
    flip_distance(model, X)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    report("  memory beyond the input", f"{peak:.0f} MiB", "64 MB")


def clarabel_distance(
    model: LinearClassifier, x: Any, own: int, rival: int, tolerance: float
) -> float:
    """Return the boxed L2 distance to one rival by Clarabel, called directly."""
    gradient = model.weights[rival] - model.weights[own]
    lead = float(-gradient @ x + model.bias[own] - model.bias[rival])
    eye = sp.eye(x.size, format="csc")
    A = sp.vstack([sp.csc_matrix(-gradient), eye, -eye], format="csc")
    b = np.concatenate([[-lead], 1 - x, x])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    # Of half the squared distance: the default, 1e-8, leaves short distances to 5e-5.
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    cones = [clarabel.NonnegativeConeT(b.size)]
    found = clarabel.DefaultSolver(eye, np.zeros(x.size), A, b, cones, settings).solve()
    return float(np.linalg.norm(found.x)) if "Solved" in str(found.status) else np.inf


def boxed_distances(name: str, model: LinearClassifier, X: Any) -> None:
    time_ours = float(
        np.median([seconds(lambda: flip_distance(model, X, box=(0, 1))) for _ in range(5)])
    )
    report(f"boxed L2 distances, 10,000 × 784, ten classes, {name}", f"{time_ours:.2f} s", "2 s")
    own = (X[:8] @ model.weights.T + model.bias).argmax(axis=1)

    def solved(tolerance: float) -> list[float]:
        return [
            min(clarabel_distance(model, x, k, r, tolerance) for r in range(CLASSES) if r != k)
            for x, k in zip(X[:8], own, strict=True)
        ]

    each = seconds(lambda: solved(1e-8)) / (8 * (CLASSES - 1))
    exact = flip_distance(model, X[:8], box=(0, 1))
    off = float(np.abs(np.array(solved(1e-12)) / exact - 1).max())
    mine = time_ours / (len(X) * (CLASSES - 1))
    report("  over Clarabel, an input and a rival", f"{each / mine:,.0f} × faster", "200 ×")
    report("  agreement with Clarabel, relative", f"{off:.1e}", "1e-6")


def mnist_test() -> tuple[Any, Any] | None:
    folder = Path(os.environ.get("SPARSEBOUND_DATA", "")) / "mnist"
    images, labels = folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
    if not images.exists():
        return None
    X = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16)
    y = np.frombuffer(gzip.decompress(labels.read_bytes()), np.uint8, offset=8)
    return X.reshape(-1, PIXELS) / 255, y.astype(int)


def paths() -> None:
    for data, goal in ((digits(3, 8), ".5 s"), (digits(), "15 s")):
        took = seconds(lambda data=data: train_path("L1 logistic", data.X, data.y, count=30))
        report(f"L1-logistic path of 30 penalties, {data.name}", f"{took:.2f} s", goal)


def main() -> None:
    rng = np.random.default_rng(0)
    free_distances(rng)
    X = rng.random((10_000, PIXELS)) * (rng.random((10_000, PIXELS)) < 0.5)
    model = LinearClassifier(weights=rng.normal(size=(CLASSES, PIXELS)), bias=rng.normal(size=10))
    boxed_distances("random", model, X)
    real = mnist_test()
    if real is not None:
        X, y = real
        fitted = LogisticRegression(max_iter=50, tol=1e-2).fit(X[:5000], y[:5000])
        model = LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_)
        boxed_distances("MNIST", model, X)
    paths()


if __name__ == "__main__":
    main()
