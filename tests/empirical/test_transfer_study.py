"""One network's pruned versions, and the table of which points fool which of them."""

from typing import Any

import numpy as np
import pytest
import torch

from empirical.data import digits, split
from empirical.measures import TransferMatrix, transfer_of_points
from empirical.pruning import compression_of
from empirical.transfer_study import pruned_versions, transfer_study, transfer_table


@pytest.fixture(scope="module")
def matrix() -> TransferMatrix:
    return transfer_study(seed=0, compressions=(1, 4, 16), inputs=40, epochs=3)


def test_pruned_versions_have_their_compressions_and_nothing_else_in_common() -> None:
    data = split(digits(), rng=np.random.default_rng(0))
    models = pruned_versions(data, (1, 2, 8), epochs=1, rng=np.random.default_rng(0))
    # Of 1480 weights those kept are rounded to whole ones.
    assert [round(compression_of(model), 2) for model in models] == [1.0, 2.0, 8.0]
    kept = [{name: b.clone() for name, b in model.named_buffers()} for model in models]
    for name in kept[0]:
        assert kept[0][name].all()
        assert not torch.equal(kept[1][name], kept[2][name])


def test_transfer_study_gives_the_same_again(matrix: TransferMatrix) -> None:
    again = transfer_study(seed=0, compressions=(1, 4, 16), inputs=40, epochs=3)
    assert again.names == matrix.names == ("dense", "compression 4", "compression 16")
    np.testing.assert_array_equal(again.witnesses, matrix.witnesses)
    np.testing.assert_array_equal(again.wrong_at, matrix.wrong_at)


def test_transfer_study_keeps_points_near_and_in_the_box(matrix: TransferMatrix) -> None:
    X = split(digits(), rng=np.random.default_rng([0, 5])).test.X[:40]
    assert (np.abs(matrix.witnesses - X).max(axis=2) <= matrix.eps * (1 + 1e-9)).all()
    assert matrix.witnesses.min() >= 0
    assert matrix.witnesses.max() <= 1


def test_transfer_table_counts_what_the_matrix_holds(matrix: TransferMatrix) -> None:
    for row in transfer_table(matrix):
        s, t = (matrix.names.index(row[key]) for key in ("source", "target"))
        tried = matrix.right[s] & matrix.right[t] & matrix.wrong_at[s, s]
        fooled = int((tried & matrix.wrong_at[s, t]).sum())
        assert (row["tried"], row["fooled"]) == (tried.sum(), fooled)
        assert row["rate"] == fooled / tried.sum()
        assert row["low"] <= row["rate"] <= row["high"]
        own = matrix.wrong_at[s, s][matrix.right[s]]
        assert (row["source right"], row["source fooled"]) == (own.size, own.mean())
        assert (row["kind"], row["inputs"], row["norm"]) == ("exact", 40, np.inf)


def test_transfer_table_of_a_network_that_is_never_right() -> None:
    one, always_wrong = affine([1.0, 0.0], 0.0), affine([0.0, 0.0], -1.0)
    models: Any = {"one": one, "dead": always_wrong}
    points = {"one": [[-1.0, 0.0]], "dead": [[1.0, 0.0]]}
    found = transfer_of_points(points, models, [[1.0, 0.0]], [0], eps=2.0, norm=2, box=None)
    rows = {(row["source"], row["target"]): row for row in transfer_table(found)}
    assert rows["one", "one"]["source fooled"] == 1.0
    assert (rows["dead", "one"]["tried"], rows["one", "dead"]["tried"]) == (0, 0)
    assert np.isnan(rows["dead", "one"]["rate"])
    assert np.isnan(rows["dead", "dead"]["source fooled"])


def affine(slope: list[float], bias: float) -> torch.nn.Linear:
    """Return scores whose first less second is slope · x + bias."""
    model = torch.nn.Linear(2, 2)
    weights = torch.tensor([slope, [0.0, 0.0]])
    model.load_state_dict({"weight": weights, "bias": torch.tensor([bias, 0.0])})
    return model
