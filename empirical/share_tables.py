"""Which compression is best where a share of the inputs is adversarial, over seeds, as a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from empirical.compression_study import CompressionCell
from empirical.intervals import resampled_interval
from empirical.measures.checks import as_shares
from theory.validation import FloatArray


def share_table(
    cells: Sequence[CompressionCell], shares: ArrayLike, *, eps: float, level: float = 0.95
) -> list[dict[str, Any]]:
    """Return a family's accuracy at shares q of adversarial inputs, and which of it is best there.

    That is (1 - q) accuracy + q robust accuracy, of networks over seeds. Kind: upper, as what
    attacks leave is mixed in; its limits are for each number by itself. What is said of "best" and
    "beaten" is an estimate: differences of upper bounds are no bounds.

    Parameters
    ----------
    cells : sequence of CompressionCell
        Of one family. Seeds that lack a level are left out.
    shares : array, shape (k,)
        Each in [0, 1].
    eps : float
        Of the L∞ attack, one of the cells'.
    level : float
        Of confidence.

    Returns
    -------
    list of dict
        One a compression and share. "best": whether its mean is largest there. "beaten": whether
        the mean of another surely exceeds it there. "unbeaten": whether none does so at any share;
        if no compression is, which one is best surely depends on the share.

    Raises
    ------
    ValueError
        If no seed has every level, the cells were not attacked at eps, or a share is not in
        [0, 1].

    Notes
    -----
    Merkle, Samsinger and Schöttle 2021: the ratio of adversarials. Compressions are compared seed
    by seed, at the shares 0 and 1, by limits that hold for all pairs together (Bonferroni), and
    mixed by the share between, as `empirical.measures.best_by_share` does over inputs.
    """
    q = as_shares(shares)
    paths = _paths(cells)
    clean = np.array([[cell.accuracy for cell in path] for path in paths])
    robust = np.array([[_survived(cell, eps) for cell in path] for path in paths])
    ratio = cells[0].test_to_train
    beaten = _beaten(clean, robust, q, test_to_train=ratio, level=level)
    mixed = (1 - q) * clean[..., None] + q * robust[..., None]
    best = mixed.mean(axis=0).argmax(axis=0)
    rows = []
    for j, cell in enumerate(paths[0]):
        same = {"model": cell.model, "trained": cell.trained, "family": cell.family, "eps": eps}
        same |= {"norm": np.inf, "seeds": len(paths), "inputs": cell.correct.size}
        same |= {"level": cell.level, "unbeaten": not beaten[j].any()}
        same["compression"] = float(np.mean([path[j].compression for path in paths]))
        for k, share in enumerate(q.tolist()):
            limits = resampled_interval(mixed[:, j, k], test_to_train=ratio, level=level)
            told = {"best": bool(best[k] == j), "beaten": bool(beaten[j, k])}
            rows.append({**same, "share": share, "kind": "upper", **limits._asdict(), **told})
    return rows


def _paths(cells: Sequence[CompressionCell]) -> list[list[CompressionCell]]:
    """Return the cells of each seed that has all levels, from dense to sparse."""
    levels = sorted({cell.level for cell in cells})
    places = {(cell.seed, cell.level): cell for cell in cells}
    seeds = [s for s in sorted({c.seed for c in cells}) if all((s, v) in places for v in levels)]
    if not seeds:
        raise ValueError(f"cells must hold a seed with every level; got {len(cells)} cells.")
    return [[places[seed, level] for level in levels] for seed in seeds]


def _survived(cell: CompressionCell, eps: float) -> float:
    near = np.isclose(cell.eps, eps)
    if not near.any():
        raise ValueError(f"eps must be one of {cell.eps.tolist()}; got {eps}.")
    return float(cell.survived[near.argmax()].mean())


def _beaten(
    clean: FloatArray, robust: FloatArray, q: FloatArray, *, test_to_train: float, level: float
) -> Any:
    """Return whether another compression surely exceeds each (m,) at each share (k,)."""
    m = clean.shape[1]
    beaten = np.zeros((m, q.size), dtype=bool)
    for j, i in np.ndindex(m, m):
        if i != j:
            corrected = 1 - (1 - level) / (m * (m - 1))  # two shares, m (m - 1) / 2 pairs
            at_0, at_1 = (
                resampled_interval(
                    table[:, i] - table[:, j], test_to_train=test_to_train, level=corrected
                )
                for table in (clean, robust)
            )
            beaten[j] |= (1 - q) * at_0.low + q * at_1.low > 0
    return beaten
