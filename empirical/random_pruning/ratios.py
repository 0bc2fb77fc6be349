"""Margin over gradient of networks drawn, trained and trained on, pruned at random: as a table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from empirical.intervals import Interval
from empirical.random_pruning.constant import Stack, constant_rows
from empirical.random_pruning.trained import TrainedDigits, networks, trained_on
from empirical.ratio_study import RandomWeights, drawn_squares, masked_margins, nearest_forms
from theory.initialised import RandomNetwork, expected_squares, gaussian_margin_slope
from theory.networks import ReluNetwork
from theory.validation import FloatArray

Row = dict[str, Any]
DENSITIES = (1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32)
STAGES = ("drawn", "trained", "retrained")
_LEVEL = 0.95


class Effort(NamedTuple):
    """How much is measured.

    Attributes
    ----------
    inputs : int
    draws : int
        Of networks, for each input.
    masks : int
        Of the trained network.
    retrained, epochs : int
        Masks that it is trained on with, and for how long.
    constant : int
        Networks of which is counted how many have an output that is constant.
    """

    inputs: int = 20
    draws: int = 60
    masks: int = 100
    retrained: int = 12
    epochs: int = 12
    constant: int = 300


_EFFORT = Effort()


def ratio_table(
    trained: TrainedDigits,
    rng: np.random.Generator,
    *,
    densities: Sequence[float] = DENSITIES,
    effort: Effort = _EFFORT,
) -> list[Row]:
    """Return margins, L2 gradient norms, their ratio and how often an output is constant.

    Of networks of one size without biases, each weight kept with the density: drawn after He et
    al.; trained; trained, and under their masks trained on. Margins are of the label over the best
    other one of the dense network; of networks drawn, of any two outputs. Kind: each row says it.
    Of networks drawn, predictions are exact, root mean squares; of trained ones estimates, the mean
    margin and the root mean square of gradients, as if none was trained on. Measured: estimates
    with 95 % limits, over networks or masks, which see nothing of the theory.

    Parameters
    ----------
    trained : TrainedDigits
    rng : numpy.random.Generator
    densities : sequence of float in (0, 1]
    effort : Effort

    Returns
    -------
    list of dict
        Keys network, stage, measure, density, what, kind, value, low and high: the limits, or the
        value. Nan where no gradient is left.
    """
    X, y = trained.test.X[: effort.inputs], trained.test.y[: effort.inputs]
    forms = nearest_forms(trained.net, X, y)
    rows: list[Row] = []
    for density in densities:
        stacks = _stacks(trained, density, effort, rng)
        found = {
            "drawn": _drawn(trained.net, X, density=density, effort=effort, rng=rng),
            "trained": _trained(
                trained.net, X, forms, density=density, count=effort.masks, rng=rng
            ),
            "retrained": _retrained(stacks["retrained"], X, forms, rng),
        }
        told = found["trained"].predicted
        found["retrained"] = found["retrained"]._replace(predicted=told)
        for stage, one in found.items():
            what = "predicted, not trained on" if stage == "retrained" else "predicted"
            rows += _rows(stage, density, what, one.kind, one.predicted)
            rows += _rows(stage, density, "measured", "estimate", one.measured)
        rows += constant_rows(trained.net, density, stacks, X, rng=rng)
    return [{"network": trained.name} | row for row in rows]


class _Found(NamedTuple):
    """The kind of predictions, and by measure what is predicted and what was measured."""

    kind: str
    predicted: dict[str, Interval]
    measured: dict[str, Interval]


Statistics = dict[str, Callable[[FloatArray, FloatArray], Any]]
# Of a mean square of margins, or a mean of them; and of a mean square of gradients.
_OF_SQUARES: Statistics = {
    "margin": lambda square, _: np.sqrt(square),
    "gradient": lambda _, square: np.sqrt(square),
    "ratio": lambda margin, square: np.sqrt(margin / square),
}
_OF_MEANS: Statistics = {
    "margin": lambda mean, _: mean,
    "gradient": lambda _, square: np.sqrt(square),
    "ratio": lambda mean, square: mean / np.sqrt(square),
}


def _drawn(
    net: ReluNetwork, X: FloatArray, *, density: float, effort: Effort, rng: np.random.Generator
) -> _Found:
    """Return the moments of the difference of two outputs of networks drawn, and a sample's."""
    widths = (net.dimension, *net.widths)
    he = 2 / np.array(widths)
    law = RandomNetwork(widths=widths, densities=density, deviations=np.sqrt(he), difference=True)
    told = np.array([expected_squares(law, x) for x in X]).mean(axis=0)
    drawn = RandomWeights(widths, density=density, outputs=2)
    sample = [drawn_squares(drawn, x, count=effort.draws, rng=rng) for x in X]
    measured = np.concatenate(sample) * he.prod()  # drawn with variance one
    return _Found("exact", _known(_OF_SQUARES, told), _jackknifed(_OF_SQUARES, measured))


