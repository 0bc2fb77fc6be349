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
# # 2. Norms, duality, and why sparsity meets L∞
#
# **Question.** People say that a classifier with few weights is harder to fool. Why should the
# number of weights matter at all, and against which attacks?
#
# Lesson 1 measured a change by its Euclidean length. There are other ways to measure, and the
# answer depends on them. You need lesson 1: score, margin, flip distance, box.
#
# ## Three ways to measure a change
#
# A *norm* says how large a vector is. The three of (2.1) stand for three kinds of attackers:
#
# $$ \lVert\delta\rVert_1 = \sum_i |\delta_i|, \qquad
#    \lVert\delta\rVert_2 = \Bigl(\sum_i \delta_i^2\Bigr)^{1/2}, \qquad
#    \lVert\delta\rVert_\infty = \max_i |\delta_i|. \tag{2.1} $$
#
# An L∞ attacker of *budget* $\varepsilon$ may move every feature by up to $\varepsilon$: a thin
# veil over the whole picture. An L1 attacker has one purse for all features, and does best to spend
# it on a few: a sticker. L2 is between them.
#
# ## The dual norm: what an attacker can buy
#
# A change moves the score of a linear classifier by $w \cdot \delta$. What is the most that an
# attacker with budget 1 can get? This number is called the *dual norm* of $w$:
#
# $$ \lVert w \rVert_* = \max \{\, w \cdot \delta : \lVert\delta\rVert \le 1 \,\}. \tag{2.2} $$
#
# By scaling, nobody gets more out of any change than
#
# $$ |w \cdot \delta| \le \lVert w\rVert_* \, \lVert\delta\rVert, \tag{2.3} $$
#
# which is Hölder's inequality, and some $\delta$ of every size reaches it. Let us compute (2.2).
#
# - **L2.** By Cauchy and Schwarz $w\cdot\delta \le \lVert w\rVert_2$, reached by
#   $\delta = w / \lVert w\rVert_2$. The dual norm is $\lVert w \rVert_2$.
# - **L∞.** $w \cdot \delta \le \sum_i |w_i| |\delta_i| \le \sum_i |w_i|$ as every
#   $|\delta_i| \le 1$; reached by $\delta_i = \operatorname{sign}(w_i)$. The dual norm is
#   $\lVert w\rVert_1$.
# - **L1.** $w \cdot \delta \le \sum_i |w_i||\delta_i| \le \max_i |w_i|$ as
#   $\sum_i |\delta_i| \le 1$; reached by putting all on the largest weight. The dual norm is
#   $\lVert w\rVert_\infty$.
#
# The proof of lesson 1 used nothing of the Euclidean length but (2.3). So, without a box and for
# $w \ne 0$, the flip distance of a right input *in any of these norms* is
#
# $$ d(x) = \frac{y f(x)}{\lVert w\rVert_*}. \tag{2.4} $$
#
# The nearest flip in L∞ moves **every** feature that has a weight, however small, by the same
# amount. That is where the number of weights comes in.

# %%
import numpy as np
from matplotlib.figure import Figure

from classroom import check, show
from empirical.attacks import attack_accuracy
from empirical.data import digits, split
from empirical.linear import train_path
from figures.style import BLUE, GREEN, ORANGE, RED, house_style
from theory.claims.guo2018 import clipping_counterexample
from theory.linear import LinearClassifier, flip_distance, nearest_flip, r_inf, robust_accuracy
from theory.linear.classifier import dual_norm
from theory.linear.moments import correct_moments, markov_bound

planes = {"two equal weights": [1.0, 1.0], "one weight": [1.0, 0.0]}
corners = {1: [0, 90, 180, 270, 360], np.inf: [45, 135, 225, 315, 405], 2: range(0, 361, 3)}
styles = {1: ("L1", GREEN), 2: ("L2", BLUE), np.inf: ("L∞", ORANGE)}

