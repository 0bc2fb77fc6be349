"""Exact and certified counts on two small MNIST nets, whose robust counts others have bounded."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theory.certify import certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, class_scores

DATA = Path(
    os.environ.get("SPARSEBOUND_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)
needs_data = pytest.mark.skipif(
    not (DATA / "nets" / "lean").exists() or not (DATA / "mnist").exists(),
    reason=f"no MNIST or nets in {DATA}",
)


def images(count: int) -> tuple[Any, Any]:
    folder = DATA / "mnist"
    pixels = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    X = np.frombuffer(pixels, np.uint8, offset=16, count=784 * count).reshape(count, 784)
    return X.astype(np.float64), np.frombuffer(labels, np.uint8, offset=8, count=count).astype(int)


def lean(name: str) -> tuple[ReluNetwork, Any, Any]:
    X, y = images(100)
    with np.load(DATA / "nets" / "lean" / f"{name}.npz") as stored:
        net = ReluNetwork(weights=[stored["W1"], stored["W2"]])
    if name == "SF":
        return net, X / 255, y
    return net, X.reshape(-1, 7, 4, 7, 4).sum(axis=(2, 4)).reshape(-1, 49) / 4080, y


# The published pairwise LipSDP certificates and L2-PGD bounds, of the first 100 test images.
published = pytest.mark.parametrize(
    ("name", "eps", "certified", "attacked", "exact"),
    [("S49", 0.1, 69, 72, 72), ("SF", 0.1, 93, 93, 93), ("SF", 0.3, 91, 92, 92)],
)


@needs_data
@published
def test_exact_counts_lie_between_certificate_and_attack(
    name: str, eps: float, certified: int, attacked: int, exact: int
) -> None:
    net, X, y = lean(name)
    found = exact_distance(net, X, y)
    assert set(found.status) == {"exact"}
    counts = [int((side > eps).sum()) for side in (found.lower, found.upper)]
    assert counts == [exact, exact]
    assert certified <= exact <= attacked
    assert found.witness is not None
    scores = class_scores(net, found.witness)
    own = scores[np.arange(100), y].copy()
    scores[np.arange(100), y] = -np.inf
    # A witness ties up to the rounding of its scores, which sum 784 products at most.
    assert (scores.max(axis=1) >= own - 1e-12 * (1 + np.abs(own))).all()


@needs_data
@published
def test_lipsdp_certifies_the_published_counts_and_best_no_fewer(
    name: str, eps: float, certified: int, attacked: int, exact: int
) -> None:
    net, X, y = lean(name)
    radii = [certified_radius(net, X, y, method=method).lower for method in ("lipsdp", "best")]
    lipsdp, best = (int((found > eps).sum()) for found in radii)
    assert certified <= lipsdp <= best <= exact <= attacked
