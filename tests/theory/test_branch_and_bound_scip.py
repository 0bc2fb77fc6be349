"""Exact distances against SCIP: the same question as a mixed-integer program."""

from typing import Any

import numpy as np
import pytest

from tests.theory.test_branch_and_bound import draw, predicted
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork

scip = pytest.importorskip("pyscipopt")


def interval(net: ReluNetwork, x: Any, radius: float) -> list[tuple[Any, Any]]:
    """Return bounds of the hidden layers' values for moves of Linf norm at most radius."""
    lo, hi, found = x - radius, x + radius, []
    for W, b, mask in zip(net.weights[:-1], net.biases[:-1], net.relu, strict=True):
        up, down = np.maximum(W, 0), np.minimum(W, 0)
        lo, hi = up @ lo + down @ hi + b, up @ hi + down @ lo + b
        found.append((lo, hi))
        lo, hi = (np.where(mask, side.clip(min=0), side) for side in (lo, hi))
    return found


def programmed(
    net: ReluNetwork,
    x: Any,
    lead: tuple[Any, float],
    bounds: list[tuple[Any, Any]],
    *,
    norm: float,
    box: Any,
    radius: float,
    seconds: float = 120.0,
    strict: bool = True,
) -> tuple[float, str]:
    """Return the least distance within the radius at which a lead (form, level) of the outputs is
    not positive, and SCIP's status: units by big-M rows from bounds, L2 by one quadratic row.
    """
    model = scip.Model()
    model.hideOutput()
    model.setParam("limits/time", seconds)
    model.setParam("limits/gap", 1e-7 if strict else 1e-6)
    if strict:  # slow, and now and then stuck: for agreement, not for timings
        model.setParam("numerics/feastol", 1e-8)
    lo = np.full(x.size, -radius) if box is None else np.maximum(box[0] - x, -radius)
    hi = np.full(x.size, radius) if box is None else np.minimum(box[1] - x, radius)
    moves = [model.addVar(lb=low, ub=high) for low, high in zip(lo, hi, strict=True)]
    total = scip.quicksum
    h: list[Any] = [value + move for value, move in zip(x, moves, strict=True)]
    for j, (W, b) in enumerate(zip(net.weights[:-1], net.biases[:-1], strict=True)):
        outputs = []
        for i, (row, bias) in enumerate(zip(W, b, strict=True)):
            z = total(w * v for w, v in zip(row, h, strict=True)) + bias
            low, high = bounds[j][0][i], bounds[j][1][i]
            if not net.relu[j][i] or low >= 0:
                unit = model.addVar(lb=None)
                model.addCons(unit == z)
            else:
                unit, on = model.addVar(lb=0, ub=max(high, 0.0)), model.addVar(vtype="B")
                model.addCons(unit >= z)
                model.addCons(unit <= z - low * (1 - on))
                model.addCons(unit <= max(high, 0.0) * on)
            outputs.append(unit)
        h = outputs
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


def leads(net: ReluNetwork, label: int) -> list[tuple[Any, float]]:
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
    for outputs, d in ((1, 3), (3, 4), (4, 6), (3, 2), (4, 3), (10, 5)):
        net = draw(rng, d, widths, outputs)
        x = rng.random(d)
        label = int(predicted(net, x[None])[0])
        found = exact_distance(net, x[None], [label], norm=norm, box=box)
        assert found.status[0] == "exact"
        radius = 1.05 * found.upper[0] if np.isfinite(found.upper[0]) else 20.0
        best = min(
            programmed(net, x, lead, interval(net, x, radius), norm=norm, box=box, radius=radius)[0]
            for lead in leads(net, label)
        )
        # SCIP's rows hold to 1e-8 and its gap is 1e-7: of squares, for L2.
        assert best == pytest.approx(found.upper[0], rel=1e-5, abs=1e-4 if norm == 2 else 1e-6)
