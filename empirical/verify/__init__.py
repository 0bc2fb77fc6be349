"""A claim meets its measurement and becomes a verdict."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from empirical.compression_study import CompressionCell
from empirical.linear_study import LinearCell
from empirical.verify import (
    asymptotics,
    classics,
    cosentino2019,
    fawzi2018,
    guo2018,
    guo2018_networks,
    limits,
    limits_generators,
    limits_spheres,
    merkle2021,
    mixtures,
    networks,
    plug_in,
    random_masks,
    ratios,
    smoothing,
)
from empirical.verify.verdict import Verdict
from theory.claims import CATALOGUE

__all__ = ["COMPRESSION_CHECKS", "DRAWN_CHECKS", "STUDY_CHECKS", "Verdict", "verdict_of"]

# Checks of claims about trained classifiers, from the cells of the linear study.
STUDY_CHECKS: Mapping[str, Callable[[Sequence[LinearCell]], Verdict]] = {
    "guo2018.r2": guo2018.check_r2,
    "guo2018.r2-general": guo2018.check_r2_general,
    "guo2018.r2-unrestricted": guo2018.check_r2_unrestricted,
    "guo2018.rinf-markov": guo2018.check_r_inf_markov,
    "guo2018.rinf-two-moments": guo2018.check_r_inf_two_moments,
    "guo2018.rinf-clipped": guo2018.check_r_inf_clipped,
    "guo2018.r2-held-out": guo2018.check_r2_held_out,
    "guo2018.l2-sparsity": guo2018.check_l2_sparsity,
    "guo2018.linf-sparsity": guo2018.check_linf_sparsity,
    "fawzi2018.linear": fawzi2018.check_linear,
    "mixtures.plug-in": mixtures.check_plug_in,
}
# Checks of claims about pruned networks, from the cells of the compression study.
COMPRESSION_CHECKS: Mapping[str, Callable[[Sequence[CompressionCell]], Verdict]] = {
    "guo2018.networks-l2": guo2018_networks.check_l2,
    "guo2018.networks-linf": guo2018_networks.check_linf,
    "cosentino2019.tickets": cosentino2019.check_tickets,
    "cosentino2019.reset": cosentino2019.check_reset,
    "cosentino2019.natural": cosentino2019.check_natural,
    "merkle2021.sweet-spot-l2": merkle2021.check_sweet_spot_l2,
    "merkle2021.sweet-spot-linf": merkle2021.check_sweet_spot_linf,
    "merkle2021.magnitude": merkle2021.check_magnitude,
    "merkle2021.granularity": merkle2021.check_granularity,
    "merkle2021.ratio": merkle2021.check_ratio,
}
# Checks that draw what they need.
DRAWN_CHECKS: Mapping[str, Callable[[np.random.Generator], Verdict]] = {
    "mixtures.robust-accuracy": mixtures.check_robust_accuracy,
    "mixtures.r2": mixtures.check_r2,
    "mixtures.robust-bayes": mixtures.check_robust_bayes,
    "classics.norm-inside": classics.check_norm_inside,
    "classics.norm-outside": classics.check_norm_outside,
    "classics.aggregate-hinge": classics.check_aggregate_hinge,
    "classics.svm": classics.check_svm,
    "smoothing.linear-binary": smoothing.check_linear_binary,
    "smoothing.linear-many": smoothing.check_linear_many,
    "networks.local-lipschitz": networks.check_local_lipschitz,
    "networks.clever": networks.check_clever,
    "networks.certificates": networks.check_certificates,
    "guo2018.lipschitz-l1": random_masks.check_l1,
    "guo2018.lipschitz-l2": random_masks.check_l2,
    "guo2018.lipschitz-sharp": random_masks.check_sharp,
    "guo2018.lipschitz-eta": random_masks.check_eta,
    "guo2018.lipschitz-margin": random_masks.check_margin,
    "guo2018.lipschitz-product": random_masks.check_product,
    "guo2018.lipschitz-falls": random_masks.check_falls,
    "guo2018.ratio-law": ratios.check_law,
    "guo2018.ratio-moments": ratios.check_moments,
    "guo2018.ratio-fixed": ratios.check_fixed,
    "guo2018.ratio-mean": ratios.check_mean,
    "guo2018.ratio-pattern": ratios.check_pattern,
    "guo2018.over-sparsification": ratios.check_over,
    "initialised.distance": ratios.check_distance,
    "mixtures.two-moments": plug_in.check_two_moments,
    "mixtures.student": plug_in.check_student,
    "mixtures.smoothed": plug_in.check_smoothed,
    "mixtures.unseen-margins": plug_in.check_unseen_margins,
    "mixtures.seen-margins": plug_in.check_seen_margins,
    "asymptotics.training": asymptotics.check_training,
    "asymptotics.adversarial": asymptotics.check_adversarial,
    "asymptotics.universality": asymptotics.check_universality,
    "asymptotics.averaging": asymptotics.check_averaging,
    "asymptotics.l1-beats-l2": asymptotics.check_l1_beats_l2,
    "limits.gaussian": limits.check_gaussian,
    "limits.two-gaussians": limits.check_two_gaussians,
    "limits.generator": limits_generators.check_generator,
    "limits.sphere": limits_spheres.check_sphere,
    "limits.sphere-distance": limits_spheres.check_distance,
    "limits.sphere-rate": limits_spheres.check_rate,
}


def verdict_of(
    key: str,
    cells: Sequence[LinearCell],
    compressed: Sequence[CompressionCell] = (),
    *,
    seed: int,
) -> Verdict:
    """Return the verdict on a claim of the catalogue.

    Parameters
    ----------
    key : str
    cells : sequence of LinearCell
        Of the linear study; looked at by the claims in STUDY_CHECKS.
    compressed : sequence of CompressionCell
        Of the compression study; looked at by those in COMPRESSION_CHECKS, which without it are
        not covered.
    seed : int
        Of the claims in DRAWN_CHECKS.
    """
    if key in STUDY_CHECKS:
        return STUDY_CHECKS[key](cells)
    if key in COMPRESSION_CHECKS:
        return COMPRESSION_CHECKS[key](compressed)
    number = list(CATALOGUE).index(key)
    return DRAWN_CHECKS[key](np.random.default_rng([seed, 2, number]))
