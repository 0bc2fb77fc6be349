"""Tables of small networks: what pruning keeps, what bounds what, and cells drawn as they are."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from empirical import network_study
from empirical.network_study import (
    CERTIFICATES,
    COLUMNS,
    NetworkStudy,
    accuracy_table,
    digits_networks,
    distance_table,
    lipschitz_table,
)
from empirical.planar import (
    PlanarCell,
    label_borders,
    planar_cells,
    planar_network,
    worst_attacked,
)
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, activation_pattern, class_scores
from theory.networks.arrays import dense
from theory.validation import FloatArray

# Sums of some hundred float64 terms.
ROUNDING = 1e-9
# exact_distance closes to 1e-6 of the distance.
CLOSED = 2e-6
REACH = 2.4


@pytest.fixture(scope="module")
def study() -> NetworkStudy:
    return digits_networks((1.0, 0.5, 0.2), hidden=(10, 8))


@pytest.fixture(scope="module")
def rows(study: NetworkStudy) -> list[dict[str, Any]]:
    X, y = study.test
    return distance_table(study.networks[0].net, X[:25], y[:25])


def kept(net: ReluNetwork) -> list[Any]:
    return [dense(W) != 0 for W in net.weights]


def test_digits_networks_keeps_the_largest_weights(study: NetworkStudy) -> None:
    whole = [dense(W) for W in study.networks[0].net.weights]
    total = sum(W.size for W in whole)
    for one in study.networks:
        count = sum(mask.sum() for mask in kept(one.net))
        assert count == (round(one.density * total) if one.density < 1 else total)
    for density in (0.5, 0.2):
        pruned = study.at(density, retrained=False).net
        masks = kept(pruned)
        for W, left, mask in zip(whole, pruned.weights, masks, strict=True):
            np.testing.assert_array_equal(dense(left)[mask], W[mask])
        dropped = np.concatenate([W[~mask] for W, mask in zip(whole, masks, strict=True)])
        left = np.concatenate([W[mask] for W, mask in zip(whole, masks, strict=True)])
        assert np.abs(dropped).max() <= np.abs(left).min()


def test_digits_networks_retrains_within_the_masks_before(study: NetworkStudy) -> None:
    half, fifth = (kept(study.at(density).net) for density in (0.5, 0.2))
    assert all((few <= more).all() for few, more in zip(fifth, half, strict=True))
    assert study.at(0.2).accuracy > study.at(0.2, retrained=False).accuracy


def test_digits_networks_tells_its_accuracy(study: NetworkStudy) -> None:
    assert study.name == "64-10-8-10 on digits"
    for one in study.networks:
        right = class_scores(one.net, study.test.X).argmax(axis=1) == study.test.y
        assert one.accuracy == right.mean()
    # Ten labels, half a thousand inputs: chance is 0.1, linear classifiers reach 0.95.
    assert study.networks[0].accuracy > 0.9


def test_digits_networks_is_the_same_again(study: NetworkStudy) -> None:
    again = digits_networks((1.0, 0.5), hidden=(10, 8))
    for one, other in zip(again.networks, study.networks, strict=False):
        for W, V in zip(one.net.weights, other.net.weights, strict=True):
            np.testing.assert_array_equal(dense(W), dense(V))


@pytest.mark.parametrize("densities", [(), (0.5,), (1.0, 0.5, 0.5), (1.0, 0.0), (1.0, np.nan)])
def test_digits_networks_refuses_densities_that_do_not_fall_from_1(densities: Any) -> None:
    with pytest.raises(ValueError, match="densities must fall from 1"):
        digits_networks(densities)


def test_study_refuses_a_density_that_it_has_not(study: NetworkStudy) -> None:
    with pytest.raises(ValueError, match=r"one of 1, 0\.5, 0\.2; got 0\.3"):
        study.at(0.3)


def test_distance_table_bounds_in_order(rows: list[dict[str, Any]]) -> None:
    assert len(rows) == 25
    for row in rows:
        for method in CERTIFICATES:
            assert 0 <= row[f"{method} lower"] <= row["exact"] * (1 + ROUNDING)
        assert row["exact"] <= row["attack upper"] * (1 + CLOSED)
        assert row["search lower"] <= row["search upper"] <= row["search lower"] * (1 + CLOSED)
        assert row["correct"] == (row["attack upper"] > 0)


def test_distance_table_says_kind_norm_and_box_of_each_distance(rows: list[dict[str, Any]]) -> None:
    (columns,) = {tuple(row) for row in rows}
    distances = set(columns) - {"input", "label", "norm", "box", "correct"}
    assert {name.split()[-1] for name in distances} == {"lower", "exact", "upper"}
    assert distances == {*COLUMNS.values(), "search lower", "search upper"}
    assert {(row["norm"], row["box"]) for row in rows} == {(2, "none")}


def test_distance_table_is_zero_where_the_input_is_wrong(study: NetworkStudy) -> None:
    net, X = study.networks[0].net, study.test.X
    wrong = (class_scores(net, X[:1]).argmax(axis=1) + 1) % 10
    (row,) = distance_table(net, X[:1], wrong)
    assert not row["correct"]
    assert all(row[column] == 0 for column in COLUMNS.values())


def test_distance_table_leaves_open_what_does_not_end_in_time(study: NetworkStudy) -> None:
    rows = distance_table(study.networks[0].net, *(p[:6] for p in study.test), time_limit=1e-9)
    is_open = [np.isnan(row["exact"]) for row in rows]
    assert any(is_open)
    for row in rows:
        assert row["search lower"] <= row["attack upper"] * (1 + ROUNDING)


def test_distance_table_refuses_a_flip_within_a_certificate(
    study: NetworkStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = network_study.network_attack_distances

    def lying(*args: Any, **settings: Any) -> Any:
        found = attack(*args, **settings)
        return replace(found, distances=found.distances / 100)

    monkeypatch.setattr(network_study, "network_attack_distances", lying)
    with pytest.raises(ValueError, match="must not exceed attack"):
        distance_table(study.networks[0].net, *(part[:4] for part in study.test))


def test_distance_table_refuses_no_inputs(study: NetworkStudy) -> None:
    with pytest.raises(ValueError, match="at least one input"):
        distance_table(study.networks[0].net, np.empty((0, 64)), np.empty(0, dtype=int))


def test_accuracy_table_counts(rows: list[dict[str, Any]]) -> None:
    budgets = np.linspace(0, 1, 23)
    table = accuracy_table(rows, budgets)
    assert len(table) == budgets.size * (len(CERTIFICATES) + 2)
    for found in table:
        reach = np.array([row[COLUMNS[found["what"]]] if row["correct"] else -1.0 for row in rows])
        at = found["what"] in CERTIFICATES and (reach == found["eps"]).any()
        assert at or found["accuracy"] == np.mean(reach > found["eps"])
        assert (found["norm"], found["box"]) == (2, "none")


def test_accuracy_table_at_the_distance_itself() -> None:
    row = {"correct": True} | dict.fromkeys(COLUMNS.values(), 0.5)
    told = {found["what"]: found["accuracy"] for found in accuracy_table([row], [0.5])}
    assert told == dict.fromkeys(CERTIFICATES, 1.0) | {"exact": 0.0, "attack": 0.0}


def test_accuracy_table_leaves_out_exact_when_one_is_open(rows: list[dict[str, Any]]) -> None:
    table = accuracy_table([*rows, {**rows[0], "exact": np.nan}], [0.1])
    assert [found["what"] for found in table] == [*CERTIFICATES, "attack"]


def test_accuracy_table_refuses_no_rows_and_negative_budgets(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="at least one input"):
        accuracy_table([], [0.1])
    with pytest.raises(ValueError, match="eps must be at least 0"):
        accuracy_table(rows, [-0.1])


def test_lipschitz_table_bounds_in_order(study: NetworkStudy) -> None:
    table = lipschitz_table(study, rng=np.random.default_rng(0))
    assert len(table) == 6 * len(study.networks)
    for i in range(0, len(table), 6):
        told = {row["what"]: row["constant"] for row in table[i : i + 6]}
        assert told["sampled"] <= told["LipSDP-Neuron"] <= told["ECLipsE"] * (1 + 1e-6)
        # Orders that are proven, up to the optimiser's gap of 1e-8 and rounding.
        assert told["LipSDP-Neuron"] <= told["spectral product"] * (1 + 1e-6)
        assert told["spectral product"] <= told["Frobenius product"] * (1 + ROUNDING)
        assert told["sampled"] <= told["path norm"]
        kinds = {row["what"]: row["kind"] for row in table[i : i + 6]}
        assert kinds == dict.fromkeys(told, "upper") | {"sampled": "lower"}


@pytest.fixture(scope="module")
def plane() -> tuple[ReluNetwork, list[PlanarCell]]:
    rng = np.random.default_rng(3)
    weights = [rng.normal(size=shape) for shape in ((6, 2), (5, 6), (3, 5))]
    biases = [rng.normal(size=W.shape[0]) for W in weights]
    relu = [np.arange(6) != 2, np.ones(5, dtype=bool)]
    net = ReluNetwork(weights=weights, biases=biases, relu=relu)
    return net, planar_cells(net, REACH)


def holds(corners: FloatArray, point: FloatArray) -> bool:
    """Return whether a convex polygon, its corners in either order, holds a point."""
    sides, away = np.roll(corners, -1, axis=0) - corners, point - corners
    turns = sides[:, 0] * away[:, 1] - sides[:, 1] * away[:, 0]
    return bool((turns >= 0).all() or (turns <= 0).all())


def shortest(corners: FloatArray, x: FloatArray) -> float:
    """Return the distance of a point outside a polygon from it."""
    sides = np.roll(corners, -1, axis=0) - corners
    length = (sides**2).sum(axis=1)
    share = (((x - corners) * sides).sum(axis=1) / np.where(length > 0, length, 1)).clip(0, 1)
    return float(np.linalg.norm(corners + share[:, None] * sides - x, axis=1).min())


def test_planar_cells_tile_the_window(plane: tuple[ReluNetwork, list[PlanarCell]]) -> None:
    areas = []
    for cell in plane[1]:
        x, y = cell.corners.T
        areas.append(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
        assert np.abs(cell.corners).max() <= REACH * (1 + ROUNDING)
    assert sum(areas) == pytest.approx((2 * REACH) ** 2, rel=ROUNDING)
    assert len({(*cell.pattern.tolist(), cell.label) for cell in plane[1]}) == len(plane[1])


def test_planar_cells_say_what_the_network_does(
    plane: tuple[ReluNetwork, list[PlanarCell]],
) -> None:
    net, cells = plane
    X = np.random.default_rng(4).uniform(-REACH, REACH, size=(200, 2))
    patterns = np.hstack(activation_pattern(net, X))
    labels = class_scores(net, X).argmax(axis=1)
    for x, pattern, label in zip(X, patterns, labels, strict=True):
        (cell,) = (cell for cell in cells if holds(cell.corners, x))  # one, almost surely
        np.testing.assert_array_equal(cell.pattern, pattern)
        assert cell.label == label


def test_planar_cells_are_as_far_as_exact_distance_says(
    plane: tuple[ReluNetwork, list[PlanarCell]],
) -> None:
    net, cells = plane
    X = np.random.default_rng(5).uniform(-1, 1, size=(30, 2))
    y = class_scores(net, X).argmax(axis=1)
    found = exact_distance(net, X, y)
    assert (found.status == "exact").all()
    for x, label, upper in zip(X, y, found.upper, strict=True):
        least = min(shortest(cell.corners, x) for cell in cells if cell.label != label)
        if upper < REACH - np.abs(x).max():  # else the nearest flip may be beyond the window
            assert upper == pytest.approx(least, rel=CLOSED)
        else:
            assert upper <= least * (1 + CLOSED)


def test_label_borders_are_where_labels_meet(plane: tuple[ReluNetwork, list[PlanarCell]]) -> None:
    net, cells = plane
    edges = label_borders(net, cells)
    assert edges.shape[0] > 0
    middle = edges.mean(axis=1)
    along = edges[:, 1] - edges[:, 0]
    across = (
        1e-6
        * np.stack([-along[:, 1], along[:, 0]], axis=1)
        / np.linalg.norm(along, axis=1)[:, None]
    )
    sides = [class_scores(net, middle + step).argmax(axis=1) for step in (across, -across)]
    assert (sides[0] != sides[1]).all()


def test_planar_cells_of_a_constant_network_are_one() -> None:
    net = ReluNetwork(weights=[np.zeros((2, 2)), np.zeros((3, 2))])
    (cell,) = planar_cells(net, 1.0)
    assert cell.label == 0
    assert label_borders(net, [cell]).shape[1:] == (2, 2)


def test_planar_cells_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(ValueError, match="must have 2 inputs"):
        planar_cells(ReluNetwork(weights=[np.ones((2, 3))]), 1.0)
    with pytest.raises(ValueError, match="reach be positive"):
        planar_cells(ReluNetwork(weights=[np.ones((2, 2))]), 0.0)


def test_worst_attacked_is_in_order_and_worst() -> None:
    net, _, unseen = planar_network((5,), seed=1)
    few = type(unseen)(*(part[:15] for part in unseen))
    flip = worst_attacked(net, few)
    assert flip.certified <= flip.exact * (1 + ROUNDING)
    assert flip.exact <= flip.attacked * (1 + ROUNDING)
    for point, distance in ((flip.nearest, flip.exact), (flip.found, flip.attacked)):
        assert np.linalg.norm(point - flip.x) == pytest.approx(distance, rel=ROUNDING)
        scores = class_scores(net, point[None])[0]
        assert np.delete(scores, flip.label).max() >= scores[flip.label]
    attacked = network_study.network_attack_distances(net, *few, box=None).distances
    exact = exact_distance(net, *few).upper
    assert flip.attacked / flip.exact >= (attacked / exact)[exact > 0].max() * (1 - CLOSED)


def test_worst_attacked_refuses_inputs_all_wrong() -> None:
    net, _, unseen = planar_network((4,))
    wrong = (class_scores(net, unseen.X).argmin(axis=1))[:5]
    with pytest.raises(ValueError, match="gets right"):
        worst_attacked(net, type(unseen)(unseen.X[:5], wrong))
