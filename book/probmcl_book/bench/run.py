"""All cases, one after the other, as a record."""

import statistics
from collections.abc import Callable, Sequence

import torch

from probmcl import _check
from probmcl.data import checksum
from probmcl.evaluate import Interval
from probmcl_book.bench.cases import CASES, Case
from probmcl_book.bench.measure import Measured, measure, measure_here
from probmcl_book.bench.workloads import draw_labels
from probmcl_book.records.making import Making
from probmcl_book.records.provenance import provenance
from probmcl_book.records.record import DataIdentity, Record, Row


def run_benchmarks(
    names: Sequence[str] | None = None,
    *,
    command: str,
    smoke: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Record:
    """Measure cases, all by default, each in processes of its own: a record of kind "benchmark".

    A row is a side of a case: its median time in seconds, ``growth_mib`` and, on our side, ``speed`` and
    ``memory``: how many times faster and smaller than the alternative. ``smoke`` takes the smallest sizes: it
    proves that everything runs, and nothing else. ``say`` is told which case begins.
    """
    names = list(CASES) if names is None else [_check.one_of("names", name, CASES) for name in names]
    here = [name for name in names if torch.cuda.is_available() or not CASES[name].cuda]
    if not here:
        raise ValueError(f"names: {', '.join(names)} needs a GPU, and torch finds none here")
    on_gpu = all(CASES[name].cuda for name in here)
    making, rows, notes = Making(command, provenance("cuda" if on_gpu else "cpu")), [], []
    for name in here:
        case = CASES[name]
        say(f"{name}: {case.title}")
        rows += _rows(name, case, smoke)
        if case.theirs is not None and not case.comparable:
            notes.append(f"{name}: {case.needs} is not installed, so nothing is compared.")
    notes += [f"{name}: not run on a GPU yet." for name in names if name not in here]
    sizes = {name: CASES[name].smoke if smoke else CASES[name].sizes for name in names}
    return making.record(
        "bench_smoke" if smoke else "bench_cuda" if on_gpu else "bench_loss",
        "benchmark",
        recipe={"sizes": sizes, "goals": {n: [str(goal) for goal in CASES[n].goals] for n in names}},
        seeds=(0,),
        data=_data(),
        rows=rows,
        notes=notes,
    )


THREADS = (1, 2)
"""Each case is timed with one thread, and with two; where memory alone counts, with two."""


def _rows(name: str, case: Case, smoke: bool) -> list[Row]:
    rows = []
    for threads in THREADS[-1:] if smoke or case.repeats == 1 else THREADS:
        # Where no figure counts, no process is started for it.
        found = measure_here(name, smoke=True) if smoke else measure(name, threads)
        words = f", {threads} thread{'s' * (threads > 1)}" if case.repeats > 1 and not smoke else ""
        ours, theirs = found["ours"], found.get("theirs")
        compared = (
            None
            if theirs is None
            else {
                "speed": statistics.median(theirs.seconds) / statistics.median(ours.seconds),
                "memory": theirs.growth_mib / max(ours.growth_mib, 1.0),
            }
        )
        rows.append(_row(f"{name}: ours{words}", ours, compared))
        if theirs is not None:
            rows.append(_row(f"{name}: {case.against}{words}", theirs))
    return rows


def _row(method: str, measured: Measured, compared: dict[str, float] | None = None) -> Row:
    numbers = {"growth_mib": measured.growth_mib, **measured.further, **(compared or {})}
    metrics = {name: Interval(value) for name, value in numbers.items()}
    median, times = statistics.median(measured.seconds), measured.seconds
    return Row(
        method=method,
        seed=None,
        metrics={"seconds": Interval(median), **metrics},
        seconds=sum(times),
        image_views=0,
        series={"seconds": times},
    )


def _data() -> DataIdentity:
    labels = draw_labels(256, 80)
    return DataIdentity(
        name="random mixtures, embeddings and labels; DigitScenes for the epoch",
        split="none",
        sizes={"labels": len(labels)},
        checksum=checksum(labels),
        access="drawn from seed 0 by probmcl_book.bench.workloads",
        source="this package",
    )
