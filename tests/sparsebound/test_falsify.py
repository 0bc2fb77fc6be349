"""`sparsebound falsify`: what is found and kept, what is told, exit codes and refusals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import sparsebound.falsify
from empirical.falsify import SEARCHES, UNSEARCHED, WRONG, falsify
from sparsebound.main import main
from theory.claims import CATALOGUE


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["falsify", *map(str, arguments)])


def objects(*arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json").stdout)
    return found


def check_refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    for part in said:
        assert part in result.stderr


def test_a_false_claim_is_refuted_saved_and_replayed(tmp_path: Path) -> None:
    out = tmp_path / "with space"
    result = run("wrong.margin", "--evaluations", 2000, "--out", out)
    assert result.exit_code == 0
    assert "search says: violated" in result.stdout
    assert "exact arithmetic agrees" in result.stdout
    assert f"sparsebound falsify --replay '{out / 'wrong.margin.npz'}'" in result.stdout
    again = run("--replay", out / "wrong.margin.npz")
    assert again.exit_code == 0
    kept = [line for line in result.stdout.splitlines() if "instances tried" not in line]
    assert again.stdout.splitlines()[: len(kept)] == kept  # the same numbers, computed anew


def test_a_proven_claim_is_reported_with_its_tightest_instance(tmp_path: Path) -> None:
    result = run("fawzi2018.linear", "--evaluations", 400, "--out", tmp_path)
    assert result.exit_code == 0
    assert "search says: not violated" in result.stdout
    assert "from equality" in result.stdout
    again = run("--replay", tmp_path / "fawzi2018.linear.npz")
    assert again.exit_code == 0
    assert "not violated" in again.stdout


def test_json_has_all_numbers(tmp_path: Path) -> None:
    (found,) = objects("wrong.fawzi-balanced", "--evaluations", 2000, "--out", tmp_path)
    assert found["claim"] == "wrong.fawzi-balanced"
    assert found["search says"] == "violated"
    assert found["claimed is"] == "upper"
    assert found["true"] > found["claimed"]
    assert found["slack"] == pytest.approx((found["claimed"] - found["true"]) / found["true"])
    assert found["exact arithmetic agrees"] is True
    assert 0 < found["covered"] <= found["instances"]
    assert found["slack, 5 %"] <= found["slack, median"] <= found["slack, 95 %"]
    assert np.shape(found["instance"]["X"])[0] == len(found["instance"]["y"])
    (again,) = objects("--replay", found["file"])
    assert (again["claimed"], again["true"]) == (found["claimed"], found["true"])
    assert again["slack, median"] is None


def test_the_seed_decides_what_evaluations_find(tmp_path: Path) -> None:
    def found(seed: int) -> list[dict[str, Any]]:
        told = objects("mixtures.r2", "--evaluations", 60, "--seed", seed, "--out", tmp_path)
        return [{**one, "seconds": 0} for one in told]

    assert found(1) == found(1)
    assert found(1) != found(2)


def test_a_trend_has_no_search(tmp_path: Path) -> None:
    result = run("merkle2021", "--out", tmp_path / "none")
    assert result.exit_code == 5
    told = "no search: a trend over trained networks; use `sparsebound check merkle2021.magnitude`"
    assert told in " ".join(result.stdout.split())
    assert not (tmp_path / "none").exists()
    found = objects("merkle2021.ratio")
    assert [one["search says"] for one in found] == ["no search"]


@pytest.mark.parametrize("key", UNSEARCHED)
def test_every_claim_without_a_search_says_why(key: str) -> None:
    result = run(key)
    assert result.exit_code == 5
    assert UNSEARCHED[key] in " ".join(result.stdout.split())


def test_a_source_with_both_is_searched_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {key: SEARCHES[key] for key in ("mixtures.r2", "mixtures.robust-accuracy")}
    monkeypatch.setattr(sparsebound.falsify, "SEARCHES", few)
    result = run("mixtures", "--evaluations", 30, "--out", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.count("not violated") == 2
    assert "an error on real data" in " ".join(result.stdout.split())
    assert "no search is written for it" in result.stdout  # of the one taken away
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(few)


def test_a_false_claim_that_is_not_refuted_has_a_code_of_its_own(tmp_path: Path) -> None:
    result = run("guo2018.rinf-clipped", "--evaluations", 5, "--out", tmp_path)
    assert result.exit_code == 4
    assert "not violated" in result.stdout


def test_a_proven_claim_that_is_violated_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    wrong = SEARCHES["wrong.fawzi-balanced"]
    proven = replace(wrong, claim=replace(wrong.claim, standing="proven"))
    everywhere = {**SEARCHES, wrong.claim.key: proven}
    monkeypatch.setattr(sparsebound.falsify, "SEARCHES", everywhere)
    monkeypatch.setattr("sparsebound.falsify_text.SEARCHES", everywhere)
    monkeypatch.setattr(sparsebound.falsify, "WRONG", {wrong.claim.key: proven.claim})
    result = run(wrong.claim.key, "--evaluations", 2000, "--out", tmp_path)
    assert result.exit_code == 1
    assert "CONTRADICTS US" in result.stdout


def test_wrong_lists_all_that_is_false() -> None:
    told = json.loads(run("--wrong", "--json").stdout)
    refuted = [k for k, c in CATALOGUE.items() if c.standing == "refuted" and k in SEARCHES]
    assert [one["key"] for one in told] == [*WRONG, *refuted]
    flat = " ".join(run("--wrong").stdout.split())
    for one in told:
        assert one["statement"] in flat
        assert one["lesson"] in flat


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "'nope'"),
        (["guo2018.r3"], "guo2018.r2"),
        (["wrong.margn"], "wrong.margin"),
        (["wrong.margin", "--budget", "0"], "positive number of seconds; got 0"),
        (["wrong.margin", "--budget", "-3"], "got -3"),
        (["wrong.margin", "--budget", "nan"], "got nan"),
        (["wrong.margin", "--budget", "inf"], "got inf"),
        (["wrong.margin", "--evaluations", "0"], "at least 1; got 0"),
        (["wrong.margin", "--seed", "-1"], "-1"),
        ([], "one of the three"),
        (["wrong.margin", "--wrong"], "one of the three"),
        (["--replay", "none.npz"], "none.npz"),
    ],
)
def test_bad_input_is_answered_in_one_line(arguments: list[str], said: str) -> None:
    check_refused(run(*arguments), said)


def test_a_folder_that_cannot_be_written_is_told_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparsebound.falsify, "search_for_violation", pytest.fail)
    (tmp_path / "file").write_text("here")
    check_refused(run("wrong.margin", "--out", tmp_path / "file" / "in"), "file")


def test_replays_of_other_files_are_refused(tmp_path: Path) -> None:
    run("wrong.margin", "--evaluations", 1000, "--out", tmp_path)
    path = tmp_path / "wrong.margin.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "tied.npz", **{**arrays, "x": 0 * arrays["x"], "b1": 0 * arrays["b1"]})
    check_refused(run("--replay", tmp_path / "tied.npz"), "must hold what wrong.margin covers")
    np.savez(tmp_path / "foreign.npz", W1=np.ones((1, 1)))
    check_refused(run("--replay", tmp_path / "foreign.npz"), "must hold format, claim")
    path.write_bytes(path.read_bytes()[:200])
    check_refused(run("--replay", path), "must be a whole npz file")


def test_ctrl_c_keeps_the_worst_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(search: Any, rng: Any, *, tick: Any, **limits: Any) -> Any:
        def after(count: int, elapsed: float) -> None:
            if count == 50:
                raise KeyboardInterrupt

        return falsify(search, rng, tick=after, **limits)

    monkeypatch.setattr(sparsebound.falsify, "search_for_violation", interrupted)
    keys = ["guo2018.r2-general", "guo2018.r2"]
    result = run(*keys, "--evaluations", 1000, "--out", tmp_path)
    assert result.exit_code == 130
    assert result.stderr == "Interrupted: the worst instance so far is kept.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["guo2018.r2-general.npz"]
    assert run("--replay", tmp_path / "guo2018.r2-general.npz").exit_code == 0
