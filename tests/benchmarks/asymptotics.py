"""How near the predictions for n, d -> infinity come to what training reaches at finite sizes.

    OMP_NUM_THREADS=1 python tests/benchmarks/asymptotics.py [RESULTS.jsonl]

Prints a line for each of over sixty settings: prediction against simulation. Simulations that are
done are kept in the file named, one a line, and not run again: the run may be stopped. Then the
approach to the limit over three sizes, and noise that is not Gaussian.
"""

import json
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from empirical.risk_study import (
    Noise,
    Simulation,
    allowance,
    extrapolate,
    normal_noise,
    pixel_noise,
    reference_solver,
    sign_noise,
    simulate,
)
from theory.asymptotics import (
    CoordinateLaw,
    NotConvergedError,
    Objective,
    gaussian_law,
    limit_accuracy,
    limit_r_2,
    limit_robust_accuracy,
    predict,
    spiked_law,
)
from theory.validation import UnsupportedSettingError

DIMENSION, PRECISION, MOST = 1000, 0.003, 200
# Budgets that robust accuracy is compared at: L2, and sqrt(d) times Linf.
EPS, EPS_INF = np.array([0.25, 0.5, 1.0, 2.0, 0.0, 0.3]), np.array([0.0, 0.0, 0.0, 0.0, 0.5, 0.3])
# What a prediction may be off beyond three standard errors: shares, and of r_2 a share of it.
ALLOWED = {"accuracy": 0.005, "robust_accuracy": 0.005, "r_2": 0.005, "nonzero_fraction": 0.01}

SHORT = {"accuracy": "acc", "robust_accuracy": "robust", "r_2": "r_2", "nonzero_fraction": "kept"}

Table = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A case to predict and to simulate, and what it is called."""

    name: str
    objective: Objective
    law: CoordinateLaw
    ratio: float

    def simulation(self, dimension: int = DIMENSION, noise: Noise = normal_noise) -> Simulation:
        return Simulation(
            objective=self.objective,
            law=self.law,
            ratio=self.ratio,
            dimension=dimension,
            eps=EPS,
            eps_inf=EPS_INF,
            noise=noise,
        )


# n/d, signal, the share of features that carry it, and whether it is Gaussian there.
DATA = [
    (0.5, 2.5, 0.05, False),
    (1.0, 2.0, 0.1, False),
    (2.0, 1.5, 0.3, True),
    (2.0, 2.0, 1.0, True),
    (4.0, 1.5, 0.1, False),
    (8.0, 1.0, 0.3, False),
]
# L1 in sqrt(n/d), L2 in n/d: so that they weigh alike against losses of any ratio.
PENALTIES = {
    "logistic": {"l1": (0.3, 0.0), "l2": (0.0, 0.05), "elastic": (0.15, 0.05)},
    "squared": {"l1": (0.3, 0.0), "l2": (0.0, 0.2), "elastic": (0.2, 0.1)},
    "hinge": {"l1": (0.9, 0.0), "l2": (0.0, 0.1), "elastic": (0.2, 0.05)},
}
# Loss, L1, L2, eps and eps_inf of training, and which data.
ATTACKED: list[tuple[Any, tuple[float, float], tuple[float, float], int]] = [
    ("logistic", (0.2, 0.0), (0.5, 0.0), 1),
    ("logistic", (0.0, 0.05), (0.5, 0.0), 2),
    ("logistic", (0.0, 0.05), (0.0, 0.5), 1),
    ("logistic", (0.1, 0.02), (0.3, 0.3), 3),
    ("logistic", (0.0, 0.0), (0.6, 0.0), 5),
    ("squared", (0.2, 0.0), (0.5, 0.0), 4),
    ("squared", (0.0, 0.1), (0.0, 0.5), 2),
    ("squared", (0.1, 0.1), (0.3, 0.3), 1),
    ("squared", (0.0, 0.0), (0.5, 0.0), 3),
    ("hinge", (0.2, 0.0), (0.5, 0.0), 1),
    ("hinge", (0.0, 0.1), (0.5, 0.0), 2),
    ("hinge", (0.0, 0.05), (0.3, 0.4), 4),
    ("hinge", (0.2, 0.05), (0.0, 0.5), 5),
]


def setting(
    loss: Any, strengths: tuple[float, float], attack: tuple[float, float], data: int
) -> Setting:
    (l1, l2), (eps, eps_inf) = strengths, attack
    ratio, signal, density, gaussian = DATA[data]
    objective = Objective(
        loss=loss, l1=l1 * np.sqrt(ratio), l2=l2 * ratio, eps=eps, eps_inf=eps_inf
    )
    moved = "".join(f" {sign}{size:g}" for sign, size in (("ε", eps), ("ε∞", eps_inf)) if size)
    shape = "gauss" if gaussian else "spike"
    return Setting(
        name=f"{loss:<8} {l1:g}/{l2:g}{moved}; n/d {ratio:g}, {shape} {signal:g} on {density:g}",
        objective=objective,
        law=(gaussian_law if gaussian else spiked_law)(signal, density),
        ratio=ratio,
    )


def settings() -> list[Setting]:
    plain = [
        setting(loss, strengths, (0.0, 0.0), data)
        for loss, penalties in PENALTIES.items()
        for strengths in penalties.values()
        for data in range(len(DATA))
    ]
    return plain + [setting(*case) for case in ATTACKED]


class Results:
    """Simulations that are done, by what was simulated; kept in a file if one is named."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        self.known = dict(json.loads(line) for line in lines)

    def of(self, case: Setting, d: int = DIMENSION, noise: str = "normal", **stop: Any) -> Table:
        """Return means, standard errors and deviations of measures, runs and seconds."""
        law = [getattr(case.law, n).tolist() for n in ("weights", "means", "deviations", "scales")]
        key = repr((case.objective, law, case.ratio, d, noise, EPS.tolist(), EPS_INF.tolist()))
        key += repr(sorted(stop.items()))
        if key not in self.known:
            self.known[key] = simulated(case, d, noise, zlib.crc32(key.encode()), **stop)
            if self.path is not None:
                with self.path.open("a") as file:
                    file.write(json.dumps([key, self.known[key]]) + "\n")
        found: Table = self.known[key]
        return found


