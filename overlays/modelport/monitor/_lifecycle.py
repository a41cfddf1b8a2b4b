"""What must happen to monitors when a process forks or ends."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Protocol

from modelport.predictions._delivery import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Forked", "Managed", "close_all", "flush_all", "manage", "release", "renew_after_fork", "see_to_exit"]

_EXIT_SECONDS = 5.0
_LEAST_SECONDS = 1.0

_logger = logging.getLogger("modelport.monitor")


class Forked(Protocol):
    """Something that a forked child cannot go on with as it is."""

    def after_fork_in_child(self) -> None:
        """Forget what the parent owns."""


class Managed(Forked, Protocol):
    """Something that owns threads and queued records."""

    def flush(self, timeout: float) -> object:
        """Ship what is queued, in about `timeout` seconds."""

    def close(self, timeout: float) -> object:
        """Ship what is queued and stop, in about `timeout` seconds."""


# One table of each kind and one pair of hooks for all: a hook at fork can never be taken back. What has to be closed
# is held on to, since what it has queued must be shipped also where nobody else holds it any more.
_forked: weakref.WeakSet[Forked] = weakref.WeakSet()
_managed: dict[int, Managed] = {}


def manage(item: Managed) -> None:
    """See to `item` in forked children, and close it at exit unless it is released before."""
    _forked.add(item)
    _managed[id(item)] = item


def release(item: Managed) -> None:
    """Stop seeing to `item`."""
    _forked.discard(item)
    _managed.pop(id(item), None)


def renew_after_fork(item: Forked) -> None:
    """See to `item` in forked children, for as long as it lives."""
    _forked.add(item)


def see_to_exit() -> None:
    """Close what is managed at the end of this process also where it is a child of `multiprocessing`.

    One that was forked ends by ``os._exit``, which calls no `atexit` hook (Python 3.11 to 3.13); its finalizers run.
    """
    global _ends_seen_to  # noqa: PLW0603 - once per process
    processes, utilities = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if _ends_seen_to == os.getpid() or utilities is None or processes is None or processes.parent_process() is None:
        return
    _ends_seen_to = os.getpid()
    utilities.Finalize(None, _at_exit, exitpriority=0)


_ends_seen_to = 0


def flush_all(seconds: float) -> None:
    """Ship what all that is managed has queued. It never raises."""
    for item, left in _in_turn(seconds):
        _guarded(partial(item.flush, left), "shipping at a signal")


def close_all(seconds: float) -> None:
    """Close all that is managed. It never raises."""
    for item, left in _in_turn(seconds):
        _guarded(partial(item.close, left), "closing at the end")


def _in_turn(seconds: float) -> Iterator[tuple[Managed, float]]:
    # Together and not each: they ship side by side in threads of their own while the first of them is waited for.
    deadline = time.monotonic() + seconds
    for item in list(_managed.values()):
        yield item, max(min(_LEAST_SECONDS, seconds), deadline - time.monotonic())


def _at_exit() -> None:
    close_all(_EXIT_SECONDS)


def _after_fork_in_child() -> None:
    for item in list(_forked):
        _guarded(item.after_fork_in_child, "going on after a fork")


def _guarded(step: Callable[[], object], what: str) -> None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - one that fails must not keep the others from it
        _logger.warning("%s failed: %s", what, told(error))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