def _trained(
    net: ReluNetwork,
    X: FloatArray,
    forms: FloatArray,
    *,
    density: float,
    count: int,
    rng: np.random.Generator,
) -> _Found:
    """Return the moments of margins under masks, and those of masks drawn."""
    model = gaussian_margin_slope(net, 1 - density, X, forms)
    told = np.array([model.margin.mean(), (model.slope**2).mean()])
    kept = [density] * net.depth
    found = masked_margins(net, X, forms, densities=kept, count=count, rng=rng)
    sample = np.stack([found.margins.mean(axis=1), (found.slopes**2).mean(axis=1)], axis=1)
    return _Found("estimate", _known(_OF_MEANS, told), _jackknifed(_OF_MEANS, sample))


def _retrained(
    weights: Stack, X: FloatArray, forms: FloatArray, rng: np.random.Generator
) -> _Found:
    """Return what margins and gradients of given networks are; nothing predicts them."""
    sample = []
    for net in networks(weights):
        found = masked_margins(net, X, forms, densities=[1.0] * net.depth, count=1, rng=rng)
        sample.append([found.margins.mean(), (found.slopes**2).mean()])
    return _Found("estimate", {}, _jackknifed(_OF_MEANS, np.array(sample)))


def _stacks(
    trained: TrainedDigits, density: float, effort: Effort, rng: np.random.Generator
) -> dict[str, Stack]:
    """Return weights under masks drawn: of networks drawn, the one trained, and it trained on."""
    dense = [np.asarray(W) for W in trained.net.weights]

    def kept(count: int) -> Stack:
        return [(rng.random((count, *W.shape)) < density).astype(np.float64) for W in dense]

    pruned = [W * M for W, M in zip(dense, kept(effort.retrained), strict=True)]
    return {
        "drawn": [
            rng.normal(size=M.shape) * np.sqrt(2 / M.shape[2]) * M for M in kept(effort.constant)
        ],
        "trained": [W * M for W, M in zip(dense, kept(effort.constant), strict=True)],
        "retrained": trained_on(pruned, trained.train, rng=rng, epochs=effort.epochs),
    }


def _rows(
    stage: str, density: float, what: str, kind: str, found: Mapping[str, Interval]
) -> list[Row]:
    return [
        {"stage": stage, "measure": measure, "density": density, "what": what, "kind": kind}
        | interval._asdict()
        for measure, interval in found.items()
    ]


def _known(statistics: Statistics, means: FloatArray) -> dict[str, Interval]:
    found = {name: float(statistic(*means)) for name, statistic in statistics.items()}
    return {name: Interval(value, value, value) for name, value in found.items()}


def _jackknifed(statistics: Statistics, sample: FloatArray) -> dict[str, Interval]:
    """Return statistics of the means of a sample (n, 2), with limits by the jackknife."""
    n = len(sample)
    without = (sample.sum(axis=0) - sample) / (n - 1)
    reach = float(stats.t.ppf((1 + _LEVEL) / 2, n - 1))
    found = {}
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 where all are dead: nan
        for name, statistic in statistics.items():
            value, parts = float(statistic(*sample.mean(axis=0))), statistic(*without.T)
            error = np.sqrt((n - 1) / n * ((parts - parts.mean()) ** 2).sum())
            found[name] = Interval(value, value - reach * error, value + reach * error)
    return found
