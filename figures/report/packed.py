"""Data within a page: small, the same each time, and never read as HTML."""

import base64
import gzip
import json
import math
from typing import Any

from markupsafe import Markup


def packed(content: bytes) -> str:
    """Return bytes as text: gzip, then base64; the same for the same bytes.

    Examples
    --------
    >>> gzip.decompress(base64.b64decode(packed(b"figure")))
    b'figure'
    """
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def packed_json(value: Any) -> str:
    """Return a value as packed JSON; what is not a finite number is null."""
    return packed(_json(value).encode("utf-8"))


def script_json(value: Any) -> Markup:
    r"""Return JSON that may stand within a script element, whatever its text says.

    Examples
    --------
    >>> script_json("</script>")
    Markup('"\\u003c/script\\u003e"')
    """
    text = _json(value)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # what HTML could read is escaped


def _json(value: Any) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