with house_style():
    figure = Figure(figsize=(7.2, 3.6))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (title, weights) in zip(panels, planes.items(), strict=True):
        w = np.array(weights) / np.linalg.norm(weights)
        plane = LinearClassifier(weights=-w, bias=1.0)  # every plane at the L2 distance 1
        along = np.array([w[1], -w[0]])
        axes.plot(*(w[:, None] + along[:, None] * np.array([-3, 3])), color="black", lw=1.2)
        for norm, (name, color) in styles.items():
            reach = flip_distance(plane, [[0.0, 0.0]], [1], norm=norm)[0]
            angles = np.radians(np.array(corners[norm]))
            ball = np.stack([np.cos(angles), np.sin(angles)])
            ball *= reach / np.linalg.norm(ball, ord=norm, axis=0)
            axes.plot(*ball, color=color, lw=1.4, label=f"{name}: {reach:.2f}")
        axes.plot(0, 0, "ko", ms=4)
        axes.set(aspect="equal", xlim=(-1.7, 2.1), ylim=(-1.6, 1.9), title=title)
        axes.legend(loc="lower right", title="distance", fontsize=8)
show(
    figure,
    "2-balls",
    "Two planes, each at Euclidean distance 1 from an input, and around it the largest diamond,"
    " circle and square that do not cross the plane. With two equal weights the plane touches the"
    " square at a corner, at .71, and the diamond along a side, at 1.41; with one weight all three"
    " are 1.",
)

# %% [markdown]
# Both boundaries in the picture are equally far away in L2. For the slanted one the L∞ attacker
# (orange square) needs less, .71, because both features help at the same time. The L1 attacker
# (green diamond) needs more, 1.41: each coin can be spent only once. With a single weight all three
# agree.
#
# ## How much the number of weights can matter
#
# Let $s$ be the number of nonzero weights. Then
#
# $$ \lVert w\rVert_2 \le \lVert w\rVert_1 \le \sqrt{s}\, \lVert w\rVert_2. \tag{2.5} $$
#
# *Proof.* Left:
# $\lVert w\rVert_1^2 = \sum_i w_i^2 + \sum_{i \ne j} |w_i||w_j| \ge \lVert w\rVert_2^2$. Right:
# Cauchy and Schwarz for the vectors $(|w_i|)$ and $(1, \dots, 1)$ on the $s$ nonzero places. ∎
# Divide the margin by all three:
#
# $$ \frac{d_2(x)}{\sqrt{s}} \;\le\; d_\infty(x) \;\le\; d_2(x). \tag{2.6} $$
#
# Here is what can be said for sparsity, no more and no less: *at the same L2 distance* few weights
# **guarantee** a large L∞ distance. The guarantee is one-sided. A dense classifier may have a large
# L∞ distance too, if one weight is far larger than the rest (exercise 2c); and (2.6) does not say
# that a sparse classifier has the same L2 distance or the same accuracy as a dense one. Those are
# questions to data.
#
# Against L1 attackers it is the other way round:
# $\lVert w \rVert_2 / \sqrt{s} \le \lVert w\rVert_\infty$, so many equal weights are best. "Robust"
# without a norm means nothing.
#
# ## Two classifiers of digits
#
# Logistic regression with an L1 penalty sets most weights to zero; with an L2 penalty none. Which
# is more robust on digits not seen in training?

# %%
parts = split(digits(3, 8), rng=np.random.default_rng(0))
X, y = parts.test
models = {
    "dense": train_path("L2 logistic, cut", *parts.train, count=2)[-1].model,
    "sparse": train_path("L1 logistic", *parts.train, count=8)[4].model,
}
mean_distances = {}
for name, model in models.items():
    w = model.weights[0]
    own = {norm: flip_distance(model, X, y, norm=norm).mean() for norm in (1, 2, np.inf)}
    mean_distances[name] = own
    spread = dual_norm(model, np.inf) / dual_norm(model, 2)
    print(
        f"{name:6}: {np.count_nonzero(w)} weights, {np.mean(flip_distance(model, X, y) > 0):.1%}"
        f" right, |w|₁/|w|₂ = {spread:.2f}; mean distance L1 {own[1]:.2f}, L2 {own[2]:.2f},"
        f" L∞ {own[np.inf]:.3f}"
    )

# %% [markdown]
# The sparse one pays in L1 and in L2, and gains in L∞. The accuracy left at each budget says the
# same in more detail. The *robust accuracy* is the share of inputs that no attack of that size can
# flip; by (2.4) it is
#
# $$ r_\infty(\varepsilon) = P\bigl(y f(x) > \varepsilon \lVert w\rVert_1\bigr) \tag{2.7} $$
#
# for L∞. It is also what is left after a single step of $\varepsilon$ against the sign of the
# weights, the "fast gradient sign method" (FGSM) of Goodfellow et al. (2015): with two labels and a
# linear classifier no attack does better. Below, lines are (2.7), which knows the formula; circles
# are FGSM, which does not.

