"""Claims that are wrong on purpose: each drops one thing that the right one needs."""

from typing import Any

import numpy as np

from empirical.falsify.every_mask import every_mask, networks_of
from empirical.falsify.problems_classics import NORM, true_aggregate, with_norm
from empirical.falsify.problems_fawzi2018 import mean_distance_bound
from empirical.falsify.problems_guo2018 import (
    LABELS,
    LINEAR_AXES,
    LINEAR_SPACE,
    accuracy_bound,
    linear_classifier,
)
from empirical.falsify.problems_masks import (
    ETA,
    higher,
    masked_network,
    mean_slope,
    measured_eta,
    predicted_eta,
    with_q,
)
from empirical.falsify.problems_networks import flip_bound, network, own_label
from empirical.falsify.search import Instance, Search, Span
from theory.claims.claim import Claim, Form, Source
from theory.claims.fawzi2018 import unsigned_distance_bound
from theory.claims.guo2018 import r_2_unrestricted
from theory.claims.guo2018_masks import dense_slope
from theory.linear import LinearClassifier
from theory.linear.classifier import dual_norm
from theory.linear.moments import CorrectMoments
from theory.lipschitz import spectral_product
from theory.networks import ReluNetwork, class_scores
from theory.random_masks import shrinkage
from theory.validation import FloatArray, UnsupportedSettingError


def margin_over_global_constant(net: ReluNetwork, X: FloatArray) -> FloatArray:
    """Return the lead of the highest output over the second, over the product of spectral norms.

    Kind: none: the lead's own constant may be √2 times that of all outputs.
    """
    scores, constant = (
        np.sort(np.asarray(class_scores(net, X)), axis=1),
        spectral_product(net).value,
    )
    if constant == 0:
        raise UnsupportedSettingError("no layer may be zero.")
    return np.asarray((scores[:, -1] - scores[:, -2]) / constant)


def unbalanced_distance(
    priors: Any, class_means: Any, *, radius: float, error_rate: float
) -> float:
    """Return the bound of Fawzi et al. without the term of unequal priors."""
    p = np.asarray(priors)
    whole = unsigned_distance_bound(priors, class_means, radius=radius, error_rate=error_rate)
    return whole - radius * float(abs(p[1] - p[0]))


def paper_bound(model: LinearClassifier, moments: CorrectMoments, eps: Any) -> FloatArray:
    """Return t w·(m₊ - m₋) / (2 ε ‖w‖₁) whatever the shares: no bound where they differ."""
    if not np.all(np.asarray(eps) > 0):
        raise UnsupportedSettingError("eps must be positive.")
    distance = r_2_unrestricted(model, moments) * dual_norm(model, 2)
    return np.asarray(distance / (np.asarray(eps) * dual_norm(model, np.inf)))


def hinge_of_any_margin(
    model: LinearClassifier, X: FloatArray, y: FloatArray, budget: float, *, norm: float
) -> float:
    """Return sum_i max(0, 1 - y_i f(x_i)) + budget ‖w‖_* even where every margin exceeds 1."""
    own = y * (X @ model.weights[0] + model.bias)
    return float(np.maximum(0.0, 1.0 - own).sum() + budget * dual_norm(model, norm))


def falling_eta(net: ReluNetwork, masks: Any, *, norm: float) -> FloatArray:
    """Return η, of which it is said that it falls as an alpha rises."""
    return shrinkage(net, masks, norm=norm)


def expected_dense_slope(net: ReluNetwork, alphas: Any, center: FloatArray, radius: float) -> float:
    """Return the mean over all masks of a bound on the largest L2 slope in a ball. Kind: upper."""
    masked = every_mask(net.weights, alphas)
    pruned = ((c, ReluNetwork(weights=W, biases=net.biases)) for c, W in networks_of(masked))
    return sum(c * float(dense_slope(one, center[None], radius)[0, 0]) for c, one in pruned)


def _claim(name: str, *, form: Form, statement: str, note: str, predict: Any) -> Claim:
    return Claim(
        key=f"wrong.{name}",
        source=Source(citation="nobody", place="made to be refuted", bibtex=""),
        statement=statement,
        form=form,
        assumptions=("none that would make it true",),
        standing="refuted",
        note=note,
        predict=predict,
    )


def _claimed_margin(instance: Instance) -> float:
    x, _ = own_label(instance)
    if instance["norm"] != 2:
        raise UnsupportedSettingError("norm must be 2.")
    return float(margin_over_global_constant(network(instance), x)[0])


