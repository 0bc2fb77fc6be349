"""What each figure shows, in words: its title, a description of it, and of which claims."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a figure is about.

    Parameters
    ----------
    title : str
    alt : str
        What it shows, as one tells who cannot see it.
    claims : tuple of str
        Patterns of the keys of claims that it shows something of.
    """

    title: str
    alt: str
    claims: tuple[str, ...] = ()


# By a pattern of the figure's name; the first that fits.
_CAPTIONS = {
    "robust-accuracy": Caption(
        title="Robust accuracy against the size of the attack",
        alt="Eight panels, a data set each in L2 and L∞: curves of exact robust accuracy fall with"
        " the size of the attack for a dense and a sparse linear classifier; bounds by moments lie"
        " above them, and marks of attacks on or above the exact curve.",
        claims=("guo2018.rinf-*", "classics.norm-inside", "classics.aggregate-hinge"),
    ),
    "sparsity-*": Caption(
        title="Linear classifiers: r₂ and r_inf against sparsity",
        alt="A column of two panels a family of classifiers: r₂ above, robust accuracy at one"
        " budget below, against the number of nonzero weights. A line with a band is predicted from"
        " moments of some inputs; points with intervals are attacks on others.",
        claims=(
            *("guo2018.r2*", "guo2018.l2-sparsity", "guo2018.linf-sparsity"),
            *("guo2018.rinf-two-moments", "mixtures.plug-in", "fawzi2018.linear"),
        ),
    ),
    "digit-flips": Caption(
        title="What it takes to change a digit's label",
        alt="Small images: the weights of a dense and a sparse linear classifier, the nearest"
        " changes that flip a digit's label in L2 and L∞, with and without a box, and the changed"
        " digits; crosses mark pixels that leave the range of an image.",
        claims=("guo2018.rinf-clipped",),
    ),
    "cells": Caption(
        title="A ReLU network in the plane: certificate, exact distance, attack",
        alt="The plane cut into cells on which a small network is linear, coloured by label. Around"
        " one input three circles: the certified radius inside, the exact distance to the nearest"
        " flip, and outside the flip that an attack found.",
        claims=("networks.*",),
    ),
    "network-sandwich": Caption(
        title="Certificates below, the exact distance between, attacks above",
        alt="For some fifty digits, sorted by distance: certified radii of eight methods, the exact"
        " distance and the attack's distance, above on a logarithmic scale and below as shares of"
        " the attack's.",
        claims=("networks.certificates", "networks.local-lipschitz"),
    ),
    "certified-accuracy": Caption(
        title="Certified, exact and attacked accuracy of networks",
        alt="A panel for a dense and one for a pruned network: the share of digits that stay right"
        " falls with the size of the attack; certificates' curves lie below the exact one, that of"
        " an attack above; what they leave undecided is shaded.",
        claims=("networks.certificates",),
    ),
    "lipschitz-sparsity": Caption(
        title="Lipschitz constants of pruned networks",
        alt="Upper bounds on a network's Lipschitz constant and a lower one by gradients, against"
        " the share of weights left, for networks pruned at once and for networks retrained; below,"
        " their accuracy.",
        claims=("networks.local-lipschitz", "networks.clever"),
    ),
    "r2-sparsity": Caption(
        title="r₂ against sparsity: linear classifiers beside networks",
        alt="Panels of r₂ against the share of weights left: three data sets with linear"
        " classifiers, predicted and attacked, and pruned ReLU networks, exact and attacked.",
        claims=("guo2018.l2-sparsity", "guo2018.networks-l2", "merkle2021.sweet-spot-l2"),
    ),
    "compression-*": Caption(
        title="Pruned networks: accuracy and robustness against compression",
        alt="Panels of accuracy, robust accuracy and distances against compression, a colour a way"
        " of pruning: means over splits with intervals, attacks above and proofs below.",
        claims=("guo2018.networks-*", "merkle2021.*"),
    ),
    "tickets": Caption(
        title="Lottery tickets",
        alt="Accuracy and robust accuracy of tickets against the share of weights left, naturally"
        " and adversarially trained, reset to their first weights or to random ones; proof and"
        " attack with what lies between shaded.",
        claims=("cosentino2019.*",),
    ),
    "adversarial-share": Caption(
        title="Which compression is best if some inputs are adversarial",
        alt="Accuracy on mixtures of clean and adversarial inputs against the adversarial share, a"
        " line a compression; strips below say at which shares each is best, beaten or undecided.",
        claims=("merkle2021.ratio",),
    ),
    "transfer": Caption(
        title="Adversarial points carried over between pruned networks",
        alt="A matrix: rows are networks that adversarial points were made on, columns networks"
        " they are tried on, each cell the share that fools.",
        claims=("merkle2021.magnitude",),
    ),
    "random-pruning": Caption(
        title="Gradients of a network pruned at random",
        alt="Two panels against the share of weights pruned, one layer left, all right: three upper"
        " bounds, the root mean square by moments, and measured means and root mean squares with"
        " intervals on a logarithmic scale.",
        claims=("guo2018.lipschitz-*",),
    ),
    "pruning-ratio": Caption(
        title="Margin over gradient under random pruning",
        alt="Columns for networks drawn, trained, and trained on after pruning; rows for margin,"
        " gradient, their ratio and the chance of a constant output, against the share of weights"
        " left: predictions as lines, measurements as points.",
        claims=("guo2018.ratio-*", "guo2018.over-sparsification", "initialised.*"),
    ),
    "real-data*": Caption(
        title="Robust accuracy on real data: predicted from one half, measured on the other",
        alt="Columns of data sets, L2 above and L∞ below: robust accuracy falls with the size of"
        " the attack; lines are predictions from the training half, points with intervals are"
        " attacks on the other half.",
        claims=("mixtures.plug-in", "mixtures.smoothed", "mixtures.*-margins"),
    ),
    "heavy-tails": Caption(
        title="What heavy tails do to predictions",
        alt="Two panels, a kind of noise each: the error of three predictions of robust accuracy"
        " against how heavy the tails are.",
        claims=("mixtures.student", "mixtures.two-moments", "mixtures.smoothed"),
    ),
    "before-training": Caption(
        title="Robust accuracy and sparsity, predicted before training",
        alt="A row each of accuracy, robust accuracy in L2 and L∞ and the share of nonzero weights;"
        " left against the strength of the penalty, right against the number of inputs: lines are"
        " predictions for L1 and L2 penalties, points with intervals trained classifiers.",
        claims=("asymptotics.*",),
    ),
    "phase-diagram": Caption(
        title="Which penalty is more robust, L1 or L2",
        alt="Maps for L2 and L∞ attacks, the share of features with a signal across and the budget"
        " up: colours say by how much the best L1 penalty beats the best L2 one, a line where they"
        " are equal, marks what trained classifiers gave.",
        claims=("asymptotics.l1-beats-l2",),
    ),
    "slacks": Caption(
        title="How near searches come to violating each claim",
        alt="A row a claim: the slacks of all instances that a search tried, and the smallest.",
        claims=("guo2018.lipschitz-*", "networks.*", "guo2018.ratio-pattern"),
    ),
    "verdicts": Caption(
        title="All verdicts as a picture",
        alt="The table of claims and verdicts at the top of this page, as a picture for papers.",
    ),
}


def caption_of(name: str) -> Caption:
    """Return what is known of a figure; of one that is new here, its name.

    Examples
    --------
    >>> caption_of("new-figure").title
    'new figure'
    """
    for pattern, caption in _CAPTIONS.items():
        if fnmatchcase(name, pattern):
            return caption
    title = name.replace("-", " ")
    return Caption(title=title, alt=f"{title}: the table that it draws is beside it.")


def shows(name: str, claim: str) -> bool:
    """Return whether a figure shows something of a claim.

    Examples
    --------
    >>> shows("tickets", "cosentino2019.reset"), shows("tickets", "guo2018.r2")
    (True, False)
    """
    return any(fnmatchcase(claim, pattern) for pattern in caption_of(name).claims)
