# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # 8. Predicting before training
#
# **Question.** You plan to train a sparse classifier on 400 inputs with 400 features. Before you
# do: how accurate will it be, how robust, and how many of its weights will be zero?
#
# It sounds impossible, since training is a computation with no formula. But if inputs $n$ and
# features $d$ are both large, randomness averages out and the result is a number that can be
# computed beforehand. You need lessons 2 and 3.
#
# ## What has to be known about $w$
#
# As in lesson 3, labels are ±1 with probability ½ and
#
# $$ x = y\mu + z, \qquad z \sim N(0, I_d), \qquad \lVert\mu\rVert_2 = s
#    \quad\text{(the signal)}. \tag{8.1} $$
#
# Now $w$ is *trained* on $n = \delta d$ inputs, without an intercept. On a *fresh* input (3.2)
# holds for it: with an attack of size ε,
#
# $$ A(\varepsilon) = \Phi\!\left(\frac{M - \varepsilon\lVert w\rVert_*}{\lVert w\rVert_2}\right),
#    \qquad M = w \cdot \mu \quad\text{(the overlap)}.
#    \tag{8.2} $$
#
# So of all the $d$ weights only three numbers matter: the overlap, the length, and the dual norm.
# They are sums over many features. That is why one can hope to predict them.
#
# ## A case that can be done by hand: averaging
#
# The simplest training is $w = \frac1n\sum_i y_i x_i$. By (8.1) every $y_i x_i$ is $\mu$ plus
# standard noise, so
#
# $$ w = \mu + \frac{1}{\sqrt n}\, g, \qquad g \sim N(0, I_d). \tag{8.3} $$
#
# Then $M = s^2 + \mu\cdot g/\sqrt n$, where the second term has the deviation $s/\sqrt n$ and
# vanishes as $n$ grows. And
# $\lVert w\rVert_2^2 = s^2 + 2\mu\cdot g/\sqrt n + \lVert g\rVert_2^2 / n$, where the last term
# does *not* vanish: $\lVert g\rVert_2^2$ is a sum of $d$ squares with mean 1, so it tends to
# $d/n = 1/\delta$. Hence, as $d \to \infty$,
#
# $$ \text{accuracy} \;\to\; \Phi\!\left(\frac{s^2}{\sqrt{s^2 + 1/\delta}}\right). \tag{8.4} $$
#
# Compare (3.3), Φ(s): the term $1/\delta$ is the price of learning from few inputs. With
# $\delta \to \infty$ it goes away. Note what was *not* needed: which features carry the signal.

# %%
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm as normal
from sklearn.linear_model import LogisticRegression

from classroom import check, show
from figures.style import BLUE, GREEN, ORANGE, RED, house_style
from theory.asymptotics import (
    Objective,
    limit_accuracy,
    limit_robust_accuracy,
    predict,
    separability_ratio,
    spiked_law,
)

signal, density, ratio, d = 2.0, 0.1, 1.0, 400
law = spiked_law(signal, density=density)  # a tenth of the features carry the signal, equally


def draw(d, rng, common=0.0):
    """Return inputs, labels and mu by (8.1); `common` is the correlation of all noises."""
    mu = np.zeros(d)
    mu[: round(density * d)] = signal / np.sqrt(density * d)
    n = round(ratio * d)
    y = np.where(rng.random(n) < 0.5, 1, -1)
    noise = np.sqrt(1 - common) * rng.normal(size=(n, d))
    return y[:, None] * mu + noise + np.sqrt(common) * rng.normal(size=(n, 1)), y, mu


rng = np.random.default_rng(0)
by_hand = normal.cdf(signal**2 / np.sqrt(signal**2 + 1 / ratio))
spreads = []
for size in (50, 200, 800):
    found = []
    for _ in range(20):
        X, y, mu = draw(size, rng)
        w = y @ X / y.size
        found.append(normal.cdf(w @ mu / np.linalg.norm(w)))
    spreads.append(np.std(found))
    shown = f"{np.mean(found):.4f} ± {spreads[-1]:.4f}"
    print(f"d = {size:3}: accuracy {shown}; by (8.4) {by_hand:.4f}")

