"""Ceilings: robust accuracy that no classifier, linear or not, exceeds.

The formulas are those of `theory.limits`; proofs: theory/proofs/limits.md.
"""

from dataclasses import replace

from theory.claims.claim import Claim, Source
from theory.claims.mixtures import BHAGOJI
from theory.limits import (
    gaussian_robust_ceiling,
    generator_robust_ceiling,
    sphere_arc_rate,
    sphere_distance_ceiling,
    sphere_robust_ceiling,
    two_gaussians_robust_ceiling,
)

_BORELL = Source(
    citation="Borell 1975",
    place="Gaussian isoperimetry",
    bibtex="""@article{borell1975brunn,
  author  = {Christer Borell},
  title   = {The {Brunn-Minkowski} inequality in {Gauss} space},
  journal = {Inventiones Mathematicae},
  volume  = {30},
  pages   = {207--216},
  year    = {1975}
}""",
)
_BHAGOJI = replace(BHAGOJI, place="Gaussian classes; with an accuracy by our proof")
_FAWZI = Source(
    citation="Fawzi, Fawzi, Fawzi 2018",
    place="Theorem 1",
    bibtex="""@inproceedings{fawzi2018adversarial,
  author    = {Alhussein Fawzi and Hamza Fawzi and Omar Fawzi},
  title     = {Adversarial vulnerability for any classifier},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {31},
  year      = {2018},
  eprint    = {1802.08686}
}""",
)
_GILMER = """@misc{gilmer2018adversarial,
  author = {Justin Gilmer and Luke Metz and Fartash Faghri and Samuel S. Schoenholz and
            Maithra Raghu and Martin Wattenberg and Ian Goodfellow},
  title  = {Adversarial Spheres},
  year   = {2018},
  eprint = {1801.02774}
}"""
_ANY = "any deterministic classifier"
_SPHERE = ("x uniform on the sphere of radius R in ℝᵈ, d ≥ 2", _ANY, "no box")

CLAIMS = (
    Claim(
        key="limits.gaussian",
        source=_BORELL,
        statement="on a class N(m, Σ) robust accuracy at ε is at most Φ(Φ⁻¹(a) − ε/s), with a the"
        " accuracy on it and s the largest deviation of w·x, ‖w‖_* = 1",
        form="bound",
        assumptions=("x ~ N(m, Σ)", _ANY, "L2 or Linf", "no box"),
        standing="proven",
        note="Equality for a half-space across the widest direction. s of the narrowest is wrong.",
        predict=gaussian_robust_ceiling,
    ),
    Claim(
        key="limits.two-gaussians",
        source=_BHAGOJI,
        statement="of two Gaussian classes no classifier of accuracy ≥ a has a robust accuracy"
        " above max A_S(e) over c₁ − γ ≤ e ≤ c₂ + γ, where A_S(e) = π₊Φ(S/2 + e) + π₋Φ(S/2 − e),"
        " A_D ≥ a on [c₁, c₂], S = min(D_ε, D − 2ε/s), γ = (D − 2ε/s − S)/2, D and D_ε the distance"
        " of the classes without and under attack",
        form="bound",
        assumptions=("x | y ~ N(μ_y, Σ), one nonsingular Σ", _ANY, "L2 or Linf", "no box"),
        standing="proven",
        note="Exact in L2 if Σ = s²I: there no classifier is more robust than a linear one with the"
        " same accuracies. Otherwise it may be loose.",
        predict=two_gaussians_robust_ceiling,
    ),
    Claim(
        key="limits.generator",
        source=_FAWZI,
        statement="if x = g(z), z standard Gaussian, ‖g(z) − g(z')‖ ≤ L‖z − z'‖₂, labels survive"
        " attacks of size ε with probability at most Σ_k Φ(Φ⁻¹(p_k) − ε/L), p_k the share of"
        " label k",
        form="bound",
        assumptions=(
            "a generator with Lipschitz constant L, or a modulus of continuity",
            _ANY,
            "attacks may use every x that g makes",
        ),
        standing="proven",
        note="At most 2Φ(−ε/L) if no p_k > 1/2; the paper's √(π/2) exp(−ε²/2L²) is never below"
        " √(π/2) times that.",
        predict=generator_robust_ceiling,
    ),
    Claim(
        key="limits.sphere",
        source=Source(citation="Gilmer et al. 2018", place="Lévy's inequality", bibtex=_GILMER),
        statement="on a sphere robust accuracy at ε is at most σ(σ⁻¹(a) − 2 arcsin(ε/2R)), with a"
        " the accuracy and σ(θ) the share of a cap of angle θ",
        form="bound",
        assumptions=(*_SPHERE, "L2; attacks may use every point of the sphere"),
        standing="proven",
        note="Equality for errors that are a cap.",
        predict=sphere_robust_ceiling,
    ),
    Claim(
        key="limits.sphere-distance",
        source=Source(citation="Gilmer et al. 2018", place="Theorem 5.1, exactly", bibtex=_GILMER),
        statement="on a sphere the mean L2 distance to the nearest error is at most"
        " R ∫ cos(δ/2) σ(θ − δ) dδ over 0 ≤ δ ≤ θ, θ = σ⁻¹(a)",
        form="bound",
        assumptions=_SPHERE,
        standing="proven",
        note="Equality for errors that are a cap.",
        predict=sphere_distance_ceiling,
    ),
    Claim(
        key="limits.sphere-rate",
        source=Source(citation="Gilmer et al. 2018", place="Theorem 5.1", bibtex=_GILMER),
        statement="on a sphere the mean distance to the nearest error, along it or straight, is at"
        " most R (uΦ(u) + φ(u)) / κ, u = Φ⁻¹(a), κ = √2 Γ(d/2) / Γ((d − 1)/2) ≈ √d",
        form="bound",
        assumptions=_SPHERE,
        standing="proven",
        note="The paper says O(u/√d), which is wrong near a = 1/2, where u = 0 but distances are"
        " not.",
        predict=sphere_arc_rate,
    ),
)
