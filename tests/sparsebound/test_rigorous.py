"""`--rigorous` of `sparsebound certify` and `sparsebound check`: what balls prove, and refusals."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sparsebound import rigorous_check, rigorous_radii
from sparsebound.main import main
from tests.sparsebound.certified import (
    DISTANCES,
    TOL,
    certify,
    check_refused,
    column,
    npz,
    numbers,
    random_layers,
    table,
)
from theory.linear import LinearClassifier, flip_distance
from theory.rigorous import CASES, Case
from theory.rigorous.moments import arb


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments, "--rigorous"])


@pytest.mark.parametrize("norm", ["2", "inf"])
def test_radii_are_proven(model: Path, data: Path, tmp_path: Path, norm: str) -> None:
    out = tmp_path / "rows.csv"
    summary = numbers(model, data, "--rigorous", "--norm", norm, "--out", out, "--eps", 0.7)
    assert column(out, "radius") == pytest.approx(DISTANCES, rel=TOL)
    assert all(r < d for r, d in zip(column(out, "radius"), DISTANCES, strict=True))
    assert column(out, "radius") == column(out, "float64 radius")
    assert {row["stands"] for row in table(out)} == {"true"}
    assert summary["kind"] == "proven in ball arithmetic"
    assert summary["float64 stands"] == "4 of 4"
    assert summary["certified accuracy at 0.7"] == 0.5
    assert summary["not proven"] == 0


def test_radius_planted_too_large_does_not_stand(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest, out = rigorous_radii._largest, tmp_path / "rows.csv"
    factors = np.array([1.0, 1.001, 1.0, 1.0])

    def planted(*arguments: Any) -> Any:
        for piece in largest(*arguments):
            object.__setattr__(piece, "lower", np.array(DISTANCES) * factors)
            yield piece

    monkeypatch.setattr(rigorous_radii, "_largest", planted)
    summary = numbers(model, data, "--rigorous", "--method", "crown", "--out", out)
    # The distance itself is a tie: 1e-9 less stands, a thousandth more nothing.
    hairs = [d * (1 - 1e-9) for d in DISTANCES]
    assert column(out, "radius") == [hairs[0], 0.0, hairs[2], hairs[3]]
    assert {row["stands"] for row in table(out)} == {"false"}
    assert (summary["float64 stands"], summary["not proven"]) == ("0 of 4", 1)
    assert summary["stands only up to a millionth less"] == 3


def test_wrong_inputs_have_radius_0(model: Path, tmp_path: Path) -> None:
    data, out = npz(tmp_path / "data.npz", X=[[3.0], [3.0]], y=[-1, 1]), tmp_path / "rows.csv"
    numbers(model, data, "--rigorous", "--out", out)
    assert column(out, "radius")[0] == 0.0
    assert table(out)[0]["kind"] == "exact"


def test_methods_that_balls_do_not_have_are_refused(model: Path, data: Path) -> None:
    for method in ("sdp", "lipsdp", "alpha-crown", "local-lipschitz"):
        said = "interval, fast-lin, crown, lipschitz"
        check_refused(certify(model, data, "--rigorous", "--method", method), method, said)
    check_refused(certify(model, data, "--rigorous", "--exact"), "--exact")
    check_refused(certify(model, data, "--rigorous", "--norm", 1), "--norm must be 2 or inf")
    check_refused(certify(model, data, "--rigorous", "--tol", 2), "--tol must be in (0, 1)")


def test_large_networks_are_refused_by_size(tmp_path: Path) -> None:
    net = npz(tmp_path / "net.npz", **random_layers(400, 800, 2))
    data = npz(tmp_path / "data.npz", X=np.zeros((1, 400)))
    check_refused(certify(net, data, "--rigorous"), "300,000 weights", "321,600")


def test_linear_distances_are_enclosed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    W, b, X = rng.normal(size=(3, 5)), rng.normal(size=3), rng.normal(size=(20, 5))
    linear, out = npz(tmp_path / "linear.npz", W=W, b=b), tmp_path / "rows.csv"
    data = npz(tmp_path / "data.npz", X=X)
    for norm, order in (("1", 1), ("2", 2), ("inf", np.inf)):
        summary = numbers(linear, data, "--rigorous", "--norm", norm, "--out", out, "--eps", 0.1)
        low, high = column(out, "distance at least"), column(out, "distance at most")
        expected = flip_distance(LinearClassifier(weights=W, bias=b), X, norm=order)
        # A dozen float64 operations, some of them cancelling.
        assert low == pytest.approx(expected, rel=1e-12)
        assert all(0 <= h - l <= 1e-15 * (1 + h) for l, h in zip(low, high, strict=True))
        assert summary["float64 stands"] == "20 of 20"
        assert summary["unchanged, at least, at 0.1"] == np.mean(expected > 0.1)
    check_refused(certify(linear, data, "--rigorous", "--box", -9, 9), "without a box")


def test_claims_are_met_in_balls() -> None:
    result = check("guo2018.r2", "guo2018.lipschitz-product", "mixtures.r2")
    assert result.exit_code == 0, result.stderr
    told = [line.split(":") for line in result.stdout.splitlines() if "we say:" in line]
    assert [parts[-1].strip() for parts in told] == ["holds", "refuted", "nothing"]
    assert "no rigorous check" in result.stdout
    assert "0.853553390593 ≤ 0.707106781187 disproven" in result.stdout


def test_verdicts_are_json() -> None:
    rows = json.loads(check("guo2018.rinf-clipped", "guo2018.r2-held-out", "--json").stdout)
    assert [row["verdict"] for row in rows] == ["refuted", "not covered"]
    assert rows[0]["measured"] == 1.0


def test_a_claim_that_balls_refute_contradicts_us(monkeypatch: pytest.MonkeyPatch) -> None:
    worse = Case("planted", arb(1), arb(1) + arb(1) / 10**6, 1.0)
    monkeypatch.setattr(rigorous_check, "CASES", {"guo2018.rinf-markov": lambda key, rng: [worse]})
    result = check("guo2018.rinf-markov")
    assert result.exit_code == 1
    assert "CONTRADICTS US" in result.stdout


def test_formulas_of_float64_that_are_off_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    off = Case("planted", arb(1), arb(1) / 2, 1.0 + 1e-6)
    monkeypatch.setattr(rigorous_check, "CASES", {"guo2018.rinf-markov": lambda key, rng: [off]})
    assert "float64's formula DOES NOT STAND" in check("guo2018.rinf-markov").stdout


def test_cases_balls_leave_open_are_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Case("planted", arb(1), arb(1, 0.1), 1.0)
    monkeypatch.setattr(rigorous_check, "CASES", {"guo2018.rinf-markov": lambda key, rng: [wide]})
    result = check("guo2018.rinf-markov")
    assert result.exit_code == 0
    assert "inconclusive" in result.stdout


def test_every_case_is_of_the_catalogue() -> None:
    from theory.claims import CATALOGUE  # noqa: PLC0415

    assert CASES.keys() <= CATALOGUE.keys()


@pytest.fixture
def no_flint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flint", None)
    for name in [n for n in sys.modules if n.startswith(("theory.rigorous", "sparsebound.rigor"))]:
        monkeypatch.delitem(sys.modules, name)
    import sparsebound  # noqa: PLC0415

    for name in ("rigorous_check", "rigorous_radii"):
        monkeypatch.delattr(sparsebound, name, raising=False)


@pytest.mark.usefixtures("no_flint")
def test_python_flint_that_is_not_installed_is_no_defect(model: Path, data: Path) -> None:
    install = "pip install 'sparsebound[rigorous]'"
    check_refused(certify(model, data, "--rigorous"), "python-flint", install)
    check_refused(check("guo2018.r2"), "python-flint", install)
    assert certify(model, data).exit_code == 0
