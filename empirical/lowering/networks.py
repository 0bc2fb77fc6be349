"""Networks of torch and of ONNX as theory records.

Either library is imported only when it is asked for: torch takes a second, onnx is an extra.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from empirical.lowering.affine import MAX_ENTRIES
from theory.networks import ReluNetwork


def network_from_module(
    module: Any, input_shape: Sequence[int], *, max_entries: int = MAX_ENTRIES
) -> ReluNetwork:
    """Return a module of torch as a ReLU network in float64.

    Covers what torch.fx traces to sums and products with constants, reshaping, and the layers
    Linear, Conv2d (padded with zeros), BatchNorm1d and 2d and Dropout (in eval mode), ReLU,
    AvgPool2d, AdaptiveAvgPool2d (to sizes that divide), MaxPool2d, Flatten, Unflatten, Identity;
    so Sequential, residual connections, and layers under torch.nn.utils.prune. The module is
    copied, never changed; its hooks run on the copy.

    Parameters
    ----------
    module : torch.nn.Module
    input_shape : sequence of int
        The shape of one input, without the batch axis; the network takes inputs flattened.
    max_entries : int
        How many nonzero entries all weights together may have.

    Returns
    -------
    ReluNetwork
        Outputs flattened. Hidden units that only carry a value past a layer are linear.

    Raises
    ------
    TypeError
        If the module is none of torch's.
    ValueError
        If it does not accept such inputs, a layer or an operation (named) is not covered, or it is
        too large.
    RuntimeError
        If outputs differ from the module's own on random inputs.

    Notes
    -----
    max(a, b) = a + relu(b - a), in a tree over each window.

    Examples
    --------
    >>> from torch import nn
    >>> module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    >>> net = network_from_module(module, (1, 4, 4))
    >>> net.dimension, net.widths, net.outputs
    (16, (8,), 3)
    """
    from empirical.lowering.torch_modules import lowered_module  # noqa: PLC0415

    return lowered_module(module, input_shape, max_entries)


def network_from_onnx(path: Path, *, max_entries: int = MAX_ENTRIES) -> ReluNetwork:
    """Return the network of an ONNX file.

    Covers Add, Sub, Mul and Div (by constants), AveragePool, BatchNormalization, Constant, Conv,
    Flatten, Gemm, GlobalAveragePool, Identity, MatMul, MaxPool, Relu, Reshape to static shapes,
    and Transpose of constants or of nothing but the order of axes of length 1.

    Parameters
    ----------
    path : Path
        One input, whose first axis is the batch, of any length or of length 1; one output.
    max_entries : int
        How many numbers the file may hold, and nonzero entries all weights together may have.

    Returns
    -------
    ReluNetwork
        Inputs and outputs flattened; in float64, whatever the file's precision.

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError
        If the file is damaged, refers to other files, or is too large, or an operator (named) is
        not covered.
    OSError
        If it cannot be read.
    RuntimeError
        If outputs differ from those of onnx's reference evaluator on random inputs.

    Examples
    --------
    >>> net = network_from_onnx(Path("digits.onnx"))  # doctest: +SKIP
    >>> net.outputs  # doctest: +SKIP
    10
    """
    try:
        from empirical.lowering.onnx_files import lowered_file  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ImportError("reading ONNX needs onnx: pip install 'sparsebound[onnx]'.") from error
    return lowered_file(Path(path), max_entries)
