"""The ledger: one SQLite file of what cells gave, and the weights beside it."""

from empirical.ledger.database import Ledger, LedgerError, open_ledger
from empirical.ledger.queries import json_cell
from empirical.ledger.reading import result_rows, results
from empirical.ledger.records import Record, Result, Surroundings, row_text, surroundings
from empirical.ledger.weights import load_weights, packed_weights, save_weights, weights_path

__all__ = [
    "Ledger",
    "LedgerError",
    "Record",
    "Result",
    "Surroundings",
    "json_cell",
    "load_weights",
    "open_ledger",
    "packed_weights",
    "result_rows",
    "results",
    "row_text",
    "save_weights",
    "surroundings",
    "weights_path",
]
