"""Lottery tickets: train, remove the smallest weights, reset those left, again and again."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

from empirical.pruning.masks import (
    Layer,
    State,
    apply_masks,
    copied,
    masks_of,
    prunable,
    refresh,
    trained_weight,
    unmask,
)
from empirical.pruning.selection import as_fraction, rounded, survivors
from empirical.pruning.stages import Stage, Train, refuse_done, trained_stage

# Of the weights left, the share that a round removes (Cosentino et al. 2019).
RATES: Mapping[str, float] = {"conv": 0.2, "hidden": 0.2, "output": 0.1}
Reset = Callable[[nn.Module, State, np.random.Generator], None]


def lottery_tickets(
    model: nn.Module,
    *,
    rounds: int,
    train: Train,
    rng: np.random.Generator,
    original: State,
    reset: str | Reset = "original",
    rates: Mapping[str, float] = RATES,
    done: int = 0,
) -> Iterator[Stage]:
    """Yield a network trained dense, then after each round: pruned, reset and trained, in place.

    Parameters
    ----------
    model : torch module
    rounds : int, nonnegative
        Stages are rounds + 1: number 0 is the dense network.
    train : function of the model
        Trains it in place, pruned weights staying pruned.
    rng : Generator
        Drawn from by random resets alone.
    original : State
        The network's state before any training, state_of(model).
    reset : "original", "random", "none", or a function of model, original and rng
        After pruning, before training: parameters become those of `original`; are drawn anew, each
        layer's by its reset_parameters; or stay as trained. Masks stay.
    rates : mapping of str to float
        As of `ticket_masks`.
    done : int
        Stages done before, which are left out; the network is as the last left it.

    Yields
    ------
    Stage

    Raises
    ------
    TypeError, ValueError
        At once, if a setting is out of range or unknown, or original does not fit the network.

    Notes
    -----
    Frankle, Carbin 2019 (arXiv 1803.03635); Cosentino, Zaiter, Pei, Zhu 2019 (arXiv 1912.02386),
    whose code removes one weight more a layer and round.

    Examples
    --------
    >>> from empirical.pruning.masks import state_of
    >>> model, rng = nn.Sequential(nn.Linear(10, 10), nn.Linear(10, 1)), np.random.default_rng(0)
    >>> tickets = lottery_tickets(model, rounds=2, train=len, rng=rng, original=state_of(model))
    >>> [[int(mask.sum()) for mask in stage.masks.values()] for stage in tickets]
    [[100, 10], [80, 9], [64, 8]]
    """
    if isinstance(reset, str) and reset not in RESETS:
        raise ValueError(f"reset must be one of {', '.join(RESETS)}; got {reset!r}.")
    if rounds < 0:
        raise ValueError(f"rounds must not be negative; got {rounds}.")
    refuse_done(done, rounds + 1)
    shares = _shares(rates)
    _refuse_unlike(model, original)
    renew = RESETS[reset] if isinstance(reset, str) else reset

    def stages() -> Iterator[Stage]:
        for number in range(done, rounds + 1):
            if number > 0:
                apply_masks(model, _masks(model, shares))
                renew(model, original, rng)
            yield trained_stage(model, train, number=number)

    return stages()


def ticket_masks(model: nn.Module, rates: Mapping[str, float] = RATES) -> dict[str, Tensor]:
    """Return the masks after one more round: of each layer the smallest weights left are removed.

    Of n weights left rate · n go, halves rounded to even; of equal ones the first. So a layer keeps
    at least two weights at a rate of 20 %, five at 10 %.

    Parameters
    ----------
    model : torch module
        Not changed.
    rates : mapping of str to float, in [0, 1)
        For "conv" (Conv2d layers), "hidden" (Linear layers) and "output" (the last layer).

    Raises
    ------
    TypeError, ValueError
        If rates are not those three, or out of range; or weights are not finite.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(6, 1))
    >>> model[0].weight.data = torch.tensor([[1.0, -3.0, 2.0, 4.0, 5.0, 6.0]])
    >>> ticket_masks(model)
    {'0': tensor([[False,  True,  True,  True,  True,  True]])}
    """
    return _masks(model, _shares(rates))


def _masks(model: nn.Module, shares: Mapping[str, Fraction]) -> dict[str, Tensor]:
    layers, old = prunable(model), masks_of(model)
    *_, last = layers
    kinds = {
        name: "output" if name == last else "conv" if isinstance(layer, nn.Conv2d) else "hidden"
        for name, layer in layers.items()
    }
    return {
        name: _fewer(name, layer, old[name], shares[kinds[name]]) for name, layer in layers.items()
    }


def _fewer(name: str, layer: Layer, mask: Tensor, share: Fraction) -> Tensor:
    """Return a layer's mask less that share of the weights left."""
    alive = mask.cpu().numpy().ravel()
    scores = trained_weight(layer).abs().cpu().numpy().ravel()
    if not np.isfinite(scores).all():
        raise ValueError(f"weights must be finite; those of layer {name!r} are not.")
    left = int(alive.sum())
    removed = alive.size - left + rounded(share * left)
    kept = survivors(scores, alive, np.zeros_like(alive), removed=removed)
    return torch.from_numpy(kept.reshape(mask.shape)).to(mask.device)


def _shares(rates: Mapping[str, float]) -> dict[str, Fraction]:
    if set(rates) != set(RATES):
        raise ValueError(f"rates must be of {', '.join(RATES)}; got {', '.join(rates)}.")
    shares = {kind: as_fraction("rate", rate) for kind, rate in rates.items()}
    for kind, share in shares.items():
        if not 0 <= share < 1:
            raise ValueError(f"rates must be in [0, 1); got {rates[kind]} for {kind}.")
    return shares


def _to_original(model: nn.Module, original: State, rng: np.random.Generator) -> None:
    del rng
    _give(model, original)


def _to_random(model: nn.Module, original: State, rng: np.random.Generator) -> None:
    """Draw parameters as layers do, on the CPU, the same on every device."""
    del original
    twin = copied(model).to("cpu")
    for layer in prunable(twin).values():
        unmask(layer)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        for part in twin.modules():
            redraw = getattr(part, "reset_parameters", None)
            if callable(redraw):
                redraw()
    _give(model, twin.state_dict())


def _as_trained(model: nn.Module, original: State, rng: np.random.Generator) -> None:
    del model, original, rng


RESETS: Mapping[str, Reset] = {
    "original": _to_original,
    "random": _to_random,
    "none": _as_trained,
}


def _give(model: nn.Module, state: State) -> None:
    """Give a network the parameters of a state, pruned or not; masks stay."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(_value(state, name))
    for layer in prunable(model).values():
        refresh(layer)


def _value(state: State, name: str) -> Tensor:
    plain = name.removesuffix("_orig")
    return next(state[key] for key in (plain, f"{plain}_orig") if key in state)


def _refuse_unlike(model: nn.Module, original: State) -> None:
    keys = {name.removesuffix("_orig") for name in original}
    for name, parameter in model.named_parameters():
        if name.removesuffix("_orig") not in keys:
            raise ValueError(f"original must be a state of the model; it has no {name!r}.")
        shape = tuple(_value(original, name).shape)
        if shape != tuple(parameter.shape):
            raise ValueError(
                f"original must be a state of the model; its {name!r} has shape {shape},"
                f" the model's {tuple(parameter.shape)}."
            )
