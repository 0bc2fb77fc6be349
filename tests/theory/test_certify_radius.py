"""Certified radii and accuracies: consistent, the same however they are asked for, and refusals."""

import math
from typing import Any

import numpy as np
import pytest

from tests.theory.random_networks import draw, labelled
from theory.certify import METHODS, DistanceBounds, certified_accuracy, certified_radius
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.validation import UnsupportedSettingError

SETTINGS = [
    (norm, method, box)
    for norm in (2, math.inf)
    for method in METHODS
    for box in (None, (-1.0, 1.0))
    if norm == 2 or method not in ("lipschitz", "sdp", "lipsdp")
]
SINGLE = [setting for setting in SETTINGS if setting[1] != "best"]
# Sums in another order, which the search carries from trial to trial.
ROUNDING = 1e-9
# Forty steps of an ascent over kinks go elsewhere after one rounding: radii differ by up to 5 %.
ASCENT = 0.1
SAME = {"sdp": ASCENT}
# Weights that couple units come from a local search, of eigenvalues that may meet.
SCALED = {"lipschitz": 1e-2, **SAME}


def problem(seed: int, n: int, widths: Any = (5, 6, 5, 3)) -> tuple[ReluNetwork, Any, Any]:
    rng = np.random.default_rng(seed)
    net = draw(rng, widths)
    return net, *labelled(rng, net, n)


@pytest.mark.parametrize(("norm", "method", "box"), SETTINGS)
def test_certified_accuracy_is_the_share_of_radii_beyond_each_budget(
    norm: float, method: str, box: Any
) -> None:
    net, X, y = problem(0, 7)
    y[:2] = (y[:2] + 1) % 3  # two wrong ones
    radii = certified_radius(net, X, y, norm=norm, method=method, box=box, tol=1e-4).lower
    budgets = np.sort(radii[2:])
    # What is evaluated among other inputs is rounded otherwise.
    slack = ASCENT if method in ("best", "sdp") else ROUNDING
    less, more = budgets * (1 - slack), budgets * (1 + slack + 1e-3)
    below = certified_accuracy(net, X, y, less, norm=norm, method=method, box=box)
    assert (below >= [(radii >= eps).mean() for eps in budgets]).all()
    above = certified_accuracy(net, X, y, more, norm=norm, method=method, box=box)
    # Leads that fall with the radius: tol beyond its own radius no input is certified.
    assert (above <= [(radii * (1 + slack + 1e-4) >= eps).mean() for eps in more]).all()
    assert (np.diff(below) <= 0).all()
    grid = np.array([[0.0, 1e9], [0.1, 0.1]]) if box is None else np.array([[1e-6, 0.2]])
    assert certified_accuracy(net, X, y, grid, method="crown").shape == grid.shape


@pytest.mark.parametrize(("norm", "method", "box"), SINGLE)
def test_radius_of_an_input_does_not_depend_on_the_others(
    norm: float, method: str, box: Any
) -> None:
    net, X, y = problem(1, 5)
    order = np.array([3, 0, 4, 1, 1, 2, 0])
    kwargs: dict[str, Any] = {"norm": norm, "method": method, "box": box}
    one = certified_radius(net, X, y, **kwargs).lower
    many = certified_radius(net, X[order], y[order], **kwargs).lower
    tolerance = SAME.get(method, ROUNDING)
    np.testing.assert_allclose(many, one[order], rtol=tolerance)
    alone = certified_radius(net, X[[2]], y[[2]], **kwargs).lower
    np.testing.assert_allclose(alone, one[2], rtol=tolerance)


@pytest.mark.parametrize(("norm", "method", "box"), SINGLE)
def test_csr_and_torch_give_the_radius_of_dense_arrays(norm: float, method: str, box: Any) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    csr = draw(rng, (5, 9, 7, 3), 0.3)
    net = ReluNetwork(weights=[dense(W) for W in csr.weights], biases=csr.biases, relu=csr.relu)
    X, y = labelled(rng, net, 2)
    kwargs: dict[str, Any] = {"norm": norm, "method": method, "box": box}
    expected = certified_radius(net, X, y, **kwargs).lower
    tolerance = SAME.get(method, ROUNDING)
    found = certified_radius(csr, X, y, **kwargs)
    np.testing.assert_allclose(found.lower, expected, rtol=tolerance)
    for one in (net, csr):
        found = certified_radius(one, torch.tensor(X), y, **kwargs)
        assert isinstance(found.lower, np.ndarray)
        np.testing.assert_allclose(found.lower, expected, rtol=max(tolerance, 1e-6))


