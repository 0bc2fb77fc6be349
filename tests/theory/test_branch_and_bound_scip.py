"""Exact distances against SCIP: the same question as a mixed-integer program."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.theory.random_networks import predicted
from tests.theory.test_branch_and_bound import draw
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork

scip = pytest.importorskip("pyscipopt")
# Slow, and now and then stuck: for agreement, not for timings.
PRECISE = {"limits/time": 120.0, "numerics/feastol": 1e-8}


def interval(net: ReluNetwork, x: Any, radius: float) -> list[tuple[Any, Any]]:
    """Return bounds of the hidden layers' values for moves of Linf norm at most radius."""
    lo, hi, found = x - radius, x + radius, []
    for W, b, mask in zip(net.weights[:-1], net.biases[:-1], net.relu, strict=True):
        up, down = np.maximum(W, 0), np.minimum(W, 0)
        lo, hi = up @ lo + down @ hi + b, up @ hi + down @ lo + b
        found.append((lo, hi))
        lo, hi = (np.where(mask, side.clip(min=0), side) for side in (lo, hi))
    return found


def add_units(
    model: Any, net: ReluNetwork, h: list[Any], bounds: list[tuple[Any, Any]]
) -> list[Any]:
    """Add the hidden units to a model, by big-M rows from bounds; return those of the last layer.

    h are the inputs, as SCIP's expressions.
    """
    layers = zip(net.weights[:-1], net.biases[:-1], net.relu, bounds, strict=True)
    for W, b, mask, (lo, hi) in layers:
        units = []
        for row, bias, rectified, low, high in zip(W, b, mask, lo, hi, strict=True):
            z = scip.quicksum(w * v for w, v in zip(row, h, strict=True)) + bias
            if not rectified or low >= 0:
                unit = model.addVar(lb=None)
                model.addCons(unit == z)
            else:
                unit, on = model.addVar(lb=0, ub=max(high, 0.0)), model.addVar(vtype="B")
                model.addCons(unit >= z)
                model.addCons(unit <= z - low * (1 - on))
                model.addCons(unit <= max(high, 0.0) * on)
            units.append(unit)
        h = units
    return h


def programmed(
    net: ReluNetwork,
    x: Any,
    lead: tuple[Any, float],
    bounds: list[tuple[Any, Any]],
    *,
    norm: float,
    box: Any,
    radius: float,
    parameters: Mapping[str, float],
) -> tuple[float, str]:
    """Return the least distance within the radius at which a lead (form, level) of the outputs is
    not positive, and SCIP's status: L2 is one quadratic row.
    """
    model = scip.Model()
    model.hideOutput()
    model.setParams(dict(parameters))
    lo = np.full(x.size, -radius) if box is None else np.maximum(box[0] - x, -radius)
    hi = np.full(x.size, radius) if box is None else np.minimum(box[1] - x, radius)
    moves = [model.addVar(lb=low, ub=high) for low, high in zip(lo, hi, strict=True)]
    total = scip.quicksum
    h = add_units(model, net, [value + m for value, m in zip(x, moves, strict=True)], bounds)
    form, level = lead[0] @ net.weights[-1], float(lead[0] @ net.biases[-1] + lead[1])
    model.addCons(total(f * v for f, v in zip(form, h, strict=True)) + level <= 0)
    goal = model.addVar(lb=0, ub=radius**2 if norm == 2 else radius)
    if norm == 2:
        model.addCons(total(move * move for move in moves) <= goal)
    else:
        for move in moves:
            model.addCons(move <= goal)
            model.addCons(-move <= goal)
    model.setObjective(goal)
    model.optimize()
    status = model.getStatus()
    if status == "infeasible" or not model.getNSols():
        return np.inf, status
    value = max(model.getObjVal(), 0.0)
    return float(np.sqrt(value) if norm == 2 else value), status


def lead_forms(net: ReluNetwork, label: int) -> list[tuple[Any, float]]:
    """Return the leads of a label over its rivals, as forms of the outputs and levels."""
    if net.outputs == 1:
        return [(np.array([float(label)]), 0.0)]
    eye = np.eye(net.outputs)
    return [(eye[label] - eye[k], 0.0) for k in range(net.outputs) if k != label]


@pytest.mark.slow
@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("widths", [(8,), (10, 6), (6, 6, 5), (12, 8)])
def test_exact_distance_is_what_scip_finds(widths: tuple[int, ...], box: Any, norm: float) -> None:
    rng = np.random.default_rng([sum(widths), int(norm == 2), int(box is None)])
    asked: dict[str, Any] = {"norm": norm, "box": box, "parameters": PRECISE}
    for outputs, d in ((1, 3), (3, 4), (4, 6), (3, 2), (4, 3), (10, 5)):
        net = draw(rng, d, widths, outputs)
        x = rng.random(d)
        label = int(predicted(net, x[None])[0])
        found = exact_distance(net, x[None], [label], norm=norm, box=box)
        assert found.status[0] == "exact"
        radius = 1.05 * found.upper[0] if np.isfinite(found.upper[0]) else 20.0
        answers = [
            programmed(net, x, lead, interval(net, x, radius), radius=radius, **asked)
            for lead in lead_forms(net, label)
        ]
        assert {status for _, status in answers} <= {"optimal", "infeasible"}
        best, status = min(answers)
        assert status == ("optimal" if np.isfinite(found.upper[0]) else "infeasible")
        # What SCIP minimises: its rows, of squares for L2, hold to 1e-8 each.
        power = 2 if norm == 2 else 1
        assert best**power == pytest.approx(found.upper[0] ** power, rel=1e-5, abs=2e-8)
