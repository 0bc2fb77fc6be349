"""Claims about ratios: found by their names, with predictions as their statements say."""

import numpy as np
import pytest

from theory.claims import CATALOGUE, find_claims
from theory.claims.guo2018_ratio import CLAIMS
from theory.initialised import RandomNetwork
from theory.networks import ReluNetwork


def test_claims_are_found_by_their_source() -> None:
    ours = {claim.key for claim in CLAIMS}
    assert ours <= {claim.key for claim in find_claims("guo2018")}
    assert [claim.key for claim in find_claims("initialised")] == ["initialised.distance"]
    keys = list(CATALOGUE)  # draws of a check follow from the place of its claim
    assert keys.index("guo2018.ratio-law") > keys.index("guo2018.lipschitz-falls")


def test_sources_of_random_networks_are_cited() -> None:
    bibtex = CATALOGUE["initialised.distance"].source.bibtex
    assert bibtex.count("@inproceedings") == 2
    assert "Daniely" in bibtex
    assert "Bubeck" in bibtex
    assert bibtex.count("{") == bibtex.count("}")


@pytest.mark.parametrize("key", ["ratio-law", "ratio-fixed", "ratio-mean"])
def test_the_law_has_no_density_and_the_median_of_half_a_normal(key: str) -> None:
    predict = CATALOGUE[f"guo2018.{key}"].predict
    median = 0.67449 * 3.0 / np.sqrt(10_000)
    assert predict(median, dimension=10_000, input_norm=3.0) == pytest.approx(0.5, abs=1e-4)
    quantile = CATALOGUE["initialised.distance"].predict
    assert quantile(0.5, dimension=10_000, input_norm=3.0) == pytest.approx(median, rel=1e-3)


def test_mean_squares_have_the_ratio_of_their_statement() -> None:
    x = np.array([3.0, 4.0])
    found = CATALOGUE["guo2018.ratio-moments"].predict(
        RandomNetwork(widths=(2, 7, 5), densities=(0.3, 0.2, 0.9)), x
    )
    assert found[0] / found[1] == pytest.approx(25 / 2, rel=1e-12)


def test_held_units_give_the_note_of_its_counterexample() -> None:
    predict = CATALOGUE["guo2018.ratio-pattern"].predict
    net = ReluNetwork(weights=[[[1.0]]], biases=[[1.0]])
    for x, rho in ((1.0, 0.25), (2.0, 0.04)):
        found = predict(net, 1 - rho, [[x]], [[1.0]]).ratio.item()
        assert found == pytest.approx((rho * x + 1) / np.sqrt(rho), rel=1e-12)
