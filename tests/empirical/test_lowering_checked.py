"""Every lowering compares its outputs with the model's own, and lets no NaN through."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from empirical.lowering import network_from_estimator, network_from_module


class Tempered(MLPClassifier):
    """A perceptron that predicts something else than its layers do."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X) ** 2


def fitted(kind: Callable[..., MLPClassifier]) -> MLPClassifier:
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    return kind((5,), max_iter=1, random_state=0).fit(X, y)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # one step suffices here
def test_network_from_estimator_finds_what_layers_do_not_show() -> None:
    assert network_from_estimator(fitted(MLPClassifier)).net.outputs == 3
    with pytest.raises(RuntimeError, match="largest difference is"):
        network_from_estimator(fitted(Tempered))


def test_network_from_onnx_finds_an_operator_that_is_lowered_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    from empirical.lowering.onnx_operators import OPERATORS  # noqa: PLC0415
    from tests.empirical.onnx_models import classifier, lowered  # noqa: PLC0415

    assert lowered(classifier(), tmp_path).outputs == 3
    monkeypatch.setitem(OPERATORS, "Relu", lambda graph, inputs, settings: inputs[0])
    with pytest.raises(RuntimeError, match="largest difference is"):
        lowered(classifier(), tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_network_from_module_refuses_weights_that_are_no_numbers(value: float) -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        module[2].weight[1, 0] = value
    with pytest.raises(ValueError, match=rf"weights\[1\] must be finite; got {value} at index"):
        network_from_module(module, (4,))


def test_network_from_onnx_refuses_weights_that_are_no_numbers(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from tests.empirical.onnx_models import lowered, model_of, node  # noqa: PLC0415

    weights = np.ones((6, 3))
    weights[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"net\.onnx .*weights\[0\] must be finite; got nan"):
        lowered(model_of([node("MatMul", ["x", "w"])], {"w": weights}), tmp_path)
