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
# # 9. How to check somebody's claim
#
# **Question.** A paper says: "Pruned networks are more robust: +2 points, in all three of our
# runs." Another says: "Pruning makes no significant difference." Both measured carefully. Can both
# be right? How would you find out?
#
# This lesson is about the way from a sentence to a verdict: what exactly is claimed, what would
# refute it, how many runs it takes, and what goes wrong when many things are tested, or when runs
# share data. You need lessons 1 and 2, and the idea of a statistical test.
#
# ## Take the sentence apart
#
# Five questions. If a text does not answer them, nobody can check it.
#
# 1. **What is the statement**, in symbols? "More robust": which norm, which ε, which box, by an
#    attack (upper bound) or by a certificate (lower)?
# 2. **What is its form?** That decides what would refute it (table).
# 3. **Under which assumptions?** All that a proof uses, or all that the experiment fixed.
# 4. **What does it predict**, as a number, *before* one measures?
# 5. **What is noise?** Over what is the mean taken: inputs, seeds, data sets?
#
# | form | says | refuted by | held up by |
# |---|---|---|---|
# | identity | left = right, always | one case beyond rounding and noise | a proof; many cases |
# | bound | left ≤ right, always | one case beyond rounding | a proof; many cases |
# | limit | tends to …, as $n$ grows | not approaching | a proof; sizes that grow |
# | trend | an effect is positive on average | it is surely negative | it is surely positive |
# | equivalence | an effect is within a margin | it is surely beyond | it is surely within |
#
# In this toolkit a `Claim` holds these answers as data. Here is one you have met: equation (1.6)
# used without its assumption.

# %%
import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from classroom import check, show
from empirical.attacks import attack_distances
from empirical.data import digits, split
from empirical.intervals import holm, resampled_p_value
from empirical.linear import train_path
from empirical.verify.verdict import judge_equivalence, judge_identity, judge_trend
from figures.style import BLUE, GREEN, ORANGE, RED, house_style
from theory.claims import CATALOGUE, Claim, Source
from theory.linear import LinearClassifier
from theory.linear.moments import correct_moments

claim = CATALOGUE["guo2018.r2-unrestricted"]
print(f"{claim.key} ({claim.form}): {claim.statement}")
print("assuming: " + "; ".join(claim.assumptions))

# %% [markdown]
# ## A claim that fails: an identity
#
# An identity needs no statistics. Predict from moments, measure by an attack that knows no formula
# (prediction and measurement must not share code, or a common error agrees with itself), and
# compare case by case. DeepFool stops up to 1e-4 beyond the boundary: that known reason is the
# tolerance, and nothing else is.

# %%
parts = split(digits(3, 8), rng=np.random.default_rng(0))
path = [trained.model for trained in train_path("L2 logistic, cut", *parts.train, count=6)]
attacked = attack_distances(path, *parts.test, attack="l2_deepfool", box=None).distances
predicted = [claim.predict(model, correct_moments(model, *parts.test)) for model in path]
verdict = judge_identity(
    claim, predicted, attacked.mean(axis=1), tolerance=1e-3, reason="DeepFool's overshoot"
)
print(f"{verdict.status}: {verdict.summary}")

# %% [markdown]
# Refuted, and for good: one case beyond its tolerance suffices. (With its assumption, equal shares,
# the same identity is a theorem.) Note what was *not* needed: no mean over cases, no significance.
#
# ## A trend: how many runs?
#
# "Pruning gains 2 points" is no identity: every run gives another gain, $v_1, \dots, v_J$ over $J$
# independent runs. With mean $\bar v$ and standard deviation $s$, Student's statistic is
#
# $$ T = \frac{\bar v}{s / \sqrt{J}}, \tag{9.1} $$
#
# and one says "significant at level $\alpha = .05$" if $|T|$ exceeds what chance alone exceeds in 5
# % of all studies. Three runs with gains all positive have a probability of ⅛ if there is no effect
# at all: hardly evidence.
#
# The *power* of a study is the probability that it finds an effect that is there. For normal gains
# of mean Δ and true standard deviation $s$, $T$ follows the noncentral t law with
#
# $$ J - 1 \text{ degrees of freedom and noncentrality } \Delta\sqrt{J}/s . \tag{9.2} $$
#
# For a quick estimate replace t by normal: power 80 % at level 5 % takes about
#
# $$ J \approx \bigl(z_{.975} + z_{.8}\bigr)^2 \frac{s^2}{\Delta^2} = 7.85\, \frac{s^2}{\Delta^2}
#    \qquad (z_{.975} = 1.960,\; z_{.8} = .842) \tag{9.3} $$
#
# runs, and a few more. Half the effect needs four times the runs.


