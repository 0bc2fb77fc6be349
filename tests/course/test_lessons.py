"""Every lesson runs from top to bottom and says what its text says."""

import numpy as np
import pytest

from tests.course.lessons import run


def test_distance_to_a_hyperplane(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(1)
    assert np.allclose(found["by_hand"], found["distances"], rtol=1e-9)
    # An upper bound that ends a hair beyond: DeepFool overshoots by 1e-4.
    assert 1 <= found["ratio"].min() <= found["ratio"].max() < 1.001
    assert found["outside"] > 0
    assert found["boxed"].norms[0] > found["flip"].norms[0]
    assert np.allclose(found["general"], found["true"], rtol=1e-9)
    assert np.allclose(found["written"] - found["true"], found["hidden"], atol=1e-12)
    assert np.abs(found["written"] / found["true"] - 1).max() > 0.2
    # "on both sides the true r_2 rises"
    assert found["true"][[0, -1]].min() > found["true"].min()
    assert "use r_2_general" in capsys.readouterr().out


def test_norms_and_duality() -> None:
    found = run(2)
    dense, sparse = (found["mean_distances"][name] for name in ("dense", "sparse"))
    assert sparse[1] < dense[1]
    assert sparse[2] < dense[2]
    assert sparse[np.inf] > dense[np.inf]
    # FGSM is the best attack here: what it leaves is the formula's, up to inputs at a tie.
    assert np.allclose(found["fgsm"], found["exact_at_steps"], atol=1.5 / found["y"].size)
    assert found["bound"] == pytest.approx(5 / 6)
    assert (found["free"], found["clipped"]) == (0.0, 1.0)
    # .5 is lost at a rate of 2 without a box, of 1.5 within.
    assert found["free_step"] == pytest.approx(1 / 4)
    assert found["boxed_step"] == pytest.approx(1 / 3)
    assert found["moved"] == 50
    budgets = found["budgets"]
    assert (found["violated"] == ((budgets > 1 / 4) & (budgets < 1 / 3))).all()


def test_gaussian_classes() -> None:
    found = run(3)
    # Four standard errors: a false alarm in 16,000.
    assert (np.abs(found["predicted"] - found["counted"]) < 4 * found["noise"] + 1e-9).all()
    assert (found["best"] >= found["of_bayes"] - 1e-12).all()
    assert found["used"][[0, 19, 21]].tolist() == [101, 101, 1]
    assert found["price"][50] == pytest.approx(0.146, abs=5e-4)
    assert found["price"].min() >= -1e-12
    # The mean of forty draws of fifty inputs has a standard error below .012.
    assert np.abs(found["fresh"] - found["formula"]).max() < 0.05
    assert (found["seen"] - found["formula"])[10] > 0.05
    assert found["counts"] == [3, 2, 3, 2]


@pytest.mark.slow
def test_the_sandwich() -> None:
    found = run(4)
    exact, rounding = found["exact"], 1 + 1e-6
    assert set(exact.status) == {"exact"}
    for lower in ("interval", "crown", "certificate"):
        assert (found[lower] <= exact.upper * rounding).all()
    for upper in ("attack", "weak"):
        assert (found[upper] >= exact.lower / rounding).all()
    assert (found["certificate"] >= found["interval"]).all()
    assert np.median(found["weak"]) > 2 * np.median(found["attack"])
    assert found["upside_down"] > 0
    assert (found["boxed"] <= found["boxed_exact"].upper * rounding).all()
    assert (found["boxed_exact"].upper >= exact.lower / rounding).all()
    assert found["score"] > 1.5 * found["true"].upper[0]


@pytest.mark.slow
def test_checking_a_claim() -> None:
    found = run(9)
    assert found["verdict"].status == "refuted"
    # Four standard errors of 4,000 simulated studies at the widest.
    for effect, curve in found["curves"].items():
        assert np.abs(found["found"][effect] - curve).max() < 4 * 0.5 / np.sqrt(4000)
    assert found["curves"][0.67][0] == pytest.approx(1 / 9, abs=0.01)
    shares = found["shares"]
    assert shares["trend", 3]["holds"] < 50 < shares["trend", 60]["holds"]
    assert shares["equivalence", 60]["holds"] > 50
    assert np.allclose(found["raw"], 1 - 0.95 ** found["many"], atol=4 * 0.5 / np.sqrt(4000))
    assert found["corrected"].max() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 4000)
    # 400 data sets: the level and four standard errors.
    assert found["repaired"].max() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    assert found["naive"][-1] > 0.5
    assert (np.diff(found["naive"]) > 0).all()
    assert {name: v.status for name, v in found["own_verdicts"].items()} == {
        "L2": "holds",
        "L∞": "refuted",
    }


