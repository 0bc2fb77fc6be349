"""Networks that cells share: trained once, the same as if trained anew, whatever is in the way."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import load_file, save_file

from empirical.experiments import (
    Network,
    built_network,
    load_network,
    most_epochs,
    networks,
    run_cell,
    save_network,
    split_of,
    stage_key,
    stages,
)
from empirical.pruning import state_of
from empirical.sweeps import PROTOCOLS, Settings
from empirical.sweeps.known import KNOWN
from tests.empirical.small_cells import small, told

ITERATIVE = {"pruning.method": "iterative", "pruning.compression": 8}
TICKETS = {"pruning.method": "tickets", "pruning.rounds": 3, "pruning.reset": "random"}
STEP = dict.fromkeys(
    (
        *("asked", "compression", "epochs", "kept", "diverged"),
        *("validation_loss", "validation_accuracy", "seconds"),
    ),
    1.0,
)


def check_same(one: Any, other: Any) -> None:
    assert repr(told(one)) == repr(told(other))
    assert one.weights.keys() == other.weights.keys()
    for name, value in one.weights.items():
        assert_array_equal(value, other.weights[name])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Return the list of stages that are done from now on."""
    done: list[Settings] = []
    planned = stages.planned_stages

    def noted(settings: Settings) -> Any:
        return [
            stages.PlannedStage(
                settings=stage.settings,
                epochs=stage.epochs,
                work=lambda *given, stage=stage: (done.append(stage.settings), stage.work(*given))[
                    1
                ],
            )
            for stage in planned(settings)
        ]

    monkeypatch.setattr(stages, "planned_stages", noted)
    return done


@pytest.mark.parametrize("changes", [ITERATIVE, TICKETS, {"pruning.method": "none"}])
def test_kept_networks_change_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    alone = run_cell(small(changes))
    for _ in range(2):
        check_same(alone, run_cell(small(changes), kept=tmp_path))


def test_cells_share_what_leads_to_both(tmp_path: Path, counted: list[Settings]) -> None:
    run_cell(small({**ITERATIVE, "pruning.compression": 4}), kept=tmp_path)
    assert [one["pruning.compression"] for one in counted] == [1, 2, 4]
    check_same(run_cell(small(ITERATIVE)), run_cell(small(ITERATIVE), kept=tmp_path))
    assert [one["pruning.compression"] for one in counted] == [1, 2, 4, 1, 2, 4, 8, 8]
    run_cell(small({**ITERATIVE, "attack.inputs": 3}), kept=tmp_path)
    run_cell(small({**ITERATIVE, "pruning.compression": 1}), kept=tmp_path)
    assert len(counted) == 8
    run_cell(small({**ITERATIVE, "pruning.scope": "layer"}), kept=tmp_path)
    assert [one["pruning.compression"] for one in counted[8:]] == [2, 4, 8]
    run_cell(small(ITERATIVE, seed=1), kept=tmp_path)
    assert len(counted) == 8 + 3 + 4


@pytest.mark.parametrize("content", [b"", b"x" * 99, None])
def test_a_damaged_network_is_trained_again(tmp_path: Path, content: bytes | None) -> None:
    alone = run_cell(small(), kept=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    check_same(alone, run_cell(small(), kept=tmp_path))
    assert torch.equal(load_file(path)["0.weight"], torch.tensor(alone.weights["0.weight"]))
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    check_same(run_cell(small()), run_cell(small(), kept=tmp_path / "absent"))
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_kept_costs_no_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stages, "save_network", full)
    check_same(run_cell(small()), run_cell(small(), kept=tmp_path))


def test_stage_key_is_of_what_leads_to_the_network() -> None:
    one = stage_key(small())
    for later in ({"attack.inputs": 9}, {"measure.confidence": 0.9}):
        assert stage_key(small(later)) == one
    for earlier in ({"training.rate": 0.1}, {"data.train": 9}, {"model.bias": False}, ITERATIVE):
        assert stage_key(small(earlier)) != one
    preset = small({"training.preset": "lenet5-small", "training.epochs": 5})
    given = {key: preset[key] for key in preset if key.startswith("training.") and "adv" not in key}
    given["training.preset"] = "none"
    assert stage_key(preset) == stage_key(small(given))


# Said here, not by the code: all that a network may depend on.
LATER = {
    *("attack.norms", "attack.names", "attack.inputs", "attack.box", "training.preset"),
    *("measure.budgets.l2", "measure.budgets.linf", "measure.restarts", "measure.confidence"),
}


@pytest.mark.parametrize("key", [*KNOWN, "seed"])
def test_stage_key_is_of_every_earlier_setting(key: str) -> None:
    assert (stage_key(small()) == stage_key({**small(), key: "another"})) == (key in LATER)


