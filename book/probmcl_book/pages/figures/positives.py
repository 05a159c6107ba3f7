"""Figures of chapter 4: overlap indices, thresholds, and what they do to the positive set."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from probmcl.loss import PositiveStatistics
from probmcl_book.pages.figures.contrast import draw_pairs
from probmcl_book.pages.figures.marks import end_to_end
from probmcl_book.pages.style import colours


def indices_against_jaccard(jaccard: Tensor, others: Mapping[str, Tensor]) -> Figure:
    """Other indices over the Jaccard index, one dot per pair of label sets ``(M,)``."""
    c = colours()
    figure, grid = plt.subplots(1, len(others), figsize=(7, 2.5), sharey=True, squeeze=False)
    for axes, (index, values) in zip(grid[0], others.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=c.muted, linewidth=1, linestyle="--")
        axes.plot(jaccard.numpy(), values.numpy(), "o", color=c.accent, markersize=5)
        axes.set(title=index, xlabel="Jaccard", xlim=(-0.06, 1.06), ylim=(-0.06, 1.06), aspect="equal")
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    grid[0][0].set_yticks([0, 0.5, 1], ["0", "½", "1"])
    grid[0][0].set_ylabel("the other index")
    return figure


def positive_matrix(threshold: float, positives: Mapping[float, Tensor], label_sets: Sequence[str]) -> Figure:
    """The positives ``(N, N)`` of a batch at one threshold: a row per anchor, filled where positive."""
    matrix = positives[threshold]
    counts = matrix.sum(1)  # (N,)
    figure, axes = plt.subplots(figsize=(6.2, 4.6))
    draw_pairs(axes, matrix)
    axes.set_xticks([])
    axes.set_yticks(range(len(label_sets)), label_sets)
    for row, count in enumerate(counts.tolist()):
        axes.text(len(counts), row, f"{count}", va="center", color=colours().text)
    mean, lonely = counts.double().mean(), int((counts == 0).sum())
    axes.set_title(f"{mean:.1f} positives per anchor, {lonely} without any")
    return figure


def threshold_steps(exact: PositiveStatistics, sampled: PositiveStatistics) -> Figure:
    """Positives and anchors without any, over the threshold: expectation as steps, a batch as dots."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
    for axes, steps, dots, colour in (
        (left, exact.mean_positives, sampled.mean_positives, c.positive),
        (right, exact.share_without, sampled.share_without, c.accent),
    ):
        edges = [0.0, *exact.thresholds]  # up to and including a value, the threshold asks for that value
        axes.stairs(steps, edges, baseline=None, color=colour, linewidth=2)
        axes.plot(sampled.thresholds, dots, "o", color=c.text, markersize=4, label="one batch")
        axes.set(xlabel="threshold α", xlim=(0, 1.02))
    left.set(title="Positives per anchor", ylim=(0, None))
    right.set(title="Anchors without positives", ylim=(0, 1))
    right.yaxis.set_major_formatter(PercentFormatter(1))
    left.legend(loc="upper right")
    return figure


def alone_by_batch_size(sizes: Sequence[int], shares: Mapping[str, Sequence[float]]) -> Figure:
    """Share of anchors without a positive in another image, over the batch size, one line per threshold."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    for (threshold, line), colour in zip(shares.items(), colours().categorical, strict=False):
        axes.plot(sizes, line, color=colour, marker="o", markersize=4)
        axes.text(sizes[0] / 1.06, line[0], f"α = {threshold}", color=colour, ha="right", va="center")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, map(str, sizes))
    axes.minorticks_off()
    axes.set(xlim=(sizes[0] / 2.2, sizes[-1] * 1.1), ylim=(-0.04, 1), xlabel="images in a batch, N")
    axes.set(title="A larger batch leaves fewer anchors alone")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def pull_by_overlap(shares: Mapping[str, Sequence[float]], bands: Sequence[str]) -> Figure:
    """Where an anchor's pull goes under each rule: shares by band of overlap, from the strongest on."""
    figure, axes = plt.subplots(figsize=(7, 0.62 * len(shares) + 1.3))
    lengths = dict(zip(bands, zip(*shares.values(), strict=True), strict=True))
    fading = [1 - 0.85 * number / len(bands) for number in range(len(bands))]
    styles = [{"color": colours().positive, "alpha": alpha, "height": 0.65} for alpha in fading]
    end_to_end(axes, list(shares), lengths, styles)
    axes.set(xlim=(0, 1))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    return figure
