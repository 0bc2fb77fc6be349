"""Networks of torch to train, prune and attack, which empirical.lowering turns into records.

All take flat rows, as data sets, attacks and the theory do; convolutions fold them into images
first. Initial weights are PyTorch's default for their seed, and the global generators stay as they
are. Imports torch, which takes a second.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

import torch
from torch import nn

_DIGIT = (1, 28, 28)  # channels, height and width of an image of MNIST


def mlp(*widths: int, bias: bool = True, seed: int) -> nn.Sequential:
    """Return fully connected layers with ReLUs between them.

    Parameters
    ----------
    *widths : int
        Inputs, hidden units of each layer, outputs.
    bias : bool
    seed : int
        Of the initial weights.

    Raises
    ------
    ValueError
        If there are fewer than two widths, or one is no positive integer.

    Examples
    --------
    >>> mlp(64, 32, 10, seed=0)(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    """
    _refuse_sizes("widths", widths)
    if len(widths) < 2:
        raise ValueError(f"widths must be at least those of inputs and outputs; got {widths}.")
    with torch.device("meta"):  # here and below: where no weights are drawn
        layers = _dense(widths, bias)
    return _initialised(layers, seed)


def cnn(
    image: Sequence[int],
    channels: Sequence[int],
    widths: Sequence[int],
    *,
    kernel: int = 3,
    bias: bool = True,
    seed: int,
) -> nn.Sequential:
    """Return convolutions, each halved by max pooling and rectified, and layers as `mlp` has.

    Parameters
    ----------
    image : sequence of int
        Channels, height and width of the image that a row is.
    channels : sequence of int
        Of each convolution.
    widths : sequence of int
        Of each fully connected layer, the outputs last.
    kernel : int
        The side of all kernels, odd: images are padded to keep their sides.
    bias : bool
    seed : int
        Of the initial weights.

    Raises
    ------
    ValueError
        If there is no convolution or no width, one is no positive integer, the kernel is even, or
        the image is too small to be halved so often.

    Examples
    --------
    >>> cnn((1, 8, 8), [8, 16], [10], seed=0)(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    """
    _refuse_images(image, channels, kernel)
    _refuse_sizes("widths", widths)
    height, width = (side >> len(channels) for side in image[1:])
    with torch.device("meta"):
        layers: list[nn.Module] = [nn.Unflatten(1, tuple(image))]
        for into, out in pairwise([image[0], *channels]):
            layers.append(nn.Conv2d(into, out, kernel, padding=kernel // 2, bias=bias))
            layers += [nn.MaxPool2d(2), nn.ReLU()]
        layers += [nn.Flatten(), *_dense([channels[-1] * height * width, *widths], bias)]
    return _initialised(layers, seed)


def lenet_300_100(*, bias: bool = True, seed: int) -> nn.Sequential:
    """Return LeNet-300-100 for 28 × 28 images: 266,200 weights without biases.

    Examples
    --------
    >>> sum(p.numel() for p in lenet_300_100(bias=False, seed=0).parameters())
    266200
    """
    return mlp(784, 300, 100, 10, bias=bias, seed=seed)


def lenet5(*, bias: bool = True, seed: int) -> nn.Sequential:
    """Return LeNet-5 as Caffe has it, for 28 × 28 images: 430,500 weights without biases.

    Two convolutions with max pooling and no ReLU, then 500 ReLUs. Guo et al. (2016, 2018) prune it.

    Examples
    --------
    >>> sum(p.numel() for p in lenet5(bias=False, seed=0).parameters())
    430500
    """
    with torch.device("meta"):
        layers = [
            nn.Unflatten(1, _DIGIT),
            nn.Conv2d(1, 20, 5, bias=bias),
            nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5, bias=bias),
            nn.MaxPool2d(2),
            nn.Flatten(),
            *_dense((800, 500, 10), bias),
        ]
    return _initialised(layers, seed)


def lenet5_small(*, bias: bool = True, seed: int) -> nn.Sequential:
    """Return a CNN like LeNet-5 for 28 × 28 images: 61,470 weights without biases.

    With ReLUs and max pooling, which a ReLU follows: it commutes with it, on a quarter as many
    entries. The counts are those of Merkle et al. (2021), arXiv 2108.08560.

    Examples
    --------
    >>> sum(p.numel() for p in lenet5_small(bias=False, seed=0).parameters())
    61470
    """
    with torch.device("meta"):
        layers = [
            nn.Unflatten(1, _DIGIT),
            nn.Conv2d(1, 6, 5, padding=2, bias=bias),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(6, 16, 5, bias=bias),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            *_dense((400, 120, 84, 10), bias),
        ]
    return _initialised(layers, seed)


def _listed_mlp(*, widths: Sequence[int], bias: bool = True, seed: int) -> nn.Sequential:
    _refuse_sizes("widths", widths)
    return mlp(*widths, bias=bias, seed=seed)


MODELS: dict[str, Callable[..., nn.Sequential]] = {
    "mlp": _listed_mlp,
    "cnn": cnn,
    "lenet-300-100": lenet_300_100,
    "lenet5": lenet5,
    "lenet5-small": lenet5_small,
}


def build_model(name: str, settings: Mapping[str, Any], *, seed: int) -> nn.Sequential:
    """Return the model of a name in MODELS.

    Parameters
    ----------
    name : str
    settings : mapping
        What the model's function takes by name, but for the seed; `mlp` takes `widths`, a list.
    seed : int
        Of the initial weights.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, a setting is absent, or one has no such value.

    Examples
    --------
    >>> build_model("mlp", {"widths": [64, 32, 10], "bias": False}, seed=0)[0]
    Linear(in_features=64, out_features=32, bias=False)
    """
    if name not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}; got {name!r}.")
    taken = dict(inspect.signature(MODELS[name]).parameters)
    del taken["seed"]
    required = [key for key, setting in taken.items() if setting.default is setting.empty]
    for key in [*settings, *required]:
        if key not in taken or key not in settings:
            raise ValueError(
                f"settings of {name} must be among {', '.join(taken)}, with"
                f" {', '.join(required) or 'none required'}; got {', '.join(settings) or 'none'}."
            )
    if not isinstance(settings.get("bias", True), bool):
        raise ValueError(f"bias must be true or false; got {settings['bias']!r}.")
    return MODELS[name](**settings, seed=seed)


def _dense(widths: Sequence[int], bias: bool) -> list[nn.Module]:
    """Return fully connected layers with ReLUs between them."""
    layers: list[nn.Module] = []
    for into, out in pairwise(widths):
        layers += [nn.Linear(into, out, bias=bias), nn.ReLU()]
    return layers[:-1]


def _initialised(layers: Sequence[nn.Module], seed: int) -> nn.Sequential:
    """Return layers with PyTorch's default weights, drawn by a generator of their own."""
    if not _is_integer(seed) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be an integer in [0, 2**63); got {seed!r}.")
    module = nn.Sequential(*layers).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(int(seed))
    for layer in layers:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return module


def _refuse_images(image: Any, channels: Any, kernel: Any) -> None:
    """Raise ValueError unless convolutions keep sides, which can be halved after each."""
    _refuse_sizes("image", image)
    if len(image) != 3:
        raise ValueError(f"image must be (channels, height, width); got {image}.")
    _refuse_sizes("channels", channels)
    if not _is_integer(kernel) or kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel must be odd and positive; got {kernel!r}.")
    if min(image[1:]) >> len(channels) == 0:
        raise ValueError(
            f"image must be large enough to be halved {len(channels)} times; got {image}."
        )


def _refuse_sizes(name: str, sizes: Any) -> None:
    """Raise ValueError unless sizes are a list of positive integers."""
    listed = isinstance(sizes, (list, tuple)) and len(sizes) > 0
    if not listed or not all(_is_integer(size) and size >= 1 for size in sizes):
        raise ValueError(f"{name} must be positive integers; got {sizes!r:.80}.")


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
