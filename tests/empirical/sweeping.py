"""Small sweeps whose cells take no time worth speaking of; run as a program, one to be killed."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from empirical.engine import run_sweep
from empirical.ledger import Result, results
from empirical.sweeps import Settings, Sweep, cell_of


def small_sweep(count: int, name: str = "small", **settings: Any) -> Sweep:
    cells = (cell_of({"seed": i, **settings}) for i in range(count))
    return Sweep(name=name, cells=tuple(cells))


def run(settings: Settings) -> Result:
    """Sleep a little; give what depends on the settings alone."""
    seed: Any = settings["seed"]
    time.sleep(float(str(settings.get("pause", 0))))
    rng = np.random.default_rng(seed)
    return Result(row={"accuracy": rng.random(), "seed²": seed**2}, weights={"w": rng.random(50)})


def run_but_third(settings: Settings) -> Result:
    if settings["seed"] == 2:
        raise RuntimeError("the third cell is broken")
    return run(settings)


def run_but_killed_once(settings: Settings) -> Result:
    """Kill the worker of cells 3 and 5, the first time each."""
    marker = Path(f"{settings['marker']}{settings['seed']}")
    if settings["seed"] in (3, 5) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return run(settings)


def run_but_killed_always(settings: Settings) -> Result:
    if settings["seed"] == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return run(settings)


def table(ledger: Path) -> list[tuple[Any, ...]]:
    """Return the settings and measurements of all cells, in one order."""
    found = results(ledger).sort_values("key")
    return list(zip(found["key"], found["status"], found["accuracy"], found["seed²"], strict=True))


if __name__ == "__main__":
    run_sweep(
        small_sweep(24, name=sys.argv[3], pause=0.05),
        run,
        ledger=Path(sys.argv[1]),
        workers=int(sys.argv[2]),
    )
