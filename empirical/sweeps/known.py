"""The settings of a sweep of networks, with their defaults and what each may be."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from empirical.models import MODELS
from empirical.pruning import RESETS
from empirical.pruning.schemes import Criterion, Granularity, Scope
from empirical.sweeps.options import (
    Option,
    at_least_one,
    below_one,
    choice,
    integer,
    nonnegative,
    optional,
    positive,
    several,
    share,
    truth,
)
from empirical.training.settings import KEEPS, OPTIMIZERS, Training

DATASETS = ("digits", "mnist", "fashion-mnist")
METHODS = ("none", "one-shot", "gradual", "iterative", "tickets", "surgery")
ATTACKS = (
    *("fgs", "random-fgs", "linf-pgd", "l2-pgd", "deepfool", "ddn", "carlini-wagner"),
    *("l0-brendel-bethge", "l2-brendel-bethge", "linf-brendel-bethge", "ead"),
)
_COUNT = integer(1)

KNOWN: Mapping[str, Option] = MappingProxyType(
    {
        "data.name": Option(default="digits", read=choice(DATASETS)),
        "data.train": Option(default=None, read=optional(_COUNT)),
        "model.name": Option(default="mlp", read=choice(MODELS)),
        "model.widths": Option(default=[64, 32, 10], read=several(_COUNT)),
        "model.bias": Option(default=True, read=truth),
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
        "training.adversary.norm": Option(default="none", read=choice(("none", "l2", "linf"))),
        "training.adversary.eps": Option(default=0.1, read=positive),
        "training.adversary.steps": Option(default=1, read=_COUNT),
        "training.adversary.step": Option(default=None, read=optional(positive)),
        "training.adversary.random_start": Option(default=False, read=truth),
        "training.adversary.share": Option(default=1.0, read=share),
        "training.adversary.ramp": Option(default=0, read=integer(0)),
        "pruning.method": Option(default="none", read=choice(METHODS)),
        "pruning.granularity": Option(default="weight", read=choice(get_args(Granularity))),
        "pruning.criterion": Option(default="magnitude", read=choice(get_args(Criterion))),
        "pruning.scope": Option(default="global", read=choice(get_args(Scope))),
        "pruning.compression": Option(default=1.0, read=at_least_one),
        "pruning.rounds": Option(default=0, read=integer(0)),
        "pruning.reset": Option(default="original", read=choice(RESETS)),
        "attack.names": Option(default=["ddn"], read=several(choice(ATTACKS))),
        "attack.inputs": Option(default=100, read=_COUNT),
        "attack.box": Option(default="none", read=choice(("none", "unit"))),
        "measure.budgets": Option(default=[0.1], read=several(nonnegative)),
        "measure.confidence": Option(default=0.95, read=below_one),
    }
)
