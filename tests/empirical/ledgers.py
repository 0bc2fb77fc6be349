"""A record of a ledger, as several tests take it."""

import json
from typing import Any

from empirical.ledger import Record, row_text, surroundings


def a_record(key: str = "a", **row: Any) -> Record:
    return Record(
        key=key,
        settings=json.dumps({"pruning.compression": 2.0, "model.widths": [4, 2], "seed": 0}),
        protocols="{}",
        seed=0,
        status="done",
        row=row_text(row),
        traceback=None,
        seconds=0.5,
        surroundings=surroundings(),
    )
