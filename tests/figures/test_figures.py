"""Each figure draws what its CSV says, and what its CSV says is true."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex
from matplotlib.table import Table
from scipy.special import ndtr

from empirical.curves import Comparison
from empirical.linear_study import LinearCell
from empirical.verify import Verdict
from figures import sparsity, verdicts
from figures.style import BLACK, BLUE, ORANGE

# A written float is read back exactly, and what is drawn is what is written.
SAME = 0.0
# Sums of a few hundred float64 terms, in another order.
ROUNDING = 1e-9
# nearest_flip goes 1e-6 of the distance beyond the boundary, so that rounding cannot undo it.
OVERSHOOT = 1e-5
NAMES = [
    "sparsity-digits-3-or-8",
    "sparsity-breast-cancer",
    "sparsity-gaussian-classes",
    "robust-accuracy",
    "digit-flips",
    "verdicts",
]


def test_draw_saves_every_figure(drawn: dict[str, Any]) -> None:
    assert list(drawn) == NAMES
    assert all(path.stat().st_size > 0 for one in drawn.values() for path in one.files)


def test_verdicts_draws_each_verdict(drawn: dict[str, Any], judged: list[Verdict]) -> None:
    one = drawn["verdicts"]
    (table,) = (part for part in one.figure.axes[0].get_children() if isinstance(part, Table))
    cells = table.get_celld()
    heads = [cells[0, i].get_text().get_text() for i in range(5)]
    for i, (verdict, row) in enumerate(zip(judged, one.rows, strict=True), start=1):
        texts = [cells[i, j].get_text().get_text().replace("\n", " ") for j in range(5)]
        assert texts == [row[head].strip() for head in heads]
        assert (row["claim"], row["verdict"]) == (verdict.claim.key, verdict.status)
        assert float(row["measured"]) == pytest.approx(verdict.measured, abs=SAME, nan_ok=True)
    reds = [to_hex(cells[i, 3].get_facecolor()) for i in range(1, len(judged) + 1)]
    against = [verdict.contradicts_us for verdict in judged]
    assert any(against)
    assert [red == verdicts._AGAINST_US for red in reds] == against


def test_sparsity_draws_its_table(drawn: dict[str, Any]) -> None:
    for name in NAMES[:3]:
        one = drawn[name]
        panels = np.array(one.figure.axes).reshape(2, -1)
        families = list(dict.fromkeys(row["family"] for row in one.rows))
        assert [a.get_title().replace("\n", " ") for a in panels[0]] == families
        for quantity, row in zip(("r_2", "r_inf"), panels, strict=True):
            for family, axes in zip(families, row, strict=True):
                check_panel(one, axes, quantity, family)


def check_panel(one: Any, axes: Any, quantity: str, family: str) -> None:
    def column(name: str) -> Any:
        return one.column(name, family=family)

    x = column("nonzero weights")
    lines = {line.get_label(): line for line in axes.lines}
    predicted = lines["predicted, with its 95 % band"]
    np.testing.assert_array_equal(predicted.get_xdata(), x)
    np.testing.assert_array_equal(predicted.get_ydata(), column(f"{quantity} predicted"))
    (bars,) = axes.containers
    np.testing.assert_array_equal(bars.lines[0].get_ydata(), column(f"{quantity} attacked"))
    ends = np.array(bars.lines[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(ends[:, 0], column(f"{quantity} attacked low"), atol=ROUNDING)
    np.testing.assert_allclose(ends[:, 1], column(f"{quantity} attacked high"), atol=ROUNDING)
    (band,) = (p for p in axes.collections if isinstance(p, FillBetweenPolyCollection))
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
    for side in ("low", "high"):
        assert set(zip(x, column(f"{quantity} predicted {side}"), strict=True)) <= corners
    if quantity == "r_inf":
        bound = lines["two-moment bound"].get_ydata()
        np.testing.assert_array_equal(bound, column("r_inf bound"))


def test_sparsity_tells_what_attacks_did(
    drawn: dict[str, Any], groups: dict[str, list[LinearCell]]
) -> None:
    for name, group in zip(NAMES[:3], groups.values(), strict=True):
        one = drawn[name]
        for family in {row["family"] for row in one.rows}:
            pairs = [[c for c in group if c.trained.family == family][i::2] for i in range(2)]
            r_2 = [np.mean([c.distances.sum() / c.test.y.size for c in pair]) for pair in pairs]
            left = [np.mean([c.survived[3].mean() for c in pair]) for pair in pairs]
            sizes = [np.median([(c.trained.model.weights != 0).sum() for c in p]) for p in pairs]
            for values, column in ((r_2, "r_2"), (left, "r_inf")):
                told = one.column(f"{column} attacked", family=family)
                np.testing.assert_allclose(told, values, rtol=ROUNDING)
            np.testing.assert_array_equal(one.column("nonzero weights", family=family), sizes)
        assert {float(row["eps"]) for row in one.rows} == {group[0].eps[3]}


def test_robust_accuracy_draws_its_table(
    drawn: dict[str, Any], comparisons: list[Comparison]
) -> None:
    one = drawn["robust-accuracy"]
    panels, count = np.array(one.figure.axes).reshape(2, -1), 0
    for row, norm in zip(panels, ("2.0", "inf"), strict=True):
        for axes, comparison in zip(row, comparisons, strict=True):
            assert axes.get_title().startswith(comparison.dataset)
            for line in axes.lines:
                where = {
                    "dataset": comparison.dataset,
                    "norm": norm,
                    "classifier": {BLUE: "dense", ORANGE: "sparse", BLACK: "any"}[line.get_color()],
                    "what": line.get_label().replace(" ", "_"),
                }
                if where["what"].endswith("_bound"):
                    where["what"] = line.get_label()
                if where["classifier"] == "any":
                    where["what"] = "ceiling"
                np.testing.assert_array_equal(line.get_xdata(), one.column("eps", **where))
                np.testing.assert_array_equal(line.get_ydata(), one.column("accuracy", **where))
                count += line.get_xdata().size
    assert count == len(one.rows)  # nothing is left undrawn


def test_robust_accuracy_names_every_mark(drawn: dict[str, Any]) -> None:
    panels = np.array(drawn["robust-accuracy"].figure.axes).reshape(2, -1)
    for row in panels:
        named = [text.get_text() for text in row[0].get_legend().get_texts()]
        assert len(named) == len(set(named))
        assert set(named) == {line.get_label() for axes in row for line in axes.lines}


def test_robust_accuracy_tells_the_truth(
    drawn: dict[str, Any], comparisons: list[Comparison]
) -> None:
    one = drawn["robust-accuracy"]
    for comparison in comparisons[:3]:  # binary, no box: the distance is |w·x + b| over a dual norm
        X, y = comparison.test
        for name, model in comparison.models.items():
            for norm, dual in (("2.0", 2), ("inf", 1)):
                where = {"dataset": comparison.dataset, "norm": norm, "classifier": name}
                margins = y * (X @ model.weights[0] + model.bias[0])
                distances = margins / np.linalg.norm(model.weights[0], ord=dual)
                eps = one.column("eps", what="exact", **where)
                exact = one.column("accuracy", what="exact", **where)
                near = np.abs(distances[:, None] - eps).min(axis=0) < ROUNDING  # ties may round
                ours = (distances[:, None] > eps).mean(axis=0)
                np.testing.assert_allclose(exact[~near], ours[~near], atol=ROUNDING)
    for row in one.rows:
        assert float(row["accuracy"]) >= 0
        assert float(row["accuracy"]) <= 1 or row["what"] == "Markov bound"


def test_robust_accuracy_has_no_mark_below_its_line(drawn: dict[str, Any]) -> None:
    one, keys = drawn["robust-accuracy"], ("dataset", "classifier", "norm")
    lines: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in one.rows:
        if row["what"] == "exact":
            budget = f"{float(row['eps']):.9g}"  # an ulp apart is the same budget
            lines[tuple(row[key] for key in keys)][budget] = float(row["accuracy"])
    of_models = [row for row in one.rows if row["classifier"] != "any"]
    for row in of_models:
        line = lines[tuple(row[key] for key in keys)][f"{float(row['eps']):.9g}"]
        assert float(row["accuracy"]) >= line - ROUNDING


def test_robust_accuracy_has_the_ceiling_where_the_law_is_known(drawn: dict[str, Any]) -> None:
    one = drawn["robust-accuracy"]
    assert {row["dataset"] for row in one.rows if row["what"] == "ceiling"} == {"Gaussian classes"}
    eps, kept = (one.column(name, what="ceiling", norm="2.0") for name in ("eps", "accuracy"))
    # Means 2 deviations from the middle: Phi(2 - eps), and never worse than a guess.
    np.testing.assert_allclose(kept, ndtr(np.maximum(2 - eps, 0)), atol=ROUNDING)


def test_digit_flips_draws_its_table(drawn: dict[str, Any], comparisons: list[Comparison]) -> None:
    one, x = drawn["digit-flips"], comparisons[0].test.X[0]
    panels = np.array(one.figure.axes).reshape(4, 5)
    for above, below, (name, model) in zip(
        panels[::2], panels[1::2], comparisons[0].models.items(), strict=True
    ):
        np.testing.assert_array_equal(image(above[0]), model.weights[0])
        np.testing.assert_array_equal(image(below[0]), x)
        flips = list(dict.fromkeys(row["flip"] for row in one.rows))
        for change, digit, flip in zip(above[1:], below[1:], flips, strict=True):
            where = {"model": name, "flip": flip}
            assert change.get_title() == f"nearest flip, {flip}"
            flipped = one.column("flipped", **where)
            np.testing.assert_array_equal(image(digit), flipped)
            np.testing.assert_array_equal(image(change), flipped - one.column("input", **where))
            np.testing.assert_array_equal(one.column("weight", **where), model.weights[0])
            (crosses,) = digit.lines
            marked = 8 * crosses.get_ydata() + crosses.get_xdata()
            np.testing.assert_array_equal(marked, np.flatnonzero((flipped < 0) | (flipped > 1)))


def image(axes: Any) -> Any:
    return axes.images[0].get_array().ravel()


def test_digit_flips_tells_the_truth(drawn: dict[str, Any], comparisons: list[Comparison]) -> None:
    one, x = drawn["digit-flips"], comparisons[0].test.X[0]
    for name, model in comparisons[0].models.items():
        w, b = model.weights[0], model.bias[0]
        for flip in {row["flip"] for row in one.rows}:
            where = {"model": name, "flip": flip}
            point, (distance, *_) = one.column("flipped", **where), one.column("distance", **where)
            assert np.sign(w @ point + b) == -np.sign(w @ x + b)
            order = 2 if flip.startswith("L2") else np.inf
            assert np.linalg.norm(point - x, ord=order) == pytest.approx(distance, rel=ROUNDING)
            if "box" in flip:
                assert point.min() >= 0
                assert point.max() <= 1
            else:
                least = abs(w @ x + b) / np.linalg.norm(w, ord=2 if order == 2 else 1)
                # The point is a witness: a little beyond the boundary, never short of it.
                assert least <= distance * (1 + ROUNDING)
                assert distance == pytest.approx(least, rel=OVERSHOOT)


def test_draw_gives_the_same_bytes_again(
    drawn: dict[str, Any],
    groups: dict[str, list[LinearCell]],
    judged: list[Verdict],
    tmp_path: Path,
) -> None:
    again = [*sparsity.draw(groups["breast cancer"], tmp_path), *verdicts.draw(judged, tmp_path)]
    first = [*drawn["sparsity-breast-cancer"].files, *drawn["verdicts"].files]
    assert [path.name for path in again] == [path.name for path in first]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in first]
