"""How fast exact distances of networks are, in ratios to SCIP, and which networks are closed.

    PYTHONPATH=. OMP_NUM_THREADS=1 python tests/benchmarks/exact.py

Networks are trained on scikit-learn's digits, pixels / 16, by MLPClassifier; inputs are test
points. SCIP gets what a search knows at its start: a ball no larger than the nearest flip (its
warm start and cutoff) and the linear relaxation's bounds of every hidden unit on it; its gap is our
tolerance, 1e-6, its other settings are its own, and it is stopped after 120 s a point.
"""

import time
import warnings
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from tests.theory.test_branch_and_bound_scip import lead_forms, programmed
from theory.certify.bounds import DistanceBounds
from theory.certify.branch_and_bound import exact_distance
from theory.certify.domain import open_domain
from theory.certify.margins import intervals
from theory.certify.relaxation import crown_slopes
from theory.networks import ReluNetwork, forward

LIMIT = 120.0


def trained(hidden: tuple[int, ...]) -> tuple[ReluNetwork, Any, Any]:
    """Return a network and the test points it labels rightly or not."""
    pixels, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(pixels / 16, y, test_size=0.25, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(hidden, random_state=0, max_iter=300).fit(X, y)
    net = ReluNetwork(weights=[W.T for W in model.coefs_], biases=model.intercepts_)
    return net, X_test, y_test


def timed(
    net: ReluNetwork, X: Any, y: Any, *, norm: float, box: Any
) -> tuple[Any, list[DistanceBounds]]:
    seconds, rows = [], []
    for i in range(len(X)):
        start = time.perf_counter()
        rows.append(
            exact_distance(net, X[i : i + 1], y[i : i + 1], norm=norm, box=box, time_limit=LIMIT)
        )
        seconds.append(time.perf_counter() - start)
    return np.array(seconds), rows


def by_scip(net: ReluNetwork, x: Any, label: int, upper: float) -> tuple[float, float, str]:
    """Return SCIP's L2 distance, its seconds for all rivals in turn, and the worst status."""
    radius = 1.001 * upper
    domain = open_domain(net, x[None], [label], norm=2, box=None)
    bounds = [(f.lo[0], f.hi[0]) for f in intervals(domain, np.array([radius]), crown_slopes)]
    start, best, worst = time.perf_counter(), np.inf, "optimal"
    for lead in lead_forms(net, label):
        left = max(LIMIT - (time.perf_counter() - start), 1e-3)
        limits = {"limits/time": left, "limits/gap": 1e-6}
        found, status = programmed(
            net, x, lead, bounds, norm=2, box=None, radius=radius, parameters=limits
        )
        best = min(best, found)
        worst = "timelimit" if "time" in status else worst
    return best, time.perf_counter() - start, worst


def against_scip(hidden: tuple[int, ...], goal: float, count: int = 10) -> None:
    net, X, y = trained(hidden)
    right = np.flatnonzero(forward(net, X).argmax(axis=1) == y)[:count]
    seconds, rows = timed(net, X[right], y[right], norm=2, box=None)
    ratios, off = [], []
    for k, i in enumerate(right):
        upper = float(rows[k].upper[0])
        found, took, status = by_scip(net, X[i], int(y[i]), upper)
        ratios.append(took / seconds[k])
        off.append(abs(found / upper - 1) if status == "optimal" else 0.0)
        print(f"  {i:4d} {upper:8.5f} {found:8.5f} {seconds[k]:8.3f} s {took:8.2f} s {status}")
    name = "-".join(map(str, (64, *hidden, 10)))
    print(f"{name}, SCIP / ours: median {np.median(ratios):,.0f} ×   goal {goal:g} ×")
    print(
        f"  at most {max(off):.1e} apart, relative, where SCIP ended: its rows hold to 1e-6",
        flush=True,
    )


def closed(hidden: tuple[int, ...], count: int, *, norm: float, box: Any) -> None:
    net, X, y = trained(hidden)
    seconds, rows = timed(net, X[:count], y[:count], norm=norm, box=box)
    exact = sum(row.status[0] == "exact" for row in rows)
    name = "-".join(map(str, (64, *hidden, 10)))
    print(
        f"{name:<18} L{norm:<4} {'box' if box else 'free':<5} closed {exact:3d} of {count:3d}"
        f"   median {np.median(seconds):.3f} s   longest {seconds.max():.2f} s"
        f"   nodes {np.median([row.nodes[0] for row in rows]):.0f}",
        flush=True,
    )


def main() -> None:
    against_scip((20, 20), 50)
    against_scip((50, 50), 10)
    print("goal: 64-50-50-10 closed 50 of 50, each within 120 s")
    for hidden in ((50, 50), (100, 100), (50, 50, 50), (30, 30, 30, 30)):
        for norm in (2, np.inf):
            for box in (None, (0.0, 1.0)):
                closed(hidden, 50 if hidden == (50, 50) else 10, norm=norm, box=box)


if __name__ == "__main__":
    main()
