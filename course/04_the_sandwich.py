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
# # 4. Attacks are upper bounds, certificates are lower bounds: the sandwich
#
# **Question.** "We attacked our network and 90 % of the inputs withstood: it is 90 % robust." What
# is wrong with this sentence, and what could be said instead?
#
# For linear classifiers the distance to the nearest flip is a formula. For neural networks it is
# not. Then there are only statements *about* the distance, of different kinds, and mixing the kinds
# up is the commonest mistake of the field. This lesson tells them apart. You need lessons 1 and 2.
#
# ## A ReLU network
#
# Put linear maps one after the other and, in between, replace negative numbers by zero, coordinate
# by coordinate: $\sigma(z) = \max(0, z)$. With two *hidden layers* the scores of the labels are
#
# $$ g(x) = W_3\, \sigma\bigl(W_2\, \sigma(W_1 x + b_1) + b_2\bigr) + b_3 , \tag{4.1} $$
#
# and the answer is the label with the largest score. The flip distance of an input with label $y$
# that is right is, as before,
#
# $$ d(x) = \min\{ \lVert\delta\rVert : g_k(x+\delta) \ge g_y(x+\delta)
#    \text{ for some } k \ne y \}, \tag{4.2} $$
#
# and 0 for an input that is wrong. A tie counts as a flip. With (4.1) in it, (4.2) has no formula.

# %%
import warnings

import numpy as np
from matplotlib.figure import Figure
from scipy.special import betainc
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from classroom import check, show
from empirical.data import digits, split
from empirical.lowering import network_from_estimator
from empirical.network_attacks import network_attack_distances
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, house_style
from theory.certify import certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.claims.networks import clever_counterexample, clever_score
from theory.networks import class_scores

warnings.simplefilter("ignore", ConvergenceWarning)  # two hundred passes are enough here
parts = split(digits(), rng=np.random.default_rng(0))
fitted = MLPClassifier((20, 20), max_iter=200, random_state=0).fit(*parts.train)
net = network_from_estimator(fitted).net
X, y = parts.test.X[:40], parts.test.y[:40]
print(f"a 64-20-20-10 network, {fitted.score(*parts.test):.1%} of unseen digits right")

# %% [markdown]
# ## From above: an attack
#
# An attack looks for a $\delta$ that flips. If it finds one, of size $u$, then surely $d(x) \le u$:
# the flipped point is a *witness* that anybody can check. If it finds none, we have learned
# nothing. Perhaps there is no flip; perhaps the attack is bad. So **an attack gives an upper bound
# on the distance, or nothing.**
#
# How bad can an attack be? Here is one that guesses: 500 random directions, walked along until the
# label flips. Beside it the best of two attacks that follow gradients, DeepFool and DDN.

# %%
rng = np.random.default_rng(0)
directions = rng.normal(size=(500, 64))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
lengths = np.arange(0.05, 5, 0.05)


def guessed(x, label):
    """Return the shortest length at which one of the random directions flips the label."""
    for length in lengths:
        labels = class_scores(net, x + length * directions).argmax(axis=1)
        if (labels != label).any():
            return length
    return np.inf


right = class_scores(net, X).argmax(axis=1) == y
weak = np.array([guessed(*pair) if ok else 0.0 for *pair, ok in zip(X, y, right, strict=True)])
attack = network_attack_distances(net, X, y, box=None).distances
print(
    f"median distance found by guessing {np.median(weak):.2f}, by gradients {np.median(attack):.2f}"
)
print(f"left at ε = .5: {np.mean(weak > 0.5):.0%} by guessing, {np.mean(attack > 0.5):.0%}")

# %% [markdown]
# Whoever only guesses reports a robust network. The sentence in the question speaks about the
# attack as much as about the network.
#
# ## From below: a certificate
#
# A *certificate* is a computation that proves $d(x) \ge l$. The simplest one is interval
# arithmetic. Suppose that every number that enters a layer lies between known limits, centre $c$
# plus or minus radius $r$, coordinate by coordinate. What leaves $z \mapsto Wz + b$ lies within
#
# $$ c' = W c + b, \qquad r' = |W|\, r, \tag{4.3} $$
#
# where $|W|$ has the absolute values, because each $|W_{ij}(z_j - c_j)| \le |W_{ij}| r_j$. (Into
# the first layer comes an L2 ball: there $r'_i$ is ε times the length of row $i$.) And σ is
# increasing, so it maps the limits $c' \pm r'$ to limits. Push the ε-ball through all layers; if at
# the end the score of $y$ is certainly above each other score, no change of size ε can flip:
# $d(x) > \varepsilon$. A search finds the largest such ε.
#
# It is a proof, but a weak one: (4.3) forgets that two numbers come from the same input, and the
# limits grow from layer to layer. If the proof fails, we have learned nothing. So **a certificate
# gives a lower bound on the distance, or nothing** (the bound 0). Better certificates, such as
# CROWN (Zhang et al. 2018), remember the connection as linear functions of the input. The largest
# of several lower bounds is a lower bound; `method="best"` tries eight methods.
#
# ## The sandwich
#
# $$ l(x) \;\le\; d(x) \;\le\; u(x) . \tag{4.4} $$
#
# Where both meet, the distance is known. For networks as small as ours branch and bound closes the
# gap (lesson 6), so that we can see how much either side misses.

