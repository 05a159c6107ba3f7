"""Time and memory of both sides of a case, in a process of its own."""

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

SETTLED_SECONDS = 3.0
"""Passes are repeated for so long at least: the first ones of a process can take twice the usual time."""


@dataclass(frozen=True)
class Measured:
    """What a side took."""

    seconds: list[float]  # of every timed pass
    growth_mib: float  # of the resident set above the inputs; NaN where the system does not say
    further: dict[str, float] = field(default_factory=dict)  # figures of the GPU case


Sides = dict[str, Measured]
"""What "ours" and, where there is an alternative, "theirs" took."""


def measure(name: str, threads: int, *, smoke: bool = False) -> Sides:
    """Measure a case in a fresh process with so many threads, its sides in turn.

    A process that fails is a RuntimeError that ends with what it said.
    """
    command = [sys.executable, "-m", __name__, name, str(threads), *(["--smoke"] if smoke else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the benchmark {name} failed: {done.stderr.strip()[-400:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {side: Measured(**figures) for side, figures in found.items()}


def measure_here(name: str, *, smoke: bool = False) -> Sides:
    """Measure a case in this process."""
    torch.set_flush_denormal(True)  # as the run command and the chapters do, for both sides
    case = CASES[name]
    sizes, found, runs = case.smoke if smoke else case.sizes, {}, {}
    makers = {"ours": case.ours, **({"theirs": case.theirs} if case.theirs and case.comparable else {})}
    for side, make in makers.items():
        make(case.smoke)()  # loads what is loaded once
        runs[side] = make(sizes)
        before = _start_of_peak(case.cuda)
        seconds = [_seconds(runs[side])]
        further = encoder_figures(sizes) if case.cuda else {}
        found[side] = Measured(seconds, _peak_mib(case.cuda) - before, further)
    if case.repeats > 1:  # the first pass was the warm-up
        for measured in found.values():
            measured.seconds.clear()
        passes, until = 0, time.perf_counter() + (0 if smoke else SETTLED_SECONDS)
        while passes < (1 if smoke else case.repeats) or time.perf_counter() < until:
            for side, run in runs.items():
                found[side].seconds.append(_seconds(run))
            passes += 1
    return found


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
    torch.set_num_threads(int(sys.argv[2]))
    sides = measure_here(sys.argv[1], smoke="--smoke" in sys.argv)
    print(json.dumps({side: vars(measured) for side, measured in sides.items()}))
