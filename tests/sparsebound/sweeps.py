"""Sweeps of tiny networks in files, and how commands are run on them."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sparsebound.main import main

TINY = """
[sweep]
name = "{name}"
seeds = {seeds}
[model]
widths = [64, 6, 10]
[training]
epochs = 2
rate = 0.01
[pruning]
method = "iterative"
epochs = 1
[attack]
names = ["{attack}"]
inputs = 5
[grid]
pruning.compression = {levels}
"""


def tiny(
    path: Path,
    *,
    name: str = "tiny",
    seeds: Any = (0, 1),
    levels: Any = (1, 4),
    attack: str = "l2_deepfool",
    more: str = "",
) -> Path:
    """Write a sweep's file; return its name."""
    text = TINY.format(name=name, seeds=list(seeds), levels=list(levels), attack=attack)
    path.write_text(text + more, encoding="utf-8")
    return path


def run(*arguments: Any, **settings: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **settings)


def check_refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    for part in said:
        assert part in result.stderr