@pytest.mark.parametrize(("norm", "method", "box"), SINGLE)
def test_radius_scales_with_powers_of_two(norm: float, method: str, box: Any) -> None:
    net, X, y = problem(3, 3)
    kwargs: dict[str, Any] = {"norm": norm, "method": method}
    one = certified_radius(net, X, y, box=box, **kwargs).lower
    first, *rest = net.weights
    # Inputs in other units; then the first layer's units, undone by the next layer.
    units = ReluNetwork(weights=[first / 8, *rest], biases=net.biases, relu=net.relu)
    sides = None if box is None else (8 * box[0], 8 * box[1])
    scaled = certified_radius(units, 8 * X, y, box=sides, **kwargs).lower
    np.testing.assert_allclose(scaled, 8 * one, rtol=SCALED.get(method, 1e-6))
    inner = ReluNetwork(
        weights=[first * 4, rest[0] / 4, *rest[1:]],
        biases=[net.biases[0] * 4, *net.biases[1:]],
        relu=net.relu,
    )
    found = certified_radius(inner, X, y, box=box, **kwargs).lower
    # LipSDP's value is the least within 1e-5; the others differ by a rounding of the search.
    np.testing.assert_allclose(found, one, rtol=SCALED.get(method, 1e-4))


def test_radius_of_pencil_and_paper() -> None:
    net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    # |x| - 1 at 3 and -2: the units stay stable until the flip at distance 2 and 1.
    for method in ("best", "fast-lin", "crown", "sdp"):
        found = certified_radius(net, [[3.0], [-2.0]], [1, 1], method=method, tol=1e-6).lower
        np.testing.assert_allclose(found, [2.0, 1.0], rtol=2e-6)  # tol, twice
        assert (found <= [2.0, 1.0]).all()
    # |x| - 1 < 0 at 1/2: the distance is 1/2, and each method certifies some of it.
    found = certified_radius(net, [[0.5]], [-1]).lower
    assert 0 < found[0] <= 0.5


@pytest.mark.parametrize(("norm", "method", "box"), SETTINGS)
def test_radius_is_inf_where_the_box_has_no_flip(norm: float, method: str, box: Any) -> None:
    net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    found = certified_radius(
        net, [[3.0], [2.6]], [1, -1], norm=norm, method=method, box=box and (2.5, 3.5)
    ).lower
    assert found[0] == math.inf if box else found[0] <= 2
    assert found[1] == 0


@pytest.mark.parametrize(("norm", "method", "box"), SETTINGS)
def test_radius_of_wrong_tied_and_constant(norm: float, method: str, box: Any) -> None:
    kwargs: dict[str, Any] = {"norm": norm, "method": method, "box": box}
    net, X, y = problem(4, 3)
    wrong = certified_radius(net, X, (y + 1) % 3, **kwargs)
    assert (wrong.lower == 0).all()
    assert (wrong.upper == 0).all()
    assert (wrong.nodes == 0).all()
    tied = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    for label in (0, 1):
        assert certified_radius(tied, [[1.0]], [label], **kwargs).lower.tolist() == [0.0]
    assert certified_accuracy(tied, [[1.0]], [0], 0.0, **kwargs) == 0
    constant = ReluNetwork(
        weights=[np.ones((3, 2)), np.zeros((2, 3))], biases=[np.ones(3), np.array([1.0, 0.5])]
    )
    far = certified_radius(constant, np.zeros((2, 2)), [0, 0], **kwargs)
    assert far.lower.tolist() == [math.inf, math.inf]
    assert certified_accuracy(constant, np.zeros((2, 2)), [0, 1], 1e6, **kwargs) == 0.5


@pytest.mark.parametrize("norm", [2, math.inf])
def test_best_is_the_largest_and_says_whose(norm: float) -> None:
    net, X, y = problem(5, 8, (4, 8, 3))
    best = certified_radius(net, X, y, norm=norm)
    names = [m for n, m, box in SETTINGS if n == norm and box is None and m != "best"]
    each = {m: certified_radius(net, X, y, norm=norm, method=m) for m in names}
    assert (best.lower == np.max([one.lower for one in each.values()], axis=0)).all()
    assert (best.nodes == np.sum([one.nodes for one in each.values()], axis=0)).all()
    for i, name in enumerate(best.method):
        assert each[name].lower[i] == best.lower[i]
        assert (each[name].method == name).all()


def test_best_leaves_out_lipsdp_beyond_64_units() -> None:
    net, X, y = problem(6, 3, (3, 40, 25, 2))
    names = [m for m in METHODS if m not in ("best", "lipsdp")]
    each = [certified_radius(net, X, y, method=m).lower for m in names]
    assert (certified_radius(net, X, y).lower == np.max(each, axis=0)).all()


