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
# # 5. Lipschitz constants, pruning and Theorem 3.2, and why it is not the whole story
#
# **Question.** A network whose answers cannot change fast is robust. A theorem says that removing
# weights at random makes networks change less fast. So pruned networks are more robust. Where is
# the gap in this argument?
#
# You need lessons 1, 2 and 4: dual norms, ReLU networks, and what upper and lower bounds are.
#
# ## Slopes prove distances
#
# A function $h$ has the *Lipschitz constant* $L$ on a set if, for all $x, x'$ in it,
#
# $$ |h(x) - h(x')| \le L \,\lVert x - x'\rVert . \tag{5.1} $$
#
# Let $g_y$ be the score of the right label and $g_k$ that of another one.
#
# **Theorem** (Hein, Andriushchenko 2017). *Let $L_k$ be a Lipschitz constant of $g_y - g_k$ in the
# ball of radius $R$ around $x$. Then the flip distance is at least*
#
# $$ d(x) \;\ge\; \min\Bigl\{ R,\; \min_{k \ne y} \frac{g_y(x) - g_k(x)}{L_k} \Bigr\} . \tag{5.2} $$
#
# *Proof.* In the ball $g_y - g_k$ is at least $g_y(x) - g_k(x) - L_k \lVert\delta\rVert$, which
# stays positive for $\lVert\delta\rVert < (g_y(x) - g_k(x))/L_k$. ∎
#
# So margin over slope is a certificate, as in lesson 1, where the slope was $\lVert w\rVert_*$
# everywhere. The larger the ball, the larger $L_k$ may be: a good $R$ is neither tiny nor huge.
#
# ## The slope of a ReLU network
#
# A ReLU network is linear in pieces. Where it has a gradient, output $k$ has
#
# $$ \nabla g_k = w_k D_{L-1} W_{L-1} \cdots D_1 W_1 , \tag{5.3} $$
#
# where $w_k$ is row $k$ of the last layer and $D_j$ a diagonal of ones (units that are on) and
# zeros (off). The constant in (5.1) is the largest dual norm of a gradient in the set: L2 for L2
# attacks, L1 for L∞ attacks. Nobody can try all patterns $D$ of a large network. But none can beat
# the *path vector*: entry by entry
#
# $$ |\nabla g_k| \;\le\; p = |w_k|\, |W_{L-1}| \cdots |W_1| , \tag{5.4} $$
#
# because the absolute value of a sum is at most the sum of absolute values, and leaving out terms
# makes it no larger. Entry $i$ of $p$ adds up the products of absolute weights along all *paths*
# from input $i$ to the output.

# %%
import warnings

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from classroom import check, show
from empirical.data import digits, split
from empirical.lowering import network_from_estimator
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, house_style
from theory.certify.branch_and_bound import exact_distance
from theory.claims.guo2018_masks import cancelling_counterexample, product_counterexample
from theory.claims.networks import local_lipschitz_radius
from theory.networks import class_scores, jacobian
from theory.random_masks import (
    masked_network,
    path_constants,
    product_bound,
    rms_path_norm,
    sampled_gradient_norms,
    sampled_path_norms,
)

warnings.simplefilter("ignore", ConvergenceWarning)
parts = split(digits(), rng=np.random.default_rng(0))
fitted = MLPClassifier((20, 20), max_iter=200, random_state=0).fit(*parts.train)
net = network_from_estimator(fitted).net
X, y = parts.test.X[:16], parts.test.y[:16]

exact = exact_distance(net, X, y).upper
for radii in ([0.02], [0.1], [0.3], [3.0], np.geomspace(0.02, 3, 12)):
    shares = local_lipschitz_radius(net, X, y, radii=radii)[exact > 0] / exact[exact > 0]
    tried = f"R = {radii[0]}" if len(radii) == 1 else "the best of twelve R"
    print(f"(5.2) with {tried}: {shares.mean():.0%} of the exact distance")

