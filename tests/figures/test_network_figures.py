"""Each figure of networks draws what its CSV says, what that says is true, and can be read."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.text import Text

from empirical.data import Part
from empirical.network_study import (
    CERTIFICATES,
    COLUMNS,
    NetworkStudy,
    digits_networks,
    distance_table,
    lipschitz_table,
)
from empirical.planar import planar_network
from figures import cells, certified_accuracy, lipschitz_sparsity, network_sandwich, style
from theory.networks import ReluNetwork, class_scores

# Bounds of one number come from different computations, each rounded.
ROUNDING = 1e-9
# exact_distance closes to 1e-6 of the distance.
CLOSED = 2e-6
# Font hinting moves the edges of a text by up to a pixel.
PIXEL = 1.0
NAMES = ["network-sandwich", "certified-accuracy", "lipschitz-sparsity", "cells"]
METHODS = [*COLUMNS]


@pytest.fixture(scope="module")
def study() -> NetworkStudy:
    return digits_networks((1.0, 0.3, 0.1), hidden=(10, 10))


@pytest.fixture(scope="module")
def tables(study: NetworkStudy) -> dict[str, Any]:
    X, y = (part[:20] for part in study.test)
    ends = {"dense": study.networks[0], "90 % pruned and retrained": study.at(0.1)}
    named = {f"{study.name}, {name}": one for name, one in ends.items()}
    return {name: distance_table(one.net, X, y) for name, one in named.items()}


@pytest.fixture(scope="module")
def constants(study: NetworkStudy) -> list[dict[str, Any]]:
    return lipschitz_table(study, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def plane() -> tuple[ReluNetwork, Part]:
    net, _, unseen = planar_network()
    return net, Part(*(part[:20] for part in unseen))


@pytest.fixture(scope="module")
def drawn(
    study: NetworkStudy,
    tables: dict[str, Any],
    constants: list[dict[str, Any]],
    plane: tuple[ReluNetwork, Part],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Figure, list[Path], Any]]:
    """Draw every figure once; warnings are errors, so each draws without one."""
    out, figures = tmp_path_factory.mktemp("networks"), []

    def save(figure: Figure, *rest: Any) -> list[Path]:
        figures.append(figure)
        return style.save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (cells, certified_accuracy, lipschitz_sparsity, network_sandwich):
            patch.setattr(module, "save", save)
        files = [
            network_sandwich.draw(next(iter(tables.values())), out, network=study.name),
            certified_accuracy.draw(tables, out),
            lipschitz_sparsity.draw(constants, out, network=study.name),
            cells.draw(*plane, out),
        ]
    read = [list(csv.DictReader(f[2].read_text(encoding="utf-8").splitlines())) for f in files]
    return {
        f[0].stem: (figure, f, rows) for f, figure, rows in zip(files, figures, read, strict=True)
    }


def column(rows: Any, name: str, **where: str) -> Any:
    chosen = [r for r in rows if all(r[key] == value for key, value in where.items())]
    return np.array([float(row[name]) for row in chosen])


def test_draw_saves_every_figure(drawn: dict[str, Any]) -> None:
    assert list(drawn) == NAMES
    for name, (_, files, rows) in drawn.items():
        assert [path.name for path in files] == [f"{name}.{end}" for end in ("png", "svg", "csv")]
        assert all(path.stat().st_size > 0 for path in files)
        assert rows


@pytest.mark.parametrize("name", NAMES)
def test_figure_has_every_word_inside_and_titles_apart(drawn: dict[str, Any], name: str) -> None:
    figure = drawn[name][0]
    FigureCanvasAgg(figure).draw()
    width, height = figure.bbox.size
    titles = [axes.title for axes in figure.axes if axes.get_title()]
    named = [t for axes in figure.axes for t in (axes.xaxis.label, axes.yaxis.label, *axes.texts)]
    legends = [t for legend in figure.legends for t in legend.findobj(Text)]
    for text in (*figure.texts, *titles, *named, *legends):
        box = text.get_window_extent()
        assert box.x0 >= -PIXEL, text.get_text()
        assert box.y0 >= -PIXEL, text.get_text()
        assert box.x1 <= width + PIXEL, text.get_text()
        assert box.y1 <= height + PIXEL, text.get_text()
    above = figure.texts[0].get_window_extent()
    boxes = [title.get_window_extent() for title in titles]
    assert not any(box.overlaps(above) for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_looks_are_those_of_every_method() -> None:
    assert set(network_sandwich.LOOKS) == set(METHODS)


def test_sandwich_draws_its_table(drawn: dict[str, Any]) -> None:
    figure, _, rows = drawn["network-sandwich"]
    above, below = figure.axes
    lines = [{line.get_label(): line.get_ydata() for line in axes.lines} for axes in (above, below)]
    attack = column(rows, "attack upper")
    assert {(row["norm"], row["box"]) for row in rows} == {("2", "none")}
    for name in METHODS:
        label = network_sandwich.LOOKS[name]["label"]
        values = column(rows, COLUMNS[name])
        np.testing.assert_array_equal(lines[0][label], values)
        np.testing.assert_allclose(lines[1][label], values / attack, rtol=ROUNDING)
    assert len(lines[0]) == len(METHODS)
    np.testing.assert_array_equal(attack, np.sort(attack))


def test_sandwich_holds(drawn: dict[str, Any], tables: dict[str, Any]) -> None:
    rows = drawn["network-sandwich"][2]
    first = next(iter(tables.values()))
    assert len(rows) == sum(row["correct"] for row in first)
    exact, attack = column(rows, "exact"), column(rows, "attack upper")
    for method in CERTIFICATES:
        proven = column(rows, f"{method} lower")
        assert (proven > 0).all()
        assert (proven <= exact * (1 + ROUNDING)).all()
    assert (exact <= attack * (1 + CLOSED)).all()


def test_sandwich_draws_what_is_open_or_unknown(tables: dict[str, Any], tmp_path: Path) -> None:
    rows = [dict(row) for row in next(iter(tables.values())) if row["correct"]][:4]
    rows[0] |= {"exact": np.nan, "search lower": 0.1, "search upper": np.inf}
    rows[0] |= {"attack upper": np.inf}
    rows[1] |= {"exact": np.nan, "search lower": rows[1]["sdp lower"]}
    (_, _, table) = network_sandwich.draw(rows, tmp_path, network="a network")
    told = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["exact"] for row in told].count("nan") == 2
    assert told[-1]["attack upper"] == "inf"


def test_sandwich_refuses_a_table_without_a_right_input(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    wrong = [{**row, "correct": False} for row in next(iter(tables.values()))]
    for rows in ([], wrong):
        with pytest.raises(ValueError, match="that the network gets right"):
            network_sandwich.draw(rows, tmp_path, network="a network")
    assert not list(tmp_path.iterdir())


def test_certified_accuracy_draws_its_table(drawn: dict[str, Any], tables: dict[str, Any]) -> None:
    figure, _, rows = drawn["certified-accuracy"]
    count = 0
    for axes, name in zip(figure.axes, tables, strict=True):
        assert axes.get_title().startswith(name)
        lines = {line.get_label(): line for line in axes.lines}
        for method in METHODS:
            line = lines[network_sandwich.LOOKS[method]["label"]]
            where = {"network": name, "what": method}
            np.testing.assert_array_equal(line.get_xdata(), column(rows, "eps", **where))
            np.testing.assert_array_equal(line.get_ydata(), column(rows, "accuracy", **where))
            count += line.get_xdata().size
    assert count == len(rows)  # nothing is left undrawn


def test_certified_accuracy_is_under_the_attacks(
    drawn: dict[str, Any], tables: dict[str, Any]
) -> None:
    rows = drawn["certified-accuracy"][2]
    for name, table in tables.items():
        exact, attack = (
            column(rows, "accuracy", network=name, what=what) for what in ("exact", "attack")
        )
        assert (exact <= attack).all()
        for method in CERTIFICATES:
            proven = column(rows, "accuracy", network=name, what=method)
            assert (proven <= exact).all()
            assert proven[0] == exact[0] == np.mean([row["correct"] for row in table])


def test_certified_accuracy_refuses_no_rows(tmp_path: Path) -> None:
    for tables in ({}, {"a network": []}):
        with pytest.raises(ValueError, match="tables must hold rows"):
            certified_accuracy.draw(tables, tmp_path)


def test_certified_accuracy_draws_a_network_that_is_always_wrong(tmp_path: Path) -> None:
    net = ReluNetwork(weights=[np.eye(2), [[1.0, 0.0], [0.0, 1.0]]])
    rows = distance_table(net, [[1.0, 0.0], [0.0, 1.0]], [1, 0])
    table = certified_accuracy.draw({"always wrong": rows}, tmp_path)[2]
    read = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert set(column(read, "accuracy")) == {0.0}


def test_lipschitz_sparsity_draws_its_table(drawn: dict[str, Any]) -> None:
    figure, _, rows = drawn["lipschitz-sparsity"]
    panels = np.array(figure.axes).reshape(2, 2)
    for axes in panels[0]:
        for line in axes.lines:
            what = line.get_label().partition(" (")[0]
            where = {"panel": axes.get_title(), "what": what}
            np.testing.assert_array_equal(line.get_xdata(), column(rows, "density", **where))
            np.testing.assert_array_equal(line.get_ydata(), column(rows, "constant", **where))
    for above, below in panels.T:
        where = {"panel": above.get_title(), "what": "sampled"}
        np.testing.assert_array_equal(below.lines[0].get_ydata(), column(rows, "accuracy", **where))
    assert sum(line.get_xdata().size for axes in panels[0] for line in axes.lines) == len(rows)


def test_lipschitz_sparsity_has_lower_under_upper(drawn: dict[str, Any]) -> None:
    rows = drawn["lipschitz-sparsity"][2]
    for panel in {row["panel"] for row in rows}:
        lower = column(rows, "constant", panel=panel, kind="lower")
        assert lower.size == 3
        for what in {row["what"] for row in rows if row["kind"] == "upper"}:
            assert (lower <= column(rows, "constant", panel=panel, what=what)).all()


def test_lipschitz_sparsity_refuses_a_table_of_one_kind(
    constants: list[dict[str, Any]], tmp_path: Path
) -> None:
    for kept in ([], [row for row in constants if row["retrained"]]):
        with pytest.raises(ValueError, match="must hold pruned networks"):
            lipschitz_sparsity.draw(kept, tmp_path, network="a network")


def test_cells_draws_its_table(drawn: dict[str, Any]) -> None:
    figure, _, rows = drawn["cells"]
    (axes,) = figure.axes
    (fills,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    corners = np.concatenate([path.vertices[:-1] for path in fills.get_paths()])
    np.testing.assert_array_equal(corners[:, 0], column(rows, "x1", what="cell"))
    np.testing.assert_array_equal(corners[:, 1], column(rows, "x2", what="cell"))
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    told = ["certified radius", "nearest flip", "attack's flip"]
    radii = [column(rows, "radius", what=what)[0] for what in told]
    assert [circle.get_radius() for circle in circles] == radii
    assert radii == sorted(radii)
    centre = [column(rows, name, what="certified radius")[0] for name in ("x1", "x2")]
    assert {tuple(circle.get_center()) for circle in circles} == {tuple(centre)}


def test_cells_tells_the_truth(drawn: dict[str, Any], plane: tuple[ReluNetwork, Part]) -> None:
    rows = drawn["cells"][2]
    point = {
        what: np.array([column(rows, name, what=what)[0] for name in ("x1", "x2")])
        for what in ("certified radius", "nearest flip", "attack's flip")
    }
    x = point["certified radius"]
    label = int(next(row["label"] for row in rows if row["what"] == "certified radius"))
    assert class_scores(plane[0], x[None])[0].argmax() == label
    for what in ("nearest flip", "attack's flip"):
        (radius,) = column(rows, "radius", what=what)
        assert np.linalg.norm(point[what] - x) == pytest.approx(radius, rel=ROUNDING)
        scores = class_scores(plane[0], point[what][None])[0]
        assert np.delete(scores, label).max() >= scores[label]


def test_cells_refuses_networks_of_other_inputs(tmp_path: Path) -> None:
    net = ReluNetwork(weights=[np.eye(3)])
    with pytest.raises(ValueError, match="2 inputs"):
        cells.draw(net, Part(np.eye(3), np.arange(3)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_draw_gives_the_same_bytes_again(
    drawn: dict[str, Any], plane: tuple[ReluNetwork, Part], tmp_path: Path
) -> None:
    again, first = cells.draw(*plane, tmp_path), drawn["cells"][1]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in first]
