"""Questions to a ledger: what is answered, what is refused, and that nothing is written."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from empirical.ledger import (
    Ledger,
    LedgerError,
    open_ledger,
    result_rows,
    results,
)
from tests.empirical.ledgers import a_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with open_ledger(path) as opened:
        yield opened


def test_results_answers_queries(ledger: Ledger) -> None:
    ledger.set_members("s", ["a", "b"])
    ledger.record([a_record("a", r=1.0), a_record("b", r=3.0, status="odd")])
    query = 'SELECT "pruning.compression" AS c, avg(r) AS r FROM results GROUP BY 1'
    answer = results(ledger.path, query)
    pd.testing.assert_frame_equal(answer, pd.DataFrame({"c": [2.0], "r": [2.0]}))
    assert results(ledger.path)["row.status"].tolist()[1] == "odd"
    assert results(ledger.path, 'SELECT "model.widths" AS w FROM results')["w"][0] == "[4, 2]"


# SQLite reads a name that it does not know, in double quotes, as text: its mean would be 0.
@pytest.mark.parametrize(
    "query",
    [
        'SELECT avg("l2_maen") FROM results',
        'SELECT avg("l2_maen") AS "l2_maen" FROM results',
        "SELECT avg(l2_maen) FROM results",
        'SELECT r FROM results WHERE "l2_maen" > 0.5',
        """SELECT 'it''s "r"', /* "r" */ avg("l2_maen") -- "r"
           FROM results""",
    ],
)
def test_results_refuses_misspelt_columns(ledger: Ledger, query: str) -> None:
    ledger.set_members("s", ["a"])
    ledger.record([a_record("a", r=1.0, l2_mean=0.5)])
    with pytest.raises(LedgerError, match="no such column: l2_maen; nearest: l2_mean"):
        results(ledger.path, query)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT "l2_mean" AS "the mean" FROM results ORDER BY "the mean"',
        'WITH "t" AS (SELECT "l2_mean" FROM "results") SELECT "t"."l2_mean" FROM "t"',
        """SELECT l2_mean AS "a`b" FROM results WHERE '"none"' <> "l2_mean" -- it's "none" """,
    ],
)
def test_results_knows_names_that_a_query_gives(ledger: Ledger, query: str) -> None:
    ledger.set_members("s", ["a"])
    ledger.record([a_record("a", l2_mean=0.5)])
    assert results(ledger.path, query).to_numpy().tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "must be one SELECT"),
        ("-- nothing", "must be one SELECT"),
        ("SELECT key, key FROM results", "must have different names .AS.; got 'key' twice"),
        ("SELECT ?", "must be one SELECT"),
    ],
)
def test_results_refuses_what_is_no_table(ledger: Ledger, query: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said):
        results(ledger.path, query)


def test_result_rows_keep_types_and_unknowns_of_lists(ledger: Ledger) -> None:
    ledger.set_members("s", ["a", "b"])
    found = {"distances": [0.5, float("nan")], "wins": {"ddn": 1}}
    ledger.record([a_record("a", n=3, **found), a_record("b", n=None)])
    columns, rows = result_rows(ledger.path)
    assert [row["n"] for row in rows] == [3, None]
    assert all(list(row) == columns for row in rows)
    columns, rows = result_rows(ledger.path, "SELECT n, distances, wins FROM results")
    assert columns == ["n", "distances", "wins"]
    assert [type(row["n"]) for row in rows] == [int, type(None)]
    assert (rows[0]["distances"], rows[0]["wins"]) == ("[0.5, null]", '{"ddn": 1}')


def test_result_rows_of_nothing_have_the_columns_expected(ledger: Ledger) -> None:
    query = 'SELECT "a.b" FROM results'
    assert result_rows(ledger.path, query, expected=["a.b"]) == (["a.b"], [])
    assert "key" in result_rows(ledger.path, expected=["a.b"])[0]


@pytest.mark.parametrize("query", ["SELECT nothing FROM results", "DROP TABLE results", "x"])
def test_results_refuses_other_queries(ledger: Ledger, query: str) -> None:
    with pytest.raises(LedgerError, match="query must be"):
        results(ledger.path, query)


@pytest.mark.parametrize(
    "query",
    ["ATTACH '{other}' AS other", "VACUUM INTO '{other}'", "DELETE FROM results", "PRAGMA x"],
)
def test_results_queries_can_write_nothing(ledger: Ledger, tmp_path: Path, query: str) -> None:
    ledger.set_members("s", ["a"])
    ledger.record([a_record("a", r=1.0)])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LedgerError, match="query must be"):
        results(ledger.path, query.format(other=tmp_path / "other.sqlite"))
    assert sorted(tmp_path.rglob("*")) == before
    assert results(ledger.path)["r"].tolist() == [1.0]
