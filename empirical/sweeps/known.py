"""The settings of a sweep of networks, with their defaults and what each may be."""

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, get_args

from empirical.models import MODELS
from empirical.module_attacks import MODEL_ATTACKS
from empirical.pruning import RATES, RESETS
from empirical.pruning.schemes import Criterion, Granularity, Scope
from empirical.sweeps.cells import Value
from empirical.sweeps.options import (
    Option,
    above_one,
    ascending,
    at_least_one,
    below_one,
    choice,
    finite,
    inside,
    integer,
    nonnegative,
    optional,
    positive,
    several,
    share,
    text,
    truth,
)
from empirical.training import PRESETS
from empirical.training.settings import KEEPS, OPTIMIZERS, Training

DATASETS = (
    *("digits", "breast-cancer", "mnist", "fashion-mnist"),
    *("gene-expression", "libsvm"),  # files that data.path names
)
METHODS = ("none", "one-shot", "gradual", "iterative", "tickets", "surgery")
NORMS: Mapping[str, float] = {"l0": 0.0, "l1": 1.0, "l2": 2.0, "linf": math.inf}
BALLS = ("l2", "linf")  # the norms of budgets and of training's adversary
GROUPS = ("ensemble", "quick")
ATTACKS = (*GROUPS, *MODEL_ATTACKS)
_COUNT = integer(1)
_SHA256 = text("64 hexadecimal digits", re.compile(r"[0-9a-f]{64}").fullmatch)
_BUDGETS = optional(ascending(nonnegative))


def _of_preset(name: Value) -> dict[str, Any]:
    """Return the settings that a preset of training stands for."""
    if not isinstance(name, str) or name not in PRESETS:
        return {}
    training = PRESETS[name]
    plain = {f.name: getattr(training, f.name) for f in fields(training) if f.name != "adversary"}
    return {f"training.{key}": value for key, value in plain.items()} | _of_adversary(training)


def _of_adversary(training: Training) -> dict[str, Any]:
    adversary = training.adversary
    if adversary is None:
        return {"training.adversary.norm": "none"}
    names = ("eps", "steps", "step", "random_start", "share", "ramp")
    norm = {value: name for name, value in NORMS.items()}[float(adversary.norm)]
    return {
        "training.adversary.norm": norm,
        "training.adversary.box": "none" if adversary.box is None else "unit",
        **{f"training.adversary.{name}": getattr(adversary, name) for name in names},
    }


_DATA = {
    "data.name": Option(default="digits", read=choice(DATASETS)),
    "data.path": Option(default=None, read=optional(text("a file's name", bool))),
    "data.sha256": Option(default=None, read=optional(_SHA256)),
    "data.seed": Option(default=0, read=optional(integer(0))),
    "data.train": Option(default=None, read=optional(_COUNT)),
}
_MODEL = {
    "model.name": Option(default="mlp", read=choice(MODELS)),
    "model.widths": Option(default=[64, 32, 10], read=several(_COUNT)),
    "model.bias": Option(default=True, read=truth),
    "model.image": Option(default=[1, 8, 8], read=several(_COUNT)),
    "model.channels": Option(default=[8, 16], read=several(_COUNT)),
    "model.kernel": Option(default=3, read=_COUNT),
}
_TRAINING = {
    "training.optimizer": Option(default=Training.optimizer, read=choice(OPTIMIZERS)),
    "training.rate": Option(default=Training.rate, read=positive),
    "training.momentum": Option(default=Training.momentum, read=below_one),
    "training.epochs": Option(default=Training.epochs, read=integer(0)),
    "training.batch": Option(default=Training.batch, read=_COUNT),
    "training.patience": Option(default=Training.patience, read=optional(_COUNT)),
    "training.keep": Option(default=Training.keep, read=choice(KEEPS)),
    "training.smoothing": Option(default=Training.smoothing, read=below_one),
    "training.l1": Option(default=Training.l1, read=nonnegative),
    "training.weight_decay": Option(default=Training.weight_decay, read=nonnegative),
    "training.adversary.norm": Option(default="none", read=choice(("none", *BALLS))),
    "training.adversary.eps": Option(default=0.1, read=positive),
    "training.adversary.steps": Option(default=1, read=_COUNT),
    "training.adversary.step": Option(default=None, read=optional(positive)),
    "training.adversary.random_start": Option(default=False, read=truth),
    "training.adversary.share": Option(default=1.0, read=share),
    "training.adversary.ramp": Option(default=0, read=integer(0)),
    "training.adversary.box": Option(default="none", read=choice(("none", "unit"))),
    "training.preset": Option(default="none", read=choice(("none", *PRESETS)), implies=_of_preset),
}
_PRUNING = {
    "pruning.method": Option(default="none", read=choice(METHODS)),
    "pruning.granularity": Option(default="weight", read=choice(get_args(Granularity))),
    "pruning.criterion": Option(default="magnitude", read=choice(get_args(Criterion))),
    "pruning.scope": Option(default="global", read=choice(get_args(Scope))),
    "pruning.compression": Option(default=1.0, read=at_least_one),
    "pruning.at_least": Option(default=0, read=integer(0)),
    "pruning.epochs": Option(default=None, read=optional(integer(0))),
    "pruning.factor": Option(default=2.0, read=above_one),
    "pruning.start": Option(default=1.0, read=at_least_one),
    "pruning.steps": Option(default=10, read=_COUNT),
    "pruning.rounds": Option(default=0, read=integer(0)),
    "pruning.reset": Option(default="original", read=choice(RESETS)),
    **{f"pruning.rates.{kind}": Option(default=r, read=below_one) for kind, r in RATES.items()},
    "pruning.c": Option(default=1.0, read=finite),
    "pruning.stop": Option(default=1000, read=integer(0)),
    "pruning.gamma": Option(default=1e-4, read=nonnegative),
    "pruning.power": Option(default=1.0, read=nonnegative),
}
_ATTACK = {
    "attack.norms": Option(default=["l2"], read=optional(several(choice(NORMS)))),
    "attack.names": Option(default=["quick"], read=several(choice(ATTACKS))),
    "attack.inputs": Option(default=100, read=_COUNT),
    "attack.box": Option(default="none", read=choice(("none", "unit"))),
}
_MEASURE = {
    **{f"measure.budgets.{norm}": Option(default=None, read=_BUDGETS) for norm in BALLS},
    "measure.restarts": Option(default=3, read=_COUNT),
    "measure.confidence": Option(default=0.95, read=inside),
}

KNOWN: Mapping[str, Option] = MappingProxyType(
    {**_DATA, **_MODEL, **_TRAINING, **_PRUNING, **_ATTACK, **_MEASURE}
)
