"""Settings that do not go together, said before any work.

What would silently be ignored is refused, unless it has its default.
"""

from collections.abc import Iterable
from typing import Any

from empirical.attack_methods import METHODS as ATTACKS
from empirical.attack_methods import has_numba
from empirical.experiments.data import FILES, DataFacts, data_facts
from empirical.experiments.model import model_facts, taken_settings
from empirical.experiments.training import training_of
from empirical.sweeps import Settings, section
from empirical.sweeps.known import BALLS, GROUPS, KNOWN, NORMS

_SCHEME = ("granularity", "criterion", "scope", "compression", "at_least", "epochs")
_PRUNING = {
    "none": (),
    "one-shot": _SCHEME,
    "iterative": (*_SCHEME, "factor"),
    "gradual": (*_SCHEME, "start", "steps"),
    "tickets": ("rounds", "reset", "rates.conv", "rates.hidden", "rates.output", "epochs"),
    "surgery": ("c", "stop", "gamma", "power", "epochs"),
}


def refuse_cell(settings: Settings) -> None:
    """Raise ValueError or TypeError on settings of a cell that do not go together.

    Parameters
    ----------
    settings : mapping
        All of `empirical.sweeps.known.KNOWN` and "seed", each of its type.

    Raises
    ------
    ValueError, TypeError
        With what must hold, and what was given.
    OSError
        If a file of data cannot be read.
    """
    for key in settings.keys() ^ {*KNOWN, "seed"}:
        raise ValueError(f"settings must be those of KNOWN and seed; {key} is not in both.")
    _refuse_data(settings)
    facts = data_facts(settings)
    _refuse_sizes(settings, facts)
    _refuse_model(settings, facts)
    _refuse_training(settings, facts)
    _refuse_pruning(settings)
    _refuse_attack(settings, facts)
    _refuse_measure(settings)


def _refuse_data(settings: Settings) -> None:
    name = settings["data.name"]
    if name not in FILES:
        _refuse_unused(settings, ("data.path", "data.sha256"), f"data {name}, which is no file")
    elif settings["data.path"] is None:
        raise ValueError(f"data.path must name the file of data {name}; got none.")


def _refuse_sizes(settings: Settings, facts: DataFacts) -> None:
    for key, part, most in (
        ("data.train", "training", facts.train),
        ("attack.inputs", "test", facts.test),
    ):
        count: Any = settings[key]
        if count != KNOWN[key].resolved and count > most:  # the default is at most so many
            raise ValueError(
                f"{key} must be at most {most}, as the {part} part of {settings['data.name']} has;"
                f" got {count}."
            )


def _refuse_model(settings: Settings, facts: DataFacts) -> None:
    name = str(settings["model.name"])
    taken = {f"model.{key}" for key in ("name", *taken_settings(name))}
    unused = [key for key in KNOWN if key.startswith("model.") and key not in taken]
    _refuse_unused(settings, unused, f"model {name}")
    model = model_facts(settings)
    for what, has, wanted in (
        ("inputs", model.inputs, facts.dimension),
        ("outputs", model.outputs, facts.classes),
    ):
        if has != wanted:
            raise ValueError(
                f"model {name} must have {wanted} {what}, as data {settings['data.name']} have;"
                f" it has {has}."
            )


def _refuse_training(settings: Settings, facts: DataFacts) -> None:
    training_of(settings)
    if settings["training.optimizer"] != "sgd":
        _refuse_unused(settings, ("training.momentum",), "an optimizer other than sgd")
    if settings["training.adversary.norm"] == "none":
        own = [key for key in KNOWN if key.startswith("training.adversary.")]
        _refuse_unused(settings, own, "training without an adversary")
    _refuse_outside(settings, "training.adversary.box", facts)