# %%
def power(effect, runs, level=0.05):
    """Return the probability to find an effect, in standard deviations of a run (9.2)."""
    critical = stats.t.ppf(1 - level / 2, runs - 1)
    law = stats.nct(runs - 1, effect * np.sqrt(runs))
    return float(law.sf(critical) + law.cdf(-critical))


rng = np.random.default_rng(0)
runs = np.array([3, 5, 8, 12, 20, 30, 45, 60])
curves = {effect: [power(effect, J) for J in runs] for effect in (0.0, 0.4, 0.67, 1.0)}
found = {}
for effect in curves:
    drawn = [rng.normal(effect, 1.0, size=(4000, J)) for J in runs]
    found[effect] = np.array(
        [np.mean(stats.ttest_1samp(v, 0, axis=1).pvalue < 0.05) for v in drawn]
    )
print(f"3 runs find an effect of .67 deviations with probability {curves[0.67][0]:.0%}")

with house_style():
    figure = Figure(figsize=(5.6, 3.2))
    axes = figure.subplots()
    for (effect, curve), color in zip(curves.items(), (RED, ORANGE, BLUE, GREEN), strict=True):
        axes.plot(runs, curve, color=color, label=f"Δ = {effect:g} s")
        axes.plot(runs, found[effect], "o", mfc="none", color=color)
    axes.axhline(0.8, color="black", lw=0.8, ls=":")
    axes.set(xlabel="runs J", ylabel="share of studies that find it", ylim=(0, 1.03))
    axes.set_title("Lines: (9.2); circles: 4,000 simulated studies each")
    axes.legend(loc="center right")
show(
    figure,
    "9-power",
    "Power against the number of runs for four sizes of the effect: with no effect it stays at 5"
    " percent; with an effect of one deviation it passes 80 percent at ten runs, with .4 at fifty.",
)

# %% [markdown]
# With an effect of 2 points and runs that differ by 3 points (Δ/s = .67), a study of three runs
# finds it one time in nine. So the two papers of the question can both be honest, and both be
# uninformative.
#
# **"Not significant" is not "no effect".** To claim that there is none, one must show that the
# effect lies *within a margin declared beforehand*: the form equivalence, for which the whole
# interval has to fit into the margin. In between, the verdict is *inconclusive*, which is an honest
# result. Here are a hundred studies of each size, all of the same true gain of 2 points, each
# judged as a trend and as "less than 5 points in either direction":

# %%
source = Source(citation="A paper", place="Table 2", bibtex="@misc{a}")
told = {"source": source, "assumptions": (), "standing": "open", "note": "", "predict": float}
gain = Claim(key="a.gain", statement="pruning gains robustness", form="trend", **told)
same = Claim(key="a.same", statement="it changes < 5 points", form="equivalence", **told)
settings = {"test_to_train": 0.0, "unit": "points"}
shares = {}
for J in (3, 12, 60):
    studies = [{"runs": rng.normal(2.0, 3.0, size=J)} for _ in range(100)]
    trends = [judge_trend(gain, v, **settings).status for v in studies]
    within = [judge_equivalence(same, v, margin=5.0, **settings).status for v in studies]
    for form, told_so in (("trend", trends), ("equivalence", within)):
        counts = {s: told_so.count(s) for s in ("holds", "inconclusive", "refuted")}
        shares[form, J] = counts
        print(f"{J:2} runs, {form}: {counts}")

# %% [markdown]
# ## Many tests
#
# Test $m$ true "no effects" at level α, independently: the probability of at least one false alarm
# is
#
# $$ 1 - (1 - \alpha)^m , \tag{9.4} $$
#
# 40 % for ten tests at 5 %. Whoever tries ten sparsities, three norms and five ε and reports the
# best has run 150 tests. *Holm's* correction keeps the probability of any false alarm below α,
# whatever the dependence: sort the p-values, multiply the smallest by $m$, the next by $m - 1$, and
# so on, and never let an adjusted value be below the one before.