# %%
eps = {2: np.linspace(0, 1.6, 81), np.inf: np.linspace(0, 0.25, 81)}
steps = np.linspace(0, 0.25, 11)
fgsm = attack_accuracy(list(models.values()), X, y, steps, attack="fgsm", box=None).mean(axis=2)
exact_at_steps = [robust_accuracy(m, X, y, steps, norm=np.inf) for m in models.values()]

with house_style():
    figure = Figure(figsize=(7.2, 3.1))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (norm, budgets) in zip(panels, eps.items(), strict=True):
        for (name, model), color in zip(models.items(), (BLUE, ORANGE), strict=True):
            kept = robust_accuracy(model, X, y, budgets, norm=norm)
            count = np.count_nonzero(model.weights)
            axes.plot(budgets, kept, color=color, label=f"{name}, {count} weights")
        axes.set(xlabel=f"size ε of the attack, {'L2' if norm == 2 else 'L∞'}, no box")
    for kept, color in zip(fgsm, (BLUE, ORANGE), strict=True):
        panels[1].plot(steps, kept, "o", mfc="none", color=color)
    panels[0].set_ylabel("robust accuracy")
    panels[0].legend()
show(
    figure,
    "2-robust-accuracy",
    "Robust accuracy of a dense and a sparse classifier against the size of the attack. Under L2"
    " attacks the dense curve is higher, under L∞ attacks the sparse one. Circles of the attack lie"
    " on the lines.",
)

# %% [markdown]
# ## A theorem about r∞, and how it fails when pixels are clipped
#
# Which classifiers *can* have a high $r_\infty$? Guo et al. (2018, Theorem 3.1, second part) bound
# it by moments. With $S_k$ and $m_k$ as in lesson 1, for $\varepsilon > 0$ and without a box,
#
# $$ r_\infty(\varepsilon) \;\le\; \frac{\sum_k S_k\, k f(m_k)}{\varepsilon \lVert w\rVert_1}
#    \;=\; r_2 \, \frac{\lVert w\rVert_2}{\varepsilon\lVert w\rVert_1}. \tag{2.8} $$
#
# *Proof.* A positive random number $Z$ exceeds $a$ with probability at most $\mathbb{E}Z / a$
# (Markov). Take for $Z$ the margin of a right input of label $k$, whose mean is $k f(m_k)$, and
# $a = \varepsilon \lVert w\rVert_1$ as in (2.7). The right-hand form is (1.5). ∎
#
# At the same $r_2$ a sparse $w$ has the larger *bound*. That is not yet a larger $r_\infty$: a
# bound can be loose. But first: is it a bound at all? In experiments on pictures the attacked
# pixels are clipped to [0, 1]. Then an assumption of the proof, that every feature can move both
# ways, is not met.
#
# **A counterexample.** One signal pixel, 0 for the label −1 and 1 for +1, has weight 1. A hundred
# background pixels are always 0; half of them have weight .01 and half −.01. With the bias −½ all
# margins are ½.

# %%
model, X_pixels, y_pixels, size = clipping_counterexample()
moments = correct_moments(model, X_pixels, y_pixels)
bound = float(markov_bound(model, moments, size))
free = r_inf(model, X_pixels, y_pixels, size)
clipped = r_inf(model, X_pixels, y_pixels, size, box=(0, 1))
print(f"ε = {size}: bound {bound:.2f}, accuracy without a box {free:.2f}, clipped {clipped:.2f}")

# %% [markdown]
# Without a box nobody survives, as (2.8) allows. With clipping everybody does, although (2.8) says
# at most .83. The theorem is right; it is applied where its assumption fails.
#
# **Why.** A background pixel at 0 can only go up. That helps the attack where the weight has the
# harmful sign and does nothing elsewhere. Of $\varepsilon \lVert w\rVert_1 = .3 \cdot 2 = .6$ the
# attack commands only $.3\,(1 + 50 \cdot .01) = .45$: less than the margin of .5.

