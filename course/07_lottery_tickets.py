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
# # 7. Lottery tickets and adversarial training
#
# **Question.** Train a network against attacks, cut away its smallest weights, set the others back
# to what they were at the very beginning, and train again. Is the small network as robust as the
# large one? And what does it owe to its first weights?
#
# You need lessons 1, 2 and 4; lesson 9 for what the experiment at the end can and cannot show.
#
# ## Training against attacks
#
# Ordinary training makes a loss small on the inputs. *Adversarial training* makes it small on the
# worst inputs near by:
#
# $$ \min_{\theta} \sum_i \max_{\lVert\delta_i\rVert \le \varepsilon}
#    \text{loss}\bigl(\theta;\, x_i + \delta_i,\, y_i\bigr) . \tag{7.1} $$
#
# For a linear classifier and a loss $\ell$ of the margin $m_i = y_i f(x_i)$ the inner maximum has a
# formula.
#
# **Theorem** (Goodfellow et al. 2015). *If $\ell$ does not rise with the margin, then, without a
# box,*
#
# $$ \sum_i \max_{\lVert\delta_i\rVert\le\varepsilon} \ell\bigl(y_i f(x_i + \delta_i)\bigr)
#    = \sum_i \ell\bigl(m_i - \varepsilon\lVert w\rVert_*\bigr) . \tag{7.2} $$
#
# *Proof.* A change can lower the margin to $m_i - \varepsilon\lVert w\rVert_*$ and no lower (lesson
# 2), and the least margin has the largest loss. ∎
#
# The dual norm of $w$ appears, as in regularised training. Against L∞ attacks it is
# $\lVert w\rVert_1$, the norm that makes weights vanish. So one reads: "adversarial training of
# linear models *is* L1 regularisation."
#
# ## The theorem fails when the norm is pulled out of the loss
#
# Regularised training minimises
#
# $$ \sum_i \ell(m_i) + \lambda \lVert w\rVert_* . \tag{7.3} $$
#
# In (7.2) the norm is *inside* the loss. A point with much room to spare hardly feels it there;
# outside, all feel the same. Is there, for each ε, a λ such that (7.3) has the same minimiser? No.
# Take six points in the plane (three, and their mirror images with the other label, so that the
# bias is 0), the logistic loss, and an L2 budget of ½.

# %%
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

from classroom import check, show
from empirical.data import digits, split
from empirical.intervals import resampled_interval
from empirical.lowering import network_from_module
from empirical.models import mlp
from empirical.module_budgets import model_robust_accuracy
from empirical.pruning import lottery_tickets, state_of
from empirical.training import Adversary, Training, train_together
from figures.style import BLACK, BLUE, ORANGE, RED, house_style
from theory.certify import certified_accuracy
from theory.claims.classics import adversarial_loss, outside_penalty_counterexample
from theory.linear import LinearClassifier
from theory.networks import class_scores

X6, y6, budget = outside_penalty_counterexample()


def inside(w):
    """Return (7.2)."""
    return adversarial_loss(LinearClassifier(weights=w), X6, y6, budget)


def outside(w, strength):
    """Return (7.3)."""
    plain = adversarial_loss(LinearClassifier(weights=w), X6, y6, 0.0)
    return plain + strength * np.linalg.norm(w)


options = {"method": "Nelder-Mead", "options": {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}}
start = np.array([-0.5, 0.5])
adversarial = minimize(inside, start, **options).x
strengths = np.geomspace(0.05, 20, 60)
penalised = np.array([minimize(outside, start, args=(s,), **options).x for s in strengths])
nearest = np.linalg.norm(penalised - adversarial, axis=1).min()
print(f"adversarial minimiser {adversarial.round(3)}, length {np.linalg.norm(adversarial):.3f}")
print(f"the nearest minimiser of (7.3), over all λ: {nearest:.3f} away")

with house_style():
    figure = Figure(figsize=(6.4, 3.4))
    axes = figure.subplots()
    zoom = axes.inset_axes([0.52, 0.5, 0.45, 0.5], xlim=(-0.78, -0.56), ylim=(0.18, 0.34))
    for panel in (axes, zoom):
        panel.plot(*penalised.T, "-", color=BLUE, label="minimisers of (7.3), all λ")
        panel.plot(*adversarial, "*", ms=9, color=RED, label="minimiser of (7.2)")
    axes.indicate_inset_zoom(zoom, edgecolor=BLACK)
    zoom.set(xticks=[], yticks=[], title="enlarged")
    axes.plot(0, 0, "o", color=BLACK, ms=4)
    axes.annotate(" λ large", (0, 0), va="bottom")
    axes.set(xlabel="$w_1$", ylabel="$w_2$", xlim=(-1.5, 0.3))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