# %%
p_values = np.array([0.011, 0.02, 0.047, 0.3, 0.6])
print("p-values:", p_values, " adjusted by Holm:", holm(p_values).round(3))
many = np.array([1, 5, 10, 20])
drawn = [rng.uniform(size=(4000, m)) for m in many]  # p-values where there is no effect
raw = np.array([np.mean(p.min(axis=1) < 0.05) for p in drawn])
corrected = np.array([np.mean([holm(row).min() < 0.05 for row in p]) for p in drawn])
for m, alarm, kept in zip(many, raw, corrected, strict=True):
    expected = 1 - 0.95**m
    print(f"{m:2} tests: false alarms {alarm:.3f} (by (9.4) {expected:.3f}), with Holm {kept:.3f}")

# %% [markdown]
# ## The theorem fails when runs share data
#
# Student's test assumes that the $v_j$ are **independent**. In practice one has one data set,
# splits it at random $J$ times, and compares two methods on each split. The splits share inputs, so
# their results lean the same way, and more splits of the same data do not add as much evidence as
# (9.1) thinks.
#
# We compute how bad it is. Two methods that are equally good, over all data sets, *by symmetry*:
# inputs have twenty features, all alike; method A classifies by the mean difference of the first
# ten, B by that of the last ten. A data set has 100 inputs; each split trains on half and tests on
# the other half. Whatever "significant difference" is found is false. The repair of Nadeau and
# Bengio (2003) widens the variance of the mean from $s^2/J$ to
#
# $$ s^2 \left( \frac{1}{J} + \frac{n_{\text{test}}}{n_{\text{train}}} \right) . \tag{9.5} $$


# %%
def split_differences(count, rng):
    """Return A's test accuracy less B's, for some random halvings of one data set."""
    y = np.where(rng.random(100) < 0.5, 1, -1)
    X = 0.25 * y[:, None] + rng.normal(size=(100, 20))
    differences = np.empty(count)
    for j in range(count):
        order = rng.permutation(100)
        train, test = order[:50], order[50:]
        w = y[train] @ X[train]
        right = [y[test] * (X[test][:, own] @ w[own]) > 0 for own in (slice(10), slice(10, 20))]
        differences[j] = right[0].mean() - right[1].mean()
    return differences


splits = np.array([3, 5, 10, 20, 40])
studies = np.array([split_differences(splits[-1], rng) for _ in range(400)])


def false_alarms(test_to_train):
    """Return the share of data sets on which a difference is found, by the number of splits."""
    return np.array(
        [
            np.mean([resampled_p_value(v[:J], test_to_train=test_to_train) < 0.05 for v in studies])
            for J in splits
        ]
    )


naive, repaired = false_alarms(0.0), false_alarms(1.0)
print(
    f"{splits[-1]} splits: Student's test is wrong in {naive[-1]:.0%}, repaired {repaired[-1]:.0%}"
)

with house_style():
    figure = Figure(figsize=(5.2, 3.0))
    axes = figure.subplots()
    axes.plot(splits, naive, "o-", color=RED, label="Student's test (9.1)")
    axes.plot(splits, repaired, "s-", color=BLUE, label="repaired by (9.5)")
    axes.axhline(0.05, color="black", lw=0.8, ls=":", label="what the level promises")
    axes.set(xlabel="random splits of one data set", ylabel="false alarms", ylim=(0, 0.8))
    axes.legend(loc="upper left")
show(
    figure,
    "9-splits",
    "False alarms against the number of splits: Student's test rises from below 20 to above 70"
    " percent, the repaired one stays near or below 5 percent.",
)