# %% [markdown]
# ## Pruning at random: Theorem 3.2
#
# Now remove weights at random: each weight of layer $j$ is *kept* with probability $\rho_j$, the
# density, independently of all others. The slope becomes random. Write $E$ for the mean over masks
# and $c_q = \lVert p \rVert_q$ for the path norms with nothing pruned ($q = 1$ for L∞ attacks,
# $q = 2$ for L2 attacks).
#
# **Theorem** (Guo et al. 2018, Theorem 3.2; constants derived by us). *For every output and every
# region, the mean of the largest gradient norm is at most*
#
# $$ E \lVert p \rVert_1 = c_1 \prod_j \rho_j \quad (q = 1), \tag{5.5} $$
#
# $$ \sqrt{E \lVert p\rVert_2^2} \;\le\; c_2 \sqrt{\prod\nolimits_j \rho_j} \quad (q = 2).
#    \tag{5.6} $$
#
# *Proof.* By (5.4), which holds for every mask, the largest gradient norm is at most the norm of
# the masked path vector, so its mean is at most $E\lVert p\rVert_q$. For $q = 1$:
# $\lVert p\rVert_1$ is a sum over paths, and a path survives if its weight in every layer does,
# with probability $\prod_j\rho_j$. For $q = 2$: $E\lVert p\rVert_2 \le \sqrt{E\lVert p\rVert_2^2}$
# (Jensen), and $\lVert p\rVert_2^2$ is a sum over *pairs* of paths from the same input. Both
# survive with probability at most $\prod_j \rho_j$, and less where they use different weights. ∎
#
# The left side of (5.6) has an exact formula, a recursion over layers (`rms_path_norm`). All bounds
# fall as densities fall. Does what they bound fall as well? We draw masks, all layers at the same
# density.

# %%
rng = np.random.default_rng(0)
densities = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5])
rows = []
for rho in densities:
    alphas = [1 - rho] * net.depth
    rows.append(
        [
            product_bound(net, alphas).mean(),
            rms_path_norm(net, alphas).mean(),
            sampled_path_norms(net, alphas, count=100, rng=rng).mean(),
            sampled_gradient_norms(net, alphas, X, count=100, rng=rng).mean(),
        ]
    )
product, rms, path, gradient = np.array(rows).T
print(f"dense: the bound is {rms[0] / gradient[0]:.0f} times the mean gradient norm")

with house_style():
    figure = Figure(figsize=(5.8, 3.3))
    axes = figure.subplots()
    axes.plot(densities, product, ":", color=ORANGE, label="$c_2\\sqrt{\\Pi\\rho}$ (5.6), right")
    axes.plot(densities, rms, "--", color=BLUE, label="root mean square (5.6), left")
    axes.plot(densities, path, "o", mfc="none", color=BLUE, label="mean path norm, drawn")
    axes.plot(densities, gradient, "o-", color=GREEN, label="mean gradient norm, drawn")
    axes.set(yscale="log", xlabel="density ρ of every layer", ylabel="L2 norm")
    axes.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.invert_xaxis()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
show(
    figure,
    "5-bounds",
    "Against falling density, on a logarithmic scale: the product bound is above the root mean"
    " square; drawn path norms lie on the latter; gradient norms are far below, but fall too.",
)

# %% [markdown]
# The bound is tight for what it bounds, path norms. Gradients are far below, because signs cancel
# in (5.3) and not in (5.4). So far, so good for pruning: gradients do fall.
#
# ## The gap: margins fall, too
#
# (5.2) is margin *over* slope. To first order the flip distance is
#
# $$ d(x) \;\approx\; \frac{g_y(x) - g_k(x)}{\lVert \nabla (g_y - g_k)(x) \rVert_2} \qquad
#    (k \text{ the best rival}), \tag{5.7} $$
#
# and the numerator shrinks with the weights as well. Multiply the last layer, biases included, by
# ½: all slopes fall, no flip moves. For networks drawn at random one can prove that score over
# slope, $|g| / \lVert\nabla g\rVert_2$ of an output, has the *same law at every density* (as widths
# grow; `guo2018.ratio-law` in the catalogue). What about both parts of (5.7) in our trained
# network, pruned at random and not trained on?


