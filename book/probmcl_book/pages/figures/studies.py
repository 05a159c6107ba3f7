"""Figures of studies: what a setting changes, which method is ahead, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from torch import Tensor

from probmcl.evaluate import Interval
from probmcl_book.pages.figures.digits import precision_by_frequency
from probmcl_book.pages.figures.marks import at_top, interval, method_colour, note
from probmcl_book.pages.style import colours
from probmcl_book.records import Record, over_seeds
from probmcl_book.replicate.run import START


def tornado(record: Record, *, default: str) -> Figure:
    """How far each setting moves mAP from the default: one bar per setting, the widest on top.

    The band in the middle is the default's own interval. It decides nothing: settings share seeds and images,
    so whether a bar is more than chance stands in the paired differences.
    """
    c = colours()
    found = _mean_ap(record)
    base = found.pop(default)
    settings = sorted(found, key=lambda name: abs(found[name].value - base.value))
    figure, axes = plt.subplots(figsize=(7, 0.38 * len(settings) + 1.2))
    axes.axvspan(base.low - base.value, base.high - base.value, color=c.muted, alpha=0.25, linewidth=0)
    axes.axvline(0, color=c.muted, linewidth=1)
    for height, name in enumerate(settings):
        change = found[name].value - base.value
        ends = [found[name].low - base.value, found[name].high - base.value]
        axes.barh(height, change, height=0.6, color=c.positive if change >= 0 else c.negative)
        axes.plot(ends, [height, height], color=c.text, linewidth=1.2)
    axes.set_yticks(range(len(settings)), settings)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"mAP minus that of the default ({default}: {base.value:.3f})")
    axes.set_ylim(-0.7, len(settings) - 0.3)
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


def method_comparison(record: Record) -> Figure:
    """Mean mAP as one dot per method with its interval, the best on top; the start's probe is a line."""
    found = _mean_ap(record)
    reference = found.pop(START, None)
    methods = sorted(found, key=lambda name: found[name].value)
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(methods) + 1.2))
    if reference is not None:
        at_top(axes, START, reference.value, (5, 0))
    for height, name in enumerate(methods):
        interval(axes, height, found[name], method_colour(name))
    axes.set_yticks(range(len(methods)), methods)
    axes.set(xlabel="mAP", ylim=(-0.6, len(methods) - 0.2))
    return figure


def precision_of_classes(
    record: Record, frequency: Tensor, classes: Sequence[str], methods: Sequence[str]
) -> Figure:
    """Average precision of each class, mean over seeds, over its frequency ``(K,)``; up to five methods."""
    found = {}
    for method in methods:
        runs = [
            row.series["average_precision"]
            for row in record.rows
            if row.method == method and row.seed is not None
        ]
        found[method] = torch.tensor(runs).mean(0).tolist()  # (S, K) -> (K,)
    return precision_by_frequency(frequency, found, classes=classes)


def accuracy_by_seconds(record: Record) -> Figure:
    """Mean mAP over the seconds of training, one dot per method; the start is a line.

    The axis is logarithmic where the longest training takes more than ten times as long as the shortest.
    """
    rows = over_seeds(record)
    reference = rows.pop(START, None)
    figure, axes = plt.subplots(figsize=(7, 4.2))
    if reference is not None:
        height = reference.metrics["mAP"].value
        axes.axhline(height, color=colours().muted, linestyle=":")
        note(axes, START, (0, height), (4, 4), xycoords=("axes fraction", "data"))
    for name, row in rows.items():
        one, colour = row.metrics["mAP"], method_colour(name)
        axes.plot([row.seconds] * 2, [one.low, one.high], color=colour, alpha=0.6)
        axes.plot(row.seconds, one.value, "o", color=colour)
    seconds = [row.seconds for row in rows.values()]
    if max(seconds) > 10 * min(seconds):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.xaxis.set_minor_formatter("{x:,g}")
        axes.tick_params(axis="x", which="minor", labelsize=9)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.margins(x=0.25, y=0.12)
    _name_dots(axes, {name: (row.seconds, row.metrics["mAP"].value) for name, row in rows.items()})
    axes.set(xlabel="seconds of training", ylabel="mAP")
    return figure


def differences_over_sizes(found: Mapping[str, Mapping[int, Interval]], reference: str) -> Figure:
    """Differences in mAP to a reference over numbers of images, in points: one line per method."""
    figure, axes = plt.subplots(figsize=(7, 4.4))
    axes.axhline(0, color=colours().muted, linestyle=":")
    marks = "os^vDPX"
    for place, (method, by_size) in enumerate(found.items()):
        beside = 1 + 0.05 * (place - (len(found) - 1) / 2)  # so that intervals do not cover each other
        value, low, high = (
            [100 * getattr(one, end) for one in by_size.values()] for end in ("value", "low", "high")
        )
        sizes, colour = [beside * size for size in by_size], colours().categorical[place]
        axes.plot(sizes, value, f"{marks[place]}-", color=colour, label=method)
        axes.vlines(sizes, low, high, color=colour, alpha=0.6)
    ticks = sorted({size for by_size in found.values() for size in by_size})
    axes.set(xscale="log", xlabel="labelled photographs", ylabel=f"test mAP less {reference}'s, in points")
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.minorticks_off()
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _name_dots(axes: Axes, dots: Mapping[str, tuple[float, float]]) -> None:
    """Write names beside dots, from the bottom up, moving a name up where it would cover the last one."""
    axes.figure.canvas.draw()  # so that places on the page are known
    taken: list[tuple[float, float]] = []
    for name, place in sorted(dots.items(), key=lambda item: item[1][1]):
        x, y = axes.transData.transform(place)
        wanted = y
        while any(abs(x - other_x) < 150 and abs(wanted - other_y) < 22 for other_x, other_y in taken):
            wanted += 4
        taken.append((x, wanted))
        scale = 72 / axes.figure.dpi  # pixels to points
        style = {"va": "center", "fontsize": 10, "color": colours().text}
        note(axes, name, place, (7, (wanted - y) * scale), **style)


def _mean_ap(record: Record) -> dict[str, Interval]:
    return {name: row.metrics["mAP"] for name, row in over_seeds(record).items() if "mAP" in row.metrics}