def test_record_says_norm_box_and_kind() -> None:
    net, X, y = problem(7, 3)
    y[0] = (y[0] + 1) % 3
    found = certified_radius(net, X, y, norm=math.inf, method="crown", box=(-1, 1))
    assert (found.norm, found.box, found.confidence) == (math.inf, (-1, 1), 1.0)
    assert found.status.tolist() == ["exact", "bounded", "bounded"]
    assert found.upper.tolist() == [0.0, math.inf, math.inf]
    assert found.witness is None


def test_record_refuses_bounds_that_cross() -> None:
    def bounds(lower: float, upper: float) -> DistanceBounds:
        return DistanceBounds(
            lower=np.array([1.0, lower]),
            upper=np.array([1.0, upper]),
            witness=None,
            method=np.array(["crown", "crown"]),
            status=np.array(["exact", "bounded"]),
            nodes=np.zeros(2, dtype=np.intp),
            norm=2,
            box=None,
        )

    assert bounds(2.0, math.inf).upper[1] == math.inf
    assert bounds(2.0 + 1e-10, 2.0).lower[1] > 2.0  # rounding
    with pytest.raises(ValueError, match=r"lower bound must not exceed.*for input 1"):
        bounds(2.0, 1.9)


NET, X2, Y2 = problem(8, 1)[0], np.zeros((2, 5)), np.array([0, 1])
REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"X": np.zeros((2, 4))}, ValueError, r"shape \(n, d\) with d=5; got shape \(2, 4\)"),
    ({"X": np.zeros(5)}, ValueError, r"shape \(n, d\)"),
    ({"X": np.zeros((0, 5)), "y": np.zeros(0)}, ValueError, "at least one input"),
    ({"X": np.full((2, 5), np.nan)}, ValueError, "X must be finite; got nan"),
    ({"X": np.full((2, 5), np.inf)}, ValueError, "X must be finite; got inf"),
    ({"X": np.diag([0.0, 1.7e308]) @ np.ones((2, 5))}, ValueError, r"at X\[1\] they do"),
    ({"X": "five"}, TypeError, "array of numbers"),
    ({"y": np.array([0])}, ValueError, r"y must have shape \(n,\) with n=2"),
    ({"y": np.array([0, 3])}, ValueError, r"labels of the model, \{0, 1, 2\}; got 3"),
    ({"y": np.array([-1, 1])}, ValueError, "labels of the model"),
    ({"norm": 1}, UnsupportedSettingError, "norm must be 2 or inf for networks; got 1"),
    ({"norm": 0}, UnsupportedSettingError, "norm must be 2 or inf for networks; got 0"),
    ({"norm": 3}, ValueError, "norm must be"),
    ({"norm": "two"}, ValueError, "norm must be"),
    ({"method": "magic"}, ValueError, r"method must be one of best, interval.*got 'magic'"),
    ({"method": "sdp", "norm": math.inf}, UnsupportedSettingError, "'sdp' is for norm 2"),
    ({"method": "lipsdp", "norm": math.inf}, UnsupportedSettingError, "is for norm 2"),
    ({"method": "lipschitz", "norm": math.inf}, UnsupportedSettingError, "is for norm 2"),
    ({"box": (1.0, 2.0)}, ValueError, r"X must lie in the box; got X\[0, 0\]=0.0"),
    ({"box": (1.0, -1.0)}, ValueError, "lo <= hi"),
    ({"box": 1.0}, TypeError, "pair"),
    ({"box": (np.zeros(4), np.ones(4))}, ValueError, "shape"),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED)
def test_refusals_of_both_functions(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    kwargs = {"X": X2, "y": Y2, "method": "crown", **given}
    with pytest.raises(error, match=message):
        certified_radius(NET, **kwargs)
    with pytest.raises(error, match=message):
        certified_accuracy(NET, eps=0.1, **kwargs)


@pytest.mark.parametrize("tol", [0.0, 1.0, -1.0, math.nan, "small"])
def test_radius_refuses_tolerances_outside_the_unit_interval(tol: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="tol must be"):
        certified_radius(NET, X2, Y2, tol=tol)


@pytest.mark.parametrize("eps", [-0.1, [0.1, -1e-9], math.nan, math.inf, "much"])
def test_accuracy_refuses_budgets_that_are_none(eps: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="eps must be"):
        certified_accuracy(NET, X2, Y2, eps)


def test_fastlin_accuracy_at_budget_zero_warns_of_nothing() -> None:
    net = ReluNetwork(weights=[[[2.0]], [[1.0]]], biases=[[0.0], [-1.0]])
    assert certified_accuracy(net, [[3.0]], [1], 0.0, method="fast-lin") == 1