# %% [markdown]
# The mean is right already for small $d$, and the scatter halves whenever $d$ is quadrupled: it is
# of order $1/\sqrt d$.
#
# ## Training with a penalty
#
# Logistic regression with an L1 penalty minimises
#
# $$ \sum_{i=1}^n \log\bigl(1 + e^{-y_i\, x_i\cdot w}\bigr) + \lambda \sqrt d\,
#    \lVert w\rVert_1 . \tag{8.5} $$
#
# There is no formula for the minimiser. But there is a theorem on what it looks like. Write
# $m_j = \sqrt d\,\mu_j$ and $\beta_j = \sqrt d\, w_j$.
#
# **Theorem** (after Salehi, Abbasi, Hassibi 2019, logistic models with an L1 penalty, and Mignacco
# et al. 2020, mixtures of Gaussians; the equations for (8.5) on (8.1) are in `theory/asymptotics`).
# *As $n, d \to\infty$ with $n/d = \delta$, the pairs $(m_j, \beta_j)$ are distributed like*
#
# $$ \beta = \frac{\operatorname{soft}\bigl(\hat M m + \sqrt{\hat q}\, \xi,\; \lambda\bigr)}
#    {\hat V}, \qquad \xi \sim N(0, 1), \tag{8.6} $$
#
# *with* $\operatorname{soft}(t, \lambda) = \operatorname{sign}(t)\max(|t| - \lambda, 0)$, *where
# the three numbers $\hat M, \hat q, \hat V$ solve a few equations in which only $\delta$, λ, the
# loss and the law of $m$ occur.*
#
# Soft thresholding again, as in (3.4)! Every weight behaves as if its own signal $m_j$ were seen
# through noise and then cut at λ. From (8.6) follow the share of nonzero weights,
# $P(|\hat M m + \sqrt{\hat q}\,\xi| > \lambda)$, and by means over $(m, \xi)$ the three numbers of
# (8.2). We do not prove the theorem; `predict` solves its equations. We let scikit-learn train, and
# compare.

# %%
strengths = np.geomspace(0.02, 0.8, 25)
limits = [predict(Objective(loss="logistic", l1=s), law, ratio=ratio) for s in strengths]
budget = 1.0  # of an L∞ attack of 1/√d
told = np.array(
    [
        (
            limit_accuracy(one),
            float(limit_robust_accuracy(one, eps_inf=budget)),
            one.nonzero_fraction,
        )
        for one in limits
    ]
)


def trained(X, y, strength):
    """Return the minimiser of (8.5) by scikit-learn, whose C multiplies the loss instead."""
    settings = {"solver": "liblinear", "tol": 1e-6, "max_iter": 5000, "random_state": 0}
    C = 1 / (strength * np.sqrt(X.shape[1]))
    fitted = LogisticRegression(l1_ratio=1, C=C, fit_intercept=False, **settings).fit(X, y)
    return fitted.coef_[0]


def outcome(w, mu):
    """Return accuracy, robust accuracy on fresh inputs (8.2), and the share of nonzeros."""
    drops = np.array([0.0, budget / np.sqrt(mu.size)]) * np.abs(w).sum()
    clean, attacked = normal.cdf((w @ mu - drops) / np.linalg.norm(w))
    return clean, attacked, np.mean(w != 0)


chosen = strengths[::6]
seeds = [draw(d, rng) for _ in range(6)]
measured = np.array([[outcome(trained(X, y, s), mu) for X, y, mu in seeds] for s in chosen])
mean, error = measured.mean(axis=1), measured.std(axis=1, ddof=1) / np.sqrt(len(seeds))
off = np.abs(mean - told[::6])
print("largest differences: accuracy {:.3f}, robust accuracy {:.3f}".format(*off.max(axis=0)))
print(f"of the share of nonzeros: {off[:, 2].max():.3f}")

with house_style():
    figure = Figure(figsize=(7.2, 3.2))
    left, right = figure.subplots(1, 2)
    names = ("accuracy", f"robust accuracy, L∞, ε = {budget:g}/√d", "share of nonzero weights")
    for column, (name, color) in enumerate(zip(names, (GREEN, BLUE, ORANGE), strict=True)):
        axes = right if column == 2 else left
        axes.plot(strengths, told[:, column], color=color, label=f"{name}, predicted")
        axes.errorbar(
            chosen, mean[:, column], 2 * error[:, column], fmt="o", mfc="none", color=color
        )
        axes.set(xscale="log", xlabel="strength λ of the penalty")
        axes.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
        axes.minorticks_off()
    left.set_ylim(0.8, 1)
    left.legend(fontsize=8, loc="lower right")
    right.legend(fontsize=8)
    right.set_ylim(0, None)
    figure.suptitle(f"Lines: predicted before training. Circles: trained, n = d = {d}, six times")
show(
    figure,
    "8-prediction",
    "Predicted accuracy, robust accuracy and share of nonzero weights against the strength of the"
    " penalty; circles with small error bars, of classifiers trained by scikit-learn, lie on them.",
)

# %% [markdown]
# The lines knew nothing of any data. (Bars: two standard errors.)
#
# **What it is good for.** Which penalty should one choose if an L∞ attack is expected? Without
# training anything: L1 at a middle strength, against a strong L2 penalty, which is the averaging of
# (8.3).

# %%
attacks = np.linspace(0, 3, 31)
sparse = limits[int(np.argmin(np.abs(strengths - 0.35)))]
dense = predict(Objective(loss="logistic", l2=1000.0), law, ratio=ratio)
curves = {
    "L1": limit_robust_accuracy(sparse, eps_inf=attacks),
    "L2": limit_robust_accuracy(dense, eps_inf=attacks),
}
for name, one in (("L1", sparse), ("L2", dense)):
    shown = limit_accuracy(one), one.nonzero_fraction, curves[name][15]
    print("{}: accuracy {:.3f}, weights {:.0%}, at ε = 1.5/√d {:.3f}".format(name, *shown))