# %% [markdown]
# The more splits, the surer Student's test is of something false. The repair is a rule of thumb,
# not a theorem: it guesses the correlation of two splits. But here it about keeps what it promises.
#
# ## A claim of your own
#
# "For $x \sim N(0, I)$ the mean L2 distance to the boundary of $w \cdot x$ is $\sqrt{2/\pi}$,
# however sparse $w$ is." True: $w \cdot x / \lVert w\rVert_2 \sim N(0, 1)$, and
# $\mathbb{E}|N(0,1)| = \sqrt{2/\pi}$. A careless reader says the same of L∞. Both, judged by
# attacks on 2,000 inputs for 50, 5 and 1 nonzero weights:

# %%
norms = {"L2": "l2_deepfool", "L∞": "linf_deepfool"}
own_verdicts = {}
for name, attack in norms.items():
    mine = Claim(
        key=f"mine.{attack}",
        statement=f"mean {name} distance √(2/π), however sparse",
        form="identity",
        **told,
    )
    means, errors = [], []
    for nonzeros in (50, 5, 1):
        weights = np.append(rng.normal(size=nonzeros), np.zeros(50 - nonzeros))
        X = rng.normal(size=(2000, 50))
        y = np.where(X @ weights > 0, 1, -1)
        model = LinearClassifier(weights=weights)
        distances = attack_distances([model], X, y, attack=attack, box=None).distances[0]
        means.append(distances.mean())
        errors.append(distances.std() / np.sqrt(distances.size))
    own_verdicts[name] = judge_identity(
        mine,
        np.full(3, np.sqrt(2 / np.pi)),
        means,
        errors=errors,  # standard errors: four of them count as noise
        tolerance=1e-3,
        reason="DeepFool's overshoot",
        margin=0.1,  # declared beforehand: the relative error that counts as none
    )
    print(f"{name}: {own_verdicts[name].status}; means {np.round(means, 3)}")

# %% [markdown]
# `sparsebound claims --example > mine.py` writes such a claim as a file,
# `sparsebound check mine.py` judges it.
#
# ## What to remember
#
# - Statement, form, assumptions, prediction, noise: then measure.
# - One counterexample refutes an identity or a bound; a trend needs power, planned by (9.3).
# - Not significant ≠ no effect. Margins and the number of tests are declared beforehand; Holm.
# - Runs that share data are not independent: (9.5).
#
# ## Exercises
#
# **9a.** Which form has each claim? "identity", "bound", "trend" or "equivalence".
#
# 1. Robust accuracy never exceeds accuracy.
# 2. Pruning to a half changes robust accuracy by less than one point.
# 3. Adversarial training raises robust accuracy.
# 4. The L2 distance of a linear classifier without a box is the margin over $\lVert w\rVert_2$.

# %%
forms = {1: ..., 2: ..., 3: ..., 4: ...}
check("9a", forms)

# %% [markdown]
# **9b.** You expect a gain of 2 points; runs differ by $s$ = 3 points. How many independent runs
# does (9.3) ask for, at level 5 % (two-sided) and power 80 %? A whole number.

# %%
runs_needed = ...
check("9b", runs_needed)

# %% [markdown]
# **9c.** A table compares 20 pruning schemes with the dense network, each at level 5 %, and marks
# one as significantly different. Suppose that there is no effect at all and tests are independent.
# How probable is at least one mark?

# %%
false_mark = ...
check("9c", false_mark)

# %% [markdown]
# **9d.** Four claims have the p-values .015, .03, .004 and .2. Which of them stand at level 5 %
# after Holm's correction? A list of their numbers, 0 to 3. Do it by hand first.

# %%
standing = ...
check("9d", standing)

# %% [markdown]
# **9e.** Refute by an example: "of two classifiers the one with the larger L2 distance at $x$ also
# has the larger L∞ distance at $x$." Give weights $w$ and $v$ and an input $x$, two numbers each,
# both classifiers without bias and right for the label $+1$, as `(w, v, x)`.

# %%
refutation = ...
check("9e", refutation)

# %% [markdown]
# **Sources.** Holm 1979, *A simple sequentially rejective multiple test procedure*. Nadeau, Bengio
# 2003, *Inference for the generalization error*, Machine Learning 52. The claims about pruning in
# the question are readings of Guo et al. 2018 (arXiv 1810.09619) and Merkle et al. 2021 (arXiv
# 2108.08560); `sparsebound check merkle2021` judges the latter on small networks. Verdicts:
# `empirical/verify/verdict.py`.
