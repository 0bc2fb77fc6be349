"""`sparsebound certify`: how far inputs are from another label of a user's own model."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from empirical.lowering import (
    NamedLinear,
    NamedNetwork,
    linear_from_file,
    load_arrays,
    network_from_file,
    network_from_module,
)
from sparsebound.linear_distances import linear_distances
from sparsebound.network_inputs import Search
from sparsebound.network_radii import network_radii
from sparsebound.options import as_json, json_text, table_text
from sparsebound.row_file import refuse_unwritable
from theory.certify import METHODS
from theory.linear import LinearClassifier

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TOL, _EXACT_TOL, _TIME_LIMIT = 1e-4, 1e-6, 60.0
_MOST_DATA = 500_000_000  # numbers: 4 GB, all of CIFAR-10 twice over


@click.command()
@click.argument("model", type=_FILE)
@click.argument("data", type=_FILE)
@click.option("--linear", is_flag=True, help="MODEL is linear. Found out if not said.")
@click.option(
    "--norm",
    type=click.Choice(["0", "1", "2", "inf"]),
    default="2",
    show_default=True,
    help="That measures a change of an input; 0 and 1 for linear models only.",
)
@click.option(
    "--box", type=(float, float), metavar="LO HI", help="Every feature stays within; default: none."
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    metavar="METHOD",
    help=f"That proves radii: {', '.join(METHODS)}. best, the default, takes the largest."
    " lipschitz, sdp and lipsdp are for norm 2.",
)
@click.option(
    "--exact", is_flag=True, help="Search for the distances themselves, by branch and bound: slow."
)
@click.option(
    "--time-limit",
    type=float,
    metavar="S",
    help=f"Seconds that --exact searches for an input. Default: {_TIME_LIMIT:g}.",
)
@click.option(
    "--tol",
    type=float,
    metavar="T",
    help=f"No radius a factor 1 + T larger is proven; default: {_TOL:g}. With --exact: bounds this"
    f" close, relatively, have met; default: {_EXACT_TOL:g}.",
)
@click.option(
    "--eps",
    type=float,
    multiple=True,
    metavar="E",
    help="Report certified (or robust) accuracy here, without y the share of labels that cannot"
    " change; repeatable.",
)
@click.option(
    "--rigorous",
    is_flag=True,
    help="Prove every number anew in ball arithmetic, rounding included (needs the extra"
    " sparsebound[rigorous]).",
)
@click.option("--architecture", metavar="WIDTHS", help="Refuse a network of others: 784-300-10.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV, a row an input.")
@click.option("--trust-pickle", is_flag=True, help="Read a joblib MODEL, which can run code.")
@as_json
def certify(
    model: Path,
    data: Path,
    linear: bool,
    norm: str,
    box: tuple[float, float] | None,
    method: str | None,
    exact: bool,
    time_limit: float | None,
    tol: float | None,
    eps: tuple[float, ...],
    rigorous: bool,
    architecture: str | None,
    out: Path | None,
    trust_pickle: bool,
    as_json: bool,
) -> None:
    """Say how far each input of DATA can move before MODEL's label can change.

    For a ReLU network: a radius within which that is proven impossible, or with --exact the
    distance to the nearest flip. For a linear model: always the exact distance.

    \b
    MODEL is one of
      net.onnx    a network (needs the extra sparsebound[onnx])
      net.pt      torch.save(module.state_dict(), ...) of linear layers, a ReLU
                  between any two
      net.npz     W1 (n1, d), b1 (n1,), W2 (n2, n1), b2, ... and if you like
                  classes, the labels' names
      linear.npz  W (d,), (1, d) or (c, d), b and if you like classes
      net.safetensors  what `sparsebound train` or `prune` wrote
      any.joblib  scikit-learn's MLPClassifier or a linear classifier (needs
                  --trust-pickle)

    DATA is an npz with X, (n, d) or images (n, channels, height, width), and if you like y, (n,);
    without y, distances are from the predicted label, and shares at --eps are of labels unchanged.

    \b
    Examples:
      sparsebound certify net.onnx test.npz --norm inf --box 0 1 --eps 0.01
      sparsebound certify net.pt test.npz --architecture 784-300-100-10
      sparsebound certify net.npz test.npz --exact --out distances.csv
      sparsebound certify linear.npz test.npz --norm 1 --json
      sparsebound certify mlp.joblib test.npz --trust-pickle --method crown
      sparsebound certify net.npz test.npz --rigorous --method crown

    An input that is wrong or tied has distance 0. Quantiles are over the inputs whose value is
    finite: inf means that nothing flips the label. Of a network, rows are written as they are done:
    Ctrl-C keeps them in --out, a run that is killed leaves them beside it, in a file that ends in
    .part. Of a linear model, the CSV's "witnessed flip" is the norm of a change that does flip, a
    hair above the distance.

    Without --rigorous numbers hold up to float64 rounding. With it they hold as they stand, for the
    weights and inputs as the float64 numbers that they are: of networks of up to 300,000 weights
    (a hundredth to two seconds an input) by interval, fast-lin, crown or lipschitz, and of linear
    models without a box. Column "stands": whether float64's number did; a radius that did not is
    given 1e-9 or 1e-6 less, or 0.
    """  # noqa: D301  # click wants the character itself
    of_networks = {"--method": method, "--exact": exact or None, "--tol": tol}
    if exact and method is not None:
        raise click.UsageError(f"--exact and --method {method} exclude each other.")
    if time_limit is not None and not exact:
        raise click.UsageError(f"--time-limit {time_limit:g} is for --exact.")
    if rigorous and exact:
        raise click.UsageError("--rigorous is of certificates, and not of --exact.")
    if out is not None:
        refuse_unwritable(out, (model, data))
    named = _read(model, linear=linear, architecture=architecture, trust_pickle=trust_pickle)
    held = load_arrays(data, required=("X",), max_entries=_MOST_DATA)
    arrays = _flattened(held, named.model.dimension)
    balls = _ball_arithmetic() if rigorous else None
    if isinstance(named, NamedLinear):
        _refuse_given(of_networks, model)
        if rigorous and box is not None:
            raise click.UsageError(f"--rigorous is without a box for linear models, as {model} is.")
        if balls is None:
            summary = linear_distances(named, arrays, norm=float(norm), box=box, eps=eps, out=out)
        else:
            summary = balls.rigorous_distances(named, arrays, norm=float(norm), eps=eps, out=out)
    else:
        search = Search(
            norm=float(norm),
            box=box,
            method="exact" if exact else method or "best",
            tol=tol if tol is not None else _EXACT_TOL if exact else _TOL,
            time_limit=_TIME_LIMIT if time_limit is None else time_limit,
        )
        radii = network_radii if balls is None else balls.rigorous_radii
        summary = radii(named, arrays, search=search, eps=eps, out=out)
    click.echo(json_text(summary) if as_json else table_text(summary))


def _ball_arithmetic() -> Any:
    """Return the module that proves certificates anew; refuse if its extra is not installed."""
    try:
        from sparsebound import rigorous_radii  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise click.UsageError(f"--rigorous: {error}") from error
    return rigorous_radii


def _read(
    model: Path, *, linear: bool, architecture: str | None, trust_pickle: bool
) -> NamedLinear | NamedNetwork:
    """Return a model by what its file holds; a network without hidden layers is a linear one."""
    if linear or _holds_linear(model):
        if architecture is not None:
            raise click.UsageError(f"--architecture is for networks; {model} is linear.")
        return linear_from_file(model, trust_pickle=trust_pickle)
    try:
        if model.suffix == ".safetensors":
            named = _trained(model, architecture)
        else:
            named = network_from_file(model, trust_pickle=trust_pickle, architecture=architecture)
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    if named.net.depth > 1:
        return named
    weights, bias = named.net.weights[0], named.net.biases[0]
    return NamedLinear(LinearClassifier(weights=weights, bias=bias), named.names)


def _trained(model: Path, architecture: str | None) -> NamedNetwork:
    """Return a network that `sparsebound train` or `prune` saved."""
    from empirical.experiments import load_network, model_facts  # noqa: PLC0415  # takes seconds

    if architecture is not None:
        raise click.UsageError(f"--architecture is for .pt and .npz; {model} says its own.")
    saved = load_network(model)
    net = network_from_module(saved.model, (model_facts(saved.settings).inputs,))
    return NamedNetwork(net, net.classes)


def _holds_linear(model: Path) -> bool:
    """Return whether a file is an npz with W and not W1; refuse one that has neither."""
    if model.suffix != ".npz" or not zipfile.is_zipfile(model):
        return False
    try:
        with zipfile.ZipFile(model) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False  # whoever reads it says what is wrong
    if not names & {"W", "W1"}:
        raise ValueError(
            f"{model} must hold W1, b1, W2, ... of a network or W and b of a linear model; it"
            f" holds {sorted(names)}."
        )
    return "W1" not in names


def _flattened(arrays: Mapping[str, NDArray[Any]], dimension: int) -> Mapping[str, NDArray[Any]]:
    """Return arrays with X a row an input, in C order."""
    X = arrays["X"]
    size = int(np.prod(X.shape[1:]))
    if X.ndim < 2 or size != dimension:
        raise ValueError(
            f"X must hold inputs of {dimension} numbers each, as MODEL takes them; its shape is"
            f" {X.shape}" + (f", {size} each." if X.ndim > 1 else ".")
        )
    return {**arrays, "X": X.reshape(X.shape[0], size)}


def _refuse_given(options: Mapping[str, Any], model: Path) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(
            f"{', '.join(given)}: for networks; {model} is linear, and its distances are exact."
        )
