"""How far the root mean square of a path norm is above its mean: by Jensen's gap, and no less."""

from itertools import pairwise

import numpy as np

from theory.networks import ReluNetwork
from theory.random_masks import expected_norm_bound, rms_path_norm, sampled_path_norms


def test_the_root_mean_square_is_above_the_mean_by_a_gap_of_its_own() -> None:
    # 784-300-100-10 at density .1. Draws tell E X = r (1 - E (X/r - 1)²/2): proof, section 3.
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(o, i)) for i, o in pairwise((784, 300, 100, 10))]
    net = ReluNetwork(weights=weights)
    rms, sharp = rms_path_norm(net, 0.9), expected_norm_bound(net, 0.9)
    drawn = sampled_path_norms(net, 0.9, count=200, rng=rng)
    shares = 1 - (drawn / rms - 1) ** 2 / 2  # of the mean in the root mean square
    share, error = shares.mean(), 4 * shares.mean(axis=1).std(ddof=1) / np.sqrt(200)
    assert 1 / (share + error) > 1.05
    # What is told more than E X² is nearer to the mean, for each output and by far.
    assert (sharp < rms / 1.02).all()
    assert 1 / (share - error) * (sharp / rms).max() < 1.05
