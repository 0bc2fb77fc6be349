"""A sweep: a TOML file that expands into cells, each named by the hash of all its settings."""

from empirical.sweeps.cells import PROTOCOLS, Cell, Settings, Value, cell_key, cell_of, section
from empirical.sweeps.files import Sweep, SweepFileError, expanded, read_sweep
from empirical.sweeps.options import Option

__all__ = [
    "PROTOCOLS",
    "Cell",
    "Option",
    "Settings",
    "Sweep",
    "SweepFileError",
    "Value",
    "cell_key",
    "cell_of",
    "expanded",
    "read_sweep",
    "section",
]
