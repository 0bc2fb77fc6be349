"""The network |x| - 1 and four inputs of it, in files; a report in a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.figures.reports import reproduced
from tests.sparsebound.browser import Reader, chromium
from tests.sparsebound.certified import ABSOLUTE, X1, Y1, npz
from tests.sparsebound.report_ledgers import small_ledger
from tests.sparsebound.sweeps import run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return npz(tmp_path / "model.npz", **ABSOLUTE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return npz(tmp_path / "data.npz", X=X1, y=Y1)


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="session")
def written(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    ledger = small_ledger(folder / "results.sqlite")
    assert run("report", "--out", reproduced(folder), "--ledger", ledger).exit_code == 0
    alone = folder / "alone" / "report.html"  # beside it there is nothing
    alone.parent.mkdir()
    return (folder / "report.html").replace(alone)


@pytest.fixture
def reader(driver: Any, written: Path) -> Reader:
    reader = Reader(driver, written)
    reader.system("light")
    reader.size(1440, 900)
    reader.open()
    return reader