@pytest.mark.parametrize("stage", PROTOCOLS)
def test_stage_key_is_of_earlier_protocols(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = stage_key(small())
    monkeypatch.setattr(networks, "PROTOCOLS", {**PROTOCOLS, stage: PROTOCOLS[stage] + 1})
    assert (stage_key(small()) == one) == (stage in {"attack", "measure"})


def test_a_network_of_other_settings_is_not_taken(tmp_path: Path) -> None:
    alone = run_cell(small(), kept=tmp_path)
    (path,) = tmp_path.iterdir()
    save_network(path, a_network(seed=1))
    check_same(alone, run_cell(small(), kept=tmp_path))
    assert load_network(path).settings["seed"] == 0  # trained again, and kept


def a_network(changes: dict[str, Any] | None = None, *, seed: int = 0) -> Network:
    settings = small(changes, seed=seed)
    return built_network(settings, split_of(settings))


@pytest.mark.parametrize("changes", [{}, ITERATIVE])
def test_load_network_gives_what_was_saved(tmp_path: Path, changes: dict[str, Any]) -> None:
    saved = a_network(changes)
    save_network(tmp_path / "net.safetensors", saved)
    loaded = load_network(tmp_path / "net.safetensors")
    assert loaded.settings == saved.settings
    assert loaded.steps == saved.steps
    X = torch.rand(20, 64)
    assert torch.equal(loaded.model(X), saved.model(X))
    assert {n: v.tolist() for n, v in state_of(loaded.model).items()} == {
        n: v.tolist() for n, v in state_of(saved.model).items()
    }


def about(changes: dict[str, Any], **others: Any) -> dict[str, str]:
    told = {"version": 1, "settings": {**small(), **changes}, "steps": []}
    return {"sparsebound": json.dumps({**told, **others})}


def protocols(**changes: int) -> dict[str, int]:
    return {"data": 1, "model": 1, "training": 1, "pruning": 1, **changes}


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (None, "says nothing of its settings"),
        ({"sparsebound": '{"version": 2}'}, "of version 1; it has 2, which is unknown"),
        ({"sparsebound": "{"}, "must hold the network"),
        (about({"model.widths": [64, 7, 10]}), "must hold the network of its settings"),
        (about({"model.widths": [64, 10**12, 10]}), "at most 1,000,000,000 weights"),
        (about({"model.widths": "x"}), "must hold the network of its settings"),
        (about({"seed": -1}), "must hold the network of its settings"),
        (about({"seed": "0"}), "seed must be an integer"),
        (about({"other": 1}), "other is not in both"),
        (about({}, protocols=protocols(training=0)), "training must be of protocol 1; it has 0"),
        (about({}, protocols=protocols(pruning=2)), "pruning must be of protocol 1; it has 2"),
        (about({}, protocols={}), "data must be of protocol 1; it has None"),
        (about({}, protocols=3), "must hold the network of its settings"),
        (about({}), r"steps must be a list of one training or more; got \[\]"),
        (about({}, steps={}), "steps must be a list"),
        (about({}, steps=[1]), "each of steps must have asked, compression"),
        (about({}, steps=[{"epochs": 1}]), "each of steps must have asked, compression"),
        (about({}, steps=[STEP | {"seconds": "x"}]), "seconds of steps must be a number; got 'x'"),
    ],
)
def test_load_network_refuses_others(
    tmp_path: Path, metadata: dict[str, str] | None, said: str
) -> None:
    path = tmp_path / "net.safetensors"
    save_file(state_of(a_network().model), path, metadata)
    with pytest.raises(ValueError, match=said) as caught:
        load_network(path)
    assert str(caught.value).startswith(f"{path} must")


def test_load_network_refuses_the_networks_of_older_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, older = tmp_path / "net.safetensors", tmp_path / "older.safetensors"
    saved = a_network()
    save_network(path, saved)
    save_file(
        state_of(saved.model), older, about({}, steps=list(saved.steps))
    )  # as before there were protocols in files
    assert load_network(older).steps == load_network(path).steps == saved.steps
    monkeypatch.setattr(networks, "PROTOCOLS", {**PROTOCOLS, "training": 2})
    for one in (path, older):
        with pytest.raises(ValueError, match="training must be of protocol 2; it has 1"):
            load_network(one)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_load_network_refuses_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    network = a_network()
    with torch.no_grad():
        dict(network.model.named_parameters())["2.bias"][3] = value
    save_network(tmp_path / "net.safetensors", network)
    with pytest.raises(ValueError, match=r"2\.bias must be finite"):
        load_network(tmp_path / "net.safetensors")


def test_load_network_refuses_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"x" * 50)
    with pytest.raises(ValueError, match="it is damaged"):
        load_network(path)
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "absent.safetensors")


def test_built_network_goes_on_from_a_dense_one() -> None:
    settings, dense = small(ITERATIVE), a_network()
    told_epochs: list[int] = []
    begun = built_network(settings, split_of(settings), begun=dense, progress=told_epochs.append)
    whole = built_network(settings, split_of(settings))
    assert {n: v.tolist() for n, v in state_of(begun.model).items()} == {
        n: v.tolist() for n, v in state_of(whole.model).items()
    }
    assert told_epochs == [1, 2] * 3
    assert most_epochs(settings, is_begun=True) == 6
    assert most_epochs(settings) == 8
