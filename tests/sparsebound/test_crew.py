"""Calls are shared out among processes, this one among them."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from empirical.workers import local_workers
from sparsebound.crew import Crew, Job, crew_of


@pytest.fixture(params=[0, 1])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    with crew_of(request.param) as crew:
        yield crew


def after(seconds: float, value: int) -> int:
    time.sleep(seconds)
    return value


def process_of(_: int) -> int:
    time.sleep(0.05)  # so that the other has its turn
    return os.getpid()


def failing(what: str) -> int:
    raise FileNotFoundError(2, what)


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_results_are_in_order_whoever_is_done_first(crew: Crew) -> None:
    waits = [0.3, 0.0, 0.1, 0.0, 0.0]
    jobs = [Job(f"wait {wait}", after, (wait, n)) for n, wait in enumerate(waits)]
    assert crew.results("wait", {"a": jobs[:2], "none": [], "b": jobs[2:]}) == {
        "a": [0, 1],
        "none": [],
        "b": [2, 3, 4],
    }


def test_every_job_is_done_once(crew: Crew) -> None:
    jobs = [Job("one", after, (0.0, n)) for n in range(30)]
    assert sorted(crew.done("count", jobs)) == [(n, n) for n in range(30)]


def test_shared_values_arrive_in_every_process(crew: Crew) -> None:
    value = crew.shared(list(range(1000)))
    jobs = [Job("sum", sum, (value,)) for _ in range(8)]
    assert crew.results("sum", {"sums": jobs}) == {"sums": [499500] * 8}


def test_errors_of_a_job_are_those_of_the_call(crew: Crew) -> None:
    jobs = [Job("fails", failing, ("no such thing",)), *(Job("one", after, (0.0, 1)),) * 3]
    with pytest.raises(FileNotFoundError, match="no such thing"):
        crew.results("fail", {"all": jobs})


def test_a_module_is_imported_by_all(crew: Crew) -> None:
    assert crew.imported("sparsebound.crew").Job is Job


def test_this_process_and_its_helper_both_work_and_the_helper_ends() -> None:
    with crew_of(1) as crew:
        pids = {
            pid for _, pid in crew.done("pid", [Job("pid", process_of, (n,)) for n in range(20)])
        }
    assert len(pids) == 2
    assert os.getpid() in pids
    assert not any(alive(pid) for pid in pids - {os.getpid()})


def test_helpers_keep_memory_that_is_freed_for_what_comes_next() -> None:
    with local_workers(1) as client:
        assert client.submit(os.environ.get, "MALLOC_TRIM_THRESHOLD_").result() is None
        assert client.submit(os.environ.get, "OMP_NUM_THREADS").result() == "1"


def test_crews_work_side_by_side() -> None:  # a warning of a port that is taken is an error here
    with crew_of(1) as one, crew_of(1) as other:
        for crew in (one, other):
            assert crew.results("one", {"all": [Job("one", after, (0.0, 1))]}) == {"all": [1]}


def killed_elsewhere(home: int) -> int:
    if os.getpid() == home:
        time.sleep(0.5)
        return home
    os._exit(1)


@pytest.mark.slow
def test_a_killed_process_is_named_with_what_it_was_at() -> None:
    jobs = [Job("a study", killed_elsewhere, (os.getpid(),)), Job("other", after, (0.0, 1))]
    said = "a study: the process at work on it was killed"
    with crew_of(1) as crew, pytest.raises(ChildProcessError, match=said):
        crew.results("die", {"all": jobs})
