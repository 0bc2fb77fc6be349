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
# # 3. Gaussian classes and the price of robustness
#
# **Question.** Can a classifier be both as accurate and as robust as possible? If not, what does
# robustness cost, and what does the most robust classifier look like?
#
# On real data nobody knows the best possible classifier. So we take data whose law we know
# completely: two Gaussian clouds. There every accuracy is a formula, the best classifier is known,
# with an attack and without, and the price can be computed to the last digit. You need lessons 1
# and 2 and the normal distribution.
#
# ## The model
#
# The label $y$ is $+1$ or $-1$, each with probability ½, and
#
# $$ x = y \mu + \sigma z, \qquad z \sim N(0, I_d). \tag{3.1} $$
#
# So $\mu \in \mathbb{R}^d$ is the mean of one class and $-\mu$ that of the other; $\sigma$ is the
# noise. Write $\Phi(t)$ for the probability that a standard normal number is below $t$.
#
# **The margin is Gaussian.** For a linear classifier without bias,
# $y f(x) = w\cdot\mu + \sigma\, y\, w \cdot z$, and $w \cdot z$ is normal with mean 0 and variance
# $\lVert w\rVert_2^2$. An attack of size $\varepsilon$ lowers the margin by exactly
# $\varepsilon\lVert w\rVert_*$ (lesson 2). Therefore the robust accuracy is
#
# $$ A(\varepsilon) = P\bigl(y f(x) > \varepsilon \lVert w\rVert_*\bigr)
#    = \Phi\!\left( \frac{w\cdot\mu - \varepsilon \lVert w\rVert_*}{\sigma \lVert w\rVert_2}\right).
#    \tag{3.2} $$
#
# This is exact. What it assumes: (3.1); no box; and a $w$ that was chosen *without looking* at the
# inputs it is asked about.

# %%
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm as normal

from classroom import check, show
from empirical.attacks import attack_accuracy
from empirical.data import sample_classes
from figures.style import BLUE, GREEN, ORANGE, RED, house_style
from theory.linear import LinearClassifier
from theory.linear import robust_accuracy as sample_accuracy
from theory.mixtures import (
    GaussianClasses,
    bayes_classifier,
    clean_accuracy,
    margin_law,
    robust_accuracy,
    robust_bayes_accuracy,
    robust_bayes_classifier,
)

mu = np.concatenate([[1.0], np.full(100, 0.2)])
classes = GaussianClasses(means=[-mu, mu], covariance=1.0)

# %% [markdown]
# Our example: one strong feature, $\mu_1 = 1$, and a hundred weak ones, $\mu_i = 0.2$;
# $\sigma = 1$. Each weak feature alone is nearly useless, Φ(⅕) = 58 % right. Together they are
# worth more than the strong one.
#
# First we check (3.2) by experiment: draw 10,000 inputs, attack them with FGSM, count.

# %%
bayes = bayes_classifier(classes)
drawn = sample_classes(classes, 10_000, rng=np.random.default_rng(1))
steps = np.linspace(0, 0.35, 8)
predicted = robust_accuracy(classes, bayes, steps, norm=np.inf)
counted = attack_accuracy([bayes], drawn.X, drawn.y, steps, attack="fgsm", box=None)[0].mean(axis=1)
noise = np.sqrt(predicted * (1 - predicted) / drawn.y.size)
for e, p, c, s in zip(steps, predicted, counted, noise, strict=True):
    print(f"ε = {e:.2f}: formula {p:.3f}, counted {c:.3f} (standard error {s:.3f})")

