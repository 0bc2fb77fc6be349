"""Sweep files: what they expand into, what names a cell, what is refused."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from empirical.module_attacks import MODEL_ATTACKS
from empirical.sweeps import PROTOCOLS, Option, Settings, SweepFileError, cell_key, read_sweep
from empirical.sweeps.known import ATTACKS, KNOWN, NORMS
from empirical.sweeps.options import implied
from empirical.training import PRESETS, Adversary, Training

Write = Callable[[str], Path]
HEAD = '[sweep]\nname = "small"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "small.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def keys(path: Path) -> list[str]:
    return [cell.key for cell in read_sweep(path, known=KNOWN).cells]


def test_read_sweep_resolves_every_default(write: Write) -> None:
    sweep = read_sweep(write(HEAD), known=KNOWN)
    (cell,) = sweep.cells
    assert sweep.name == "small"
    assert cell.settings.keys() == {*KNOWN, "seed"}
    assert cell.settings["training.rate"] == 0.001
    assert cell.settings["seed"] == 0


def test_read_sweep_expands_the_product(write: Write) -> None:
    text = """
        [sweep]
        name = "product"
        seeds = [3, 1]
        [training]
        epochs = 2
        adversary.norm = "linf"
        [grid]
        pruning.compression = [1, 2.5]
        "model.widths" = [[64, 10], [64, 20, 10], [64, 5, 5, 10]]
    """
    cells = read_sweep(write(text), known=KNOWN).cells
    seen = [
        (cell.settings["pruning.compression"], cell.settings["model.widths"], cell.settings["seed"])
        for cell in cells
    ]
    widths = [[64, 10], [64, 20, 10], [64, 5, 5, 10]]
    assert seen == [(c, w, s) for c in (1.0, 2.5) for w in widths for s in (3, 1)]
    assert {cell.settings["training.epochs"] for cell in cells} == {2}
    assert {cell.settings["training.adversary.norm"] for cell in cells} == {"linf"}
    assert len({cell.key for cell in cells}) == len(cells)


def test_read_sweep_names_alike_what_is_written_differently(write: Write) -> None:
    one = keys(write(HEAD + "[pruning]\ncompression = 2\n[training]\nl1 = -0.0\nepochs = 5\n"))
    two = keys(write(HEAD + "[training]\nepochs = 5\n[grid]\npruning.compression = [2.0]\n"))
    assert one == two


def test_read_sweep_key_does_not_depend_on_the_sweep(write: Write) -> None:
    assert keys(write(HEAD)) == keys(write('[sweep]\nname = "other"\nseeds = [0]\n'))


def test_read_sweep_none_is_the_absent_value(write: Write) -> None:
    assert keys(write(HEAD)) == keys(write(HEAD + '[training]\npatience = "none"\n'))


def test_cell_key_is_fixed() -> None:
    # The text is written out here by the rules of the docstring, not by the code.
    text = (
        '{"protocols":{"attack":2,"training":1},'
        '"settings":{"a.b":[1,2.5],"rate":1e-05,"seed":0,"t":true,"u":null,"w":"\\u00e9"}}'
    )
    settings: Settings = {
        **{"w": "é", "u": None, "t": True, "seed": 0, "rate": 0.00001, "a.b": [1, 2.5]}
    }
    key = cell_key(settings, {"training": 1, "attack": 2})
    assert key == hashlib.sha256(text.encode()).hexdigest()
    assert key == "8a153c177ac2fe7abdac37f34c89257430a73f9eb1b773cc2eb3b6c7c7d4bf1d"


def test_cell_key_ignores_the_order_of_keys() -> None:
    settings: Settings = {"b": 1, "a": [2.0], "c": "x"}
    assert cell_key(settings) == cell_key(dict(reversed(settings.items())))


@pytest.mark.parametrize("other", [{"a": 1.0}, {"a": True}, {"a": "1"}, {"a": [1]}, {"b": 1}])
def test_cell_key_tells_settings_apart(other: Settings) -> None:
    assert cell_key({"a": 1}) != cell_key(other)


@pytest.mark.parametrize("stage", PROTOCOLS)
def test_cell_key_changes_with_each_protocol(stage: str) -> None:
    assert cell_key({"a": 1}) != cell_key({"a": 1}, {**PROTOCOLS, stage: PROTOCOLS[stage] + 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": 1}, (1,), b"x", [{1}]])
def test_cell_key_refuses_what_has_no_text(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="a must be"):
        cell_key({"a": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[training]\nrte = 1", "training.rte is no setting; known: training.optimizer"),
        ("[trainig]\nrate = 1", "trainig is no setting; known: data.name"),
        ("[trainig]", "trainig is no setting"),
        ("[training]\nrate = {}", "training.rate must be a number; got {}"),
        ("[training]\nrate = 0", "training.rate must be positive; got 0"),
        ("[training]\nrate = nan", "training.rate must be positive; got nan"),
        ("[training]\nrate = inf", "training.rate must be positive; got inf"),
        (f"[training]\nrate = 1{'0' * 400}", "training.rate must be positive"),
        ("[training]\nrate = true", "training.rate must be a number; got True"),
        ("[training]\nepochs = 1.0", "training.epochs must be an integer; got 1.0"),
        ("[training]\nepochs = true", "training.epochs must be an integer"),
        (f"[training]\nepochs = {2**63}", "training.epochs must be at least 0 and below"),
        ("[model]\nbias = 1", "model.bias must be true or false; got 1"),
        ("[model]\nwidths = []", "model.widths must be a list of one value or more"),
        ("[pruning]\ncompression = 0.5", "pruning.compression must be at least 1; got 0.5"),
        ("[pruning]\nmethod = 'magic'", "pruning.method must be one of none, one-shot"),
        ("[grid]\npruning.compression = 2", "grid.pruning.compression must be a list"),
        ("[grid]\npruning.compression = []", "grid.pruning.compression must be a list"),
        ("[grid]\npruning.compression = [1, 1.0]", "must list different values; got 1.0 twice"),
        ("[grid]\npruning.compression = [1, 0]", "pruning.compression must be at least 1; got 0"),
        ("[grid]\ncompression = [1, 2]", "compression is no setting"),
        ("[grid]\nseed = [1, 2]", "seed is no setting"),
        ("[training]\nepochs = 1\n[grid]\ntraining.epochs = [2]", "training.epochs must be given"),
        ("[grid]\ntraining.epochs = [2]\n'training.epochs' = [3]", "training.epochs must be given"),
        (f"[grid]\ntraining.epochs = {[*range(317)]}\ntraining.batch = {[*range(1, 318)]}", "most"),
        ("sweep = 3", "sweep must be a table; got 3"),
        ("x = ", "must be TOML in UTF-8"),
    ],
)
def test_read_sweep_refuses(write: Write, text: str, said: str) -> None:
    path = write(text if text.startswith("sweep") else f"{text}\n{HEAD}")
    with pytest.raises(SweepFileError) as caught:
        read_sweep(path, known=KNOWN)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "sweep.name must be"),
        ("name = ''", "sweep.name must be"),
        ("name = 'a,b'", "sweep.name must be"),
        ("name = 'a'\nseed = 1", "sweep.seed is no setting"),
        ("name = 'a'\nseeds = 3", "sweep.seeds must be a list"),
        ("name = 'a'\nseeds = []", "sweep.seeds must be a list"),
        ("name = 'a'\nseeds = [0, 0]", "sweep.seeds must list different values; got 0 twice"),
        ("name = 'a'\nseeds = [-1]", "sweep.seeds must be at least 0"),
    ],
)
def test_read_sweep_refuses_heads(write: Write, text: str, said: str) -> None:
    with pytest.raises(SweepFileError, match=said.replace(".", r"\.")):
        read_sweep(write(f"[sweep]\n{text}\n"), known=KNOWN)


def test_read_sweep_says_which_settings_do_not_go_together(write: Write) -> None:
    def refuse(settings: Settings) -> None:
        if settings["pruning.granularity"] == "filter":
            raise ValueError("filters need a convolution.")

    path = write(HEAD + "[grid]\npruning.granularity = ['weight', 'filter']\n")
    with pytest.raises(SweepFileError, match=r"filters need.*pruning.granularity = 'filter'"):
        read_sweep(path, known=KNOWN, refuse=refuse)


def test_read_sweep_refuses_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SweepFileError, match="UTF-8"):
        read_sweep(path, known=KNOWN)


def test_read_sweep_needs_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_sweep(tmp_path / "absent.toml", known=KNOWN)


def test_read_sweep_preset_gives_what_is_not_given(write: Write) -> None:
    text = """
        [training]
        preset = "lenet-300-100"
        rate = 0.01
        [grid]
        training.epochs = [3, 4]
    """
    preset = PRESETS["lenet-300-100"]
    for cell in read_sweep(write(HEAD + text), known=KNOWN).cells:
        settings = cell.settings
        assert (settings["training.smoothing"], settings["training.rate"]) == (0.1, 0.01)
        assert settings["training.patience"] == preset.patience
        assert settings["training.epochs"] in (3, 4)


def test_read_sweep_presets_can_be_compared(write: Write) -> None:
    text = HEAD + '[grid]\ntraining.preset = ["none", "lenet5-small"]\n'
    batches = [c.settings["training.batch"] for c in read_sweep(write(text), known=KNOWN).cells]
    assert batches == [Training.batch, PRESETS["lenet5-small"].batch]


def test_presets_of_adversarial_training_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    adversary = Adversary(norm=math.inf, eps=0.3, steps=7, share=0.5, ramp=2, box=(0.0, 1.0))
    presets = {"hard": Training(epochs=5, adversary=adversary)}
    monkeypatch.setattr("empirical.sweeps.known.PRESETS", presets)
    option = Option(default="none", read=str, implies=KNOWN["training.preset"].implies)
    settings = implied({**KNOWN, "training.preset": option}, {"training.preset": "hard"})
    own = {key: settings[f"training.adversary.{key}"] for key in ("norm", "eps", "steps", "share")}
    assert own == {"norm": "linf", "eps": 0.3, "steps": 7, "share": 0.5}
    assert settings["training.adversary.box"] == "unit"
    assert settings["training.epochs"] == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[measure]\nbudgets.l2 = [0.2, 0.1]", "measure.budgets.l2 must rise"),
        ("[measure]\nbudgets.l2 = [0.1, 0.1]", "measure.budgets.l2 must rise"),
        ("[measure]\nbudgets.l2 = [-1]", "measure.budgets.l2 must be nonnegative"),
        ("[measure]\nbudgets.l1 = [1]", "measure.budgets.l1 is no setting"),
        ("[measure]\nconfidence = 0", "measure.confidence must be in (0, 1)"),
        ("[pruning]\nfactor = 1", "pruning.factor must be above 1"),
        ("[pruning]\nc = nan", "pruning.c must be finite"),
        ("[data]\nsha256 = 'x'", "data.sha256 must be 64 hexadecimal digits"),
        ("[data]\npath = ''", "data.path must be a file's name"),
        ("[attack]\nnames = ['pgd']", "attack.names must be one of ensemble, quick, l2_deepfool"),
        ("[attack]\nnorms = ['2']", "attack.norms must be one of l0, l1, l2, linf"),
        ("[training]\npreset = 'best'", "training.preset must be one of none, lenet-300-100"),
    ],
)
def test_read_sweep_refuses_values_of_networks(write: Write, text: str, said: str) -> None:
    with pytest.raises(SweepFileError) as caught:
        read_sweep(write(f"{text}\n{HEAD}"), known=KNOWN)
    assert said in str(caught.value)


def test_known_attacks_are_those_of_models() -> None:
    assert set(ATTACKS) == {"ensemble", "quick", *MODEL_ATTACKS}
    assert {NORMS[norm] for norm in NORMS} == set(MODEL_ATTACKS.values())


@pytest.mark.parametrize("key", KNOWN)
def test_known_defaults_are_read_as_themselves(key: str) -> None:
    default = KNOWN[key].resolved
    assert KNOWN[key].read(default) == default