@pytest.mark.slow
def test_pruning_and_lipschitz() -> None:
    found = run(5)
    assert (found["shares"] <= 1 + 1e-6).all()
    assert (found["rms"] <= found["product"] * (1 + 1e-9)).all()
    # Means of 100 masks and ten outputs: within a tenth of the root mean square, from below.
    assert (found["path"] <= found["rms"] * 1.1).all()
    assert (found["gradient"] < found["path"]).all()
    for falling in ("rms", "slope", "margin", "accuracy"):
        assert (np.diff(found[falling]) < 0).all(), falling
    relative = {name: found[name] / found[name][0] for name in ("slope", "margin", "r_2")}
    assert (relative["margin"][1:] < relative["slope"][1:]).all()
    assert relative["r_2"][found["at"]] < 0.5
    # Four standard errors; a slope is 0 or 1, a norm at most √2.
    assert found["drawn"].mean() == pytest.approx(
        np.sqrt(2) / 4 + 0.5, abs=4 * 0.5 / np.sqrt(20_000)
    )
    assert found["drawn"].mean() > found["claimed"]
    kept = found["kept"]
    assert np.abs(found["slopes_at"] - 2 * kept * (1 - kept)).max() < 4 * 0.5 / np.sqrt(1000)


@pytest.mark.slow
def test_exact_verification() -> None:
    found = run(6)
    assert found["flip"].certified < found["flip"].exact < found["flip"].attacked
    # Branch and bound stops at a relative 1e-6.
    assert found["within"].sum() > 20
    assert found["gap"] < 1e-5
    assert set(found["search"].status) == {"exact"}
    assert (found["mean_nodes"] < found["regions"]).all()
    inside, ratio = found["inside"], found["ratio"]
    assert 0 < inside.sum() < inside.size
    assert np.allclose(ratio[inside], 1, rtol=1e-5)
    assert ratio[~inside].max() > 2
    assert (ratio > 1.001).mean() > 0.5 > (ratio < 0.999).mean() > 0
    assert (found["bend_linear"], found["bend_exact"]) == (pytest.approx(0.15), np.inf)


@pytest.mark.slow
def test_lottery_tickets() -> None:
    found = run(7)
    # Nelder and Mead's 1e-9 in the weights is far below the gap.
    assert found["nearest"] > 0.01
    results = found["results"]
    for values in results.values():
        assert (values[..., 1] <= values[..., 2]).all(), "proven ≤ left by attacks"
    natural, first, anew = (results[kind].mean(axis=1) for kind in found["kinds"])
    assert found["left"][-1] == pytest.approx(1 / 6, abs=0.02)
    assert (first[:, 2] - natural[:, 2] > 0.03).all()
    assert first[0, 2] - first[-1, 2] < 0.15
    assert anew[-1, 0] < first[-1, 0] - 0.05
    assert all(gap.low > 0 for gap in found["gaps"].values())


@pytest.mark.slow
def test_before_training() -> None:
    found = run(8)
    # Twenty draws: each spread is known to a sixth; it falls by a half and a half.
    assert found["spreads"][0] > 2 * found["spreads"][2]
    # d = 400 and six draws: .005 of finite size, and four standard errors.
    assert (found["off"] < [0.005, 0.01, 0.015] + 4 * found["error"]).all()
    assert found["by_solver"] == pytest.approx(found["by_hand"], abs=1e-6)
    assert (found["curves"]["L1"][10:] > found["curves"]["L2"][10:]).all()
    reality, doubt = found["reality"], found["doubt"]
    assert abs(reality[0] - found["promised"]) < 0.005 + 4 * doubt[0]
    assert found["promised"] - reality.min() > 0.02
    assert found["commons"][reality.argmin()] > 0
    assert reality[-1] > reality.min()
