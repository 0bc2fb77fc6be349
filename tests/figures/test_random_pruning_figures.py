"""Figures of random pruning, and of slacks: each draws what its CSV says, and can be read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure

from empirical.random_pruning import DENSITIES, NORM_BOUNDS, STAGES
from figures import pruning_ratio, random_pruning, slacks, style
from tests.figures.pruned import Drawn, check_marks
from tests.figures.test_legible import check_words_inside

NAMES = ["random-pruning", "pruning-ratio", "slacks"]
ALPHAS = (0.0, 0.5, 0.9)


def planted(value: float, reach: float = 0.0) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def norm_rows() -> list[dict[str, Any]]:
    lines = [*NORM_BOUNDS, "moments", "mean", "root mean square"]
    return [
        {"network": "64-40-40-10", "pruned": pruned, "alpha": alpha, "what": what, "kind": "upper"}
        | planted((1 - alpha) * 10.0 ** (2 - k) * (1 + side), 0.01 if k > 3 else 0.0)
        for side, pruned in enumerate(("output layer", "all layers"))
        for alpha in ALPHAS
        for k, what in enumerate(lines)
    ]


def ratio_rows() -> list[dict[str, Any]]:
    rows = []
    for k, stage in enumerate(STAGES):
        told = "predicted, not trained on" if stage == "retrained" else "predicted"
        kind = "exact" if stage == "drawn" else "estimate"
        for density in DENSITIES:
            place = {"network": "64-40-40-10", "stage": stage, "density": density}
            for j, measure in enumerate(("margin", "gradient", "ratio")):
                value = (1 + k) * (0.3 if measure == "ratio" else density**2 * 10**j)
                one = {**place, "measure": measure}
                rows += [{**one, "what": told, "kind": kind, **planted(value)}]
                rows += [{**one, "what": "measured", "kind": "estimate", **planted(value, 1e-4)}]
            one = {**place, "measure": "constant"}
            cut = (1 - density) ** 8
            rows += [
                {**one, "what": "no path, predicted", "kind": "exact", **planted(cut / 2)},
                {**one, "what": "no path, measured", "kind": "estimate", **planted(cut / 2, 0.1)},
                {
                    **one,
                    "what": "constant, measured",
                    "kind": "estimate",
                    **planted(cut / 1.5, 0.1),
                },
            ]
            if stage != "retrained":
                rows += [{**one, "what": "constant, bound", "kind": "upper", **planted(cut)}]
    return rows


def slack_rows() -> list[dict[str, Any]]:
    names = ("least", "quarter", "median", "three quarters", "most")
    spreads = {
        ("proven", "upper", "not violated"): (0.001, 0.2, 0.4, 0.6, 0.9),
        ("proven", "equal", "not violated"): (-4e-16, -3e-16, -2e-16, 0.0, 0.0),
        ("refuted", "lower", "violated"): (-0.2, 0.1, 0.2, 0.3, 0.4),
        ("refuted", "upper", "not violated"): (0.02, 0.1, 0.2, 0.3, 1.0),
    }
    return [
        {"claim": f"source.claim-{k}", "statement": "something is at most something else " * 4}
        | {"standing": standing, "claimed is": direction, "verdict": verdict, "tried": 100 + k}
        | dict(zip(names, spread, strict=True))
        for k, ((standing, direction, verdict), spread) in enumerate(spreads.items())
    ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    """Draw every figure once; warnings are errors, so each draws without one."""
    out, kept = tmp_path_factory.mktemp("figures"), []

    def save(figure: Figure, *rest: Any) -> list[Path]:
        kept.append(figure)
        return style.save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (random_pruning, pruning_ratio, slacks):
            patch.setattr(module, "save", save)
        files = [
            random_pruning.draw(norm_rows(), out),
            pruning_ratio.draw(ratio_rows(), out),
            slacks.draw(slack_rows(), out),
        ]
    return {
        name: Drawn(*one) for name, one in zip(NAMES, zip(kept, files, strict=True), strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
def test_draw_saves_every_figure_with_its_words_inside(drawn: dict[str, Drawn], name: str) -> None:
    one = drawn[name]
    assert [path.name for path in one.files] == [f"{name}.{end}" for end in ("png", "svg", "csv")]
    assert one.rows
    check_words_inside(one.figure)


def check_lines(axes: Any, rows: Any, x: str, count: int) -> None:
    """Check that lines without intervals are those of the rows, line by line."""
    in_bars = {id(bars.lines[0]) for bars in axes.containers}
    lines = [line for line in axes.lines if id(line) not in in_bars]
    assert len(lines) == count
    told = {what: [r for r in rows if r["what"] == what] for what in {r["what"] for r in rows}}
    known = {
        tuple((float(r[x]), float(r["value"])) for r in own): what for what, own in told.items()
    }
    found = [known[tuple(zip(*line.get_data(), strict=True))] for line in lines]
    assert len(set(found)) == count


def test_random_pruning_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["random-pruning"]
    looks = random_pruning._LOOKS
    for axes, pruned in zip(one.figure.axes, ("output layer", "all layers"), strict=True):
        rows = [row for row in one.rows if row["pruned"] == pruned]
        points = [row for row in rows if "marker" in looks[row["what"]]]
        check_marks(axes, points, "alpha", lambda row: looks[row["what"]]["color"])
        check_lines(axes, [row for row in rows if row not in points], "alpha", 4)
    words = " ".join(text.get_text() for text in one.figure.legends[0].get_texts())
    assert all(kind in words for kind in ("exact", "upper", "estimate", "measured"))


def test_pruning_ratio_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one, looks = drawn["pruning-ratio"], pruning_ratio._LOOKS
    grid, count = np.array(one.figure.axes).reshape(4, 3), 0
    for row_of_axes, measure in zip(grid, pruning_ratio._MEASURES, strict=True):
        for axes, stage in zip(row_of_axes, STAGES, strict=True):
            rows = [r for r in one.rows if (r["stage"], r["measure"]) == (stage, measure)]
            points = [row for row in rows if "marker" in looks[row["what"], row["kind"]]]
            check_marks(
                axes, points, "density", lambda row: looks[row["what"], row["kind"]]["color"]
            )
            lines = [row for row in rows if row not in points]
            check_lines(axes, lines, "density", len({row["what"] for row in lines}))
            bands = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
            assert len(bands) == (measure == "constant" and stage != "retrained")
            count += len(rows)
    assert count == len(one.rows)  # nothing is left undrawn


def test_slacks_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["slacks"]
    (axes,) = one.figure.axes
    assert [row["standing"] for row in one.rows] == ["proven", "proven", "refuted", "refuted"]
    ranges = [c for c in axes.collections if isinstance(c, LineCollection)]
    for place, row in enumerate(one.rows):
        whole, half = (part.get_segments()[0] for part in ranges[2 * place : 2 * place + 2])
        assert whole.tolist() == [[float(row["least"]), place], [float(row["most"]), place]]
        assert half[:, 0].tolist() == [float(row["quarter"]), float(row["three quarters"])]
    least = [line for line in axes.lines if line.get_marker() in {"X", "o"}]
    violated = [row["verdict"] == "violated" for row in one.rows]
    assert [line.get_marker() == "X" for line in least] == violated
    assert {line.get_color() for line in least[:2]} != {line.get_color() for line in least[2:]}
    told = [text.get_text() for text in axes.texts]
    assert all(row["verdict"] in text for row, text in zip(one.rows, told, strict=True))
    assert told[1].endswith("all within 4e-16")


def test_draw_refuses_tables_that_lack_a_part(tmp_path: Path) -> None:
    half = [row for row in norm_rows() if row["pruned"] == "all layers"]
    with pytest.raises(ValueError, match="table must have output layer, all layers pruned"):
        random_pruning.draw(half, tmp_path)
    drawn_alone = [row for row in ratio_rows() if row["stage"] == "drawn"]
    with pytest.raises(ValueError, match="table must have each stage; got none trained"):
        pruning_ratio.draw(drawn_alone, tmp_path)
    with pytest.raises(ValueError, match="table must hold claims; got none"):
        slacks.draw([], tmp_path)
    assert list(tmp_path.iterdir()) == []
