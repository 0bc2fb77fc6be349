"""Cosentino, Zaiter, Pei, Zhu 2019: lottery tickets under adversarial training.

Claims about trained networks, which no mathematics settles: each says beforehand what counts as
none, and is left to the data.
"""

from theory.claims.claim import Claim, Source


def largest_loss() -> float:
    """Return the robust accuracy that a ticket may lose and be as robust: 5 points."""
    return 0.05


def no_gain() -> float:
    """Return the gain in robust accuracy that a reset has if it has none."""
    return 0.0


def least_gap() -> float:
    """Return how much less robust natural tickets have to be: 10 points of accuracy."""
    return 0.1


def _source(place: str) -> Source:
    return Source(
        citation="Cosentino, Zaiter, Pei, Zhu 2019",
        place=place,
        bibtex="""@misc{cosentino2019search,
  author    = {Justin Cosentino and Federico Zaiter and Dan Pei and Jun Zhu},
  title     = {The Search for Sparse, Robust Neural Networks},
  year      = {2019},
  eprint    = {1912.02386}
}""",
    )


_TICKETS = (
    "ReLU network; in rounds trained, its smallest weights removed, the others reset",
    "every network is trained for as many epochs",
    "L∞, ε = .1, pixels stay in [0, 1]; the adversary's half of the loss is at one step of ε",
    "measured here on small networks, on 8 × 8 digits: larger ones may differ",
)

CLAIMS = (
    Claim(
        key="cosentino2019.tickets",
        source=_source("section 4, adversarially trained tickets"),
        statement="adversarial training finds sparse robust networks: some ticket with a fifth of"
        " the weights or fewer, reset to its original weights, loses less than 5 points of robust"
        " accuracy against the dense network, both by attack and by proof",
        form="trend",
        assumptions=_TICKETS,
        standing="open",
        note="A fifth and 5 points are our reading of few weights and of no loss.",
        predict=largest_loss,
    ),
    Claim(
        key="cosentino2019.reset",
        source=_source("section 4, random re-initialisation"),
        statement="adversarially trained tickets reset to their original weights have more robust"
        " accuracy than those whose weights are drawn anew, on average over compressions, both by"
        " attack and by proof",
        form="trend",
        assumptions=_TICKETS,
        standing="open",
        note="Each kind of reset finds its own masks, in rounds of its own.",
        predict=no_gain,
    ),
    Claim(
        key="cosentino2019.natural",
        source=_source("section 4, naturally trained tickets"),
        statement="naturally trained tickets are not robust: their robust accuracy is lower than"
        " that of adversarially trained ones by more than 10 points, on average over compressions,"
        " both by attack and by proof",
        form="trend",
        assumptions=_TICKETS,
        standing="open",
        note="Of each seed both start from, and are reset to, the same original weights.",
        predict=least_gap,
    ),
)
