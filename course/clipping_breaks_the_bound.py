# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # When pixels are clipped, a theorem stops being true
#
# **Question.** Guo et al. (2018, Theorem 3.1) bound how many inputs a linear classifier can keep
# under a sign attack of size ε:
#
# $$ r_\infty(\varepsilon) \;\le\; \frac{\sum_k P(y=k, \text{correct})\, k f(m_k)}
#    {\varepsilon \lVert w \rVert_1}. \tag{1} $$
#
# The attack lowers every margin by exactly $\varepsilon\lVert w\rVert_1$, and Markov's inequality
# does the rest. But experiments on images clip the attacked pixels to [0, 1]. Does (1) still hold?
#
# **The setting.** One signal pixel, 0 for the label −1 and 1 for +1, with weight 1. A hundred
# background pixels that are always 0, half with weight .01 and half with −.01. All margins are ½.

# %%
import numpy as np

from theory.claims.guo2018 import clipping_counterexample
from theory.linear import flip_distance, nearest_flip, r_inf
from theory.linear.moments import correct_moments, markov_bound

model, X, y, eps = clipping_counterexample()
bound = float(markov_bound(model, correct_moments(model, X, y), eps))
free = r_inf(model, X, y, eps)
clipped = r_inf(model, X, y, eps, box=(0, 1))
print(f"bound {bound:.2f}, accuracy without a box {free:.2f}, with clipping {clipped:.2f}")

# %% [markdown]
# Without a box nobody survives, as (1) allows. With clipping everybody does, although (1) says at
# most .83. The theorem is right; its assumption, that every feature can move both ways, is not met.
#
# **Why.** A background pixel at 0 can only go up. That helps the attack on pixels whose weight has
# the harmful sign and does nothing on the others: of $\varepsilon\lVert w\rVert_1 = .6$ the attack
# commands only $\varepsilon(1 + 50 \cdot .01) = .45$, less than the margin of .5.

# %%
free_step = float(flip_distance(model, X, y, norm=np.inf)[1])
boxed_step = float(flip_distance(model, X, y, norm=np.inf, box=(0, 1))[1])
flipped = nearest_flip(model, X, y, norm=np.inf, box=(0, 1)).points[1]
moved = int((flipped[1:] > 0).sum())
print(f"smallest flipping step: {free_step:.3f} free, {boxed_step:.3f} in the box")
print(f"background pixels that the boxed attack can use: {moved} of 100")

# %% [markdown]
# **Where the bound fails, as the budget grows.** Between the two steps above, .25 and .333, the
# clipped accuracy is 1; the bound falls below 1 at ε = .25.

# %%
budgets = np.linspace(0.2, 0.4, 9)
bounds = markov_bound(model, correct_moments(model, X, y), budgets)
accuracies = [r_inf(model, X, y, e, box=(0, 1)) for e in budgets]
for e, b, a in zip(budgets, bounds, accuracies, strict=True):
    print(f"ε = {e:.3f}   bound {b:.2f}   clipped accuracy {a:.0f}   {'VIOLATED' if a > b else ''}")

# %% [markdown]
# **Exercises.**
# 1. Replace 100 background pixels by 1,000 with weights ±.001. Does the violation change? Why not?
# 2. Put the background at ½ instead of 0. For which ε does the bound hold again?
# 3. `sparsebound check guo2018.rinf-clipped` also tries classifiers trained on digits: none of them
#    violates (1). What makes the bound so loose there that clipping does not matter?
