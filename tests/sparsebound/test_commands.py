"""The command line: help, the catalogue, verdicts and their exit codes, and how errors are told."""

import importlib
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from empirical.compression_study import Plan as CompressionPlan
from empirical.linear_study import Plan
from empirical.verify import Verdict
from empirical.verify.verdict import not_covered
from sparsebound import study
from sparsebound.main import _COMMANDS, main
from sparsebound.options import setting_columns
from theory.claims import CATALOGUE


def run(*arguments: str, **settings: Any) -> Result:
    return CliRunner().invoke(main, list(arguments), **settings)


def check_refused(result: Result, said: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = dict.fromkeys(study.PLANS, Plan(splits=2, strengths=2))
    monkeypatch.setattr(study, "PLANS", plans)
    few = CompressionPlan(seeds=3, inputs=8, searched=1, epochs=1)
    monkeypatch.setattr(study, "COMPRESSION_PLANS", dict.fromkeys(study.PLANS, few))


def test_help_shows_every_command_and_fits() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in _COMMANDS)
    assert "..." not in result.stdout.split("Commands:")[1]  # nothing is cut short
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", _COMMANDS)
def test_help_of_a_command_says_what_each_option_does(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    command = getattr(importlib.import_module(f"sparsebound.{name}"), name)
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert all(option.help and option.help.endswith(".") for option in options)
    assert run(name, "-h").stdout == result.stdout


def test_help_loads_no_library() -> None:
    # A second is long for help, and Ctrl-C while torch loads would end in a traceback.
    code = "import sys, sparsebound.main; print({'torch', 'numpy', 'sklearn'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_version_is_told() -> None:
    assert re.fullmatch(r".*\d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "'nope'"),
        (["--nope"], "--nope"),
        (["claims", "nope"], "'nope'"),
        (["claims", "guo2018.r3"], "guo2018.r2"),
        (["check"], "KEY"),
        (["check", "guo2018", "nope"], "'nope'"),
        (["check", "guo2018", "--quick", "--full"], "--quick and --full"),
        (["check", "guo2018", "--seed", "-1"], "-1"),
        (["check", "guo2018", "--seed", "one"], "'one'"),
        (["reproduce", "--quick", "--full"], "--quick and --full"),
        (["reproduce", "extra"], "extra"),
    ],
)
def test_bad_input_is_answered_in_one_line(arguments: list[str], said: str) -> None:
    check_refused(run(*arguments), said)


def test_no_command_shows_help() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_traceback_shows_where() -> None:
    result = run("--traceback", "claims", "nope")
    assert result.exit_code == 2
    assert "find_claims" in result.stderr
    assert "find_claims" not in run("claims", "nope").stderr


def test_claims_lists_the_catalogue() -> None:
    shown, told = run("claims").stdout, json.loads(run("claims", "--json").stdout)
    assert [claim["key"] for claim in told] == list(CATALOGUE)
    heads = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert [head.split()[0] for head in heads] == list(CATALOGUE)
    flat = " ".join(shown.split())
    for claim in told:
        assert f"({claim['form']}, {claim['status']}) {claim['source']}" in flat
        assert claim["statement"] in flat
        assert claim["note"] in flat
        assert "; ".join(claim["assumptions"]) in flat
        assert claim["statement"] == CATALOGUE[claim["key"]].statement


def test_claims_of_a_source_are_listed_once() -> None:
    told = json.loads(run("claims", "guo2018.r2", "guo2018", "guo2018.r2", "--json").stdout)
    keys = [claim["key"] for claim in told]
    assert keys == [key for key in CATALOGUE if key.startswith("guo2018.")]


def test_claims_gives_each_bibtex_entry_once() -> None:
    entries = run("claims", "--bibtex").stdout.split("\n\n")
    assert len(entries) == len({claim.source.bibtex for claim in CATALOGUE.values()})
    for entry in entries:
        assert entry.startswith("@")
        assert entry.count("{") == entry.count("}")


