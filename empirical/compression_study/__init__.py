"""Small networks on digits, pruned to rising compressions: how robust they are, by their seeds."""

from empirical.compression_study.networks import COMPRESSIONS, CONVOLUTIONS, CRITERIA, RESETS
from empirical.compression_study.record import (
    BOX,
    CNN,
    DEFAULT,
    EPS,
    FULL,
    MLP,
    QUICK,
    CompressionCell,
    Plan,
)
from empirical.compression_study.study import compression_parts, compression_study

__all__ = [
    "BOX",
    "CNN",
    "COMPRESSIONS",
    "CONVOLUTIONS",
    "CRITERIA",
    "DEFAULT",
    "EPS",
    "FULL",
    "MLP",
    "QUICK",
    "RESETS",
    "CompressionCell",
    "Plan",
    "compression_parts",
    "compression_study",
]