by_solver = limit_accuracy(dense)
print(f"accuracy of the strong L2 penalty: {by_solver:.6f}; by (8.4) {by_hand:.6f}")

with house_style():
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    axes.plot(attacks, curves["L1"], color=ORANGE, label="L1 penalty (sparse)")
    axes.plot(attacks, curves["L2"], color=BLUE, label="strong L2 penalty (averaging)")
    axes.set(xlabel="√d ε, L∞", ylabel="robust accuracy, predicted", ylim=(0, 1.03))
    axes.legend()
show(
    figure,
    "8-penalties",
    "Predicted robust accuracy against the size of the attack: both penalties start at .96; the"
    " dense classifier falls much faster than the sparse one.",
)

# %% [markdown]
# The sparse classifier is better because the *signal* is sparse here. Try `density = 1.0` above.
#
# ## The theorem fails when features are correlated
#
# (8.1) has independent noise. Give all features a common noise as well, of correlation $c$ between
# any two, and predict as before. Each feature by itself has the same law as ever: somebody who
# looks at them one by one sees no difference.

# %%
commons = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
strength = 0.1
promised = limit_accuracy(predict(Objective(loss="logistic", l1=strength), law, ratio=ratio))
reality = []
for common in commons:
    found = []
    for _ in range(4):
        X, y, mu = draw(d, rng, common)
        w = trained(X, y, strength)
        spread = np.sqrt((1 - common) * (w @ w) + common * w.sum() ** 2)  # of a fresh margin
        found.append(normal.cdf(w @ mu / spread))
    reality.append([np.mean(found), np.std(found, ddof=1) / 2])
reality, doubt = np.array(reality).T
print(f"predicted {promised:.3f}; trained: {reality.round(3)}")

with house_style():
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    axes.axhline(promised, color="black", label="predicted, features taken as independent")
    axes.errorbar(commons, reality, 2 * doubt, fmt="o-", color=RED, label="trained")
    axes.set(xlabel="correlation of any two features", ylabel="accuracy", ylim=(0.85, 1))
    axes.legend(loc="upper right")
show(
    figure,
    "8-correlated",
    "Accuracy of trained classifiers against the correlation of the features: on the predicted line"
    " without correlation, clearly below it with a little, and nearer to it again with more.",
)

# %% [markdown]
# A correlation of a few hundredths, which nobody would see in a plot of two features, costs several
# points; and more of it costs less, because training then notices and cancels it. The prediction
# knows none of this.
#
# **And when there is no minimiser.** If a hyperplane separates the training inputs, (8.5) without a
# penalty ($\lambda = 0$) has no minimum: doubling a separating $w$ always helps. For $s = 2$ that
# is so unless $n/d$ is larger than about 20.7. The toolkit refuses instead of iterating for ever:

# %%
print(f"separable up to n/d = {separability_ratio(signal):.1f}")
try:
    predict(Objective(loss="logistic"), law, ratio=ratio)
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# ## What to remember
#
# - Only overlap, length and dual norm of $w$ matter (8.2); for averaging they follow by hand (8.4).
# - With a penalty every weight is a soft-thresholded noisy signal (8.6); the prediction is a
#   *limit*, an estimate for finite $d$, off by order $1/\sqrt d$.
# - It is a statement about a model of the data. Correlated features are another model.
#
# ## Exercises
#
# **8a.** Write (8.4) as a function of the signal $s$ and the ratio δ.


# %%
def averaging_accuracy(s, delta):
    return ...


check("8a", averaging_accuracy)

# %% [markdown]
# **8b.** $s = 2$. How many inputs per feature, δ, does averaging need to be right on 95 %?
# (`normal.ppf` is the inverse of Φ.)

# %%
inputs_per_feature = ...
check("8b", inputs_per_feature)

# %% [markdown]
# **8c.** $s = 2$, $\delta = 1$. What is the limit of the robust accuracy of averaging under L2
# attacks of $\varepsilon = 1$?

# %%
averaging_robust = ...
check("8c", averaging_robust)

# %% [markdown]
# **8d.** scikit-learn minimises $\lVert w\rVert_1 + C \sum_i \text{loss}_i$. Which $C$ is the λ =
# 0.1 of (8.5) at $d = 400$?

# %%
C_of_sklearn = ...
check("8d", C_of_sklearn)

# %% [markdown]
# **Sources.** Salehi, Abbasi, Hassibi 2019 (arXiv 1906.03761); Mignacco, Krzakala, Lu, Zdeborová
# 2020 (2002.11544). Separability: Cover 1965; Candès, Sur 2018 (1804.09753); Deng, Kammoun,
# Thrampoulidis 2019 (1911.05822). Adversarial training in the same limit: Javanmard, Soltanolkotabi
# 2022 (2010.11213). The solver: `theory/asymptotics`.
