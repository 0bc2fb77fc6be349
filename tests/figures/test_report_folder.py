"""A run is read as it was left, or refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from empirical.ledger import surroundings
from figures.report import RUN, read_reproduced
from tests.figures.reports import CURVES, SVG, VERDICTS, reproduced, verdict


def test_read_reproduced_gives_what_was_left(tmp_path: Path) -> None:
    found = read_reproduced(reproduced(tmp_path), tables=["robust-accuracy", "nothing"])
    assert list(found.verdicts) == VERDICTS
    assert (found.run.seed, found.run.plan) == (3, "quick")
    assert found.run.code == surroundings().code
    assert [figure.name for figure in found.figures] == [
        *("random-pruning", "robust-accuracy", "tickets")
    ]
    assert found.figures[2].svg.decode() == SVG.format(name="tickets")
    assert list(found.tables) == ["robust-accuracy"]
    assert [float(row["eps"]) for row in found.tables["robust-accuracy"]] == [
        row["eps"] for row in CURVES
    ]


def test_read_reproduced_refuses_a_folder_without_a_run(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"must hold a finished run; there is no run\."):
            read_reproduced(folder)


def changed(folder: Path, **other: Any) -> Path:
    """Change what run.json says; what is None goes."""
    path = folder / RUN
    said = {**json.loads(path.read_text(encoding="utf-8")), **other}
    kept = {name: value for name, value in said.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return folder


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_read_reproduced_refuses_another_version(tmp_path: Path, version: Any) -> None:
    folder = changed(reproduced(tmp_path), version=version)
    with pytest.raises(ValueError, match=f"must be of version 1; it has {version}: run `sparsebo"):
        read_reproduced(folder)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"seed": "0"}, "must say seed; it has '0'"),
        ({"libraries": None}, "must say libraries; it has None"),
        ({"files": {}}, "must list verdicts.json"),
        ({"files": {"../verdicts.json": ""}}, "must be a file; there is none"),
        ({"files": {"tickets.svg": "0"}}, "must be as the run of run.json left it"),
    ],
)
def test_read_reproduced_refuses_a_list_that_lies(
    tmp_path: Path, said: dict[str, Any], match: str
) -> None:
    folder = changed(reproduced(tmp_path / "below"), **said)
    with pytest.raises(ValueError, match=match):
        read_reproduced(folder)


def test_read_reproduced_refuses_files_that_changed_or_are_gone(tmp_path: Path) -> None:
    folder = reproduced(tmp_path)
    (folder / "tickets.csv").write_bytes(b"eps\n1\n")
    with pytest.raises(ValueError, match=r"tickets.csv must be as the run .* another run was stop"):
        read_reproduced(folder)
    (folder / "tickets.csv").unlink()
    with pytest.raises(ValueError, match=r"tickets.csv, which run.json lists, must be a file"):
        read_reproduced(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00"])
def test_read_reproduced_refuses_what_is_no_list_of_a_run(tmp_path: Path, text: str) -> None:
    (reproduced(tmp_path) / RUN).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"run.json must be"):
        read_reproduced(tmp_path)


@pytest.mark.parametrize("bad", [[], [1], [{"claim": "a"}], {"claim": "a"}])
def test_read_reproduced_refuses_verdicts_that_are_none(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"verdicts.json must"):
        read_reproduced(reproduced(tmp_path, bad))


def test_read_reproduced_refuses_verdicts_of_an_older_version(tmp_path: Path) -> None:
    older = {name: value for name, value in verdict().items() if name != "assumptions"}
    with pytest.raises(ValueError, match="must say assumptions of each verdict: run `sparsebound"):
        read_reproduced(reproduced(tmp_path, [verdict(), older]))


def test_read_reproduced_refuses_a_figure_without_its_table(tmp_path: Path) -> None:
    folder = reproduced(tmp_path)
    files = json.loads((folder / RUN).read_text(encoding="utf-8"))["files"]
    files.pop("tickets.csv")
    with pytest.raises(ValueError, match=r"tickets.csv must be beside its figure"):
        read_reproduced(changed(folder, files=files))
