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
# # 6. Exact verification of a small network
#
# **Question.** A certificate says "at least .88", an attack says "at most 1.28". Somewhere between
# is the true distance. Can one find it, with proof, and what does it cost?
#
# For small networks one can. This lesson draws a network of two inputs completely, so that you
# *see* the answer, and then explains how a search finds it without looking everywhere. You need
# lesson 4.
#
# ## A network is linear in pieces
#
# A hidden unit is *on* where its input $z_i$ is positive, else *off*. Fix which units are on, the
# *pattern*. Then $\sigma$ multiplies each $z_i$ by 1 or 0, and the whole network is an affine map,
# with the gradient (5.3). The inputs with that pattern form a *region*
#
# $$ Q = \{ x : s_i \, z_i(x) \ge 0 \text{ for all units } i \}, \qquad
#    s_i = \pm 1 \text{ (on, off)}, \tag{6.1} $$
#
# and in a region every $z_i$ is affine, so $Q$ is an intersection of half-spaces: a polygon in the
# plane, a polyhedron in general.

# %%
import warnings

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning

from classroom import check, show
from empirical.planar import planar_cells, planar_network, worst_attacked
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, house_style
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, class_scores, jacobian, preactivations

warnings.simplefilter("ignore", ConvergenceWarning)
rng = np.random.default_rng(0)
net, _, unseen = planar_network((8, 8))
reach = 2.2
cells = planar_cells(net, reach)
patterns = {tuple(cell.pattern) for cell in cells}
print(f"2-8-8-3 network: {len(patterns)} regions in the square, cut into {len(cells)} by labels")

flip = worst_attacked(net, unseen)
colours = (ORANGE, SKY, GREEN)