def test_check_judges_without_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("linear_parts", "compression_parts"):
        monkeypatch.setattr(f"sparsebound.study.{name}", pytest.fail)
    result = run("check", "classics.svm", "classics.norm-inside", "classics.svm")
    assert result.exit_code == 0
    assert result.stdout.count("attacks say: holds") == 2
    assert result.stderr == ""  # no bar where nobody watches
    assert CATALOGUE["classics.svm"].statement in result.stdout


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["guo2018"], marks=pytest.mark.slow),
        ["guo2018.r2", "fawzi2018", "mixtures.plug-in"],
        ["guo2018.networks-l2", "cosentino2019"],
    ],
)
def test_check_agrees_with_itself_and_its_json(tiny: None, keys: list[str]) -> None:
    shown, told = run("check", *keys), run("check", *keys, "--json")
    assert shown.exit_code == told.exit_code == 0
    verdicts = json.loads(told.stdout, parse_constant=pytest.fail)
    wanted = [key for key in CATALOGUE if key in keys or key.split(".")[0] in keys]
    assert [verdict["claim"] for verdict in verdicts] == wanted
    for verdict in verdicts:
        head = f"{verdict['claim']:<26} we say: {verdict['we say']:<9} attacks say: "
        assert f"{head}{verdict['verdict']}\n    {verdict['what decides']}\n" in shown.stdout
        for name, value in verdict["evidence"].items():
            number = f"{value:.6g}" if isinstance(value, float) else value
            assert f"      {name}: {number}" in shown.stdout


def test_check_does_only_the_study_that_is_asked_for(
    tiny: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as only_linear:
        only_linear.setattr("sparsebound.study.compression_parts", pytest.fail)
        assert run("check", "fawzi2018").exit_code == 0
    monkeypatch.setattr("sparsebound.study.linear_parts", pytest.fail)
    told = run("check", "merkle2021.magnitude", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)[0]["verdict"] in {"holds", "refuted", "inconclusive"}


def test_check_seed_decides_the_numbers() -> None:
    one, same, other = (
        run("check", "mixtures.r2", "--json", "--seed", n).stdout for n in ("1", "1", "2")
    )
    assert one == same
    assert one != other


def judged_as(status: Any) -> Any:
    def verdict_of(key: str, cells: Any, networks: Any, *, seed: int) -> Verdict:
        return replace(not_covered(CATALOGUE[key], "because"), status=status)

    return verdict_of


# What we say of each, in the catalogue: proven, refuted, open.
@pytest.mark.parametrize("key", ["classics.svm", "classics.norm-outside", "mixtures.plug-in"])
@pytest.mark.parametrize("status", ["holds", "refuted", "inconclusive", "not covered"])
def test_check_exits_with_one_only_if_contradicted(
    monkeypatch: pytest.MonkeyPatch, key: str, status: str
) -> None:
    monkeypatch.setattr(study, "verdict_of", judged_as(status))
    monkeypatch.setattr("sparsebound.study.linear_parts", lambda *_, **__: [])
    bad = {("classics.svm", "refuted"), ("classics.norm-outside", "holds")}
    result = run("check", "classics.norm-inside" if status == "holds" else "mixtures.r2", key)
    expected = (key, status) in bad or status == "refuted"  # mixtures.r2, too, we call proven
    assert result.exit_code == int(expected)
    assert ("CONTRADICTS US" in result.stdout) == expected
    assert run("check", key, "--json").exit_code == int((key, status) in bad)


def raising(error: BaseException) -> Any:
    def verdict_of(*_: Any, **__: Any) -> Verdict:
        raise error

    return verdict_of


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ValueError("k must be\nin [1, d]; got k=0."), 2, "Error: k must be in [1, d]; got k=0."),
        (OSError(28, "No space left on device"), 2, "Error: [Errno 28] No space left on device"),
        (RuntimeError("boom"), 3, "Error: RuntimeError: boom (a defect: --traceback shows where)"),
        (MemoryError(), 3, "Error: MemoryError: (a defect: --traceback shows where)"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_check_never_exits_with_one_for_an_error(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(study, "verdict_of", raising(error))
    result = run("check", "classics.svm")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{said}\n")


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in run("check", "classics.svm").stdout
    assert "\x1b[" in run("check", "classics.svm", color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check", "classics.svm", color=True).stdout


@pytest.mark.parametrize("charset", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_terminal_can_show_what_is_told(charset: str) -> None:
    runner = CliRunner(charset=charset)
    assert runner.invoke(main, ["claims"]).exit_code == 0
    told = runner.invoke(main, ["claims", "--json"])
    statements = [claim["statement"] for claim in json.loads(told.stdout)]
    assert statements == [claim.statement for claim in CATALOGUE.values()]


def test_setting_columns_say_norm_and_box() -> None:
    assert setting_columns(2.0, None) == {"norm": 2, "box": "none"}
    assert setting_columns(math.inf, (0.1, math.inf)) == {"norm": "inf", "box": "0.1 inf"}
    assert setting_columns(0, (np.zeros(3), 1.0)) == {"norm": 0, "box": "per feature"}
