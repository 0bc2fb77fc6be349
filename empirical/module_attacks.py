"""How near flips of torch classifiers are: the best that an ensemble of attacks finds.

foolbox attacks a copy in float64; every point is scored again by that copy, outside foolbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from empirical.attack_methods import METHODS, has_numba
from empirical.attack_search import Flips, Task, keep_nearer, keep_nearest, no_flips
from empirical.module_target import module_task
from theory.validation import FloatArray, as_norm

MODEL_ATTACKS: Mapping[str, float] = {name: method.norm for name, method in METHODS.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelAttackResult:
    """The nearest flips that attacks found for n inputs of a torch classifier.

    Kind of the distances: `upper`, each witnessed by a point that was checked.

    Parameters
    ----------
    distances : array, shape (n,)
        In `norm`; 0 where the input is already wrong or tied, nan where no flip was found.
    witnesses : array, shape (n, d)
        A point in the box, with a wrong label or a tie, at that distance; nan where there is none.
    status : array of str, shape (n,)
        "witnessed", "wrong" (the input already is) or "unknown": all attacks failed.
    winner : array of str, shape (n,)
        The attack that found the witness, the first of equals; "" where there is none.
    attacks : tuple of str
        All that were tried.
    norm : 0, 1, 2 or inf
    box : None or (lo, hi)
    kind : str
        "upper".
    """

    distances: FloatArray
    witnesses: FloatArray
    status: NDArray[np.str_]
    winner: NDArray[np.str_]
    attacks: tuple[str, ...]
    norm: float
    box: tuple[float, float] | None
    kind: str = "upper"


def model_attack_distances(
    model: torch.nn.Module,
    X: ArrayLike,
    y: ArrayLike,
    *,
    norm: float,
    box: tuple[float, float] | None,
    attacks: Sequence[str] | str = "quick",
    steps: Mapping[str, int] | None = None,
    rng: np.random.Generator,
) -> ModelAttackResult:
    """Return how far the best of some attacks has to move each input of a torch classifier.

    Kind: `upper`; every distance has its witness, checked by the model in float64 and pulled back
    towards its input. Where all attacks fail there is nan (unknown): that proves nothing.

    Parameters
    ----------
    model : torch module
        Dense or pruned, of any float type; flat rows in, logits out. Attacked in evaluation mode.
    X : array, shape (n, d)
    y : array of int, shape (n,)
        The true labels: 0..c-1; -1 and +1 for one logit.
    norm : 0, 1, 2 or inf
    box : None or (lo, hi)
        Numbers, the same for each feature; inputs lie in it and witnesses stay in it.
    attacks : "quick", "ensemble" or sequence of str
        Names in MODEL_ATTACKS, of this norm. "ensemble": all that need no other box than this;
        "quick": those of them that need no compilation, and so no numba (see Notes).
    steps : mapping of str to int, optional
        Of carlini_wagner, ead, l0_ead, l0_greedy and the attacks of Brendel and Bethge, instead of
        their defaults.
    rng : numpy Generator
        Gives one seed.

    Returns
    -------
    ModelAttackResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or an attack that needs a box has none.
    ModuleNotFoundError
        If an attack of Brendel and Bethge is asked for where numba is not installed.

    Notes
    -----
    foolbox 3.3: as `empirical.attacks`, Brendel et al. 2019 (arXiv 1907.01003), which numba
    compiles for about a minute in each process, and Chen et al. 2018 (1709.04114) for EAD. Each
    attack's result is its own: what starts from another's flips runs that one for itself, so that
    an ensemble is exactly the best of its members. L0 flips are thinned feature by feature;
    "l0_greedy" is ours, since foolbox's L0 attack was seen not to return.

    Examples
    --------
    >>> model = torch.nn.Linear(2, 2)
    >>> _ = model.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    >>> rng = np.random.default_rng(0)
    >>> found = model_attack_distances(
    ...     model, [[1.0, 0.0]], [0], norm=2, box=None, attacks=["l2_deepfool"], rng=rng
    ... )
    >>> found.distances.round(3).tolist(), found.winner.tolist()
    ([0.707], ['l2_deepfool'])
    """
    order = as_norm(norm)
    task = module_task(model, X, y, box=box, rng=rng)
    names = _chosen(attacks, order, is_boxed=bool(np.isfinite(task.hi - task.lo)))
    counts = _step_counts(steps)
    best, winner = no_flips(task, order), np.full(len(task.X), "", dtype=object)
    wrong, known = best.sizes == 0, dict[str, Flips]()
    for name in names:
        own = _flips_of(name, task, counts, known)
        winner[keep_nearest(best, own.sizes, own.witnesses)] = name
    status = np.select([wrong, np.isnan(best.sizes)], ["wrong", "unknown"], "witnessed")
    return ModelAttackResult(
        distances=best.sizes,
        witnesses=best.witnesses,
        status=status,
        winner=winner.astype(str),
        attacks=names,
        norm=order,
        box=box,
    )


def _flips_of(name: str, task: Task, steps: Mapping[str, int], known: dict[str, Flips]) -> Flips:
    """Return what an attack finds by itself, and remember it for those that start from it."""
    if name not in known:
        method, flips = METHODS[name], no_flips(task, METHODS[name].norm)
        for start in method.starts:
            found = _flips_of(start, task, steps, known)
            if found.norm == method.norm:
                keep_nearest(flips, found.sizes, found.witnesses)
            else:
                keep_nearer(task, flips, found.witnesses)
        # What it starts from is not its own: only what it returns counts.
        own = no_flips(task, method.norm) if method.starts else flips
        for points in method.run(task, flips, steps[name]):
            keep_nearer(task, own, points)
        known[name] = own
    return known[name]


def _chosen(attacks: Sequence[str] | str, norm: float, *, is_boxed: bool) -> tuple[str, ...]:
    if isinstance(attacks, str):
        if attacks not in {"ensemble", "quick"}:
            raise ValueError(
                f'attacks must be "ensemble", "quick" or a sequence of names; got {attacks!r}.'
            )
        names = tuple(
            name
            for name, method in METHODS.items()
            if method.norm == norm
            and (is_boxed or not method.boxed)
            and not (attacks == "quick" and method.compiled)
        )
    else:
        names = tuple(dict.fromkeys(attacks))
    _refuse_unknown(names, norm)
    _refuse_unsuited(names, is_boxed=is_boxed)
    return names


def _refuse_unknown(names: Sequence[str], norm: float) -> None:
    listed = [name for name, method in METHODS.items() if method.norm == norm]
    unknown = [name for name in names if name not in listed]
    if unknown or not names:
        raise ValueError(
            f"attacks of norm {norm:g} must be among {', '.join(listed)};"
            f" got {unknown[0] if unknown else 'none'!r}."
        )


def _refuse_unsuited(names: Sequence[str], *, is_boxed: bool) -> None:
    boxed = [name for name in names if METHODS[name].boxed]
    if boxed and not is_boxed:
        raise ValueError(f"box must be a finite pair (lo, hi) for {boxed[0]!r}; got none.")
    compiled = [name for name in names if METHODS[name].compiled]
    if compiled and not has_numba():
        raise ModuleNotFoundError(
            f"numba must be installed for {compiled[0]!r} (pip install numba);"
            ' attacks="quick" does without.'
        )


def _step_counts(steps: Mapping[str, int] | None) -> dict[str, int]:
    """Return the number of steps of every method, the given ones first."""
    counts = {name: method.steps for name, method in METHODS.items()}
    for name, count in (steps or {}).items():
        if not counts.get(name):
            taken = ", ".join(name for name in counts if counts[name])
            raise ValueError(f"steps must be of {taken}; got {name!r}.")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"steps of {name} must be a positive integer; got {count!r}.")
        counts[name] = count
    return counts
