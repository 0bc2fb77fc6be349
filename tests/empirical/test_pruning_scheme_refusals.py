"""What schemes of pruning refuse: each by the value that was given."""

from typing import Any

import numpy as np
import pytest
import torch

from empirical.pruning import (
    SCHEMES,
    Scheme,
    apply_masks,
    compression_at,
    masks_above,
    masks_for,
)
from tests.empirical.pruned import linear

GLOBAL, LAYER = SCHEMES["weight magnitude global"], SCHEMES["weight magnitude layer"]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("compression", [0.5, 0, -1, np.nan, np.inf, -np.inf])
def test_masks_for_refuses_a_compression_below_one_by_value(compression: float) -> None:
    with pytest.raises(ValueError, match=rf"compression must be .*; got {compression}\."):
        masks_for(linear([[1.0]]), GLOBAL, compression=compression, rng=rng())


@pytest.mark.parametrize("compression", ["2", None, True])
def test_masks_for_refuses_a_compression_that_is_no_number(compression: Any) -> None:
    with pytest.raises(TypeError, match=rf"must be a number; got {compression!r}"):
        masks_for(linear([[1.0]]), GLOBAL, compression=compression, rng=rng())


@pytest.mark.parametrize("density", [0, -0.1, 1.5, np.nan])
def test_compression_at_refuses_densities_outside_0_to_1(density: float) -> None:
    with pytest.raises(ValueError, match=rf"density must be .*; got {density}\."):
        compression_at(density)


@pytest.mark.parametrize("granularity", ["kernel", "filter"])
def test_masks_for_refuses_groups_that_a_network_has_none_of(granularity: str) -> None:
    message = rf"{granularity} pruning needs a Conv2d layer; the model has none"
    with pytest.raises(ValueError, match=message):
        masks_for(
            linear([[1.0]]), SCHEMES[f"{granularity} magnitude layer"], compression=2, rng=rng()
        )


@pytest.mark.parametrize("name", ["granularity", "criterion", "scope"])
def test_scheme_refuses_unknown_values_by_name(name: str) -> None:
    known: Any = {"granularity": "weight", "criterion": "random", "scope": "layer"}
    with pytest.raises(ValueError, match=rf"{name} must be one of .*; got 'channel'"):
        Scheme(**{**known, name: "channel"})


def test_masks_for_refuses_less_than_is_pruned_already() -> None:
    model = linear([[1.0, 2.0, 3.0, 4.0]])
    apply_masks(model, {"0": torch.tensor([[0, 0, 0, 1]])})
    with pytest.raises(
        ValueError, match=r"got 2, which removes 2 of 4 groups of 0, where 3 are gone"
    ):
        masks_for(model, LAYER, compression=2, rng=rng())


def test_masks_for_refuses_weights_that_are_not_finite_and_negative_floors() -> None:
    with pytest.raises(ValueError, match=r"must be finite; those of layer '0' are not"):
        masks_for(linear([[1.0, np.nan]]), GLOBAL, compression=2, rng=rng())
    with pytest.raises(ValueError, match=r"at_least must not be negative; got -1"):
        masks_for(linear([[1.0]]), GLOBAL, compression=2, rng=rng(), at_least=-1)


@pytest.mark.parametrize("threshold", [-1e-9, np.nan, np.inf])
def test_masks_above_refuses_thresholds_that_are_none(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"finite and not negative; got"):
        masks_above(linear([[1.0]]), threshold)
