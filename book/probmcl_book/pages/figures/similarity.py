"""Figures of the chapter on the similarity of two mixtures."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from probmcl_book.pages.style import colours


class Overlap(NamedTuple):
    """Two densities and their product on a grid, each ``(G,)``, and their similarity in (0, 1]."""

    first: Tensor
    second: Tensor
    product: Tensor
    similarity: float


def overlapping_densities(place: float, grid: Tensor, overlaps: Mapping[float, Overlap]) -> Figure:
    """Two 1-D densities and their product on a ``grid`` ``(G,)``, for one place of the one that moves."""
    c = colours()
    shown = overlaps[place]
    figure, axes = plt.subplots(figsize=(6.0, 3.2))
    axes.plot(grid, shown.first, color=c.anchor)
    axes.plot(grid, shown.second, color=c.negative)
    axes.fill_between(grid.numpy(), shown.product.numpy(), color=c.accent, alpha=0.55, linewidth=0)
    height = 1.15 * max(float(max(o.first.max(), o.second.max(), o.product.max())) for o in overlaps.values())
    for j, (words, colour) in enumerate((("anchor", c.anchor), ("other", c.negative), ("product", c.accent))):
        axes.text(0.015, 0.94 - 0.1 * j, words, color=colour, transform=axes.transAxes, va="top")
    axes.axvline(place, color=c.negative, linestyle=":", linewidth=1.3)
    axes.set(title=f"Sim = {shown.similarity:.3f}", xlabel="z", yticks=[])
    axes.set(xlim=(float(grid[0]), float(grid[-1])), ylim=(0, height))
    axes.spines["left"].set_visible(False)
    return figure


def monte_carlo_estimates(
    sizes: Sequence[int], ratios: Mapping[str, Tensor], errors: Mapping[str, Tensor]
) -> Figure:
    """Monte-Carlo estimates over the closed form, with two standard errors, per size; one panel per name."""
    c = colours()
    figure, panels = plt.subplots(1, len(ratios), sharey=True, figsize=(7.0, 3.2), squeeze=False)
    for axes, (name, values) in zip(panels[0], ratios.items(), strict=True):
        axes.axhline(1, color=c.accent)
        axes.errorbar(sizes, values, 2 * errors[name], fmt="o", color=c.anchor, capsize=4)
        axes.set(title=name, xscale="log", ylim=(-0.1, 2.1), xlim=(sizes[0] / 3, sizes[-1] * 3))
        axes.set_xlabel("samples")
    panels[0][0].set_ylabel("estimate / closed form")
    return figure


def gram_and_spectra(gram: Tensor, spectra: Mapping[str, Tensor]) -> Figure:
    """A Gram matrix ``(N, N)`` with values in [0, 1], and the eigenvalues ``(N,)`` of several matrices."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.3), width_ratios=(1, 1.25))
    figure.colorbar(left.imshow(gram.numpy(), vmin=0, vmax=1), ax=left, shrink=0.85)
    left.set(title="Sim of all pairs", xticks=[], yticks=[])
    for i, (name, values) in enumerate(spectra.items()):
        ordered = values.sort(descending=True).values
        right.plot(range(1, len(values) + 1), ordered, marker="o", markersize=3, color=c.categorical[i])
        right.text(len(values) + 0.7, float(ordered[-1]), name, va="center", color=c.categorical[i])
    right.axhline(0, color=c.muted, linewidth=1)
    right.set(title="Eigenvalues", xlabel="rank")
    right.set_yscale("symlog", linthresh=0.01)
    right.margins(y=0.08)
    right.set_xlim(0, 1.32 * gram.shape[0])
    return figure


def score_matrices(names: Sequence[str], matrices: Mapping[str, Tensor]) -> Figure:
    """Similarities in [0, 1] of N label sets, one square ``(N, N)`` per way of scoring, with the numbers."""
    c = colours()
    figure, panels = plt.subplots(1, len(matrices), figsize=(7.0, 3.9), sharey=True, squeeze=False)
    for axes, (title, matrix) in zip(panels[0], matrices.items(), strict=True):
        axes.imshow(matrix.clamp(0, 1).numpy(), vmin=0, vmax=1)
        for i, j in product(range(len(names)), repeat=2):
            colour = c.background if matrix[i, j] > 0.4 else c.text
            axes.text(j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", fontsize=10, color=colour)
        axes.set_title(title)
        axes.set_xticks(range(len(names)), names)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    panels[0][0].set_yticks(range(len(names)), names)
    return figure


def spread_of_scores(dimensions: Sequence[int], scores: Sequence[Tensor]) -> Figure:
    """How far log Sim spreads over the pairs of a batch: extremes, quartiles, median; a row per dimension."""
    c = colours()
    figure, axes = plt.subplots(figsize=(7.0, 2.9))
    for row, values in enumerate(scores):
        low, quarter, middle, three, high = values.quantile(torch.linspace(0, 1, 5)).tolist()
        axes.plot([low, high], [row, row], color=c.anchor, linewidth=2)
        axes.plot([quarter, three], [row, row], color=c.anchor, linewidth=9)
        axes.plot([middle], [row], marker="|", color=c.background, markersize=9)
    axes.set(title="The spread grows with the dimension", xlabel="log Sim (nats)")
    axes.set_ylim(-0.7, len(scores) - 0.3)
    axes.set_yticks(range(len(scores)), [f"D = {d}" for d in dimensions])
    axes.invert_yaxis()
    return figure


def gradient_norms(sigmas: Sequence[float], norms: Mapping[str, Tensor], dimensions: Sequence[int]) -> Figure:
    """Norms ``(dimensions, sigmas)`` of the contrastive loss's gradient; a panel per logit, a line per D."""
    c, bottom = colours(), 1e-20
    figure, panels = plt.subplots(1, len(norms), sharey=True, figsize=(7.0, 3.9), squeeze=False)
    for axes, (name, values) in zip(panels[0], norms.items(), strict=True):
        for i, dimension in enumerate(dimensions):
            line = values[i].clamp(min=bottom)
            axes.plot(sigmas, line, "o-", markersize=4, color=c.categorical[i], label=f"D = {dimension}")
        axes.axhline(bottom, color=c.muted, linestyle=":", linewidth=1)
        axes.set(title=f"Logits {name}", xlabel="σ of all components", xscale="log", yscale="log")
        axes.set_xticks([0.05, 0.1, 0.2, 0.5, 1], ["0.05", "0.1", "0.2", "0.5", "1"])
        axes.minorticks_off()
    panels[0][0].set(ylabel="gradient norm", ylim=(bottom / 100, 1e5))
    panels[0][0].text(1.0, bottom * 2, "0", color=c.text, ha="right")
    panels[0][-1].legend(loc="center right")
    return figure
