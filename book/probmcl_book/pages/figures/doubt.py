"""Figures of chapter 14: what remains wrong, what is noticed, and what a score counts."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from probmcl.data import CORRUPTIONS, STRENGTHS
from probmcl_book.pages.figures.marks import note
from probmcl_book.pages.style import colours
from probmcl_book.records import Record, over_seeds

MARKERS = "os^Dv<>"


def risk_coverage_curves(record: Record, scores: Sequence[str]) -> Figure:
    """Share of images with an error among those kept, over the share kept; one line per score, at most seven.

    Dotted: a score that knows nothing, and one that knows every error.
    """
    c = colours()
    found = over_seeds(record)
    figure, axes = plt.subplots(figsize=(7, 5))
    overall = found[scores[0]].series["risk"][-1]
    kept = torch.linspace(0.01, 1, 100)
    dotted: Any = {"color": c.muted, "linestyle": ":", "linewidth": 1.5}
    axes.axhline(overall, gid="knows nothing", **dotted)
    axes.plot(kept, (1 - (1 - overall) / kept).clamp(min=0), gid="knows every error", **dotted)
    note(axes, "knows nothing", (0, overall), (4, -4), va="top")
    axes.annotate("knows every error", (0.62, 0.02), color=c.muted, ha="left", va="bottom")
    for colour, marker, name in zip(c.categorical, MARKERS, scores, strict=False):
        series, area = found[name].series, found[name].metrics["AURC"].value
        label = f"{name} ({area:.2f})"
        axes.plot(series["coverage"], series["risk"], marker + "-", color=colour, label=label, markersize=4)
    axes.set(xlabel="share of the images kept", ylabel="share of these with an error")
    axes.set(xlim=(0, 1), ylim=(0, None))
    figure.legend(loc="outside lower center", ncols=2, title="score (area)")
    return figure


def auroc_by_strength(record: Record, scores: Sequence[str]) -> Figure:
    """AUROC of corrupted against clean images over the strength: a panel per corruption, a line per score."""
    c = colours()
    found = {name: row.metrics for name, row in over_seeds(record).items()}
    figure, grid = plt.subplots(2, 2, figsize=(7, 5.4), sharex=True, sharey=True)
    for axes, corruption in zip(grid.flat, CORRUPTIONS, strict=True):
        axes.axhline(0.5, color=c.muted, linestyle=":", linewidth=1.5)
        for colour, marker, name in zip(c.categorical, MARKERS, scores, strict=False):
            line = [found[name][f"{corruption} {strength} AUROC"] for strength in STRENGTHS]
            low, high, values = zip(*((one.low, one.high, one.value) for one in line), strict=True)
            axes.fill_between(STRENGTHS, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(STRENGTHS, values, marker + "-", color=colour, label=name, markersize=5)
        axes.set(title=corruption, ylim=(0, 1.02), xticks=STRENGTHS)
    plt.setp(grid[1], xlabel="strength")
    figure.supylabel("AUROC against clean scenes", fontsize=11)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def doubt_by_count(count: Tensor, scores: Mapping[str, Tensor]) -> Figure:
    """Quartiles of each score ``(N,)`` over an image's number of labels ``(N,)``, one panel per score."""
    c = colours()
    figure, row = plt.subplots(1, len(scores), figsize=(7, 3), squeeze=False)
    sizes = torch.unique(count).tolist()
    for axes, (name, score) in zip(row[0], scores.items(), strict=True):
        parts = [score[count == size].numpy() for size in sizes]
        boxes = axes.boxplot(parts, positions=sizes, showfliers=False, patch_artist=True, widths=0.6)
        plt.setp(boxes["boxes"], facecolor=c.anchor, alpha=0.5, edgecolor=c.anchor)
        plt.setp((*boxes["whiskers"], *boxes["caps"]), color=c.muted)
        plt.setp(boxes["medians"], color=c.text)
        axes.set(title=fill(name, 16), xlabel="digits on the scene")
    return figure
