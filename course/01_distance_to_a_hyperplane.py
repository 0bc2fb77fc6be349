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
# # 1. Distance to a hyperplane
#
# **Question.** A classifier reads a picture of a handwritten 8 and says "8". How little has to
# change in the picture until it says "3"?
#
# For the simplest classifiers the answer is a formula of one line. This lesson derives it, uses it
# on real digits, turns it into a number for a whole data set (called $r_2$), and meets a theorem
# about this number that is often quoted without its assumptions. You need to know what a vector, a
# scalar product and a mean are; nothing else.
#
# ## A linear classifier
#
# An input is a vector $x \in \mathbb{R}^d$: of a picture of 8 × 8 pixels, $d = 64$ numbers between
# 0 (white) and 1 (black). A *binary linear classifier* has a weight for each feature, a vector $w$,
# and a number $b$, the bias. It computes the *score*
#
# $$ f(x) = w \cdot x + b \tag{1.1} $$
#
# and answers $+1$ where the score is positive and $-1$ where it is negative. Let $y = \pm 1$ be the
# true label. The *margin* $y f(x)$ is positive exactly if the answer is right. We count a score of
# exactly 0 as an error: the classifier does not know.
#
# The points with $f(x) = 0$ are the *decision boundary*. For $w \ne 0$ it is a hyperplane: a line
# in the plane, a plane in space, and in $\mathbb{R}^{64}$ something flat with 63 dimensions.
#
# Here is such a classifier of threes (label −1) and eights (label +1), trained by logistic
# regression on half of scikit-learn's digits. `train_path` gives classifiers from few weights to
# all; we take the last, with all weights.

# %%
import numpy as np
from matplotlib.figure import Figure

from classroom import check, show
from empirical.attacks import attack_distances
from empirical.data import digits, split
from empirical.linear import train_path
from figures.style import BLUE, ORANGE, house_style
from theory.claims.guo2018 import r_2_as_written, r_2_general, r_2_hidden_term, r_2_unrestricted
from theory.linear import LinearClassifier, class_scores, flip_distance, nearest_flip, r_2
from theory.linear.moments import correct_moments

parts = split(digits(3, 8), rng=np.random.default_rng(0))
model = train_path("L2 logistic, cut", *parts.train, count=2)[-1].model
X, y = parts.test
scores = class_scores(model, X)[:, 1]
print(f"{y.size} digits not seen in training, {np.mean(y * scores > 0):.1%} of them right")

# %% [markdown]
# ## How far is the boundary?
#
# Change the input by a vector $\delta$. We measure the size of the change by its Euclidean length
# $\lVert\delta\rVert_2 = \sqrt{\sum_i \delta_i^2}$ (lesson 2 measures it otherwise). The *flip
# distance* of a rightly classified input is the size of the smallest change that takes its margin
# to zero:
#
# $$ d_2(x) = \min \{ \lVert\delta\rVert_2 : y f(x + \delta) \le 0 \}. \tag{1.2} $$
#
# **The formula.** For $w \ne 0$ and a right answer,
#
# $$ d_2(x) = \frac{y f(x)}{\lVert w \rVert_2}, \qquad\text{reached by}\qquad
#    \delta^* = -\frac{f(x)}{\lVert w \rVert_2^2}\, w . \tag{1.3} $$
#
# **Proof.** A change moves the margin by $y\, w \cdot \delta$. By the inequality of Cauchy and
# Schwarz $y\, w \cdot \delta \ge -\lVert w\rVert_2 \lVert\delta\rVert_2$. So the margin stays
# positive as long as $\lVert w\rVert_2 \lVert\delta\rVert_2 < y f(x)$: no change smaller than (1.3)
# says can flip the answer. And $\delta^*$ does take the score to zero,
# $f(x + \delta^*) = f(x) - f(x) \lVert w \rVert_2^2 / \lVert w \rVert_2^2 = 0$, and its length is
# $|f(x)| / \lVert w \rVert_2$. ∎
#
# Both halves matter, and the whole course is about such pairs. The inequality *proves* that nothing
# nearer flips: a lower bound. The point $x + \delta^*$ *shows* that something flips: an upper
# bound. Here they meet, so the distance is known exactly.
#
# Look at the formula once more. Multiply $w$ and $b$ by 10: every score grows tenfold, no distance
# changes. A large score says nothing by itself. And $\delta^*$ points along $w$: the nearest flip
# changes a feature in proportion to its weight.