with house_style():
    figure = Figure(figsize=(5.6, 4.6))
    axes = figure.subplots()
    faces = [to_rgba(colours[cell.label], 0.35) for cell in cells]
    corners = [cell.corners for cell in cells]
    axes.add_collection(PolyCollection(corners, facecolors=faces, edgecolors="white"))
    axes.scatter(
        *unseen.X.T, c=[colours[label] for label in unseen.y], s=9, edgecolors=BLACK, lw=0.3
    )
    angles = np.linspace(0, 2 * np.pi, 200)
    circle = np.array([np.cos(angles), np.sin(angles)])
    for radius, color, name in (
        (flip.certified, BLUE, f"certified: {flip.certified:.2f}"),
        (flip.exact, BLACK, f"exact: {flip.exact:.2f}"),
        (flip.attacked, RED, f"attack: {flip.attacked:.2f}"),
    ):
        axes.plot(*(flip.x[:, None] + radius * circle), color=color, lw=1.2, label=name)
    axes.plot(*flip.x, "o", color=BLACK, ms=5)
    axes.plot(*flip.nearest, "*", color=BLACK, ms=9)
    axes.plot(*flip.found, "x", color=RED, ms=7, mew=2)
    axes.set(
        aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xlabel="$x_1$", ylabel="$x_2$"
    )
    axes.grid(visible=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
show(
    figure,
    "6-plane",
    "The plane in three colours, one a label, divided by white lines into polygons. Round one input"
    " three circles: the certified one is smallest; the exact one touches another colour at a star;"
    " the attack's is largest and passes a cross in another colour.",
)

# %% [markdown]
# Colours are answers; white lines are where a unit turns on or off, or labels change. The black dot
# is an input. The exact distance is the radius of the largest circle around it that has one colour
# inside: it touches another colour at the star. The attack ended at the red cross, a flip, but not
# the nearest one.
#
# ## The distance as a minimum over regions
#
# In a region the lead $g_y - g_k$ is affine. So "the nearest point of $Q$ where $k$ does as well as
# $y$" is a small convex problem, and
#
# $$ d(x) \;=\; \min_{Q} \; \min_{k \ne y} \; \min \{ \lVert x' - x\rVert : x' \in Q,\;
#    g_y(x') \le g_k(x') \}. \tag{6.2} $$
#
# A finite minimum of problems that can be solved exactly. In the plane we can do it by brute force:
# the distance from $x$ to every polygon of another colour.


# %%
def distance_to_polygon(x, corners):
    """Return the distance from a point outside of a polygon to it."""
    starts, edges = corners, np.roll(corners, -1, axis=0) - corners
    along = np.einsum("ij,ij->i", x - starts, edges) / np.maximum((edges**2).sum(axis=1), 1e-300)
    nearest = starts + np.clip(along, 0, 1)[:, None] * edges
    return np.linalg.norm(nearest - x, axis=1).min()


right = class_scores(net, unseen.X).argmax(axis=1) == unseen.y
X, y = unseen.X[right][:40], unseen.y[right][:40]
brute = np.array(
    [
        min(distance_to_polygon(x, cell.corners) for cell in cells if cell.label != label)
        for x, label in zip(X, y, strict=True)
    ]
)
search = exact_distance(net, X, y)
within = brute < reach - np.abs(X).max(axis=1)  # else a flip outside the square may be nearer
gap = np.abs(brute - search.upper)[within].max()
print(f"brute force and branch and bound agree to {gap:.1e} on {within.sum()} inputs")
bounded = search.nodes.mean()
print(f"parts of the plane bounded by the search: {bounded:.1f} of {len(patterns)} regions")

# %% [markdown]
# Two programs with no line in common agree. But the second looked at a few parts only. It has to:
# the number of regions explodes. One layer of $n$ units cuts $\mathbb{R}^d$ into at most
#
# $$ \sum_{i=0}^{d} \binom{n}{i} \tag{6.3} $$
#
# regions, and every further layer cuts each of them again. For digits, $d = 64$, nobody can list
# them.
#
# ## Branch and bound
#
# **Bound.** Suppose we know $l \le z \le u$ for a unit, with $l < 0 < u$ (from interval arithmetic,
# lesson 4). Its output $a = \max(0, z)$ then lies in the *triangle*
#
# $$ a \ge 0, \qquad a \ge z, \qquad a \le \frac{u\,(z - l)}{u - l} . \tag{6.4} $$
#
# These are linear inequalities. Replace every such unit by its triangle: more points are allowed
# than the network can reach, so the nearest flip of the *relaxed* problem is at least as near: a
# **lower bound**, from a convex problem. Any true flip that is met on the way is an **upper
# bound**.
#
# **Branch.** If the two differ, choose a unit whose triangle is open and solve two problems: unit
# on ($z \ge 0$, $a = z$) and unit off ($z \le 0$, $a = 0$). Each is tighter, because a triangle has
# become a line.
#
# **Prune.** A problem whose lower bound is not below the best upper bound holds no nearer flip:
# drop it, with all regions in it.
#
# At every moment, over all problems still open,
#
# $$ \min(\text{lower bounds of open problems},\; \text{best flip}) \;\le\; d(x)
#    \;\le\; \text{best flip} , \tag{6.5} $$
#
# and once all units of a problem are decided it is one region of (6.2), solved exactly. So the
# search ends, with the distance and a point that shows it. How long it takes nobody can promise:
# the problem is NP-hard (Katz et al. 2017).

# %%
sizes = [(4,), (12,), (8, 8), (12, 12)]
work = []
for hidden in sizes:
    one = net if hidden == (8, 8) else planar_network(hidden)[0]
    regions = len({tuple(cell.pattern) for cell in planar_cells(one, reach)})
    ok = class_scores(one, X).argmax(axis=1) == y
    nodes = exact_distance(one, X[ok], y[ok]).nodes
    work.append((regions, nodes.mean(), nodes.max()))
    print(f"hidden layers {hidden}: {regions} regions, {nodes.mean():.1f} parts bounded on average")
regions, mean_nodes, most_nodes = np.array(work, dtype=float).T

with house_style():
    figure = Figure(figsize=(5.2, 2.9))
    axes = figure.subplots()
    axes.plot(regions, regions, "--", color=BLACK, lw=1, label="every region")
    axes.plot(regions, most_nodes, "v", color=RED, mfc="none", label="hardest of the inputs")
    axes.plot(regions, mean_nodes, "o", color=BLUE, mfc="none", label="mean over inputs")
    axes.set(xscale="log", yscale="log", xlabel="regions of the network in the square")
    axes.set_ylabel("parts bounded")
    axes.legend()
show(
    figure,
    "6-work",
    "Parts of the plane bounded against the number of regions of four networks, on logarithmic"
    " scales: the mean stays below ten while regions grow from ten to more than a hundred.",
)

# %% [markdown]
# ## The theorem fails when one piece is taken for the whole
#
# It is tempting to use the gradient at $x$ alone. If the network were linear everywhere, the
# distance would be
#
# $$ \hat d(x) = \min_{k \ne y} \frac{(g_y - g_k)(x)}{\lVert\nabla(g_y - g_k)(x)\rVert_2} .
#    \tag{6.6} $$
#
# **Proposition.** *If the ball of radius $\hat d(x)$ around $x$ lies in the region of $x$, then
# $d(x) = \hat d(x)$.* (In the ball the network *is* affine, and lesson 1 applies.) Drop the
# assumption, and (6.6) is neither a lower nor an upper bound, only an estimate. The distance from
# $x$ to the edge of its region is the least $|z_i| / \lVert\nabla z_i\rVert$ over all units. Points
# drawn from the square, each with the label that the network gives it:

# %%
probes = rng.uniform(-2, 2, size=(120, 2))
scores, slopes, every = class_scores(net, probes), jacobian(net, probes), np.arange(120)
own = scores.argmax(axis=1)  # what the network itself answers
leads = scores[every, own][:, None] - scores
steepness = np.linalg.norm(slopes[every, own][:, None, :] - slopes, axis=2)
rival = np.arange(3) != own[:, None]
linear = np.where(rival, leads / np.where(rival, steepness, 1.0), np.inf).min(axis=1)
true = exact_distance(net, probes, own).upper

edge = np.full(every.size, np.inf)
for depth in range(1, net.depth):
    below = ReluNetwork(weights=net.weights[:depth], biases=net.biases[:depth])
    z, slope = preactivations(below, probes)[-1], np.linalg.norm(jacobian(below, probes), axis=2)
    known = slope > 1e-12  # a unit without a slope here has no edge
    until = np.where(known, np.abs(z) / np.where(known, slope, 1.0), np.inf)
    edge = np.minimum(edge, until.min(axis=1))
inside = linear < edge
ratio = linear / true
print(f"ball inside its region: {inside.sum()} of {every.size} points; there (6.6) is right")
away = ratio[~inside].min(), ratio[~inside].max()
print("elsewhere it is {:.2f} to {:.2f} times the distance".format(*away))

bend = ReluNetwork(weights=[[[-1.0]], [[4.0]]], biases=[[0.1], [0.2]])
bend_exact = exact_distance(bend, [[0.0]], [1]).upper[0]
bend_linear = 0.6 / 4
print(f"f(x) = .2 + 4 max(0, .1 − x) at 0: estimate {bend_linear}, distance {bend_exact}")

with house_style():
    figure = Figure(figsize=(4.6, 3.4))
    axes = figure.subplots()
    end = max(linear.max(), true.max()) * 1.05
    axes.plot([0, end], [0, end], color=BLACK, lw=0.8)
    axes.plot(true[~inside], linear[~inside], "x", color=RED, label="ball leaves the region")
    axes.plot(true[inside], linear[inside], "o", color=BLUE, label="ball inside")
    axes.set(xlabel="exact distance", ylabel="from one gradient (6.6)")
    axes.legend()
show(
    figure,
    "6-linear",
    "The distance from one gradient against the exact distance: on the diagonal where the ball"
    " stays inside its region; where not, mostly above it, up to several times too large.",
)

# %% [markdown]
# In our picture (6.6) is mostly too large, because the boundary bends towards the inputs, and a few
# times too small. The last example shows how far off the other side can be: $f$ falls steeply at 0
# and then stays at .2; the estimate says .15, and there is no flip at all.
#
# **And "exact" has an assumption too: that the search ended.** `exact_distance` says so for each
# input (`status`). With a time limit it returns what (6.5) knows by then: a lower and an upper
# bound, not a distance.
#
# ## What to remember
#
# - Patterns make regions (6.1); the distance is a minimum over regions (6.2).
# - Branch and bound relaxes, splits and prunes; (6.5) is true at every moment, so it can be stopped
#   at any time.
# - One gradient is an estimate (6.6), right only if the ball stays in one region.
#
# ## Exercises
#
# **6a.** A network with two inputs and a single hidden layer of eight units: how many regions can
# it have at most?

# %%
most_regions = ...
check("6a", most_regions)

# %% [markdown]
# **6b.** For a unit it is known that $-1 \le z \le 3$. What is the largest output $a$ that the
# triangle (6.4) allows at $z = 0$? (The unit itself puts out 0 there.)

# %%
largest_output = ...
check("6b", largest_output)

# %% [markdown]
# **6c.** $f(x) = 2 - \max(0, x) - 2\max(0, x - 1)$, one input, at $x = 0.5$ with label $+1$. Give
# the estimate (6.6) and the exact distance, in a list.

# %%
estimate_and_exact = ...
check("6c", estimate_and_exact)

# %% [markdown]
# **6d.** A search has three open problems with the lower bounds .4, .55 and .3; the best flip so
# far is at .5. Between which two numbers is the distance? How many of the three problems need no
# further work? Give `[lowest, highest, number]`.

# %%
state_of_the_search = ...
check("6d", state_of_the_search)

# %% [markdown]
# **Sources.** Katz et al. 2017, *Reluplex* (arXiv 1702.01135), on hardness and exact search. The
# triangle: Ehlers 2017 (1705.01320). Branch and bound for networks: Bunel et al. 2018 (1711.00455).
# The number of regions (6.3) is Zaslavsky's theorem. The search used here:
# `theory/proofs/branch_and_bound.md`.