show(
    figure,
    "7-outside",
    "The plane of weights: a curve of the minimisers of the penalised loss leads from the origin"
    " outwards; enlarged, the star of the adversarial minimiser lies beside it.",
)

# %% [markdown]
# The red star is not on the blue curve: no λ does what adversarial training does. (That the star is
# off the curve is a computation with a proof around it: `theory/proofs/classics.md`. What *does*
# come out of the loss is a budget for all inputs together, with the hinge loss, for points that no
# hyperplane separates: Xu et al. 2009.)
#
# **And if the loss rises somewhere?** The assumption of (7.2) is not idle. The squared loss
# $(1 - m)^2$ rises beyond $m = 1$. At $m = 3$ and $\varepsilon\lVert w\rVert_* = 1$ the attack
# reaches every margin in [2, 4], and the worst for the loss is 4, a *better* margin: $(1-4)^2 = 9$,
# where (7.2) says $(1-2)^2 = 1$.
#
# ## Networks, and a warning
#
# For networks nobody can compute the inner maximum of (7.1). One puts in what an attack finds, a
# few steps of gradient ascent. An attack finds a *lower* bound of the maximum: training makes an
# optimistic number small. Whether the network became robust must be measured afterwards, by (4.5):
# an attack from above, a certificate from below.
#
# ## Lottery tickets
#
# Frankle and Carbin (2019) found that a large network contains small ones that train just as well,
# if they start from the *same* first weights. The recipe:
#
# 1. draw weights $\theta_0$; train;
# 2. prune the smallest weights of each layer, a share $p$ of those left;
# 3. reset the others to their values in $\theta_0$; train; go to 2.
#
# After $r$ rounds the share of weights left is
#
# $$ (1 - p)^r . \tag{7.4} $$
#
# Cosentino et al. (2019) did this with adversarial training, and report sparse networks as robust
# as the dense ones. To see what the first weights contribute, one compares with tickets whose
# weights are *drawn anew* in step 3, on masks found the same way.
#
# We do it small: 64-20-10 networks on digits, five seeds, half of the weights removed a round,
# three rounds. Half of the loss is at one sign step of ε = .1. All five networks of a kind are
# trained in one pass.

# %%
eps, seeds, levels = 0.1, range(5), 4
parts = split(digits(), rng=np.random.default_rng(0))
X, y = parts.test.X[:100], parts.test.y[:100]
adversary = Adversary(norm=np.inf, eps=eps, share=0.5, box=(0.0, 1.0))
plans = {
    "natural": Training(epochs=15, rate=3e-3),
    "adversarial": Training(epochs=15, rate=3e-3, adversary=adversary),
}
kinds = {
    "trained naturally, first weights": ("natural", "original", BLACK),
    "against attacks, first weights": ("adversarial", "original", BLUE),
    "against attacks, drawn anew": ("adversarial", "random", ORANGE),
}
rates = {"conv": 0.5, "hidden": 0.5, "output": 0.3}  # the share p of each kind of layer


def later(model):
    """Train nothing yet: all networks of a level are trained together."""


models = {kind: [mlp(64, 20, 10, seed=seed) for seed in seeds] for kind in kinds}
rounds = {
    kind: [
        lottery_tickets(
            model,
            rounds=levels - 1,
            train=later,
            rng=np.random.default_rng(seed),
            original=state_of(model),
            reset=kinds[kind][1],
            rates=rates,
        )
        for seed, model in enumerate(own)
    ]
    for kind, own in models.items()
}


def measured(model):
    """Return accuracy, and robust accuracy by proof and by attack."""
    net = network_from_module(model, (64,))
    right = class_scores(net, parts.test.X).argmax(axis=1) == parts.test.y
    setting = {"norm": np.inf, "box": (0.0, 1.0)}
    proven = certified_accuracy(net, X, y, eps, method="crown", **setting)
    attack = {"restarts": 1, "rng": np.random.default_rng(0)} | setting
    survived = model_robust_accuracy(model, X, y, [eps], **attack).survived
    return right.mean(), proven, survived.mean()


compressions, results = [], {kind: [] for kind in kinds}
for level in range(levels):
    stages = {kind: [next(one) for one in own] for kind, own in rounds.items()}
    compressions.append(stages["against attacks, first weights"][0].compression)
    for training, plan in plans.items():
        groups = [own for kind, own in models.items() if kinds[kind][0] == training]
        pairs = [pair for own in groups for pair in enumerate(own)]
        orders = [10 * level + seed for seed, _ in pairs]
        train_together([m for _, m in pairs], parts, [plan] * len(pairs), seeds=orders)
    for kind, own in models.items():
        results[kind].append([measured(model) for model in own])
