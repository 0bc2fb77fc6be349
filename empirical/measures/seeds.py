"""What networks of several training seeds have in common."""

import numpy as np
from numpy.typing import ArrayLike

from empirical.intervals import Interval, resampled_interval
from empirical.measures.checks import refuse_level


def over_seeds(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean over independent training seeds, with Student's interval.

    Kind: estimate, of the mean over seeds of whatever the values are: of upper bounds, it is the
    mean of upper bounds. All nan where a value is nan or infinite, or there are fewer than two.

    For networks trained from different seeds on one split and measured on the same inputs. Then
    the seeds are independent draws, given split and inputs: the interval covers other seeds, and
    neither other training data nor other inputs. For two ways of training, or pruning, give the
    differences seed by seed: what the split and the inputs have in common goes out of them.

    Parameters
    ----------
    values : array, shape (seeds,)
        One a seed.
    level : float

    Raises
    ------
    ValueError
        If the level is not in (0, 1), or values have another shape.

    Notes
    -----
    Student's limits assume values that are roughly normal over seeds. Over random splits of one
    data set, which share inputs, take `empirical.intervals.resampled_interval`.

    Examples
    --------
    >>> dense, pruned = np.array([0.90, 0.91, 0.92]), np.array([0.93, 0.95, 0.94])
    >>> [round(number, 3) for number in over_seeds(pruned - dense)]
    [0.03, 0.005, 0.055]
    """
    refuse_level(level)
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"values must have shape (seeds,); got shape {sample.shape}.")
    return resampled_interval(sample, test_to_train=0, level=level)
