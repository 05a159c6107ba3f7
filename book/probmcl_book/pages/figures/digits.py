"""Figures of the comparison on DigitScenes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter
from torch import Tensor

from probmcl.evaluate import Interval
from probmcl_book.pages.figures.marks import interval, look, name_rows, note
from probmcl_book.pages.style import colours


def intervals_by_method(intervals: Mapping[str, Interval], *, reference: str) -> Figure:
    """Test mAP of each method with its interval, and a dotted line at that of ``reference``."""
    methods = list(intervals)[::-1]
    figure, axes = plt.subplots(figsize=(7, 0.55 * len(methods) + 1.0))
    axes.axvline(intervals[reference].value, color=colours().muted, linestyle=":")
    for height, method in enumerate(methods):
        interval(axes, height, intervals[method], **look(method))
    name_rows(axes, methods)
    axes.set_xlabel("test mAP")
    return figure


def curves_by_epoch(
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], *, name: str, sharey: bool = True
) -> Figure:
    """Curves of ``name`` over epochs: one panel per title, the look of its method for each seed's line."""
    figure, row = plt.subplots(1, len(panels), figsize=(7, 3.8), sharey=sharey, squeeze=False)
    known = {}
    for axes, (title, curves) in zip(row[0], panels.items(), strict=True):
        for method, runs in curves.items():
            for run in runs:
                places, style = range(1, len(run) + 1), {**look(method), "markersize": 4, "alpha": 0.8}
                known[method] = axes.plot(places, run, label=method, linewidth=1.5, **style)[0]
        axes.set(xlabel="epoch", title=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    row[0, 0].set_ylabel(name)
    figure.legend(handles=list(known.values()), loc="outside upper left", ncols=3)
    return figure


def precision_by_frequency(
    frequency: Tensor, precision: Mapping[str, Sequence[float]], *, classes: Sequence[str] | None = None
) -> Figure:
    """Average precision of each class, a digit where it has no name, over its frequency ``(K,)``."""
    figure, axes = plt.subplots()
    for method, values in precision.items():
        axes.plot(frequency, torch.tensor(values), linestyle="", label=method, alpha=0.85, **look(method))
    for k in range(len(frequency)):
        highest = max(values[k] for values in precision.values())
        name, place = str(k) if classes is None else classes[k], (float(frequency[k]), highest)
        note(axes, name, place, (0, 7), ha="center", fontsize=9, color=colours().text)
    what = "digit" if classes is None else "class"
    axes.set(xlabel=f"share of the images that hold the {what}", ylabel="average precision")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.minorticks_off()
    axes.margins(y=0.12)
    axes.legend(loc="lower right")
    return figure
