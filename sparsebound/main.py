"""The command `sparsebound`."""

import traceback
from typing import Any

import click

from sparsebound.certify import certify
from sparsebound.check import check
from sparsebound.claims import claims
from sparsebound.reproduce import reproduce


class _BadInput(click.ClickException):
    exit_code = 2


class _OneLineErrors(click.Group):
    """A group whose commands answer bad input with one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, TypeError, OSError) as error:
            if ctx.params["traceback"]:
                click.echo(traceback.format_exc(), err=True)
            raise _BadInput(" ".join(str(error).split())) from error


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="sparsebound")
def main(traceback: bool) -> None:
    """Say what a sparse classifier's robustness should be, what it is, and the slack between.

    Start with `sparsebound reproduce`: it trains, predicts, attacks, draws and judges.
    """
    del traceback  # read from the context where an error is reported


for command in (reproduce, claims, check, certify):
    main.add_command(command)