# %% [markdown]
# ## The best classifier without an attack
#
# For a given law, a classifier is most accurate if it answers with the likelier label at every $x$.
# For (3.1) the logarithm of the ratio of the two densities is $2\mu\cdot x/\sigma^2$, so the best
# one, called the *Bayes classifier*, is linear:
#
# $$ w = \mu \qquad\text{(up to a positive factor)}, \qquad
#    A(0) = \Phi\bigl(\lVert\mu\rVert_2/\sigma\bigr). \tag{3.3} $$
#
# It uses each feature in proportion to its mean: all hundred weak ones. Under an L∞ attack that is
# its ruin: the attack gains $\varepsilon\lVert\mu\rVert_1$, here $21\,\varepsilon$, of which the
# weak features are to blame for 20. Its accuracy is down to ½ at
# $\varepsilon = \lVert\mu\rVert_2^2/\lVert\mu\rVert_1 = 5/21 = .24$, although the strong feature
# alone could stand 1.
#
# ## The best classifier under attack
#
# **Theorem** (Bhagoji, Cullina, Mittal 2019). *No classifier at all, linear or not, has a higher L∞
# robust accuracy at $\varepsilon$ on (3.1) than the linear one with*
#
# $$ w_i = \operatorname{sign}(\mu_i)\,\max(|\mu_i| - \varepsilon,\, 0), \tag{3.4} $$
#
# *and its robust accuracy is* $\Phi(\lVert w\rVert_2/\sigma)$ *(for
# $\varepsilon < \max_i |\mu_i|$).*
#
# **Proof.** *Nobody does better.* Let the attacker do something simple: move every input of label
# $y$ by $-y z$, where $z_i = \operatorname{sign}(\mu_i)\min(|\mu_i|, \varepsilon)$. That is
# allowed, $\lVert z\rVert_\infty \le \varepsilon$. A classifier that is right on the whole ball
# around $x$ is right at $x - yz$ too. So its robust accuracy is at most its accuracy on the moved
# inputs. These are again two Gaussian clouds, with means $\pm(\mu - z)$, and $\mu - z = w$ of
# (3.4). By (3.3) no classifier is right on more than $\Phi(\lVert w\rVert_2 / \sigma)$ of them.
#
# *The linear one does it.* Where $w_i \ne 0$ we have $z_i = \varepsilon\operatorname{sign}(w_i)$,
# so $w\cdot z = \varepsilon\lVert w\rVert_1$. In (3.2) the numerator is
# $w\cdot\mu - w \cdot z = w\cdot w$, and $A(\varepsilon) = \Phi(\lVert w\rVert_2/\sigma)$. ∎
#
# Look at (3.4). Features whose mean is below $\varepsilon$ get the weight **zero**; the others are
# shrunk. This is *soft thresholding*, known from the lasso. Against an L∞ attacker the best
# classifier *is* sparse: no penalty was put in, it came out.
#
# For an L2 attack the same proof gives $z = \varepsilon\mu/\lVert\mu\rVert_2$ and $w \propto \mu$:
# with noise alike in all directions the Bayes classifier is already the most robust one. There the
# price is nothing.

# %%
eps = np.linspace(0, 0.9, 91)
best = np.array([robust_bayes_accuracy(classes, e, norm=np.inf) for e in eps])
robust = [robust_bayes_classifier(classes, e, norm=np.inf) for e in eps]
clean = np.array([clean_accuracy(margin_law(classes, one)) for one in robust])
used = np.array([np.count_nonzero(one.weights) for one in robust])
of_bayes = robust_accuracy(classes, bayes, eps, norm=np.inf)
print(f"without an attack: Bayes {clean[0]:.1%}; the strong feature alone {normal.cdf(1):.1%}")
print(f"features used at ε = 0, .1, .19, .21: {used[[0, 10, 19, 21]].tolist()}")

with house_style():
    figure = Figure(figsize=(7.2, 3.2))
    left, right = figure.subplots(1, 2, sharey=True)
    left.plot(eps, best, color=BLUE, label="best possible")
    left.plot(eps, of_bayes, color=ORANGE, label="Bayes classifier")
    left.plot(steps, counted, "o", mfc="none", color=ORANGE, label="… counted (FGSM)")
    left.set(xlabel="size ε of the attack, L∞", ylabel="robust accuracy", ylim=(0, 1.03))
    left.legend(fontsize=8)
    right.plot(eps, clean, color=GREEN, label="accuracy without attack")
    right.plot(eps, best, color=BLUE, label="under attack of that ε")
    right.axvline(0.2, color="black", lw=0.8, ls=":")
    right.annotate("weak features dropped", (0.22, 0.3), fontsize=8)
    right.set(xlabel="the ε that the classifier is best for")
    right.legend(fontsize=8, loc="lower right")
show(
    figure,
    "3-price",
    "Left: the robust accuracy of the Bayes classifier falls to one half at .24 and near zero at"
    " .4, the best possible stays above one half. Right: the classifier that is best under attack"
    " loses accuracy without attack, from .99 to .84, until only one feature is left.",
)

# %% [markdown]
# ## The price of robustness
#
# Who prepares for $\varepsilon$ and is never attacked has lost
#
# $$ \text{price}(\varepsilon) = \Phi\!\left(\frac{\lVert\mu\rVert_2}{\sigma}\right) -
#    \Phi\!\left(\frac{w\cdot\mu}{\sigma\lVert w\rVert_2}\right), \qquad w \text{ from (3.4)}.
#    \tag{3.5} $$
#
# It is never negative, by (3.3), and it is 0 only if $w$ is a multiple of $\mu$. Here it is 15
# points once the weak features are dropped: the vertical distance from the start of the green curve
# down to it. In this model, then, accuracy and robustness are at odds; not because anything was
# trained badly but by the law of the data. Change the law and the price changes: if all $|\mu_i|$
# are equal, (3.4) is a multiple of $\mu$ and the price is 0.

# %%
price = clean[0] - clean
print(f"price at ε = .1: {price[10]:.1%}, at .25: {price[25]:.1%}, at .5: {price[50]:.1%}")

# %% [markdown]
# ## The theorem fails when $w$ has seen the inputs
#
# (3.2) holds for a classifier chosen without looking at the inputs it is asked about. Drop that
# assumption: estimate $\mu$ by the mean of $y x$ over 50 inputs, classify by this estimate, and ask
# about *the same* 50 inputs. The formula knows what the classifier does on fresh inputs. On its own
# it does much better.