# %%
def best_rivals(one, X, y):
    """Return the margin over the best other label at each input, and its slope."""
    scores, every = class_scores(one, X), np.arange(y.size)
    rivals = np.where(y[:, None] == np.arange(10), -np.inf, scores).argmax(axis=1)
    J = jacobian(one, X)
    slopes = np.linalg.norm(J[every, y] - J[every, rivals], axis=1)
    return scores[every, y] - scores[every, rivals], slopes


outcomes = []
for rho in densities:
    found, distances = [], []
    for draw in range(40):
        one = masked_network(net, [1 - rho] * net.depth, rng)
        margins, slopes = best_rivals(one, *parts.test)
        found.append([np.maximum(margins, 0).mean(), slopes.mean(), np.mean(margins > 0)])
        if draw < 25:
            chosen = rng.choice(parts.test.y.size, 6, replace=False)
            pair = parts.test.X[chosen], parts.test.y[chosen]
            distances.append(exact_distance(one, *pair, time_limit=5).upper.mean())
    spread = np.std(distances, ddof=1) / np.sqrt(len(distances))
    outcomes.append([*np.mean(found, axis=0), np.mean(distances), spread])
margin, slope, accuracy, r_2, r_2_error = np.array(outcomes).T
at = int(np.argmin(np.abs(densities - 0.6)))
fallen = slope[at] / slope[0], margin[at] / margin[0]
print("density .6 over dense: slope {:.2f}, margin {:.2f}".format(*fallen))
print(f"accuracy {accuracy[0]:.0%} → {accuracy[at]:.0%}, exact r₂ {r_2[0]:.2f} → {r_2[at]:.2f}")

with house_style():
    figure = Figure(figsize=(5.8, 3.3))
    axes = figure.subplots()
    curves = {
        "bound (5.6), left": (rms, BLUE, "--"),
        "mean slope": (slope, GREEN, "-"),
        "mean margin (errors: 0)": (margin, ORANGE, "-"),
        "exact $r_2$": (r_2, BLACK, "-"),
        "accuracy": (accuracy, RED, ":"),
    }
    for name, (values, color, style) in curves.items():
        axes.plot(densities, values / values[0], style, color=color, marker="o", ms=3, label=name)
    limits = (r_2 + 2 * r_2_error * np.array([[-1], [1]])) / r_2[0]
    axes.vlines(densities, *limits, color=BLACK, lw=0.8)
    axes.set(xlabel="density ρ of every layer", ylabel="relative to dense", ylim=(0, 1.25))
    axes.invert_xaxis()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
show(
    figure,
    "5-margins",
    "Relative to the dense network, as density falls: slopes fall, the bound falls faster, margins"
    " fall fastest; exact distances, with their error bars, and accuracy fall as well.",
)

# %% [markdown]
# (Vertical bars: two standard errors of $r_2$ over masks and inputs.) The theorem is right, slopes
# do fall, and the network is *less* robust: margins fall faster. A bound on the denominator of
# (5.2) is no bound on the quotient. (Networks that are trained on after pruning are another story:
# lesson 7.)
#
# ## The theorem fails when it is read carelessly
#
# **Without the root.** For $q = 1$ the factor is $\prod\rho_j$. Written for $q = 2$ as well,
# $E L \le c_2\prod_j\rho_j$, it is false. One layer, $w = (1, 1)$, $\rho = \tfrac12$: both weights
# are kept with probability ¼ (norm √2), exactly one with probability ½ (norm 1), none else. The
# mean is $\tfrac{\sqrt2}{4} + \tfrac12 = .854$, and $c_2\rho = .707$.
#
# **With the dense network's own slope.** Theorem 3.2 speaks of "some constant" $c$. It is tempting
# to take for it the Lipschitz constant of the dense network: "pruning does not raise the mean
# slope". Take
#
# $$ h(x) = \max(0, x) - \max(0, x) = 0 \tag{5.8} $$
#
# and prune the two weights of the output. Dense it is constant. If exactly one weight is kept, the
# slope is ±1: $E L = 2\rho(1-\rho)$, positive for every density but 0 and 1. The paths (5.4) know
# that: $c_1 = 2$.

# %%
single, alphas, _, _ = product_counterexample()
drawn = sampled_path_norms(single, alphas, count=20_000, rng=rng)[:, 0]
claimed = path_constants(single)[0] * (1 - alphas[0])
print(f"without the root: mean slope {drawn.mean():.3f}, claimed at most {claimed:.3f}")

cancel, _, center, _ = cancelling_counterexample()
kept = np.linspace(0, 1, 21)
slopes_at = np.array(
    [
        sampled_gradient_norms(cancel, [0.0, 1 - rho], center[None], count=1000, rng=rng).mean()
        for rho in kept
    ]
)

with house_style():
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    axes.plot(kept, 2 * kept, "--", color=BLUE, label="$c_1 \\rho$, path norms (5.5)")
    axes.plot(kept, 2 * kept * (1 - kept), color=BLACK, label="2ρ(1 − ρ)")
    axes.plot(kept, slopes_at, "o", mfc="none", color=GREEN, label="mean slope, 1,000 masks")
    axes.axhline(0, color=RED, lw=1.5, label="slope of the dense network")
    axes.set(xlabel="density ρ of the last layer", ylabel="slope of (5.8)")
    axes.invert_xaxis()
    axes.legend()
show(
    figure,
    "5-cancelling",
    "The mean slope of the pruned network is a parabola, zero at densities 1 and 0 and one half in"
    " the middle; the dense network's slope is zero; the path bound is a line above.",
)

# %% [markdown]
# ## What to remember
#
# - Margin over slope certifies (5.2); slopes of ReLU networks are dominated by paths (5.4).
# - Pruning at random lowers *path norms* by known factors (5.5), (5.6). It need not lower the slope
#   of a given network.
# - A small slope is not robustness: distance is margin over slope, and random pruning takes the
#   margin first.
#
# ## Exercises
#
# **5a.** $W_1 = \begin{pmatrix} 1 & -2 \\ 3 & 0 \end{pmatrix}$, $W_2 = (2, -1)$. Weights of the
# first layer are pruned with probability ½, of the second with probability ⅕. Compute
# $E\lVert p\rVert_1$, (5.5).

# %%
mean_path_norm = ...
check("5a", mean_path_norm)

# %% [markdown]
# **5b.** The margin at $x$ is 3, there is one rival, and in the ball of radius $R$ the slope is
# proven to be at most $1 + R$. What is the largest radius that (5.2) certifies, over all choices of
# $R$?

# %%
best_radius = ...
check("5b", best_radius)

# %% [markdown]
# **5c.** One layer, $w = (1, 1)$, each weight kept with probability ρ. Write the mean L2 norm of
# what is left as a function of ρ. (At which ρ is it farthest above $c_2\rho$?)


# %%
def mean_norm(rho):
    return ...


check("5c", mean_norm)

# %% [markdown]
# **5d.** Prune *both* layers of (5.8) at the same density ρ: a path survives if both its weights
# do. At which ρ is the mean slope at a point $x > 0$ largest?

# %%
steepest_density = ...
check("5d", steepest_density)

# %% [markdown]
# **Sources.** Hein, Andriushchenko 2017 (arXiv 1705.08475), Theorem 2.1; for ReLU networks Weng et
# al. 2018 (1801.10578), Theorem 3.2. Guo, Zhang, Zhang, Chen 2018 (1810.09619), Theorem 3.2; what
# is proven, sharpened and refuted of it: `theory/proofs/random_masks.md`; the law of margin over
# gradient: `theory/proofs/ratio_law.md`.
