"""Numbers and verdicts as people read them."""

import math
from collections.abc import Mapping
from typing import Any

_DIGITS = 4


def value_text(value: Any, *, digits: int = _DIGITS) -> str:
    """Return a number as it is shown; a dash where there is none.

    Examples
    --------
    >>> [value_text(value) for value in (1.23456, 0.0000123, -2.0, None, "text")]
    ['1.235', '1.23e−05', '−2', '–', 'text']
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.{digits if 1e-3 <= abs(value) < 1e6 else 3}g}".replace("-", "−")


def interval_text(low: Any, high: Any) -> str:
    r"""Return limits as they are shown, on one line; nothing where they are not known.

    Examples
    --------
    >>> interval_text(-0.5, 1.0), interval_text(None, None)
    ('[−0.5,\xa01]', '')
    """
    if low is None or high is None:
        return ""
    return f"[{_short(low)},\xa0{_short(high)}]"


def measured_text(verdict: Mapping[str, Any]) -> str:
    r"""Return what was measured, with the limits of an effect; others are of the slack.

    Examples
    --------
    >>> measured_text({"measured": 0.1, "low": 0.0, "high": 0.2, "evidence": {}})
    '0.1 [0,\xa00.2]'
    """
    limits = "" if _is_slack(verdict) else interval_text(verdict["low"], verdict["high"])
    return f"{value_text(verdict['measured'])} {limits}".strip()


def slack_text(verdict: Mapping[str, Any]) -> str:
    """Return how far a claim's cases are from deciding otherwise; a dash where that has no sense.

    Of a bound: by how much it lies above the measurement, median and 5 % to 95 %. Of an identity:
    the largest relative error.
    """
    evidence = verdict["evidence"]
    if "slack, median" in evidence:
        limits = interval_text(verdict["low"], verdict["high"])
        return f"{value_text(evidence['slack, median'])} {limits}".strip()
    if "largest relative error" in evidence:
        return f"off by ≤\xa0{_short(100 * evidence['largest relative error'])}\xa0%"
    return "–"


def agreement(verdict: Mapping[str, Any]) -> str:
    """Return how what attacks say goes with what we say of a claim.

    Examples
    --------
    >>> agreement({"we say": "refuted", "verdict": "holds"})
    'against us'
    """
    ours, theirs = verdict["we say"], verdict["verdict"]
    if (ours, theirs) in {("proven", "refuted"), ("refuted", "holds")}:
        return "against us"
    if theirs not in {"holds", "refuted"}:
        return "undecided"
    return "decided" if ours == "open" else "as we say"


def _short(value: Any) -> str:
    return value_text(value, digits=3)


def _is_slack(verdict: Mapping[str, Any]) -> bool:
    named = str(verdict["evidence"].get("interval of", ""))
    return named.startswith(("slack", "relative errors"))