def _claimed_slope(instance: Instance) -> float:
    higher(instance)  # refuses what is no rise
    ball = instance["center"], float(instance["radius"])
    return expected_dense_slope(masked_network(instance), instance["alphas"], *ball)


def _claimed_hinge(instance: Instance) -> float:
    data = linear_classifier(instance), instance["X"], instance["y"], float(instance["budget"])
    return hinge_of_any_margin(*data, norm=float(instance["norm"]))


_SLOPE_SPACE = (
    Span("W1", (2, 2), -2, 2),
    Span("b1", (2,), -1, 1),
    Span("W2", (1, 2), -2, 2),
    Span("alphas", (2,), 0, 0.9),
    Span("center", (2,), -1, 1),
    Span("radius", (), 0.1, 1),
    Span("layer", (), 0, 1, whole=True),
    Span("raised", (), 0.05, 0.95),
)

SEARCHES = (
    flip_bound(
        _claim(
            "margin",
            form="bound",
            statement="the L2 distance to the nearest flip is at least (f_y − max f_k)(x) / L, L"
            " the product of the layers' spectral norms",
            note="L bounds how far the vector of outputs moves, a difference of two moves √2 times"
            " as far: divide by √2 L.",
            predict=margin_over_global_constant,
        ),
        claimed=_claimed_margin,
    ),
    Search(
        claim=_claim(
            "eta-falls",
            form="trend",
            statement="η of guo2018.lipschitz-eta falls as an α rises: pruning more makes the bound"
            " on E L larger",
            note="It rises: with more pruned, paths are fewer.",
            predict=falling_eta,
        ),
        direction="upper",
        claimed=lambda instance: predicted_eta(instance, instance["alphas"]),
        true=lambda instance: measured_eta(instance, higher(instance)),
        kind="exact: η over all masks, at the higher alphas",
        **ETA,
    ),
    Search(
        claim=_claim(
            "slope-falls",
            form="trend",
            statement="E L_2(K) of a randomly pruned network falls, or stays, as an α rises",
            note="Only the bound falls. What cancels, or keeps a unit off, may be pruned.",
            predict=expected_dense_slope,
        ),
        direction="upper",
        space=_SLOPE_SPACE,
        build=with_q(2),
        claimed=_claimed_slope,
        true=lambda instance: mean_slope(instance, higher(instance)),
        kind="lower: the mean over all masks, at the higher alphas, of the steepest of some points",
        axes={
            "W1": ("unit", "input"),
            "b1": ("unit",),
            "W2": ("", "unit"),
            "alphas": ("",),
            "layer": (),
            "raised": (),
            "center": ("input",),
            "radius": (),
            "q": (),
        },
        fixed=frozenset({"q", "layer"}),
        rational=True,
    ),
    mean_distance_bound(
        _claim(
            "fawzi-balanced",
            form="bound",
            statement="E|f(x)| / ‖w‖₂ ≤ ‖p₊μ₊ − p₋μ₋‖₂ + 4 M R, whatever the classes' shares",
            note="A boundary far from all inputs: the term M |p₊ − p₋| is for the bias.",
            predict=unbalanced_distance,
        )
    ),
    accuracy_bound(
        _claim(
            "rinf-unequal",
            form="bound",
            statement="r_inf(ε) ≤ t w·(m₊ − m₋) / (2 ε ‖w‖₁), whatever the classes' accuracies",
            note="The bias cancels only for equal shares: guo2018.rinf-markov has it.",
            predict=paper_bound,
        )
    ),
    Search(
        claim=_claim(
            "hinge-separable",
            form="identity",
            statement="max over Σ_i ‖δ_i‖ ≤ c of Σ_i [1 − y_i f(x_i + δ_i)]₊"
            " = Σ_i [1 − y_i f(x_i)]₊ + c ‖w‖_*, separable points included",
            note="Where every margin exceeds 1, some of c is spent before the loss rises.",
            predict=hinge_of_any_margin,
        ),
        direction="equal",
        space=(
            *(span._replace(shape=(2, *span.shape[1:])) for span in LINEAR_SPACE if span.shape),
            LINEAR_SPACE[1],
            Span("budget", (), 0.01, 3),
            NORM,
        ),
        build=with_norm,
        claimed=_claimed_hinge,
        true=true_aggregate,
        kind="exact: the largest loss when one input has all of the budget",
        axes={**LINEAR_AXES, "budget": (), "norm": ()},
        fixed=LABELS | {"norm"},
    ),
)
