"""Work in processes of their own, some at a time: what one of them does harms neither the others nor us."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from grading.sandbox import DEATH_SIGNAL, MEGABYTE


class StoppedError(RuntimeError):
    """A piece of work was ended, or ended without a result; the message says how."""


@dataclass
class _Running:
    key: str
    process: BaseProcess
    result: Connection
    end: float


def apart(
    works: Mapping[str, Callable[[], Any]], *, at_once: int, seconds: float, memory: int
) -> Iterator[tuple[str, Any]]:
    """Yield what each piece of work returns, a value of JSON, as it gets ready, or an error in its place.

    Args:
        works: functions without arguments by name; forked, so they need not be picklable.
        at_once: how many run at a time.
        seconds: after which one of them is ended, with its process group.
        memory: megabytes of each process.
    """
    waiting, running = dict(works), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                key = next(iter(waiting))
                running.append(_started(key, waiting.pop(key), time.monotonic() + seconds, memory))
            wait([work.result for work in running], timeout=0.5)
            for work in [work for work in running if _is_over(work)]:
                running.remove(work)
                yield work.key, _result(work, seconds)
    finally:
        for work in running:
            _end(work)


def _started(key: str, work: Callable[[], Any], end: float, memory: int) -> _Running:
    forks = multiprocessing.get_context("fork")
    result, sender = forks.Pipe(duplex=False)
    process = forks.Process(target=_run, args=(work, sender, memory), daemon=False)
    process.start()
    sender.close()
    return _Running(key, process, result, end)


def _run(work: Callable[[], Any], sender: Connection, memory: int) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_DATA, (memory * MEGABYTE, memory * MEGABYTE))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    try:
        answer = {"value": work()}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    sender.send_bytes(json.dumps(answer).encode())


def _is_over(work: _Running) -> bool:
    return work.result.poll() or time.monotonic() > work.end


def _result(work: _Running, seconds: float) -> Any:
    """What a piece of work sent, or an error: read as JSON, whatever the process became."""
    try:
        if not work.result.poll():
            return StoppedError(f"it was ended after {seconds:.0f} s")
        answer = json.loads(work.result.recv_bytes(64 * MEGABYTE))
    except (EOFError, OSError, ValueError):
        return StoppedError("its process ended without a result")
    finally:
        _end(work)
    return answer["value"] if "value" in answer else StoppedError(answer["error"])


def _end(work: _Running) -> None:
    if work.process.pid:
        with suppress(ProcessLookupError):
            os.killpg(work.process.pid, signal.SIGKILL)
    work.process.kill()
    work.process.join()
    work.result.close()