# %%
plane = LinearClassifier(weights=[1.0, 2.0], bias=-2.0)
points = np.array([[0.4, 2.2], [2.2, 1.3], [0.5, -0.4], [-0.9, 0.9]])
labels = np.array([1, 1, -1, -1])
flips = nearest_flip(plane, points, labels)

with house_style():
    figure = Figure(figsize=(5.2, 3.7))
    axes = figure.subplots()
    axes.plot([-2.0, 3.2], [2.0, -0.6], color="black", lw=1.2)
    axes.annotate("boundary, f(x) = 0", (2.1, -0.4), rotation=-24, fontsize=8, ha="center")
    for point, flip, norm, label in zip(points, *flips, labels, strict=True):
        color = BLUE if label > 0 else ORANGE
        axes.annotate("", flip, point, arrowprops={"arrowstyle": "->", "color": color})
        axes.plot(*point, "o", color=color)
        axes.annotate(f" {norm:.2f}", point, va="bottom", fontsize=8)
    axes.annotate("", (-0.9, 1.85), (-1.3, 1.05), arrowprops={"arrowstyle": "->"})
    axes.annotate("w", (-0.85, 1.85), fontsize=9)
    axes.set(aspect="equal", xlim=(-1.8, 3), ylim=(-0.8, 2.6), xlabel="$x_1$", ylabel="$x_2$")
    axes.set_title("Blue: label +1, orange: −1. Arrows: the nearest flips.")
show(
    figure,
    "1-nearest-flips",
    "A line in the plane, the boundary, and two points on either side. From each an arrow leads to"
    " the line at a right angle; beside each point stands the arrow's length.",
)

# %% [markdown]
# ## The toolkit, and an attack that knows no formula
#
# `flip_distance` computes (1.3), with 0 for inputs that are wrong already; `nearest_flip` gives the
# flipped points. An *attack* is a program that looks for a flip by trying. DeepFool
# (Moosavi-Dezfooli et al. 2016) is one; it sees only what the classifier answers and in which
# direction scores change. It cannot find a flip nearer than the exact distance. Does it come near?

# %%
distances = flip_distance(model, X, y, norm=2)
by_hand = np.maximum(y * scores, 0) / np.linalg.norm(model.weights)
attacked = attack_distances([model], X, y, attack="l2_deepfool", box=None).distances[0]
right = distances > 0
print(f"(1.3) by hand and flip_distance differ by at most {np.abs(by_hand - distances).max():.1e}")
print(f"smallest, median, largest: {np.quantile(distances[right], [0, 0.5, 1]).round(2)}")
ratio = attacked[right] / distances[right]
print(f"the attack's distance over the exact one: {ratio.min():.5f} to {ratio.max():.5f}")

# %% [markdown]
# It ends a hair beyond the boundary every time: an upper bound, as it must be.
#
# How does a flip look? Here is an 8 in the middle of the field and what has to be added to it.

