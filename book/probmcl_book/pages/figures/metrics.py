"""Figures of chapter 1: label imbalance, average precision and thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from probmcl_book.pages.figures.marks import note
from probmcl_book.pages.style import colours


def class_frequencies(frequencies: Mapping[str, Tensor]) -> Figure:
    """Share of images that carry each of K classes, from the most frequent on, one line per data set."""
    figure, axes = plt.subplots()
    for (name, frequency), colour in zip(frequencies.items(), colours().categorical, strict=False):
        ranked = frequency.sort(descending=True).values.tolist()
        axes.plot(range(1, len(ranked) + 1), ranked, "o-", color=colour, markersize=3, linewidth=1.5)
        note(axes, name, (len(ranked), ranked[-1]), (8, 0), color=colour, va="center")
    most = max(map(len, frequencies.values()))
    axes.set(yscale="log", xlim=(0, 1.32 * most), xlabel="class, most frequent first")
    axes.set(ylabel="images that carry it", title="A few classes have the images")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    return figure


def ranking_and_steps(scores: Sequence[float], relevant: Sequence[bool]) -> Figure:
    """Images ranked by falling scores with the precision at each positive, and these numbers as an area."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.3), width_ratios=(1.15, 1))
    found, recalls, precisions = 0, [0.0], []
    for rank, (score, positive) in enumerate(zip(scores, relevant, strict=True), start=1):
        found += positive
        left.barh(rank, score, color=c.positive if positive else c.negative, height=0.7)
        if positive:
            precisions.append(found / rank)
            recalls.append(found / sum(relevant))
            left.text(score + 0.03, rank, f"{found} of {rank}", va="center", color=c.positive)
    left.set(title="Ranked by score", xlabel="score", ylabel="rank", xlim=(0, 1.25))
    left.set_yticks(range(1, len(scores) + 1))
    left.invert_yaxis()
    look: Any = {"align": "edge", "color": c.positive, "edgecolor": c.background}
    right.bar(recalls[:-1], precisions, width=1 / sum(relevant), **look)
    for before, after, precision in zip(recalls, recalls[1:], precisions, strict=False):
        right.text((before + after) / 2, precision + 0.02, f"{precision:.2f}", ha="center", color=c.text)
    right.set(title="AP is the area", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.12))
    right.set_yticks([0, 0.5, 1])
    return figure


def same_detector(frequency: Tensor, average_precision: Tensor, auroc: Tensor) -> Figure:
    """AUROC and average precision over the frequency of a class, one dot per class; all three ``(K,)``."""
    c = colours()
    figure, axes = plt.subplots()
    order = frequency.argsort()
    x = frequency[order].tolist()
    for values, colour, name in ((auroc, c.muted, "AUROC"), (average_precision, c.accent, "AP")):
        line = values[order].tolist()
        axes.plot(x, line, "o", color=colour, markersize=5)
        axes.text(x[-1] * 1.15, line[-1], name, color=colour, va="center")
    axes.plot(x, x, color=c.text, linewidth=1, linestyle="--")
    axes.text(x[-1] * 1.15, x[-1], "AP by chance", color=c.text, va="center")
    axes.set(xscale="log", ylim=(0, 1), xlim=(x[0] / 1.4, x[-1] * 3.2))
    axes.set(xlabel="images that carry the class", title="One detector, fourteen frequencies")
    axes.set_xticks([0.002, 0.01, 0.05, 0.2], ["0.2%", "1%", "5%", "20%"])
    axes.minorticks_off()
    return figure


def flattery(sizes: Sequence[int], on_validation: Tensor, on_test: Tensor) -> Figure:
    """CF1 on test images, ``(len(sizes), R)``, with thresholds from validation and from test; its means."""
    c = colours()
    figure, axes = plt.subplots()
    lines = ((on_test, c.negative, "test"), (on_validation, c.positive, "validation"))
    for values, colour, name in lines:
        axes.plot(sizes, values.numpy(), "o", color=colour, markersize=3, alpha=0.5)
        mean = values.mean(1).tolist()
        axes.plot(sizes, mean, color=colour)
        axes.text(sizes[-1] * 1.1, mean[-1], f"chosen on {name}", color=colour, va="center")
    axes.set(xscale="log", xlim=(sizes[0] / 1.15, sizes[-1] * 3.2), ylim=(0.2, 0.6))
    axes.set(xlabel="images in each of the two sets", ylabel="CF1 on test images")
    axes.set_title("The same scores, two ways to choose thresholds")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    return figure
