"""Progress on standard error."""

import sys
from typing import Any

from tqdm import tqdm


def progress(total: int, what: str) -> Any:
    """Return a progress bar on standard error: live on a terminal, a line now and then in a log."""
    pause = 0.1 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, desc=what, dynamic_ncols=True, mininterval=pause)
