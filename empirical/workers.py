"""Processes that compute for this one: workers of this machine, or those of a dask scheduler."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, LocalCluster

_ENVIRONMENT = "distributed.nanny.pre-spawn-environ"
_PATIENCE = 120  # seconds that a cluster may take to have its first worker


class SchedulerError(ConnectionError):
    """What gives cells to workers is not there, or no longer."""


@contextmanager
def local_workers(count: int) -> Iterator[Client]:
    """Yield a client of so many processes with a thread each, which end with the block."""
    with ExitStack() as stack:
        with interrupts_held(), dask.config.set({_ENVIRONMENT: _environment()}):
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # a free port: clusters may run side by side
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
            stack.enter_context(cluster)
            client = stack.enter_context(Client(cluster))
        yield client


def _environment() -> dict[str, Any]:
    """Return what dask puts into the environment of workers, but for when memory is given back.

    It has them give back at once what is freed; arrays that come and go then cost as much time in
    page faults as in arithmetic.
    """
    usual = dask.config.get(_ENVIRONMENT)
    return {name: value for name, value in usual.items() if name != "MALLOC_TRIM_THRESHOLD_"}


@contextmanager
def scheduled_workers(address: str) -> Iterator[Client]:
    """Yield a client of a running scheduler that has a worker.

    Raises
    ------
    SchedulerError
        If there is no scheduler, or it has no worker for two minutes.
    """
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise SchedulerError(f"scheduler {address} must be running: {error}.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise SchedulerError(f"scheduler {address} must have a worker; none came.") from error
        yield client


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends. Processes and threads that it starts never heed it.

    A terminal sends it to all of them; the parent alone decides what then becomes of workers. They
    inherit that it is blocked, those that dask starts later too.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would end the block of the thread that starts it
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt
