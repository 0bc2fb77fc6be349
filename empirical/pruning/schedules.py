"""When to prune: at once, ever more while training, or again and again with training between.

None trains by itself: each calls train(model), which trains it in place, pruned weights staying
pruned. Generators yield after each stage, so that a caller can save state_of(model) and the state
of rng, and go on later: restore both, and say how many stages are done.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from torch import nn

from empirical.pruning.masks import apply_masks
from empirical.pruning.schemes import Scheme, masks_for, pruned_layers
from empirical.pruning.selection import as_compression
from empirical.pruning.stages import Stage, Train, refuse_done, trained_stage

# Of Merkle et al. 2021.
COMPRESSIONS: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)


def one_shot(
    model: nn.Module,
    scheme: Scheme,
    *,
    compression: float | Fraction,
    train: Train,
    rng: np.random.Generator,
    at_least: int = 0,
) -> Stage:
    """Prune a trained network at once and train it on, in place; return what has come of it.

    Parameters
    ----------
    model : torch module
        Pruned as it is: train it before.
    scheme : Scheme
    compression : float or Fraction, at least 1
    train : function of the model
        Trains it in place; what it returns is kept in the stage.
    rng : Generator
    at_least : int
        As of `masks_for`.

    Raises
    ------
    TypeError, ValueError
        As `masks_for`.

    Examples
    --------
    >>> from empirical.pruning.schemes import SCHEMES
    >>> model, rng = nn.Sequential(nn.Linear(4, 1)), np.random.default_rng(0)
    >>> scheme = SCHEMES["weight magnitude layer"]
    >>> one_shot(model, scheme, compression=4, train=lambda model: None, rng=rng).compression
    4.0
    """
    stages = iterative(
        model, scheme, compressions=[compression], train=train, rng=rng, at_least=at_least
    )
    return next(stages)


def iterative(
    model: nn.Module,
    scheme: Scheme,
    *,
    compressions: Sequence[float | Fraction] = COMPRESSIONS,
    train: Train,
    rng: np.random.Generator,
    at_least: int = 0,
    done: int = 0,
) -> Iterator[Stage]:
    """Yield a network pruned to each compression in turn, trained after each, in place.

    Parameters
    ----------
    model : torch module
    scheme : Scheme
    compressions : sequence of float or Fraction, at least 1
        Rising. The first can be 1, which leaves the network dense and trains it.
    train, rng, at_least
        As of `one_shot`. In the paper's protocol train goes on until validation says stop.
    done : int
        Stages done before, which are left out.

    Yields
    ------
    Stage

    Raises
    ------
    TypeError, ValueError
        At once if compressions do not rise or the network has no layer for the scheme; later as
        `masks_for`.

    Notes
    -----
    Merkle, Samsinger, Schöttle 2021 (arXiv 2108.08560).

    Examples
    --------
    >>> from empirical.pruning.schemes import SCHEMES
    >>> model, rng = nn.Sequential(nn.Linear(8, 1)), np.random.default_rng(0)
    >>> stages = iterative(
    ...     model, SCHEMES["weight random layer"], compressions=(1, 2, 8), train=len, rng=rng
    ... )
    >>> [stage.compression for stage in stages]
    [1.0, 2.0, 8.0]
    """
    levels = [as_compression(compression) for compression in compressions]
    if any(after <= before for before, after in pairwise(levels)):
        raise ValueError(f"compressions must rise; got {', '.join(map(str, compressions))}.")
    refuse_done(done, len(levels))
    pruned_layers(model, scheme)
    return _stages(model, scheme, levels, train=train, rng=rng, at_least=at_least, done=done)


def gradual(
    model: nn.Module,
    scheme: Scheme,
    *,
    compression: float | Fraction,
    steps: int,
    train: Train,
    rng: np.random.Generator,
    start: float | Fraction = 1,
    at_least: int = 0,
    done: int = 0,
) -> Iterator[Stage]:
    """Yield a network pruned in steps of `cubic_density`, trained after each, in place.

    Parameters
    ----------
    model : torch module
        Pruned as it is: train it before.
    scheme : Scheme
    compression : float or Fraction, at least 1
        After the last step.
    steps : int, positive
    train, rng, at_least
        As of `one_shot`. Here train is short: some passes over the data.
    start : float or Fraction, in [1, compression]
        The compression before the first step.
    done : int
        Steps done before, which are left out.

    Yields
    ------
    Stage

    Raises
    ------
    TypeError, ValueError
        At once if steps, start or compression are out of range, or the network has no layer for
        the scheme; later as `masks_for`.

    Notes
    -----
    Zhu, Gupta 2017 (arXiv 1710.01878), equation 1.

    Examples
    --------
    >>> from empirical.pruning.schemes import SCHEMES
    >>> model, rng = nn.Sequential(nn.Linear(64, 1)), np.random.default_rng(0)
    >>> stages = gradual(
    ...     model, SCHEMES["weight random layer"], compression=8, steps=2, train=len, rng=rng
    ... )
    >>> [int(stage.masks["0"].sum()) for stage in stages]
    [15, 8]
    """
    densities = [
        cubic_density(step, steps=steps, compression=compression, start=start)
        for step in range(1, steps + 1)
    ]
    if not densities:
        raise ValueError(f"steps must be at least 1; got {steps}.")
    refuse_done(done, steps)
    pruned_layers(model, scheme)
    levels = [1 / density for density in densities]
    return _stages(model, scheme, levels, train=train, rng=rng, at_least=at_least, done=done)


def cubic_density(
    step: int, *, steps: int, compression: float | Fraction, start: float | Fraction = 1
) -> Fraction:
    """Return the share kept after a step of gradual pruning: fast at first, slow at last.

    Kind: exact: d + (d_0 - d) (1 - step/steps)³ with d = 1/compression and d_0 = 1/start.

    Parameters
    ----------
    step : int, in [0, steps]
    steps : int, positive
    compression : float or Fraction, at least 1
        After the last step.
    start : float or Fraction, in [1, compression]
        Before the first.

    Raises
    ------
    TypeError, ValueError
        If one is out of range.

    Notes
    -----
    Zhu, Gupta 2017 (arXiv 1710.01878), equation 1, of densities instead of sparsities.

    Examples
    --------
    >>> cubic_density(1, steps=2, compression=8)
    Fraction(15, 64)
    """
    last, first = 1 / as_compression(compression), 1 / as_compression(start)
    if first < last:
        raise ValueError(f"start must be at most compression, {compression}; got {start}.")
    if not 0 <= step <= steps or steps < 1:
        raise ValueError(f"step must be in [0, steps], steps positive; got {step}, {steps}.")
    return last + (first - last) * (1 - Fraction(step, steps)) ** 3


def _stages(
    model: nn.Module,
    scheme: Scheme,
    levels: Sequence[Fraction],
    *,
    train: Train,
    rng: np.random.Generator,
    at_least: int,
    done: int,
) -> Iterator[Stage]:
    for number, level in list(enumerate(levels))[done:]:
        apply_masks(model, masks_for(model, scheme, compression=level, rng=rng, at_least=at_least))
        yield trained_stage(model, train, number=number, asked=float(level))
