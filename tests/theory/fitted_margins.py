"""Fitted margins and thresholded weights by brute force: what the equations of training mean."""

import numpy as np
from scipy.integrate import quad_vec
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

REACH = 9  # deviations: less than 1e-18 of a Gaussian lies beyond


def worst_loss(loss, u, drop):
    """Return the largest loss within a drop of the margin u, by its two ends: losses are convex."""
    ends = (u - drop, u + drop)
    each = {
        "logistic": lambda m: np.logaddexp(0, -m),
        "squared": lambda m: (1 - m) ** 2 / 2,
        "hinge": lambda m: max(0.0, 1 - m),
    }[loss]
    return max(each(m) for m in ends)


def slope(loss, u, drop):
    """Return minus the derivative of the worst loss, where it has one."""
    if loss == "logistic":
        return expit(drop - u)
    if loss == "squared":
        return np.sign(1 - u) * (abs(1 - u) + drop)
    return float(1 + drop - u > 0)


def fitted(loss, h, V, drop):
    """Return the prox and its slope (u - h) / V, from the sign of the objective's derivative."""
    low, high = (min(h, 1), max(h, 1)) if loss == "squared" else (h, h + V)
    if low == high:
        return h, 0.0
    falling = lambda u: u - h - V * slope(loss, u, drop)  # noqa: E731
    if falling(low) >= 0 or falling(high) <= 0:  # the root is at a kink, or at an end
        u = low if falling(low) >= 0 else high
        return u, (u - h) / V
    u = brentq(falling, low, high, xtol=1e-300, rtol=8.9e-16, maxiter=500)
    kinks = {"squared": 1.0, "hinge": 1 + drop}
    at_kink = loss in kinks and abs(u - kinks[loss]) < 1e-9
    return u, (u - h) / V if at_kink else slope(loss, u, drop)


def kinks_of(loss, mean, spread, V, drop):
    """Return where the fit bends, in deviations."""
    at = {
        "logistic": (0.0, drop, drop + np.log1p(V), drop - V, drop - V - np.log1p(V)),
        "squared": (1 - V * drop, 1.0, 1 + V * drop),
        "hinge": (1 + drop - V, 1 + drop),
    }[loss]
    inside = [(h - mean) / spread for h in at]
    return sorted({t for t in inside if -REACH < t < REACH})


def by_definition(loss, mean, spread, V, drop):
    """Return pull, scatter, stiffness, loss and the Moreau envelope, integrated."""

    def integrand(t):
        u, s = fitted(loss, mean + spread * t, V, drop)
        value = worst_loss(loss, u, drop)
        # Stein's lemma: E[1 - u'] / V = E[(h - u)(h - mean)] / (V spread^2).
        return norm.pdf(t) * np.array([s, s * s, -s * t / spread, value, value + V * s * s / 2])

    points = kinks_of(loss, mean, spread, V, drop)
    return quad_vec(
        integrand, -REACH, REACH, points=points or None, epsabs=1e-13, epsrel=1e-11, limit=400
    )[0]


def soft_by_definition(mean, deviation, threshold):
    """Return E s, E|s|, E s^2, Pr(s != 0) and E[s g] of s = soft(mean + deviation g, threshold)."""

    def integrand(t):
        y = mean + deviation * t
        s = np.sign(y) * max(abs(y) - threshold, 0)
        return norm.pdf(t) * np.array([s, abs(s), s * s, float(s != 0), s * t])

    points = [(side * threshold - mean) / deviation for side in (-1, 1)]
    points = sorted({t for t in points if -REACH < t < REACH})
    return quad_vec(integrand, -REACH, REACH, points=points or None, epsabs=1e-13)[0]


def weights_by_definition(limit, slopes):
    """Return M, spread^2, V, norm^2, E|beta| and the share, for pull, scatter, stiffness, price."""
    pull, scatter, stiffness, price = slopes
    objective, law, ratio = limit.objective, limit.law, limit.ratio
    total = np.zeros(6)
    for weight, mean, deviation, sigma in zip(
        law.weights, law.means, law.deviations, law.scales, strict=True
    ):
        if weight == 0:
            continue
        A = ratio * stiffness * sigma**2 + objective.l2
        A += ratio * price * objective.eps / limit.norm
        T = objective.l1 + ratio * price * objective.eps_inf
        noise, known = np.sqrt(ratio * scatter) * sigma, ratio * pull * deviation
        spread = np.hypot(noise, known)
        s, absolute, square, share, along = soft_by_definition(ratio * pull * mean, spread, T)
        # The share of the field's Gaussian that is m's own; the rest is xi's.
        m_beta = mean * s + deviation * known / spread * along
        xi_beta = noise / spread * along
        V = sigma * xi_beta / np.sqrt(ratio * scatter)
        total += weight * np.array(
            [m_beta / A, sigma**2 * square / A**2, V / A, square / A**2, absolute / A, share]
        )
    return total