def _refuse_pruning(settings: Settings) -> None:
    own = section(settings, "pruning")
    method: Any = own["method"]
    used = {"method", *_PRUNING[method]}
    unused = [f"pruning.{key}" for key in own if key not in used]
    _refuse_unused(settings, unused, f"pruning.method {method}")
    if own["granularity"] != "weight" and not model_facts(settings).has_filters:
        raise ValueError(
            f"pruning.granularity must be weight for model {settings['model.name']}, which has no"
            f" convolution; got {own['granularity']!r}."
        )
    if method == "gradual" and own["start"] > own["compression"]:  # type: ignore[operator]
        raise ValueError(
            f"pruning.start must be at most pruning.compression, {own['compression']:g}; got"
            f" {own['start']:g}."
        )
    if method == "surgery" and settings["training.keep"] != "last":
        raise ValueError(
            'training.keep must be "last" for pruning.method surgery, whose earlier epochs are'
            f" denser; got {settings['training.keep']!r}."
        )


def _refuse_attack(settings: Settings, facts: DataFacts) -> None:
    norms: Any = settings["attack.norms"]
    names: Any = settings["attack.names"]
    for key in ("attack.norms", "attack.names"):
        _refuse_repeated(key, settings[key])
    _refuse_outside(settings, "attack.box", facts)
    if norms is None:
        _refuse_unused(settings, ("attack.names",), "attack.norms none")
        if not _has_budgets(settings):
            without = "attack.norms none and no budgets"
            _refuse_unused(settings, ("attack.inputs", "attack.box"), without)
        return
    if set(names) & set(GROUPS):
        _refuse_group(settings, norms, names)
    else:
        _refuse_named(settings, norms, names)


def _refuse_group(settings: Settings, norms: list[str], names: list[str]) -> None:
    if len(names) > 1:
        raise ValueError(
            f"attack.names must be one of {', '.join(GROUPS)}, or names of attacks; got"
            f" {', '.join(names)}."
        )
    sizes = {NORMS[norm] for norm in norms}
    if names == ["ensemble"]:
        _refuse_compiled(name for name, attack in ATTACKS.items() if attack.norm in sizes)


def _refuse_named(settings: Settings, norms: list[str], names: list[str]) -> None:
    of_norm = {norm: [n for n in names if ATTACKS[n].norm == NORMS[norm]] for norm in norms}
    for norm, own in of_norm.items():
        if not own:
            raise ValueError(f"attack.names must have one of norm {norm}; got {', '.join(names)}.")
    for name in names:
        if not any(name in own for own in of_norm.values()):
            raise ValueError(
                f"attack.norms must have that of {name}, {_norm_name(name)}; got"
                f" {', '.join(norms)}."
            )
        if ATTACKS[name].boxed and settings["attack.box"] == "none":
            raise ValueError(f"attack.box must be given for {name}; got none.")
    _refuse_compiled(names)


def _refuse_compiled(names: Iterable[str]) -> None:
    compiled = [name for name in names if ATTACKS[name].compiled]
    if compiled and not has_numba():
        raise ValueError(
            f"numba must be installed for {compiled[0]} (pip install numba); attack.names"
            ' ["quick"] does without.'
        )


def _refuse_measure(settings: Settings) -> None:
    if not _has_budgets(settings):
        _refuse_unused(settings, ("measure.restarts",), "no measure.budgets")
        if settings["attack.norms"] is None:
            _refuse_unused(settings, ("measure.confidence",), "no attack")


def _has_budgets(settings: Settings) -> bool:
    return any(settings[f"measure.budgets.{norm}"] is not None for norm in BALLS)


def _refuse_outside(settings: Settings, key: str, facts: DataFacts) -> None:
    if settings[key] == "unit" and not facts.is_unit:
        raise ValueError(
            f"{key} must be none for data {settings['data.name']}, whose features are not in"
            f" [0, 1]; got {settings[key]!r}."
        )


def _refuse_unused(settings: Settings, keys: Iterable[str], where: str) -> None:
    for key in keys:
        default = KNOWN[key].resolved
        if settings[key] != default:
            raise ValueError(
                f"{key} has no effect with {where}, so it must be {_shown(default)}; got"
                f" {_shown(settings[key])}."
            )


def _refuse_repeated(key: str, values: Any) -> None:
    for name in values or []:
        if values.count(name) > 1:
            raise ValueError(f"{key} must list different names; got {name} twice.")


def _norm_name(attack: str) -> str:
    return next(name for name, size in NORMS.items() if size == ATTACKS[attack].norm)


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
