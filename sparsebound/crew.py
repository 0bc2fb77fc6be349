"""Calls shared out among processes, with progress on standard error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from distributed import Client, KilledWorker, as_completed
from threadpoolctl import threadpool_limits

from empirical.workers import local_workers
from sparsebound.progress import progress


class Job(NamedTuple):
    """A call and what to name it by while it is waited for."""

    name: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


class Crew:
    """Those who make calls: the workers of a client or, without one, this process."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client

    def shared(self, value: Any) -> Any:
        """Return what stands for a value among the arguments of many jobs: it travels once."""
        return value if self._client is None else self._client.scatter([value], hash=False)[0]

    def done(self, what: str, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        """Yield the number of each job and what it gave, as they are done; the first come first.

        Raises
        ------
        ChildProcessError
            If a process that made a call was killed.
        """
        if not jobs:
            return
        with progress(len(jobs), what) as bar:
            for number, result in self._as_done(jobs):
                yield number, result
                bar.set_postfix_str(jobs[number].name, refresh=False)
                bar.update()

    def results(self, what: str, jobs: Mapping[str, Sequence[Job]]) -> dict[str, list[Any]]:
        """Return what the jobs of each group gave, in their order, whoever was done first.

        Raises
        ------
        ChildProcessError
            As `done`.
        """
        every = [job for group in jobs.values() for job in group]
        found = iter([result for _, result in sorted(self.done(what, every), key=_number)])
        return {name: [next(found) for _ in group] for name, group in jobs.items()}

    def _as_done(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        if self._client is None:
            for number, job in enumerate(jobs):
                yield number, _alone(job.call, *job.arguments)
            return
        futures = [
            self._client.submit(_alone, job.call, *job.arguments, pure=False) for job in jobs
        ]
        numbers = {future.key: number for number, future in enumerate(futures)}
        for future in as_completed(futures):
            try:
                yield numbers[future.key], future.result()
            except KilledWorker as error:
                raise ChildProcessError(
                    f"{jobs[numbers[future.key]].name}: the process at work on it was killed,"
                    " perhaps for want of memory; --workers 0 needs the least."
                ) from error


@contextmanager
def crew_of(workers: int) -> Iterator[Crew]:
    """Yield a crew of so many processes with a thread each, which end with the block; 0: none."""
    if workers == 0:
        yield Crew()
        return
    with local_workers(workers) as client:
        yield Crew(client)


def _number(done: tuple[int, Any]) -> int:
    return done[0]


def _alone(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call gives on one thread: small arrays cost more to share out than it saves."""
    with threadpool_limits(limits=1):
        return call(*arguments)
