"""What rounding cannot refute: spectral norms, definiteness, the relation, and the record."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from theory.lipschitz import LipschitzBound, lipsdp_layer, spectral_norm
from theory.lipschitz.relation import reduced_input, relate
from theory.lipschitz.verified import is_positive_definite
from theory.networks import ReluNetwork, forward


def test_spectral_norm_is_above_and_close() -> None:
    rng = np.random.default_rng(0)
    for m, n in ((1, 5), (7, 7), (40, 9), (3, 300)):
        for scale in (1e-180, 1.0, 1e180):
            A = scale * rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.5)
            true = np.linalg.norm(A / scale, 2) * scale
            for matrix in (A, sp.csr_array(A)):
                found = spectral_norm(matrix)
                # The SVD's value is off by some roundings, the bound by n² of them.
                assert true * (1 - 1e-14) <= found <= true * (1 + 1e-10)
    assert spectral_norm(np.zeros((3, 2))) == 0.0


def test_spectral_norm_of_rank_one_is_above_in_exact_arithmetic() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        row = rng.normal(size=6)
        exact = sum(Fraction(float(v)) ** 2 for v in row)
        assert Fraction(spectral_norm(row[None])) ** 2 >= exact
        assert Fraction(spectral_norm(np.vstack([row, 0 * row]))) ** 2 >= exact


def test_is_positive_definite_refuses_what_is_not_by_a_hair() -> None:
    rng = np.random.default_rng(2)
    for n in (2, 10, 60):
        Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
        for least, expected in ((-1e-13, False), (1e-9, True)):
            values = np.append(least, rng.uniform(0.5, 1.5, n - 1))
            A = (Q * values) @ Q.T
            assert is_positive_definite((A + A.T) / 2) is expected
    assert not is_positive_definite(np.eye(2), error=1.0)
    assert not is_positive_definite(np.diag([1.0, np.nan]))


@pytest.mark.parametrize("seed", range(5))
def test_relation_reproduces_differences_of_outputs(seed: int) -> None:
    """Real pairs of inputs satisfy δz = ζ (x, a) and C δf = u (x, a), linear units and all."""
    rng = np.random.default_rng(seed)
    widths = (3, 6, 5, 4, 2)
    net = ReluNetwork(
        weights=[rng.normal(size=(o, i)) * (rng.random((o, i)) < 0.8) for i, o in pairwise(widths)],
        biases=[rng.normal(size=w) for w in widths[1:]],
        relu=[rng.random(w) < 0.6 for w in widths[1:-1]],
    )
    C = rng.normal(size=(2, 2))
    relation = relate(net, C)
    X = rng.normal(size=(2, 3))
    a, z = [], []
    values = X
    for W, b, mask in zip(net.weights, net.biases, net.relu, strict=False):
        before = values @ W.T + b
        values = np.where(mask, np.maximum(before, 0), before)
        a.append(values[0] - values[1])
        z.append(before[0] - before[1])
    moves = [a[j][i] for j, i in zip(relation.layer, relation.unit, strict=True)]
    seen = [z[j][i] for j, i in zip(relation.layer, relation.unit, strict=True)]
    v = np.concatenate([X[0] - X[1], moves / relation.scale])
    # Some tens of roundings of numbers near ten.
    np.testing.assert_allclose(relation.scale * (relation.rows @ v), seen, atol=1e-12)
    outputs = C @ (forward(net, X)[0] - forward(net, X)[1])
    np.testing.assert_allclose(relation.outputs @ v, outputs, atol=1e-12)


def test_reduced_input_has_the_same_gram_matrix() -> None:
    W = np.random.default_rng(3).normal(size=(4, 30))
    reduced = reduced_input(W)
    assert reduced.F.shape == (4, 4)
    np.testing.assert_allclose(reduced.F @ reduced.F.T, W @ W.T, atol=1e-12)  # some roundings of 30
    assert 0 < reduced.error.max() < 1e-12
    assert 0 < reduced.skew < 1e-12


def test_relation_leaves_out_what_cannot_move_or_does_not_count() -> None:
    W1 = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]])
    net = ReluNetwork(weights=[W1, [[1.0, 5.0, 0.0]]])
    relation = relate(net)
    assert relation.unit.tolist() == [0]
    assert lipsdp_layer(net).multipliers[0].nonzero()[0].tolist() == [0]


def test_lipschitz_bound_refusals() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        LipschitzBound(value=1.0, kind="estimate", method="none")
    with pytest.raises(ValueError, match="value must be at least 0"):
        LipschitzBound(value=float("nan"), kind="upper", method="none")