# %%
interval = certified_radius(net, X, y, method="interval").lower
crown = certified_radius(net, X, y, method="crown").lower
certificate = certified_radius(net, X, y, method="best").lower
exact = exact_distance(net, X, y)
order = np.argsort(exact.upper)[np.sum(~right) :]
rank = np.arange(1, order.size + 1)
looks = {
    "guessing (upper)": (weak, RED, "v"),
    "DeepFool, DDN (upper)": (attack, ORANGE, "v"),
    "exact": (exact.upper, BLACK, "_"),
    "best certificate (lower)": (certificate, BLUE, "^"),
    "interval arithmetic (lower)": (interval, GREEN, "^"),
}

with house_style():
    figure = Figure(figsize=(6.4, 3.6))
    axes = figure.subplots()
    axes.fill_between(rank, certificate[order], attack[order], color=BLUE, alpha=0.2, lw=0)
    for name, (values, color, marker) in looks.items():
        axes.plot(rank, values[order], marker, mfc="none", color=color, label=name)
    axes.set(yscale="log", xlabel="test digits, by distance", ylabel="L2 distance to a flip")
    axes.yaxis.set_major_formatter("{x:g}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
show(
    figure,
    "4-sandwich",
    "For each of forty digits, on a logarithmic scale: interval arithmetic far below, the best"
    " certificate just below the exact distance, the gradient attacks on it, guessing far above.",
)

# %% [markdown]
# Every mark from below is below, every mark from above is above; the blue band is what the best
# certificate and the attack leave open.
#
# **Robust accuracy** is $A(\varepsilon) = P(d(x) > \varepsilon)$, so (4.4) puts it into a sandwich
# too:
#
# $$ P\bigl(l(x) > \varepsilon\bigr) \;\le\; A(\varepsilon) \;\le\; P\bigl(u(x) > \varepsilon\bigr).
#    \tag{4.5} $$
#
# *This* is what could be said instead of the sentence in the question: "between … and …".

# %%
eps = np.linspace(0, 1.2, 121)
kept = {name: (values > eps[:, None]).mean(axis=1) for name, (values, *_) in looks.items()}
at = 40
print(f"ε = {eps[at]:.1f}: " + ", ".join(f"{name} {part[at]:.0%}" for name, part in kept.items()))

with house_style():
    figure = Figure(figsize=(5.6, 3.1))
    axes = figure.subplots()
    low, high = kept["best certificate (lower)"], kept["DeepFool, DDN (upper)"]
    axes.fill_between(eps, low, high, color=BLUE, alpha=0.2, lw=0, label="the sandwich (4.5)")
    for name, (_, color, marker) in looks.items():
        style = {"_": "-", "v": "--", "^": ":"}[marker]
        axes.plot(eps, kept[name], style, color=color, label=name, lw=1.2)
    axes.set(xlabel="size ε of the attack, L2, no box", ylabel="share of digits", ylim=(0, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
show(
    figure,
    "4-accuracy",
    "Curves of the share of digits that withstand, against the size of the attack: guessing leaves"
    " most, interval arithmetic proves almost nothing, between them a thin band.",
)

# %% [markdown]
# ## The theorem fails when the two sides are not about the same thing
#
# (4.4) is trivially true, if both sides speak of the same distance: the same norm, the same label,
# the same *box*. In a box fewer changes are allowed, so
#
# $$ d_{\text{no box}}(x) \;\le\; d_{\text{box}}(x) . \tag{4.6} $$
#
# A certificate without a box and an attack within one may be compared, by (4.6):
# $l_{\text{no box}} \le d_{\text{no box}} \le d_{\text{box}} \le u_{\text{box}}$. The other way
# round nothing holds. Take the certificate within the box [0, 1] and the attack without:

# %%
boxed = certified_radius(net, X, y, method="crown", box=(0, 1)).lower
boxed_exact = exact_distance(net, X, y, box=(0, 1))
upside_down = int(np.sum(boxed > attack))
print(f"the 'lower bound' exceeds the 'upper bound' for {upside_down} of {y.size} digits")
print(
    f"the true distance grows by {np.mean(boxed_exact.upper[right] / exact.upper[right]) - 1:.0%}"
)

# %% [markdown]
# No program has an error here. Two true statements about two different distances were put into one
# table.
#
# ## … and when a lower bound is only estimated
#
# A network cannot change faster than its steepest slope:
# $d(x) \ge (\text{margin}) / (\text{slope})$, if the slope is the largest in the ball (lesson 5).
# CLEVER (Weng et al. 2018) *estimates* it from gradients at random points. Take a network of 200
# inputs and the output
#
# $$ f(x) = 1 - \tfrac{1}{10} x_1 - 20 \max(0, x_1 - \tfrac12) \qquad\text{at } x = 0, \tag{4.7} $$
#
# where it is 1, label $+1$. The slope is 1/10, except where $x_1 > \tfrac12$; but of the unit ball
# in 200 dimensions that is a part of $1.5 \cdot 10^{-14}$. No sample of (4.7) sees it.

# %%
steep, x0, radius = clever_counterexample()
score = clever_score(steep, x0, [1], np.random.default_rng(0), radius=radius)[0]
true = exact_distance(steep, x0, [1])
print(f"CLEVER says {score:.3f}; a flip is at {true.upper[0]:.3f}, proven and witnessed")

# %% [markdown]
# An *estimate* can be near the truth a thousand times and still be no bound. Its authors say so;
# those who use it as a guarantee do not.
#
# ## What to remember
#
# - Four kinds of numbers: **exact**; **lower** (proven, by a certificate); **upper** (witnessed, by
#   an attack); **estimate** (none of these). Everything this toolkit returns says which.
# - An attack can refute a certificate, never prove one. A failed attack and a failed proof mean
#   nothing.
# - Minimum of uppers: upper. Maximum of lowers: lower. Same norm, same label, same box, always.
#
# ## Exercises
#
# **4a.** Which kind is each number? Answer with "exact", "lower", "upper" or "estimate" for each.
#
# 1. the flip distance of a linear classifier without a box, by (2.4), as a statement on $d$;
# 2. the size of the smallest flip that ten runs of an attack found, on $d$;
# 3. the share of test digits for which CROWN proved $d(x) > \varepsilon$, on the robust accuracy of
#    these digits;
# 4. the largest of 10,000 gradient norms at random points of a ball, on the largest slope in the
#    ball;
# 5. the mean flip distance on 100 digits, all exact, on the mean over all digits ever written.

# %%
kinds = {1: ..., 2: ..., 3: ..., 4: ..., 5: ...}
check("4a", kinds)

# %% [markdown]
# **4b.** Write (4.5) as a function: given arrays of lower and upper bounds on the distances and a
# number $\varepsilon$, return the pair (lowest, highest) that the robust accuracy can be.


# %%
def accuracy_between(lower, upper, eps):
    return ...


check("4b", accuracy_between)

# %% [markdown]
# **4c.** A network with two inputs: $f(x) = \sigma(x_1 - x_2) + \sigma(x_1 + x_2) - 1$ at
# $x = (1, 0)$, where it is one. Distances in L∞, no box. (i) Up to which radius does interval
# arithmetic (4.3) prove $f > 0$? (ii) What is the true distance to $f = 0$? Give both, in a list.

# %%
proven_and_true = ...
check("4c", proven_and_true)

# %% [markdown]
# **4d.** Of the unit ball in $d$ dimensions the part with $x_1 > \tfrac12$ is
# `betainc((d + 1) / 2, 1 / 2, 3 / 4) / 2`. How many random points must one draw in $d = 100$ to hit
# it at least once with probability ½?

# %%
points_needed = ...
print(f"in two dimensions {betainc(3 / 2, 1 / 2, 3 / 4) / 2:.1%} of the disc are beyond one half")
check("4d", points_needed)

# %% [markdown]
# **Sources.** DeepFool: Moosavi-Dezfooli et al. 2016 (arXiv 1511.04599). DDN: Rony et al. 2019
# (1811.09600). Interval arithmetic and CROWN: Zhang et al. 2018 (1811.00866). CLEVER: Weng et al.
# 2018 (1801.10578); Goodfellow 2018 (1804.07870) on what it misses. Weak attacks taken for
# robustness: Athalye, Carlini, Wagner 2018 (1802.00420). Proofs: `theory/proofs/certify.md`,
# `theory/proofs/networks.md`.
