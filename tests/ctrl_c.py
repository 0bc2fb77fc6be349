"""Processes that heed Ctrl-C, wherever tests run."""

import signal


def heed() -> None:
    """Undo what a shell does to jobs it puts into the background, and they hand on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
