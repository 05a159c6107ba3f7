"""Time and memory of one side of a case, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from probmcl_book.bench.cases import CASES
from probmcl_book.bench.cuda import encoder_figures
from probmcl_book.bench.workloads import Pass

MIB = 2**20

SETTLED_SECONDS = 5.0
"""Passes are repeated for so long at least: the first ones of a process can take twice the usual time."""


@dataclass(frozen=True)
class Measured:
    """What a side took."""

    seconds: list[float]  # of every timed pass
    growth_mib: float  # of the resident set above the inputs; NaN where the system does not say
    further: dict[str, float] = field(default_factory=dict)  # figures of the GPU case


def measure(name: str, side: str, *, smoke: bool = False) -> Measured:
    """Measure one side, "ours" or "theirs", of a case in a fresh process, so that no earlier peak is counted.

    A process that fails is a RuntimeError that ends with what it said.
    """
    command = [sys.executable, "-m", __name__, name, side, *(["--smoke"] if smoke else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the benchmark {name}, {side}, failed: {done.stderr.strip()[-400:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def measure_here(name: str, side: str, *, smoke: bool = False) -> Measured:
    """Measure one side of a case in this process."""
    torch.set_flush_denormal(True)  # as the run command and the chapters do, for both sides
    case = CASES[name]
    make = {"ours": case.ours, "theirs": case.theirs}[side]
    assert make is not None
    make(case.smoke)()  # loads what is loaded once
    run = make(case.smoke if smoke else case.sizes)
    before = _start_of_peak(case.cuda)
    seconds = [_seconds(run)]
    growth = _peak_mib(case.cuda) - before
    if case.repeats > 1:  # the first pass was the warm-up
        seconds = _repeated(run, 1, 0.0) if smoke else _repeated(run, case.repeats, SETTLED_SECONDS)
    further = encoder_figures(case.smoke if smoke else case.sizes) if case.cuda else {}
    return Measured(seconds, growth, further)


def _repeated(run: Pass, repeats: int, at_least: float) -> list[float]:
    """Seconds of every pass: a number of them, and more of them where they are short."""
    seconds: list[float] = []
    while len(seconds) < repeats or sum(seconds) < at_least:
        seconds.append(_seconds(run))
    return seconds


def _seconds(run: Pass) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _start_of_peak(cuda: bool) -> float:
    """Forget earlier peaks; the memory in use now, in MiB."""
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / MIB
    forget = Path("/proc/self/clear_refs")
    try:
        forget.write_text("5")
    except OSError:  # not Linux, or not allowed: the peak so far then counts as the start
        return _peak_mib(cuda)
    return _status_mib("VmRSS")


def _peak_mib(cuda: bool) -> float:
    return torch.cuda.max_memory_allocated() / MIB if cuda else _status_mib("VmHWM")


def _status_mib(name: str) -> float:
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines[name].split()[0]) / 1024  # kB


if __name__ == "__main__":
    print(json.dumps(vars(measure_here(*sys.argv[1:3], smoke="--smoke" in sys.argv))))
