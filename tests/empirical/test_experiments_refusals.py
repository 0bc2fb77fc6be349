"""Settings that do not go together are refused before any work, and no others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.attack_methods import has_numba
from empirical.experiments import data_facts, file_hash, refuse_cell, run_cell, split_of
from empirical.experiments.data import DataFacts
from empirical.models import MODELS
from tests.empirical.small_cells import small

ONE_SHOT = {"pruning.method": "one-shot", "pruning.compression": 2}
ADVERSARY = {"training.adversary.norm": "l2"}
CNN = {"model.name": "cnn", "model.widths": [10]}


def message(changes: dict[str, Any]) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        refuse_cell(small(changes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data.name": "mnist"}, "model mlp must have 784 inputs, as data mnist have; it has 64"),
        ({"model.widths": [64, 6, 9]}, "must have 10 outputs, as data digits have; it has 9"),
        ({"model.widths": [784, 10]}, "must have 64 inputs, as data digits have; it has 784"),
        ({"model.widths": [64]}, "widths must be at least"),
        ({"model.widths": [64, 10**9, 10]}, "at most 1,000,000,000 weights; this has 74,000,0"),
        ({**CNN, "model.channels": [2**20] * 2}, "a model must have at most"),
        ({"model.channels": [3]}, "model.channels has no effect with model mlp"),
        ({"model.name": "lenet-300-100"}, "model.widths has no effect with model lenet-300-100"),
        ({**CNN, "model.image": [1, 28, 28]}, "must have 64 inputs"),
        ({**CNN, "model.kernel": 2}, "kernel must be odd"),
        ({"data.path": "x.npz"}, "data.path has no effect with data digits"),
        ({"data.sha256": "0" * 64}, "data.sha256 has no effect"),
        ({"data.name": "libsvm"}, "data.path must name the file of data libsvm"),
        ({"data.train": 899}, "data.train must be at most 898"),
        ({"attack.inputs": 451}, "attack.inputs must be at most 450, as the test part of digits"),
        ({"training.momentum": 0.5}, "training.momentum has no effect with an optimizer other"),
        ({"training.adversary.eps": 0.2}, "eps has no effect with training without an adversary"),
        ({"training.adversary.box": "unit"}, "box has no effect with training without"),
        ({"pruning.compression": 2}, "compression has no effect with pruning.method none"),
        ({"pruning.scope": "layer"}, "pruning.scope has no effect with pruning.method none"),
        ({**ONE_SHOT, "pruning.rounds": 2}, "rounds has no effect with pruning.method one-shot"),
        ({**ONE_SHOT, "pruning.factor": 4}, "factor has no effect with pruning.method one-shot"),
        (
            {**ONE_SHOT, "pruning.method": "tickets"},
            "compression has no effect with pruning.method",
        ),
        (
            {**ONE_SHOT, "pruning.method": "surgery"},
            "compression has no effect with pruning.method",
        ),
        ({"pruning.method": "surgery"}, 'training.keep must be "last" for pruning.method surgery'),
        (
            {**ONE_SHOT, "pruning.method": "gradual", "pruning.start": 3},
            "must be at most pruning.c",
        ),
        ({**ONE_SHOT, "pruning.granularity": "filter"}, "must be weight for model mlp"),
        ({**ONE_SHOT, "pruning.granularity": "kernel"}, "which has no convolution; got 'kernel'"),
        ({"attack.names": ["ddn", "quick"]}, "must be one of ensemble, quick, or names"),
        ({"attack.names": ["ddn", "ddn"]}, "attack.names must list different names; got ddn twice"),
        ({"attack.norms": ["l2", "l2"]}, "attack.norms must list different names; got l2 twice"),
        ({"attack.norms": ["l2", "linf"]}, "attack.names must have one of norm linf"),
        ({"attack.names": ["ddn", "linf_pgd"]}, "attack.norms must have that of linf_pgd, linf"),
        ({"attack.names": ["carlini_wagner"]}, "attack.box must be given for carlini_wagner"),
        ({"attack.norms": "none"}, "attack.names has no effect with attack.norms none"),
        ({"measure.restarts": 2}, "measure.restarts has no effect with no measure.budgets"),
    ],
)
def test_refuse_cell_says_what_does_not_go_together(changes: dict[str, Any], said: str) -> None:
    assert said in message(changes)


BOXES = [
    {"attack.box": "unit"},
    {**ADVERSARY, "training.adversary.box": "unit"},
]


@pytest.mark.parametrize("changes", BOXES)
def test_refuse_cell_refuses_a_box_that_inputs_are_not_in(changes: dict[str, Any]) -> None:
    cancer = {"data.name": "breast-cancer", "model.widths": [30, 4, 2]}
    refuse_cell(small(changes))
    assert "whose features are not in [0, 1]" in message({**cancer, **changes})


@pytest.mark.skipif(has_numba(), reason="needs an environment without numba")
@pytest.mark.parametrize("names", [["ensemble"], ["l2_brendel_bethge"]])
def test_refuse_cell_says_that_numba_is_needed(names: list[str]) -> None:
    assert "numba must be installed for l2_brendel_bethge" in message({"attack.names": names})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {**ONE_SHOT, "pruning.compression": 1},
        {"training.optimizer": "sgd", "training.momentum": 0.5},
        {**ADVERSARY, "training.adversary.eps": 0.2},
        {**CNN, **ONE_SHOT, "pruning.granularity": "filter"},
        {"pruning.method": "tickets", "pruning.rounds": 2, "pruning.reset": "random"},
        {"attack.norms": ["l2", "l0"], "attack.names": ["ddn", "l0_ead"]},
        {"attack.norms": ["l0", "l1", "l2", "linf"], "attack.names": ["quick"]},
        {"measure.budgets.linf": [0.1], "measure.restarts": 1},
        {"data.name": "breast-cancer", "model.widths": [30, 2]},
    ],
)
def test_refuse_cell_allows_the_rest(changes: dict[str, Any]) -> None:
    refuse_cell(small(changes))


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("lenet")])
def test_refuse_cell_knows_images_without_reading_them(name: str) -> None:
    settings = small({"data.name": "mnist", "model.name": name, "model.widths": [64, 32, 10]})
    refuse_cell(settings)
    assert data_facts(settings) == DataFacts(784, 10, 50_000, 10_000, True)


def test_refuse_cell_needs_all_settings() -> None:
    settings = dict(small())
    del settings["training.rate"]
    with pytest.raises(ValueError, match=r"training\.rate is not in both"):
        refuse_cell(settings)
    with pytest.raises(ValueError, match="more is not in both"):
        run_cell({**small(), "more": 1})


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path, rng = tmp_path / "genes.npz", np.random.default_rng(0)
    y = np.arange(40) % 2
    np.savez(path, X=rng.normal(size=(40, 5)) + 3 * y[:, None], y=y, levels=["n", "t"])
    return path


def test_files_are_verified(samples: Path) -> None:
    own = {"data.name": "gene-expression", "data.path": str(samples), "model.widths": [5, 2]}
    found = file_hash(samples)
    said = message(own)
    assert "data.sha256 must be that of data.path" in said
    assert found in said
    settings = small({**own, "data.sha256": found})
    refuse_cell(settings)
    assert split_of(settings).train.X.shape == (20, 5)
    assert run_cell(settings).row["test_accuracy"] > 0.5
    assert "must be that of data.path" in message({**own, "data.sha256": "0" * 64})


def test_files_must_be_there(tmp_path: Path) -> None:
    own = {"data.name": "libsvm", "data.path": str(tmp_path / "absent"), "data.sha256": "0" * 64}
    with pytest.raises(FileNotFoundError):
        refuse_cell(small(own))
