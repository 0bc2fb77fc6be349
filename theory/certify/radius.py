"""The largest ball on which a lower bound of every lead stays positive."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.validation import FloatArray, IntArray

# Of each input's ball in turn: rows (k,) and radii (k,) in, least leads (k,) out.
Leads = Callable[[IntArray, FloatArray], FloatArray]
_WIDEST = 2.0**40  # how many times the first guess, or of which part of it, is tried
_MOST_TRIALS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class _Brackets:
    """For each input the last radius found good, the least found bad, and one more, with leads."""

    good: FloatArray
    lead_good: FloatArray
    bad: FloatArray
    lead_bad: FloatArray
    old: FloatArray
    lead_old: FloatArray

    def put(self, rows: IntArray, radii: FloatArray, leads: FloatArray) -> None:
        for positive, end, lead in (
            (True, self.good, self.lead_good),
            (False, self.bad, self.lead_bad),
        ):
            mine = (leads > 0) == positive
            changed = rows[mine]
            self.old[changed], self.lead_old[changed] = end[changed], lead[changed]
            end[changed], lead[changed] = radii[mine], leads[mine]

    def next_trial(self, rows: IntArray, turn: int, tol: float) -> FloatArray:
        """Return where to look next: beyond the good radius, or between good and bad.

        At the root of a parabola through three leads, but for a step towards the end that is
        farther, so that two trials on either side of the root end the search. Every third time,
        in the end, the middle, lest an odd lead keeps one end where it is.
        """
        good, bad = self.good[rows], self.bad[rows]
        least_step = 0.45 * tol * np.where(np.isinf(bad), 0.0, bad)
        root = self._root(rows)
        with np.errstate(invalid="ignore"):  # inf - inf where no radius has been bad
            before, after = root - good, bad - root
            step = np.maximum(least_step, 0.02 * np.minimum(before, after))
            inner = np.where(before < after, root + step, root - step)
        if turn % 3 == 2 and turn > 6:
            inner = good + (bad - good) / 2
        inner = np.clip(inner, good + least_step, bad - least_step)
        return np.where(np.isinf(bad), 2 * good, inner)

    def _root(self, rows: IntArray) -> FloatArray:
        """Return where a parabola through the three leads meets zero, else where the chord does."""
        good, above = self.good[rows], self.lead_good[rows]
        width, other = self.bad[rows] - good, self.old[rows] - good
        with np.errstate(all="ignore"):
            chord = (self.lead_bad[rows] - above) / width
            bend = ((self.lead_old[rows] - above) / other - chord) / (other - width)
            fall = width * bend - chord
            step = 2 * above / (fall + np.sqrt(fall * fall - 4 * bend * above))
            straight = np.where(np.isfinite(chord), -above / chord, width / 2)
            return good + np.where((step > 0) & (step < width), step, straight)


def largest_positive(
    leads: Leads, at_zero: FloatArray, guess: FloatArray, *, tol: float, limit: ArrayLike = np.inf
) -> tuple[FloatArray, IntArray]:
    """Return for each input the largest radius at which its lead was found positive.

    Kind: lower, whatever the shape of the lead: only radii that were evaluated are returned. One
    within a factor 1 + tol above was found not positive, or the limit was reached.

    Parameters
    ----------
    leads : callable
    at_zero : array, shape (n,)
        The leads at radius 0, exact; where not positive the radius is 0.
    guess : array, shape (n,), positive
        Radii to try first.
    tol : float
        Relative.
    limit : float or array, shape (n,)
        Radii beyond which nothing is looked for.

    Returns
    -------
    radii : array, shape (n,)
    evaluations : array of int, shape (n,)
    """
    ends = _Brackets(
        good=np.zeros_like(at_zero),
        lead_good=at_zero.copy(),
        bad=np.full_like(at_zero, np.inf),
        lead_bad=np.full_like(at_zero, np.nan),
        old=np.full_like(at_zero, np.nan),
        lead_old=np.full_like(at_zero, np.nan),
    )
    spent = np.zeros(at_zero.size, dtype=np.intp)
    widest = np.minimum(limit, _WIDEST * guess)
    rows, turn = np.flatnonzero(at_zero > 0), 0
    trial = guess[rows]
    while rows.size:
        found = leads(rows, trial)
        ends.put(rows, trial, np.where(np.isnan(found), -np.inf, found))
        spent[rows] += 1
        turn += 1
        wide = ends.good[rows] * (1 + tol) < ends.bad[rows]
        # Bounds that fail in ever smaller balls are lost in rounding: nothing is proven there.
        going = (turn < _MOST_TRIALS) & (ends.bad[rows] > guess[rows] / _WIDEST)
        rows = rows[wide & going & (ends.good[rows] < widest[rows])]
        trial = ends.next_trial(rows, turn, tol)
    return ends.good, spent