# %%
chosen = np.flatnonzero((y == 1) & right)
eight = chosen[np.argsort(distances[chosen])[chosen.size // 2]]
flip = nearest_flip(model, X[eight : eight + 1], y[eight : eight + 1])
boxed = nearest_flip(model, X[eight : eight + 1], y[eight : eight + 1], box=(0, 1))
change = flip.points[0] - X[eight]
outside = int(((flip.points[0] < 0) | (flip.points[0] > 1)).sum())

with house_style():
    figure = Figure(figsize=(7.2, 2.5))
    panels = figure.subplots(1, 3)
    shown = [
        (X[eight], "an 8", {"cmap": "gray_r", "vmin": 0, "vmax": 1}),
        (
            change,
            f"the change, length {flip.norms[0]:.2f}",
            {"cmap": "PuOr", "vmin": -0.4, "vmax": 0.4},
        ),
        (flip.points[0], 'their sum: "a 3"', {"cmap": "gray_r", "vmin": 0, "vmax": 1}),
    ]
    for axes, (pixels, title, style) in zip(panels, shown, strict=True):
        axes.imshow(pixels.reshape(8, 8), **style)
        axes.set(title=title, xticks=[], yticks=[])
        axes.grid(visible=False)
    figure.suptitle("Purple: darker, orange: lighter")
show(
    figure,
    "1-digit",
    "Three pictures of 8 by 8 pixels: an eight; a pattern of small changes spread over many"
    " pixels; and their sum, which still looks like an eight but is called a three.",
)

# %%
print(f"{outside} pixels of the flipped picture are below 0 or above 1: no picture has those")
print(
    f"distance without a box: {flip.norms[0]:.3f}; if pixels stay in [0, 1]: {boxed.norms[0]:.3f}"
)

# %% [markdown]
# **The first assumption.** Formula (1.3) lets $x + \delta$ be any vector. A picture has pixels in
# [0, 1]; an attack on pictures must stay in this *box*, and then it needs at least as long a
# change, here a longer one. (1.3) is still a proven lower bound, but no longer the distance. So
# every distance in this course says which box it means, or that there is none.
#
# ## One number for a data set
#
# Guo et al. (2018) call the mean flip distance $r_2$, with errors counted as 0:
#
# $$ r_2 = \mathbb{E}\,\bigl[\, 1\{\text{right}\} \cdot d_2(x) \,\bigr]. \tag{1.4} $$
#
# By (1.3) it depends on few numbers. Let $S_k$ be the share of all inputs that have the label $k$
# and are right, and $m_k$ the mean of these inputs, for $k = \pm 1$. On right inputs of label $k$
# the mean of $k f(x)$ is $k f(m_k)$, because $f$ in (1.1) is affine: the mean of scores is the
# score of the mean. So, for every linear classifier with $w \ne 0$, without a box,
#
# $$ r_2 = \frac{1}{\lVert w\rVert_2} \sum_{k = \pm 1} S_k \, k \,(w \cdot m_k + b). \tag{1.5} $$
#
# This is exact, no approximation. Now suppose that both labels are equally frequent and equally
# well classified: $S_+ = S_- = t/2$, where $t$ is the accuracy. Then $b$ cancels in (1.5), and what
# is left is
#
# $$ r_2 = \frac{t \; w \cdot (m_+ - m_-)}{2 \lVert w \rVert_2}, \tag{1.6} $$
#
# the form in which the theorem is printed (Guo et al. 2018, Theorem 3.1, first part).
#
# ## The theorem fails when its assumption is dropped
#
# (1.6) is simpler than (1.5), so one is tempted to use it always. Subtract the two. What (1.6) is
# too large by is
#
# $$ -\,(S_+ - S_-)\, \frac{f\bigl(\tfrac12 (m_+ + m_-)\bigr)}{\lVert w\rVert_2} . \tag{1.7} $$
#
# It vanishes if the shares are equal, or if the point halfway between the means lies on the
# boundary. Otherwise (1.6) is wrong. How wrong? Move the boundary of our classifier by changing its
# bias: errors on one label become fewer, on the other more.

# %%
shifts = np.linspace(-4, 4, 81)
moved = [LinearClassifier(weights=model.weights, bias=model.bias[0] + s) for s in shifts]
moments = [correct_moments(one, X, y) for one in moved]
true = np.array([r_2(one, X, y) for one in moved])
general = np.array([r_2_general(one, m) for one, m in zip(moved, moments, strict=True)])
written = np.array([r_2_unrestricted(one, m) for one, m in zip(moved, moments, strict=True)])
hidden = np.array([r_2_hidden_term(one, m) for one, m in zip(moved, moments, strict=True)])
print(f"(1.5) is off by at most {np.abs(general - true).max():.1e}")
print(f"(1.6) is off by {(written / true - 1).min():+.0%} to {(written / true - 1).max():+.0%}")
print(f"(1.7) explains all of that but {np.abs(written - true - hidden).max():.1e}")

with house_style():
    figure = Figure(figsize=(5.2, 3.2))
    axes = figure.subplots()
    axes.plot(shifts, true, color="black", lw=1.4, label="$r_2$ by definition (1.4)")
    axes.plot(shifts[::4], general[::4], "o", mfc="none", color=BLUE, label="general form (1.5)")
    axes.plot(shifts, written, "--", color=ORANGE, label="as printed (1.6), used for all")
    axes.set(xlabel="what is added to the bias b", ylabel="mean distance $r_2$", ylim=(0, 0.9))
    axes.legend()
show(
    figure,
    "1-hidden-term",
    "Three curves against a shift of the bias. The definition and the general form agree"
    " everywhere; the printed form agrees near the middle and departs on both sides.",
)

# %% [markdown]
# One more thing to see: on both sides the true $r_2$ *rises* while more digits are called wrongly.
# A mean distance can grow because one label moves away from the boundary at the other's expense.
#
# The toolkit refuses (1.6) where it does not apply: it is better to be told than to be wrong.

# %%
try:
    r_2_as_written(moved[0], moments[0])
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# ## What to remember
#
# - Distance = margin divided by the length of $w$ (1.3): a lower bound by Cauchy and Schwarz, an
#   upper bound by a point that flips.
# - "Without a box" is an assumption. So are "equal shares" in (1.6); (1.5) needs neither equal
#   shares nor any law of the data.
# - $r_2$ is a mean in which errors are zeros. More errors, or nearer inputs, both lower it.
#
# ## Exercises
#
# Replace each `...` and run the cell. A wrong answer fails and gives a hint.
#
# **1a.** Write a function that returns the flip distance (1.2) of an input with label $y$: vectors
# $w$ and $x$, numbers $b$ and $y$, no box. Mind inputs that are wrong already.


# %%
def distance(w, b, x, y):
    return ...


check("1a", distance)

# %% [markdown]
# **1b.** $w = (3, 4)$, $b = -10$, $x = (2, 6)$. Give the point on the boundary that is nearest to
# $x$, as a list of two numbers. Pencil and paper are enough.

# %%
nearest = ...
check("1b", nearest)

# %% [markdown]
# **1c.** $w = (3, 4)$, $b = -1$, $x = (1, 0.25)$, label $+1$, but now both features have to stay in
# $[0, 1]$. How far is the nearest flip? (Why is cutting off what sticks out of the box not enough?)

# %%
boxed_distance = ...
check("1c", boxed_distance)

# %% [markdown]
# **1d.** Build a counterexample of your own: a classifier of one feature, $f(x) = x + b$, and some
# inputs such that (1.6), used with the overall accuracy $t$, is more than twice the true $r_2$.
# Each label must have an input that is right. Give `(b, inputs, labels)`, for example
# `(0.5, [1, 2, -1], [1, 1, -1])`. How many inputs does it take?

# %%
counterexample = ...
check("1d", counterexample)

# %% [markdown]
# **Sources.** Guo, Zhang, Zhang, Chen, *Sparse DNNs with Improved Adversarial Robustness*, NeurIPS
# 2018 (arXiv 1810.09619), Theorem 3.1; the general form and the hidden term are proven in
# `theory/proofs/guo2018.md`. DeepFool: Moosavi-Dezfooli, Fawzi, Frossard 2016 (arXiv 1511.04599).
# The distance, with and without a box: `theory/proofs/linear_distance.md`.
