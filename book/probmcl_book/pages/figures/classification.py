"""Figures of chapter 9: batch statistics, the asymmetric loss, and what it does to probabilities."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from probmcl_book.pages.style import colours

Curve = tuple[Tensor, Tensor]  # a loss and its gradient by the logit, over the same probabilities


def feature_by_mode(evaluated: Tensor, trained: Mapping[str, Tensor]) -> Figure:
    """One feature of N images in evaluation mode against training mode, one panel per way of batching."""
    c = colours()
    figure, grid = plt.subplots(1, len(trained), figsize=(7, 3.3), sharex=True, sharey=True, squeeze=False)
    low = min(float(values.min()) for values in (evaluated, *trained.values()))
    high = max(float(values.max()) for values in (evaluated, *trained.values()))
    for axes, (name, values) in zip(grid[0], trained.items(), strict=True):
        axes.plot([low, high], [low, high], color=c.muted, linewidth=1, linestyle="--")
        axes.plot(evaluated.numpy(), values.numpy(), "o", color=c.negative, markersize=3, alpha=0.6)
        axes.set(title=name, xlabel="in evaluation mode")
    grid[0][0].set_ylabel("in training mode")
    return figure


def loss_shapes(probability: Tensor, curves: Mapping[str, Curve]) -> Figure:
    """Loss and gradient of one absent label over the predicted probability ``(M,)``, one line per loss."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.4))
    for (name, (value, gradient)), colour in zip(curves.items(), colours().categorical, strict=False):
        left.plot(probability, value, color=colour, label=name)
        right.plot(probability, gradient, color=colour)
    left.set(title="Loss", ylim=(0, 3))
    right.set(title="Push on the logit", ylim=(0, 1.4))
    plt.setp((left, right), xlabel="predicted probability p", xlim=(0, 1))
    left.legend(loc="upper left")
    return figure


def absent_label(gamma: float, probability: Tensor, curves: Mapping[float, Curve], plain: Curve) -> Figure:
    """Loss and gradient of one absent label at the exponent ``gamma`` of ``curves``, beside ``plain`` BCE."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3))
    for axes, ours, cross_entropy in zip((left, right), curves[gamma], plain, strict=True):
        axes.plot(probability, cross_entropy, color=c.muted, linewidth=1.5, linestyle="--")
        axes.plot(probability, ours, color=c.negative)
    left.set(title="Loss", ylim=(0, 3))
    right.set(title="Push on the logit", ylim=(0, 1))
    plt.setp((left, right), xlabel="predicted probability p", xlim=(0, 1))
    return figure


def probability_histograms(
    probabilities: Mapping[str, Tensor], labels: Tensor, thresholds: Mapping[str, Tensor]
) -> Figure:
    """How probable classifiers find absent and present labels ``(N, K)``; their K thresholds as ticks."""
    c = colours()
    figure, grid = plt.subplots(1, len(probabilities), figsize=(7, 3.3), sharey=True, squeeze=False)
    bins = [step / 25 for step in range(26)]
    for axes, (name, values) in zip(grid[0], probabilities.items(), strict=True):
        for truth, (colour, word) in enumerate(((c.negative, "absent"), (c.positive, "present"))):
            heights = values[labels == truth].numpy()
            axes.hist(heights, bins, density=True, color=colour, alpha=0.6, label=word)
        axes.axvline(0.5, color=c.muted, linewidth=1, linestyle="--")
        axes.plot(thresholds[name].numpy(), [0] * len(thresholds[name]), "|", color=c.text, markersize=16)
        axes.set(title=name, xlabel="predicted probability", xlim=(0, 1))
    grid[0][0].set_ylabel("density")
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