NOISES = {
    "normal": lambda: normal_noise,
    "signs": lambda: sign_noise,
    "pixels": lambda: pixel_noise(0.05),
    "rare pixels": lambda: pixel_noise(0.0),
}


def simulated(case: Setting, d: int, noise: str, seed: int, **stop: Any) -> Table:
    start = time.perf_counter()
    with tqdm(total=stop["most"], desc=case.name, leave=False) as bar:

        def shown(runs: int, reached: float) -> None:
            bar.update(runs - bar.n)
            bar.set_postfix_str(f"r_2 to {reached:.2%}")

        found = simulate(
            case.simulation(d, NOISES[noise]()),
            rng=np.random.default_rng(seed),
            progress=shown,
            **stop,
        )
    measures = {
        name: [np.asarray(value).tolist() for value in estimate]
        for name, estimate in found.measures.items()
    }
    seconds = round(time.perf_counter() - start, 2)
    return {"measures": measures, "runs": found.runs, "gap": found.gap, "seconds": seconds}


def predicted(case: Setting) -> Table:
    limit = predict(case.objective, case.law, ratio=case.ratio)
    return {
        "accuracy": limit_accuracy(limit),
        "robust_accuracy": limit_robust_accuracy(limit, eps=EPS, eps_inf=EPS_INF),
        "r_2": limit_r_2(limit),
        "nonzero_fraction": limit.nonzero_fraction,
    }


def compared(prediction: Table, found: Table) -> Iterator[tuple[str, float, float]]:
    """Yield of each quantity by how much the prediction is off, and may be, where worst."""
    for name, allowed in ALLOWED.items():
        mean, error, _ = (np.asarray(part) for part in found["measures"][name])
        scale = mean if name == "r_2" else np.ones(())
        off = np.abs(np.asarray(prediction[name]) - mean) / scale
        may = allowed + 3 * error / scale
        worst = np.unravel_index(np.argmax(off / may), off.shape)
        yield name, float(off[worst]), float(may[worst])


def grid(results: Results) -> None:
    cases, failed, spent, thought = settings(), 0, 0.0, 0.0
    print(f"{'loss L1/L2 training attack; data':<54} {'solver':<11} runs  off/may be off:")
    for case in cases:
        found = results.of(case, precision=PRECISION, most=MOST)
        spent += found["seconds"]
        start = time.perf_counter()
        try:
            parts = list(compared(predicted(case), found))
        except (NotConvergedError, UnsupportedSettingError) as error:
            parts, bad = [], [f"no prediction: {error}"]
        else:
            bad = [name for name, off, may in parts if off > may]
        thought += time.perf_counter() - start
        failed += bool(bad)
        shown = "  ".join(f"{SHORT[name]} {off:.4f}/{may:.4f}" for name, off, may in parts)
        mark = f"  FAILS: {', '.join(bad)}" if bad else ""
        solver = reference_solver(case.objective)
        print(f"{case.name:<54} {solver:<11} {found['runs']:>4}  {shown}{mark}", flush=True)
    print(
        f"{len(cases) - failed} of {len(cases)} hold; simulated in {spent:.0f} s, predicted in"
        f" {thought:.2f} s, {1000 * thought / len(cases):.0f} ms each:"
        f" {spent / thought:,.0f} × faster"
    )


def approach(results: Results) -> None:
    print("\nThe limit from three sizes: r_2 and robust accuracy at eps = 1")
    grown = [250, 500, 1000]
    for case in (settings()[k] for k in (1, 8, 13, 20, 43, 55)):
        found = [results.of(case, d, precision=0.0, most=32000 // d) for d in grown]
        prediction = predicted(case)
        for name, pick in (("r_2", ()), ("robust_accuracy", (2,))):
            parts = [[np.asarray(p)[pick] for p in one["measures"][name]] for one in found]
            means, errors, deviations = np.array(parts).T
            fit = extrapolate(grown, means, errors)
            of = float(np.asarray(prediction[name])[pick])
            print(
                f"{case.name:<52} {name:<16} limit {fit.limit:.4f} ± {fit.error:.4f}"
                f" predicted {of:.4f}; mean {fit.slope:+.1f} ± {fit.slope_error:.1f} / d,"
                f" one draw within {allowance(grown, deviations):.2f} / √d"
                f" (χ² {fit.misfit:.1f}, 1 degree)",
                flush=True,
            )


def universality(results: Results) -> None:
    print("\nNoise that is not Gaussian: simulation less prediction")
    for case in (settings()[k] for k in (1, 13, 20, 43)):
        prediction = predicted(case)
        for noise in list(NOISES)[1:]:
            found = results.of(case, noise=noise, precision=PRECISION, most=24)
            shown = "   ".join(
                f"{name} {float(np.mean(np.asarray(mean) - prediction[name])):+.4f}"
                f" ± {float(np.max(error)):.4f}"
                for name in ALLOWED
                for mean, error, _ in [found["measures"][name]]
            )
            print(f"{case.name:<52} {noise:<12} {shown}", flush=True)


def main() -> None:
    results = Results(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    grid(results)
    approach(results)
    universality(results)


if __name__ == "__main__":
    main()
