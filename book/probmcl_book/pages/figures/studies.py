"""Figures of studies: what a setting changes, which method is ahead, what it costs."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from probmcl.evaluate import Interval
from probmcl_book.pages.figures.curves import LEAST
from probmcl_book.pages.figures.digits import precision_by_frequency
from probmcl_book.pages.figures.marks import at_top, interval, look, name_rows, span
from probmcl_book.pages.style import colours
from probmcl_book.records import Record, over_seeds
from probmcl_book.replicate.run import START
from probmcl_book.studies import difference_of


def differences_to(record: Record, reference: str) -> Figure:
    """How much higher each setting's mAP is than the reference's, the highest on top, with both intervals.

    The thick line is over images, corrected for the number of comparisons; the thin one over seeds.
    """
    found: dict[str, list[Interval]] = {}  # over images, and over seeds where there are several
    for name in (name for name, row in over_seeds(record).items() if "mAP" in row.metrics):
        gains = [difference_of(record, name, reference, metric) for metric in ("mAP", "mAP over seeds")]
        if gains[0] is not None:
            found[name] = [one for one in gains if one is not None]
    names = sorted(found, key=lambda name: found[name][0].value)
    figure, axes = plt.subplots(figsize=(7, 0.36 * len(names) + 1.2))
    axes.axvline(0, color=colours().muted, linewidth=1)
    for height, name in enumerate(names):
        style = look(name)
        for one, width in zip(found[name], (4, 1.2), strict=False):
            interval(axes, height, one, linewidth=width, solid_capstyle="butt", **style)
        gain = f"{found[name][0].value:+z.3f}"
        axes.annotate(gain, (1.01, height), xycoords=("axes fraction", "data"), va="center")
    name_rows(axes, names)
    ends = [end for each in found.values() for one in each for end in (one.low, one.high)]
    axes.set_xlim(span(min(0.0, *ends), max(0.0, *ends), LEAST))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(f"test mAP less that of {reference}")
    return figure


def sensitivity(
    values: Sequence[float],
    found: Sequence[Interval],
    counts: Sequence[float],
    *,
    setting: str,
    metric: str = "mAP",
    default: float | None = None,
) -> Figure:
    """A metric over a setting with its interval as a band, and below it the positives per anchor."""
    c = colours()
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(7, 4.6), sharex=True, height_ratios=(2, 1))
    low, high = [one.low for one in found], [one.high for one in found]
    upper.fill_between(values, low, high, color=c.anchor, alpha=0.2, linewidth=0)
    upper.plot(values, [one.value for one in found], "o-", color=c.anchor)
    lower.plot(values, counts, "s-", color=c.positive)
    lower.set_ylim(bottom=0)
    if default is not None:
        at_top(upper, "default", default, (4, -4))
        lower.axvline(default, color=c.muted, linestyle=":")
    upper.set_ylabel(metric)
    lower.set(xlabel=setting, ylabel="positives per anchor")
    figure.align_ylabels()
    return figure


def precision_of_classes(
    record: Record, frequency: Tensor, classes: Sequence[str], methods: Sequence[str]
) -> Figure:
    """Average precision of each class, mean over seeds, over its frequency ``(K,)``."""
    found = {}
    for method in methods:
        rows = [row for row in record.rows if row.method == method and row.seed is not None]
        runs = torch.tensor([row.series["average_precision"] for row in rows])  # (S, K)
        found[method] = runs.mean(0).tolist()
    return precision_by_frequency(frequency, found, classes=classes)


def accuracy_and_seconds(record: Record) -> Figure:
    """Mean mAP with its interval, beside it the seconds of training; a row per method, the best on top."""
    rows = over_seeds(record)
    start = rows.pop(START, None)
    names = sorted(rows, key=lambda name: rows[name].metrics["mAP"].value)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 0.42 * len(names) + 1.3), sharey=True)
    for height, name in enumerate(names):
        style = look(name)
        interval(left, height, rows[name].metrics["mAP"], **style)
        right.hlines(height, 0, rows[name].seconds, color=colours().grid, linewidth=1, zorder=0)
        right.plot(rows[name].seconds, height, **style)
    if start is not None:
        at_top(left, "start", start.metrics["mAP"].value, (4, 12))
    name_rows(left, names)
    low, high = left.get_xlim()
    left.set(xlim=span(low, high, LEAST), xlabel="test mAP")
    right.set(xlabel="seconds of training", xlim=(0, None))
    return figure


def differences_over_sizes(found: Mapping[str, Mapping[int, Interval]], reference: str) -> Figure:
    """Differences in mAP to a reference over numbers of images, in points: one line per method."""
    figure, axes = plt.subplots(figsize=(7, 4.4))
    axes.axhline(0, color=colours().muted, linestyle=":")
    for place, (method, by_size) in enumerate(found.items()):
        beside = 1 + 0.05 * (place - (len(found) - 1) / 2)  # so that intervals do not cover each other
        bounds = [(100 * one.value, 100 * one.low, 100 * one.high) for one in by_size.values()]
        value, low, high = zip(*bounds, strict=True)
        sizes, style = [beside * size for size in by_size], look(method)
        axes.plot(sizes, value, label=method, **style)
        axes.vlines(sizes, low, high, color=style["color"], alpha=0.6)
    ticks = sorted({size for by_size in found.values() for size in by_size})
    axes.set(xscale="log", xlabel="labelled photographs", ylabel=f"test mAP less {reference}'s, in points")
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.minorticks_off()
    figure.legend(loc="outside upper left", ncols=2)
    return figure
