"""The methods that certify: for each what it prepares once for a network, and its bounds."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import array_api_compat as aac

from theory.certify.coupled import coupled_margins
from theory.certify.coupling import ball_weights
from theory.certify.domain import Domain, with_hidden_layer
from theory.certify.local_slopes import local_margins
from theory.certify.margins import interval_margins, linear_margins
from theory.certify.optimised import optimised_margins
from theory.certify.relaxation import crown_slopes, fastlin_slopes
from theory.lipschitz import lipsdp_neuron, lipsdp_pairs
from theory.networks.arrays import Array, native, on_host, rows_times
from theory.networks.network import ReluNetwork
from theory.networks.reduce import reduce
from theory.validation import UnsupportedSettingError, as_norm

# Lower bounds of the leads (n, m) on balls of radii (n,) around the inputs of a domain.
Margins = Callable[[Domain, Array], Array]


def _fixed(margins: Margins) -> Callable[[ReluNetwork], Margins]:
    return lambda net: margins


def _coupled(net: ReluNetwork) -> Margins:
    weights = ball_weights(net)
    return lambda domain, eps: coupled_margins(domain, eps, weights)


def _lipschitz(net: ReluNetwork) -> Margins:
    last = ball_weights(net)[-1]

    def margins(domain: Domain, eps: Array) -> Array:
        xp = aac.array_namespace(eps)
        forms = rows_times(domain.forms, domain.layers[-1][0])
        scaled = forms / xp.sqrt(native(last, forms))
        return domain.leads - eps[:, None] * xp.linalg.vector_norm(scaled, axis=2)

    return margins


def _lipsdp(net: ReluNetwork) -> Margins:
    if net.outputs == 1:
        constant = lipsdp_neuron(net).value
        return lambda domain, eps: domain.leads - eps[:, None] * constant
    pairs = lipsdp_pairs(net)

    def margins(domain: Domain, eps: Array) -> Array:
        forms = on_host(domain.forms)  # +1 at the label and -1 at the rival
        constants = pairs[forms.argmax(axis=2), forms.argmin(axis=2)]
        return domain.leads - eps[:, None] * native(constants, eps)

    return margins


# What each method does once for a network, before it is asked for bounds.
_PREPARED: Mapping[str, Callable[[ReluNetwork], Margins]] = {
    "interval": _fixed(interval_margins),
    "fast-lin": _fixed(partial(linear_margins, slopes=fastlin_slopes)),
    "crown": _fixed(partial(linear_margins, slopes=crown_slopes)),
    "alpha-crown": _fixed(optimised_margins),
    "lipschitz": _lipschitz,
    "local-lipschitz": _fixed(local_margins),
    "sdp": _coupled,
    "lipsdp": _lipsdp,
}
METHODS = ("best", *_PREPARED)
_L2_ALONE = {"lipschitz", "sdp", "lipsdp"}
# Rectified units that cannot be reduced away, up to which "best" takes the time for it.
_LIPSDP_UNITS = 64


def chosen_margins(
    method: str, net: ReluNetwork, norm: float, box: Any = None
) -> dict[str, Margins]:
    """Return the margins of a method by its name, or of all that "best" tries in a box.

    Raises
    ------
    ValueError
        If there is no such method.
    UnsupportedSettingError
        If the method does not have this norm.
    """
    net = with_hidden_layer(net)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    is_l2 = as_norm(norm) == 2
    if method != "best":
        if method in _L2_ALONE and not is_l2:
            raise UnsupportedSettingError(f"method {method!r} is for norm 2; got norm {norm}.")
        return {method: _PREPARED[method](net)}
    left_out = set() if is_l2 else _L2_ALONE
    if is_l2 and _needed_units(net, box) > _LIPSDP_UNITS:
        left_out = left_out | {"lipsdp"}
    return {name: prepare(net) for name, prepare in _PREPARED.items() if name not in left_out}


def _needed_units(net: ReluNetwork, box: Any) -> int:
    """Return the number of rectified units that reduction leaves."""
    return sum(int(mask.sum()) for mask in reduce(net, norm=math.inf, box=box).network.relu)
