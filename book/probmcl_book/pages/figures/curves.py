"""Figures of a metric over a setting, and of few images against many."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from probmcl.evaluate import Interval
from probmcl_book.pages.figures.marks import look, span
from probmcl_book.pages.style import colours

LEAST = 0.05  # points of mAP that an axis shows at least


def metric_over(curves: Mapping[str, Mapping[float, Interval]], *, setting: str) -> Figure:
    """Test mAP over a setting on a logarithmic axis, one line per method, with its intervals."""
    figure, axes = plt.subplots()
    for number, (method, found) in enumerate(curves.items()):
        values, style = sorted(found), look(method)
        shift = 2 ** (0.06 * (number - (len(curves) - 1) / 2))  # so that intervals stand side by side
        places = [value * shift for value in values]
        axes.plot(places, [found[value].value for value in values], label=method, **style)
        ends = [[found[value].low for value in values], [found[value].high for value in values]]
        axes.plot([places, places], ends, color=style["color"], linewidth=1.2)
    axes.set_xscale("log", base=2)
    ticks = sorted({value for found in curves.values() for value in found})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlabel=setting, ylabel="test mAP")
    axes.legend()
    return figure


def few_and_all(few: Mapping[str, Interval], many: Mapping[str, Interval], titles: Sequence[str]) -> Figure:
    """One line per method from its test mAP with ``few`` images to that with ``many``, under ``titles``."""
    shared = sorted((name for name in few if name in many), key=lambda name: many[name].value)
    values = [found[name].value for found in (few, many) for name in shared]
    low, high = span(min(values), max(values), LEAST)
    step = (high - low) / max(1, len(shared))
    figure, axes = plt.subplots(figsize=(7, 0.26 * len(shared) + 2))
    for place, name in enumerate(shared):
        style = look(name)
        axes.plot([0, 1], [few[name].value, many[name].value], alpha=0.8, **style)
        slot = low + (place + 0.5) * step  # names stand evenly, each with a thin line to its dot
        axes.plot([1, 1.15], [many[name].value, slot], color=colours().muted, linewidth=0.6)
        axes.annotate(name, (1.17, slot), va="center", fontsize=10, color=style["color"])
    axes.set(xlim=(-0.1, 1.75), ylim=(low, high), ylabel="test mAP")
    axes.set_xticks([0, 1], titles)
    return figure
