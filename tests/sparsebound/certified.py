"""What the tests of `sparsebound certify` on networks share."""

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sparsebound.main import main
from theory.networks import ReluNetwork

# Radii are proven to the default tolerance: nothing a factor 1 + TOL larger is.
TOL = 1e-4
# Distances of --exact are closed to 1e-6, and sums of a handful of float64 terms round.
CLOSED = 2e-6
# |x| - 1 of one input, labels -1 and +1: flips at ±1.
ABSOLUTE: dict[str, Any] = {"W1": [[1.0], [-1.0]], "W2": [[1.0, 1.0]], "b2": [-1.0]}
X1 = np.array([[3.0], [-2.0], [0.5], [-1.5]])
Y1, DISTANCES = np.array([1, 1, -1, 1]), [2.0, 1.0, 0.5, 0.5]
HEADER = ("input", "label", "predicted", "radius", "kind", "norm", "box", "method", "status")


def certify(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["certify", *map(str, arguments)])


def numbers(*arguments: Any) -> dict[str, Any]:
    result = certify(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    summary: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return summary


def table(path: Path) -> list[dict[str, str]]:
    assert path.read_bytes().endswith(b"\r\n")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def column(path: Path, name: str) -> list[float]:
    return [float(row[name]) for row in table(path)]


def check_refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in said:
        assert part in result.stderr


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def random_layers(*widths: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(widths))
    weights = {f"W{j}": rng.normal(size=(m, k)) for j, (k, m) in enumerate(pairs, start=1)}
    return weights | {f"b{j}": rng.normal(size=m) for j, (_, m) in enumerate(pairs, start=1)}


def network(arrays: dict[str, Any]) -> ReluNetwork:
    depth = sum(name.startswith("W") for name in arrays)
    return ReluNetwork(
        weights=[arrays[f"W{j}"] for j in range(1, depth + 1)],
        biases=[arrays.get(f"b{j}", np.zeros(len(arrays[f"W{j}"]))) for j in range(1, depth + 1)],
    )
