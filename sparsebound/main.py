"""The command `sparsebound`."""

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, NoReturn

import click

# In the order of a first visit. Each is imported only when it runs, so that help comes at once.
_COMMANDS = {
    "reproduce": "Train, predict, attack, draw and judge: no download, about a minute.",
    "claims": "List what is claimed, by whom, and what we say of it.",
    "report": "Write what was found as a page that opens in a browser.",
    "check": "Measure by attack whether claims hold.",
    "falsify": "Search for an instance that violates a claim.",
    "predict": "Predict what a linear classifier will reach, before training.",
    "certify": "Prove how far inputs of your own model are from another label.",
    "sweep": "Train, prune and attack all networks that a file asks for.",
    "results": "Show what sweeps gave: a table, SQL or CSV.",
    "train": "Train one network.",
    "prune": "Prune a network that `train` saved.",
    "attack": "Look for the nearest flips of a saved network.",
}
_BAD_INPUT, _DEFECT, _INTERRUPTED, _NOBODY_READS = 2, 3, 130, 141


@contextmanager
def _one_line_errors(ctx: click.Context) -> Iterator[None]:
    """Answer what goes wrong with one line and an exit code that is never 1: that is `check`'s."""
    try:
        yield
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        raise
    except click.ClickException as error:
        place = (getattr(error, "ctx", None) or ctx).command_path
        _exit(ctx, _BAD_INPUT, f"Error: {error.format_message()} See `{place} --help`.")
    except KeyboardInterrupt:
        _exit(ctx, _INTERRUPTED, "Interrupted.")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # lest Python's last flush complains
        ctx.exit(_NOBODY_READS)
    except (ValueError, TypeError, OSError) as error:
        _exit(ctx, _BAD_INPUT, f"Error: {error}")
    except Exception as error:  # noqa: BLE001  # even a defect must not look like a verdict
        name = type(error).__name__
        _exit(ctx, _DEFECT, f"Error: {name}: {error} (a defect: --traceback shows where)")


def _exit(ctx: click.Context, code: int, message: str) -> NoReturn:
    if ctx.params.get("traceback"):
        click.echo(traceback.format_exc(), err=True)
    click.echo(" ".join(message.split()), err=True)
    ctx.exit(code)


@contextmanager
def _quiet_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once: torch aborts with a dump if it is raised on loading."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        with _quiet_interrupts():
            module = importlib.import_module(f"sparsebound.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _one_line_errors(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line_errors(ctx):
            return super().invoke(ctx)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="sparsebound")
@click.pass_context
def main(ctx: click.Context, traceback: bool) -> None:
    """Say what a sparse classifier's robustness should be, what it is, and the slack between.

    Start with `sparsebound reproduce`: it trains, predicts, attacks, draws and judges.
    """
    del traceback  # read from the context where an error is reported
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # terminals that lack ε or ‖