# %%
free_step = float(flip_distance(model, X_pixels, y_pixels, norm=np.inf)[1])
boxed_step = float(flip_distance(model, X_pixels, y_pixels, norm=np.inf, box=(0, 1))[1])
flipped = nearest_flip(model, X_pixels, y_pixels, norm=np.inf, box=(0, 1)).points[1]
moved = int((flipped[1:] > 0).sum())
print(f"smallest flipping step: {free_step:.3f} free, {boxed_step:.3f} in the box")
print(f"background pixels that the boxed attack can use: {moved} of 100")

budgets = np.linspace(0.2, 0.4, 82)
bounds = markov_bound(model, moments, budgets)
accuracies = np.array([r_inf(model, X_pixels, y_pixels, e, box=(0, 1)) for e in budgets])
unboxed = np.array([r_inf(model, X_pixels, y_pixels, e) for e in budgets])
violated = accuracies > bounds

with house_style():
    figure = Figure(figsize=(5.2, 3.1))
    axes = figure.subplots()
    axes.plot(budgets, bounds, color="black", label="bound (2.8)")
    axes.step(budgets, unboxed, color=BLUE, where="mid", label="accuracy, no box")
    axes.step(budgets, accuracies, "--", color=ORANGE, where="mid", label="accuracy, clipped")
    axes.fill_between(budgets, bounds, accuracies, where=violated, color=RED, alpha=0.3, lw=0)
    axes.annotate("violated", (0.285, 0.93), color=RED)
    axes.set(xlabel="size ε of the attack, L∞", ylim=(0, 1.3))
    axes.legend(loc=(0.36, 0.25))
show(
    figure,
    "2-clipping",
    "Against the size of the attack: the bound falls slowly below 1; accuracy without a box drops"
    " to 0 where the bound passes 1; clipped accuracy stays at 1 until one third, above the bound.",
)

# %% [markdown]
# Does it matter in practice? `sparsebound check guo2018.rinf-clipped` tries hundreds of classifiers
# of digits: none violates (2.8), because there the bound is so loose that clipping does not matter.
# A theorem that happens to hold outside of its assumptions has not become true there.
#
# ## What to remember
#
# - Distance = margin / dual norm (2.4). L2 is its own dual; L∞ and L1 are dual to each other.
# - Sparsity enters through $\lVert w \rVert_1 \le \sqrt{s}\lVert w\rVert_2$ (2.5): a guarantee for
#   L∞, none for L2, and the wrong way round for L1.
# - (2.8) needs an attack that may go anywhere. Say the box, always.
#
# ## Exercises
#
# **2a.** Write a function that returns how much a score changes at most under an attack of budget
# 1: `norm` is that of the *attack*, 1, 2 or `np.inf`.


# %%
def gain(w, norm):
    return ...


check("2a", gain)

# %% [markdown]
# **2b.** $w = (3, -4, 0)$, $b = 1$, $x = (2, -1, 5)$, label $+1$, no box. How large is the L∞ flip
# distance?

# %%
linf_distance = ...
check("2b", linf_distance)

# %% [markdown]
# **2c.** Sparsity is not necessary. Give 100 weights, *none of them zero*, such that the L∞
# distance of every input is at least half of its L2 distance.

# %%
hundred_weights = ...
check("2c", hundred_weights)

# %% [markdown]
# **2d.** In the counterexample let the background pixels be always ½ instead of 0 (they add nothing
# to any score: their weights cancel). Pixels are clipped to [0, 1] as before. What is now the
# smallest L∞ step that flips an input? Is (2.8) violated at any ε?

# %%
smallest_step = ...
check("2d", smallest_step)

# %% [markdown]
# **2e.** Back to a background at 0. Let its weights have any sum $B$ of absolute values, half
# positive and half negative (so far $B = 1$). Just before the clipped accuracy falls from 1 to 0,
# how low is the bound (2.8)? As $B$ grows, which number does it approach?

# %%
lowest_bound = ...
check("2e", lowest_bound)

# %% [markdown]
# **Sources.** Guo, Zhang, Zhang, Chen, NeurIPS 2018 (arXiv 1810.09619), Theorem 3.1, second part;
# the proof, the counterexample, and the best bound that two moments allow are in
# `theory/proofs/guo2018.md`. FGSM: Goodfellow, Shlens, Szegedy 2015 (arXiv 1412.6572). Distances in
# a box: `theory/proofs/linear_distance.md`.
