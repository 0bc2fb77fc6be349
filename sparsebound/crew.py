"""Calls shared out among processes, this one among them, with progress on standard error."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from queue import SimpleQueue
from typing import Any, NamedTuple

from distributed import Client, Future, KilledWorker, fire_and_forget
from threadpoolctl import threadpool_limits

from empirical.workers import interrupts_held, local_workers
from sparsebound.progress import progress


class Job(NamedTuple):
    """A call and what to name it by when it is done."""

    name: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Shared:
    """A value, and where workers find it."""

    value: Any
    there: Any


class Crew:
    """The workers of a client, if any, and this process: whoever is free makes the next call."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client
        self._workers = [] if client is None else list(client.scheduler_info()["workers"])

    def imported(self, name: str) -> Any:
        """Return a module, which all processes import at the same time.

        Ctrl-C waits until this one has it: torch aborts with a dump if interrupted on loading.
        """
        with interrupts_held():
            for worker in self._workers:
                fire_and_forget(self._submit(_import, name, workers=[worker]))
            return import_module(name)

    def shared(self, value: Any) -> Any:
        """Return what stands for a value among the arguments of many jobs: it travels once."""
        if self._client is None:
            return value
        return _Shared(value, self._client.scatter([value], hash=False)[0])

    def done(self, what: str, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        """Yield the number of each job and what it gave, as they are done; the first begin first.

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
        found = dict(self.done(what, every))
        ordered = iter([found[number] for number in range(len(every))])
        return {name: [next(ordered) for _ in group] for name, group in jobs.items()}

    def _as_done(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        waiting, finished = deque(enumerate(jobs)), SimpleQueue[tuple[int, Future[Any]]]()

        def give() -> None:
            """Have a worker make the next call."""
            try:
                number, job = waiting.popleft()
            except IndexError:
                return
            theirs = [one.there if isinstance(one, _Shared) else one for one in job.arguments]
            future = self._submit(_alone, job.call, *theirs)
            future.add_done_callback(partial(go_on, number))

        def go_on(number: int, future: Future[Any]) -> None:
            give()
            finished.put((number, future))

        for _ in self._workers:
            give()
        left = len(jobs)
        try:
            while left:
                try:
                    number, job = waiting.popleft()
                except IndexError:
                    yield _result(jobs, *finished.get())
                else:
                    ours = [a.value if isinstance(a, _Shared) else a for a in job.arguments]
                    yield number, _alone(job.call, *ours)
                left -= 1
                while left and not finished.empty():
                    yield _result(jobs, *finished.get())
                    left -= 1
        finally:
            waiting.clear()

    def _submit(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        assert self._client is not None
        return self._client.submit(call, *arguments, pure=False, **named)


@contextmanager
def crew_of(workers: int) -> Iterator[Crew]:
    """Yield this process and so many more, with a thread each; they end with the block."""
    if workers == 0:
        yield Crew()
        return
    with local_workers(workers) as client:
        yield Crew(client)


def _import(name: str) -> None:
    import_module(name)


def _result(jobs: Sequence[Job], number: int, future: Future[Any]) -> tuple[int, Any]:
    try:
        return number, future.result()
    except KilledWorker as error:
        raise ChildProcessError(
            f"{jobs[number].name}: the process at work on it was killed, perhaps for want of"
            " memory; --workers 0 needs the least."
        ) from error


def _alone(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call gives on one thread: small arrays cost more to share out than it saves."""
    with threadpool_limits(limits=1):
        return call(*arguments)
