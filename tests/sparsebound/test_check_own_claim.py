"""`sparsebound check FILE.py`: a user's own claim runs as the catalogue's, and errors are named."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from empirical.compression_study import Plan as CompressionPlan
from empirical.linear_study import Plan
from sparsebound import study
from sparsebound.main import main

HEAD = """
from empirical.verify.verdict import judge_bound, judge_identity
from theory.claims import CATALOGUE, Claim, Source

def claim(key="mine.one", standing="proven", form="bound"):
    source = Source(citation="I 2026", place="here", bibtex="@misc{i}")
    return Claim(key=key, source=source, statement="x ≤ 1", form=form, assumptions=("none",),
                 standing=standing, note="none", predict=lambda: 1.0)

CLAIM = claim()
"""
DRAWN = """
def measure(rng):
    return judge_bound(CLAIM, [CLAIM.predict()], [rng.random()], allowance=0.0, reason="none")
"""


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def written(folder: Path, text: str, name: str = "my_claim.py") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def check_refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    message = result.stderr.strip().splitlines()[-1]
    assert message.startswith("Error: ")
    for part in said:
        assert part in message


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "PLANS", dict.fromkeys(study.PLANS, Plan(splits=2, strengths=2)))
    few = CompressionPlan(seeds=3, inputs=8, searched=1, epochs=1)
    monkeypatch.setattr(study, "COMPRESSION_PLANS", dict.fromkeys(study.PLANS, few))


def test_the_example_runs_as_it_is_printed(tmp_path: Path) -> None:
    printed = run("claims", "--example")
    assert printed.exit_code == 0
    path = written(tmp_path, printed.stdout)
    result = run("check", path, "--json")
    assert result.exit_code == 0, result.stderr
    [verdict] = json.loads(result.stdout)
    assert (verdict["claim"], verdict["verdict"]) == ("mine.mean-distance", "holds")
    # √(2/π), and four standard errors of a mean of three times 2000 half-normal numbers.
    assert verdict["predicted"] == pytest.approx(0.797885, abs=1e-6)
    assert verdict["measured"] == pytest.approx(0.797885, abs=4 * 0.6 / 6000**0.5)
    check_refused(run("claims", "--example", "guo2018"), "--example stands alone")


def test_a_seed_gives_the_same_numbers_whatever_else_is_checked(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + DRAWN)
    alone = json.loads(run("check", path, "--json").stdout)
    mixed = json.loads(run("check", "classics.norm-inside", path, "--json").stdout)
    other = json.loads(run("check", path, "--seed", 1, "--json").stdout)
    assert [row["claim"] for row in mixed] == ["classics.norm-inside", "mine.one"]
    assert mixed[1] == alone[0]
    assert other[0]["measured"] != alone[0]["measured"]
    assert run("check", path, path).stdout.count("we say") == 1


def test_a_verdict_against_oneself_exits_with_1(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + DRAWN.replace("rng.random()", "2.0"))
    result = run("check", path)
    assert result.exit_code == 1
    assert "CONTRADICTS US" in result.stdout


@pytest.mark.usefixtures("tiny")
def test_cells_of_the_linear_study_are_given(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEAD
        + "def measure_cells(cells):\n"
        + "    kept = [c.accuracy for c in cells]\n"
        + "    return judge_bound(CLAIM, [1.0] * len(kept), kept, allowance=0.0, reason='none')\n",
    )
    result = run("check", path, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)[0]["evidence"]["cases"] > 10


@pytest.mark.slow  # prunes and attacks networks
@pytest.mark.usefixtures("tiny")
def test_cells_of_the_compression_study_are_given(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEAD
        + "def measure_networks(networks):\n"
        + "    kept = [n.correct.mean() for n in networks]\n"
        + "    return judge_bound(CLAIM, [1.0] * len(kept), kept, allowance=0.0, reason='none')\n",
    )
    result = run("check", path, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)[0]["evidence"]["cases"] > 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", ["must be Python; line 1"]),
        ("import nothing_of_this_name", ["line 1: ModuleNotFoundError"]),
        ("\nraise SystemExit(0)", ["line 2: SystemExit"]),
        ("x = 1", ["one Claim of its own; it has none", "--example"]),
        (HEAD + "OTHER = claim('mine.two')" + DRAWN, ["it has 2: mine.one, mine.two"]),
        (HEAD.replace("mine.one", "guo2018.r2") + DRAWN, ["guo2018.r2 is in the catalogue"]),
        (HEAD.replace("mine.one", "mine one") + DRAWN, ["text without spaces; got 'mine one'"]),
        (
            HEAD.replace('"proven"', '"true"') + DRAWN,
            ["standing", "proven, refuted, open", "'true'"],
        ),
        (HEAD.replace('"bound"', '"law"') + DRAWN, ["form", "identity, bound", "'law'"]),
        (HEAD, ["one function of measure, measure_cells, measure_networks; it has none"]),
        (HEAD + DRAWN + "measure_cells = measure", ["has measure and measure_cells"]),
        (HEAD + "def measure(rng):\n    return 1 / 0", ["line 12: ZeroDivisionError: division"]),
        (HEAD + "def measure():\n    return 1", ["TypeError: measure() takes 0 positional"]),
        (HEAD + "def measure(rng):\n    return 0.5", ["must return a Verdict; got float"]),
        (
            HEAD + DRAWN.replace("judge_bound(CLAIM", "judge_bound(claim('mine.two')"),
            ["must return a Verdict of mine.one; got one of mine.two"],
        ),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    path = written(tmp_path, text)
    check_refused(run("check", path), str(path), *said)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    check_refused(
        run("check", tmp_path / "none.py"), "none.py must be a Python file; there is none"
    )
    check_refused(run("check", tmp_path), "Did you mean")


def test_two_files_of_one_key_are_refused(tmp_path: Path) -> None:
    one, other = (written(tmp_path, HEAD + DRAWN, name) for name in ("one.py", "other.py"))
    check_refused(run("check", one, other), "one.py and", "other.py both have mine.one")


def test_claims_of_the_catalogue_may_be_imported(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "KNOWN = CATALOGUE['guo2018.r2']" + DRAWN)
    assert run("check", path).exit_code == 0


def test_traceback_shows_all(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "def measure(rng):\n    return 1 / 0")
    result = run("--traceback", "check", path)
    assert "Traceback" in result.stderr
    assert "return 1 / 0" in result.stderr


def test_rigorous_has_no_check_of_it(tmp_path: Path) -> None:
    result = run("check", written(tmp_path, HEAD + DRAWN), "--rigorous")
    assert result.exit_code == 0
    assert "no rigorous check" in result.stdout