# %%
rng = np.random.default_rng(1)
small = np.linspace(0, 0.3, 31)
seen, fresh, formula = [], [], []
for _ in range(40):
    own, other = (sample_classes(classes, 50, rng=rng) for _ in range(2))
    estimate = LinearClassifier(weights=(own.y[:, None] * own.X).mean(axis=0))
    seen.append(sample_accuracy(estimate, own.X, own.y, small, norm=np.inf))
    fresh.append(sample_accuracy(estimate, other.X, other.y, small, norm=np.inf))
    formula.append(robust_accuracy(classes, estimate, small, norm=np.inf))
seen, fresh, formula = (np.mean(part, axis=0) for part in (seen, fresh, formula))
print(f"ε = .1: formula {formula[10]:.3f}, fresh inputs {fresh[10]:.3f}, its own {seen[10]:.3f}")

with house_style():
    figure = Figure(figsize=(5.2, 3.0))
    axes = figure.subplots()
    axes.plot(small, formula, color="black", label="formula (3.2)")
    axes.plot(small[::3], fresh[::3], "o", mfc="none", color=BLUE, label="fresh inputs")
    axes.plot(small[::3], seen[::3], "x", color=RED, label="the inputs it was made from")
    axes.set(xlabel="size ε of the attack, L∞", ylabel="robust accuracy", ylim=(0, 1.03))
    axes.legend()
show(
    figure,
    "3-seen",
    "Robust accuracy against the size of the attack, means of forty draws: circles of fresh inputs"
    " lie on the formula, crosses of the inputs that made the classifier lie far above.",
)

# %% [markdown]
# So a robust accuracy measured on training data says little about fresh inputs. That is why lesson
# 1 measured on digits not seen in training.
#
# ## … and "more ε, fewer weights" fails when features are correlated
#
# For (3.1) the weights of (3.4) vanish one by one as $\varepsilon$ grows, and never return. Is the
# best classifier sparser, the stronger the attack, for every Gaussian pair? With noise
# $N(0, \Sigma)$ the theorem still holds, with $w = \Sigma^{-1}(\mu - z)$, where $z$ is now the
# point of the ε-ball that is nearest to $\mu$ in the metric of $\Sigma^{-1}$. But the number of
# zeros need not grow:

# %%
twisted = GaussianClasses(
    means=[[3, 2, -3], [-3, -2, 3]], covariance=[[6, -1, -2], [-1, 2, -2], [-2, -2, 10]]
)
counts = []
for e in (0, 1.0, 1.75, 2.5):
    w = robust_bayes_classifier(twisted, e, norm=np.inf).weights[0]
    counts.append(int(np.count_nonzero(w)))
    print(f"ε = {e}: w = {w.round(3)}, {counts[-1]} weights")

# %% [markdown]
# A weight disappears and comes back. "Robust means sparse" is a theorem about uncorrelated
# features.
#
# ## What to remember
#
# - If the law is known, robust accuracy is a formula (3.2), and so is the best that anybody can
#   reach (3.4).
# - Against L∞ the best classifier soft-thresholds: it drops what the attacker can overturn.
# - Robustness has a price (3.5), which depends on the law; for L2 and equal noise it is zero.
# - Fresh inputs, or the formula is wrong.
#
# ## Exercises
#
# **3a.** Write (3.2) for L∞ as a function of $\mu$, $w$, $\varepsilon$ and $\sigma$. `normal.cdf`
# is Φ.


# %%
def linf_accuracy(mu, w, eps, sigma):
    return ...


check("3a", linf_accuracy)

# %% [markdown]
# **3b.** $\mu = (1, 0.1, \dots, 0.1)$ with one hundred entries 0.1. At which $\varepsilon$ is the
# Bayes classifier (3.3) right on exactly half of the attacked inputs (L∞)?

# %%
half_right = ...
check("3b", half_right)

# %% [markdown]
# **3c.** The same $\mu$, $\sigma = 1$. Which price (3.5) does a classifier pay that is best for L∞
# attacks of $\varepsilon = 0.3$? As a number between 0 and 1, to three digits.

# %%
price_paid = ...
check("3c", price_paid)

# %% [markdown]
# **3d.** Find a $\mu$ of three different positive numbers, $\sigma = 1$, for which the price at
# $\varepsilon = 0.5$ is less than .001 although the attack costs the best classifier at least 5
# points: $\Phi(\lVert\mu\rVert_2) - \Phi(\lVert w\rVert_2) \ge .05$.

# %%
cheap_mu = ...
check("3d", cheap_mu)

# %% [markdown]
# **Sources.** The theorem for equal priors: Bhagoji, Cullina, Mittal, NeurIPS 2019 (arXiv
# 1909.12272); unequal priors: Dobriban, Hassani, Hong, Robey 2020 (arXiv 2006.05161); any
# covariance, and all proofs: `theory/proofs/mixtures.md`. The idea that weak features make accuracy
# and robustness disagree: Tsipras et al. 2019 (arXiv 1805.12152).
