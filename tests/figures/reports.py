"""A folder as `sparsebound reproduce` leaves it, without the work: claims, figures, tables."""

import json
from pathlib import Path
from typing import Any

from empirical.whole_files import write_table
from figures.report import run_of, write_run

HOSTILE = "</script><script>document.title='caught'</script><img src=x onerror=alert(1)>"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200">'
    '<rect width="400" height="200" fill="#d55e00"/><text x="9" y="40">{name}</text></svg>'
)
CURVES = [{"eps": 0.0, "accuracy": 1.0, "name": HOSTILE}, {"eps": 0.1, "accuracy": 0.5, "name": ""}]


def verdict(claim: str = "guo2018.r2", **other: Any) -> dict[str, Any]:
    return {
        "claim": claim,
        "source": "Guo, Zhang, Zhang, Chen 2018, Theorem 3.1",
        "statement": "r_2 = t w·(m₊ − m₋) / (2 ‖w‖₂)",
        "form": "identity",
        "we say": "proven",
        "verdict": "holds",
        "predicted": 1.25,
        "measured": 1.2501,
        "low": 0.00009,
        "high": 0.0001,
        "what decides": "12 of 12 cases agree",
        "assumptions": ["w ≠ 0", "no box"],
        "note": "Needs equal shares only.",
        "bibtex": "@inproceedings{guo2018sparse}",
        "evidence": {
            "interval of": "relative errors, least to largest",
            "largest relative error": 0.0001,
        },
        **other,
    }


BOUND = verdict(
    "guo2018.rinf-markov",
    form="bound",
    predicted=3.5,
    measured=0.65,
    low=0.42,
    high=11.6,
    evidence={"interval of": "slack, 5 % to 95 %", "slack, median": 1.1169},
)
TREND = verdict(
    "cosentino2019.tickets",
    source=f"Cosentino et al. 2019 {HOSTILE}",
    statement=f"tickets {HOSTILE} win",
    form="trend",
    **{"we say": "open", "verdict": "inconclusive", "what decides": HOSTILE, "note": HOSTILE},
    predicted=None,
    measured=0.1,
    low=-0.2,
    high=0.4,
    evidence={"interval of": HOSTILE, HOSTILE: HOSTILE},
)
VERDICTS = [verdict(), BOUND, TREND]


def budgets() -> list[dict[str, Any]]:
    return [
        {"dataset": dataset, "family": family, "nonzero weights": float(size), "eps": eps}
        | {f"r_inf predicted{end}": 0.9 - eps - by for end, by in _ENDS.items()}
        | {f"r_inf attacked{end}": 0.88 - eps - by for end, by in _ENDS.items()}
        | {"r_inf bound": min(1.0, 1.1 - eps)}
        for dataset in ("digits 3 or 8", HOSTILE)
        for family in ("L1 logistic", "ridge, cut")
        for size in (1, 5, 20)
        for eps in (0.05, 0.1, 0.2, 0.4)
    ]


_ENDS = {"": 0.0, " low": 0.05, " high": -0.05}


def masks() -> list[dict[str, Any]]:
    return [
        {"network": "64-9-10", "pruned": pruned, "alpha": alpha, "what": what, "kind": kind}
        | {"value": top * (1.01 - alpha), "low": top * (1 - alpha), "high": top * (1.05 - alpha)}
        for pruned in ("output layer", "all layers")
        for alpha in (0.0, 0.3, 0.6, 0.9)
        for what, kind, top in (
            *(("second moment", "upper", 90.0), ("moments", "exact", 10.0)),
            *(("root mean square", "estimate", 10.1), ("mean", "estimate", 9.0)),
        )
    ]


def strengths() -> list[dict[str, Any]]:
    """Return predictions at λ = .1, 1 and 10, and measurements at 1 and √10."""
    told = {"ceiling": {0.1: 0.9, 10.0: 0.9}, "predicted": {0.1: 0.5, 1.0: 0.8, 10.0: 0.6}}
    told["measured"] = {1.0: 0.79, 10**0.5: 0.71}
    return [
        {"against": "strength", "at": at, "penalty": "any" if what == "ceiling" else penalty}
        | {"measure": "accuracy", "what": what, "kind": "estimate"}
        | {"value": value, "low": value - 0.01, "high": value + 0.01}
        for penalty in ("L1", "L2")
        for what, values in told.items()
        for at, value in values.items()
    ]


def reproduced(folder: Path, verdicts: list[dict[str, Any]] | None = None) -> Path:
    """Write a finished run into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(VERDICTS if verdicts is None else verdicts, ensure_ascii=False)
    (folder / "verdicts.json").write_text(told, encoding="utf-8")
    tables = {
        "robust-accuracy": CURVES,
        "tickets": CURVES,
        "random-pruning": masks(),
        "budgets": budgets(),
        "before-training": strengths(),
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            write_table(rows, stream)
        if name not in {"budgets", "before-training"}:
            (folder / f"{name}.svg").write_text(SVG.format(name=name), encoding="utf-8")
    names = [path.name for path in folder.iterdir() if path.suffix in {".csv", ".svg", ".json"}]
    write_run(folder, run_of(folder, names, plan="quick", seed=3))
    return folder
