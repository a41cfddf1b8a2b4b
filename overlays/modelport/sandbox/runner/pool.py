"""The server's hand on its workers: one-shot runs, warm workers per model, background jobs, and the end of them all."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelport.sandbox.runner.guard import Guard
from modelport.sandbox.runner.worker import MARK_VARIABLE, Outcome, Worker

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox._settings import Limits
    from modelport.sandbox.runner.environment import Environment

logger = logging.getLogger("modelport.sandbox")

BACKGROUND_JOBS = 4
WARM_WORKERS = 16


@dataclass(slots=True)
class _Warm:
    worker: Worker
    stamp: str
    used: int


class Runner:
    """Starts and ends worker processes. After `close` nothing is left and nothing starts."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._mark = uuid.uuid4().hex
        self._guard: Guard | None = None
        self._lock = threading.Lock()
        self._live: set[Worker] = set()
        self._warm: dict[str, _Warm] = {}
        self._loading: dict[str, threading.Lock] = {}
        self._clock = 0
        self._closed = False
        self._jobs = ThreadPoolExecutor(BACKGROUND_JOBS, thread_name_prefix="sandbox-job")

    @property
    def closed(self) -> bool:
        """Whether the sandbox is ending: failures of runs are then its doing, not the script's."""
        return self._closed

    def spawn(self, environment: Environment, *, cwd: Path, variables: Mapping[str, str]) -> Worker:
        """A new worker; the caller closes it."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandbox is ending")
            if self._guard is None:
                self._guard = Guard(f"{MARK_VARIABLE}={self._mark}")
            worker = Worker(
                [str(environment.python), "-u"],
                cwd=cwd,
                environment=environment.variables(cwd, variables),
                mark=f"{self._mark}-{uuid.uuid4().hex}",
                limits=self.limits,
                guard=self._guard,
            )
            self._live.add(worker)
        return worker

    def dismiss(self, worker: Worker) -> None:
        """End a worker."""
        worker.close()
        with self._lock:
            self._live.discard(worker)

    def run(
        self,
        environment: Environment,
        message: Mapping[str, Any],
        *,
        cwd: Path,
        variables: Mapping[str, str],
        seconds: float | None = None,
    ) -> Outcome:
        """One request in a worker of its own."""
        worker = self.spawn(environment, cwd=cwd, variables=variables)
        try:
            return worker.request(message, seconds=self.limits.run_seconds if seconds is None else seconds)
        finally:
            self.dismiss(worker)

    # -- warm workers -----------------------------------------------------------------------------------------------

    def warm(self, key: str, stamp: str, start: Callable[[], Worker]) -> Worker:
        """The warm worker for a key; started by `start` when there is none, it died, or its stamp is another."""
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            with self._lock:
                self._clock += 1
                held = self._warm.get(key)
                if held is not None and held.stamp == stamp and held.worker.alive:
                    held.used = self._clock
                    return held.worker
            self.cool(key)
            worker = start()
            with self._lock:
                self._warm[key] = _Warm(worker, stamp, self._clock)
            self._evict()
            return worker

    def cool(self, key: str) -> None:
        """End the warm worker of a key, if there is one."""
        with self._lock:
            held = self._warm.pop(key, None)
        if held is not None:
            self.dismiss(held.worker)

    def _evict(self) -> None:
        with self._lock:
            oldest = sorted(self._warm, key=lambda key: self._warm[key].used)
            surplus = oldest[: max(0, len(oldest) - WARM_WORKERS)]
        for key in surplus:
            self.cool(key)

    # -- background jobs --------------------------------------------------------------------------------------------

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Run in the background; what it raises is logged by type only, since its text may hold user data."""
        return self._jobs.submit(_guarded, work)

    def interrupt(self) -> None:
        """Kill what runs, from a signal handler too: what waits for it then ends by itself."""
        self._closed = True
        for worker in list(self._live):
            worker.kill_session()

    def close(self) -> None:
        """End every worker and job."""
        with self._lock:
            self._closed = True
            live = list(self._live)
            self._warm.clear()
        for worker in live:
            worker.kill()
        self._jobs.shutdown(wait=True, cancel_futures=True)
        for worker in live:
            worker.close()
        if self._guard is not None:
            self._guard.close()

    def reset(self) -> None:
        """End every warm worker; runs under way go on and find their documents gone."""
        for key in list(self._warm):
            self.cool(key)


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        logger.exception("a background job ended with %s", type(error).__name__)