results = {kind: np.array(values) for kind, values in results.items()}  # (levels, seeds, 3)

# %%
left = 1 / np.array(compressions)
with house_style():
    figure = Figure(figsize=(7.2, 3.4))
    above, below = figure.subplots(1, 2, sharey=True)
    for kind, values in results.items():
        color, mean = kinds[kind][2], values.mean(axis=1)
        above.plot(left, mean[:, 0], "o-", color=color, ms=4, label=kind)
        below.fill_between(left, mean[:, 1], mean[:, 2], color=color, alpha=0.2, lw=0)
        below.plot(left, mean[:, 2], "v-", color=color, ms=4)
        below.plot(left, mean[:, 1], "^--", color=color, ms=4)
    above.set(title="accuracy", ylabel="share of test digits", ylim=(0, 1.03))
    below.set_title(
        f"robust accuracy, L∞, ε = {eps}, pixels in [0, 1]\n▲ proven, ▼ left by attacks"
    )
    for axes in (above, below):
        axes.set_xscale("log", base=2)
        axes.set_xticks(left, [f"{share:.0%}" for share in left])
        axes.minorticks_off()
        axes.invert_xaxis()
        axes.set_xlabel("weights left")
    figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)
show(
    figure,
    "7-tickets",
    "Accuracy and robust accuracy against the share of weights left, from all to a sixth. Tickets"
    " with their first weights stay nearly level; those drawn anew fall; those trained naturally"
    " are accurate but much less robust.",
)

# %% [markdown]
# Each pair of triangles is a sandwich (4.5): the truth is between. Three things to read off:
#
# - trained naturally, tickets are as accurate and about ten points less robust, and pruning does
#   not make up for it;
# - trained against attacks, they lose some four points of robust accuracy down to a sixth of the
#   weights;
# - drawn anew, they lose accuracy and, with it, robustness.
#
# By (7.4) three rounds at ½ leave an eighth of the hidden layer; with more of the last layer, 15 %
# in all.
#
# How sure is the last of the three? Compare seed by seed: same first weights of the dense network,
# same order of inputs.

# %%
gaps = {}
for column, name in ((1, "proven"), (2, "by attack")):
    difference = (
        results["against attacks, first weights"][-1, :, column]
        - results["against attacks, drawn anew"][-1, :, column]
    )
    gaps[name] = resampled_interval(difference, test_to_train=0.0)
    print("first weights − drawn anew, {}: {:+.2f} [{:+.2f}, {:+.2f}]".format(name, *gaps[name]))

# %% [markdown]
# The interval is over seeds, for *this* split of *this* data set and networks this small: all that
# varies is the first weights and the order of inputs. It says nothing about other data (lesson 9).
# `sparsebound check cosentino2019` does the same over many splits, with the corrected interval.
#
# ## What to remember
#
# - For linear classifiers adversarial training is a formula (7.2), with the norm inside the loss;
#   (7.3) is something else.
# - For networks training sees a lower bound of its own loss: measure afterwards, from both sides.
# - Tickets: prune, reset, train. What the first weights give shows only in the comparison with
#   weights drawn anew.
#
# ## Exercises
#
# **7a.** Write the adversarial hinge loss for L∞: the sum over inputs of the largest
# $\max(0, 1 - \text{margin})$ that an attack of size ε can reach.


# %%
def adversarial_hinge(w, b, X, y, eps):
    return ...


check("7a", adversarial_hinge)

# %% [markdown]
# **7b.** Each round removes 20 % of the weights left. After how many rounds is at most a fifth of
# all weights left?

# %%
rounds_needed = ...
check("7b", rounds_needed)

# %% [markdown]
# **7c.** The squared loss $(1 - m)^2$, margin $m = 2$, $\varepsilon\lVert w\rVert_* = 0.5$. What is
# the largest loss that the attack can reach?

# %%
largest_squared_loss = ...
check("7c", largest_squared_loss)

# %% [markdown]
# **7d.** Robust accuracies of five seeds: with first weights .60, .58, .63, .61, .59; drawn anew,
# same seeds in the same order, .55, .57, .56, .58, .54. What is Student's statistic (mean over
# standard error, $n - 1$ in the standard deviation) for the gain of the first weights, seed by
# seed?

# %%
student = ...
check("7d", student)

# %% [markdown]
# **Sources.** Goodfellow, Shlens, Szegedy 2015 (arXiv 1412.6572), section 5; Madry et al. 2018
# (1706.06083) on (7.1). Xu, Caramanis, Mannor 2009, JMLR 10, Theorem 3. Frankle, Carbin 2019
# (1803.03635). Cosentino, Zaiter, Pei, Zhu 2019 (1912.02386). Proofs: `theory/proofs/classics.md`.
