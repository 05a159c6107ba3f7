"""Figures of the chapter that turns a feature into a mixture."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from probmcl.model import GaussianMixture
from probmcl_book.pages.figures.marks import note
from probmcl_book.pages.style import colours

LIMIT = 1.55  # half the width of the plane in which 2-D mixtures are drawn


def one_point_or_two(
    classes: Tensor, names: Sequence[str], point: Tensor, mixture: GaussianMixture
) -> Figure:
    """A scene with the first and the last of ``(K, 2)`` classes, as one ``(2,)`` point and as a mixture."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 2.7))
    for axes in (left, right):
        _plane(axes)
        axes.set_ylim(-0.45, LIMIT)  # the lower half of the circle is empty
        across, up = classes.T
        axes.scatter(across, up, s=60, facecolor=c.background, edgecolor=c.anchor, linewidths=2, zorder=3)
        for place, name in zip(1.38 * classes, names, strict=True):
            axes.text(*place.tolist(), name, color=c.anchor, ha="center", va="center", fontsize=13)
    _density(right, mixture)
    left.scatter(*point, marker="X", s=130, color=c.accent, zorder=4)
    note(left, "the scene", point.tolist(), (0, -28), ha="center", color=c.accent)
    left.set_title(f"One point lands on {names[len(names) // 2]}")
    right.set_title(f"A mixture keeps {names[0]} and {names[-1]} apart")
    return figure


def inverse_problem(
    x: Tensor, z: Tensor, grid: Tensor, one: GaussianMixture, several: GaussianMixture
) -> Figure:
    """An inverse problem ``(N, 1)``, and what a Gaussian and a mixture answer on the ``(G, 1)`` grid."""
    c = colours()
    inputs = grid[:, 0].numpy()
    figure, (left, right) = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(7.0, 3.7))
    for axes in (left, right):
        axes.scatter(x, z, s=6, color=c.muted, alpha=0.6, linewidths=0)
        axes.set(xlabel="input x", xlim=(inputs.min(), inputs.max()), ylim=(-0.2, 1.2))
    middle, spread = one.means[:, 0, 0].numpy(), one.sigmas[:, 0].numpy()
    left.plot(inputs, middle, color=c.accent)
    left.fill_between(inputs, middle - spread, middle + spread, color=c.accent, alpha=0.2, linewidth=0)
    for k in range(several.components):
        weight = several.log_weights[:, k].exp()
        right.scatter(inputs, several.means[:, k, 0], s=28 * weight**2, color=c.categorical[k], zorder=3)
    left.set(title="One Gaussian: between the answers", ylabel="answer z")
    right.set_title("Three components: every answer")
    return figure


def variance_by_input(kinds: Sequence[str], within: Tensor, between: Tensor, disagreement: Tensor) -> Figure:
    """Variances ``(starts, M)`` of networks for M kinds of input, and that of their mean answers ``(M,)``."""
    c = colours()
    figure, axes = plt.subplots(figsize=(7.0, 3.8))
    for values, colour, shift in ((within, c.anchor, -0.2), (between, c.accent, 0.0)):
        places = torch.arange(len(kinds)).expand_as(values) + shift
        axes.scatter(places, values.clamp(min=1e-5), s=42, color=colour, alpha=0.75, linewidths=0)
    axes.scatter(torch.arange(len(kinds)) + 0.2, disagreement, marker="D", s=46, color=c.negative)
    words = (("within", c.anchor, -0.2), ("between", c.accent, 0.0), ("disagreement", c.negative, 0.2))
    for j, (word, colour, shift) in enumerate(words):
        axes.text(shift, 1.6 if j != 1 else 0.7, word, color=colour, ha=("right", "center", "left")[j])
    axes.set(title="Between marks ambiguity, disagreement what was not seen", ylabel="variance")
    axes.set(yscale="log", ylim=(5e-6, 4), xlim=(-0.6, len(kinds) - 0.4))
    axes.set_xticks(range(len(kinds)), kinds)
    return figure


def mixture_at_sigma(sigma: float, log_weights: Tensor, means: Tensor) -> Figure:
    """Density of one 2-D mixture ``(1, K)`` whose components all have the standard deviation ``sigma``."""
    c = colours()
    mixture = GaussianMixture(log_weights, means, torch.full_like(log_weights, sigma))
    figure, axes = plt.subplots(figsize=(6.0, 3.4))
    _plane(axes)
    _density(axes, mixture)
    for weight, mean in zip(log_weights[0].exp().tolist(), means[0].tolist(), strict=True):
        axes.add_patch(Circle(mean, sigma, fill=False, color=c.negative, linewidth=0.8 + 3 * weight))
    within, between = mixture.within_variance().item(), mixture.between_variance().item()
    axes.text(LIMIT + 0.15, 0.35, f"σ = {sigma:g}", fontsize=13)
    axes.text(LIMIT + 0.15, 0.0, f"within {within:.3f}", color=c.anchor)
    axes.text(LIMIT + 0.15, -0.3, f"between {between:.3f}", color=c.accent)
    return figure


def float_range(dimensions: Tensor, sigmas: Sequence[float], log_densities: Sequence[Tensor]) -> Figure:
    """Log density at a typical point over the dimension ``(M,)``, one line per sigma; float32's range."""
    c = colours()
    figure, axes = plt.subplots(figsize=(7.0, 3.9))
    info = torch.finfo(torch.float32)
    low, high = math.log(info.tiny), math.log(info.max)
    axes.axhspan(low, high, color=c.positive, alpha=0.15, linewidth=0)
    axes.text(2, high + 4, "largest float32", color=c.positive, va="bottom")
    axes.text(2, low - 4, "smallest normal float32", color=c.positive, va="top")
    for i, (sigma, line) in enumerate(zip(sigmas, log_densities, strict=True)):
        axes.plot(dimensions, line, color=c.categorical[i])
        axes.text(float(dimensions[-1]) + 2, float(line[-1]), f"σ = {sigma:g}", va="center")
    axes.set(title="Only a narrow band of dimensions and widths fits into float32", xlabel="dimension D")
    axes.set(ylabel="log density (nats)", xlim=(0, float(dimensions[-1]) * 1.14))
    return figure


def _plane(axes: Axes) -> None:
    """The unit circle in a square without ticks."""
    axes.add_patch(Circle((0, 0), 1, fill=False, color=colours().muted, linewidth=1))
    axes.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _density(axes: Axes, mixture: GaussianMixture, points: int = 140) -> None:
    """Draw the density of the first mixture, which has two dimensions."""
    ticks = torch.linspace(-LIMIT, LIMIT, points)
    plane = torch.cartesian_prod(ticks, ticks)  # (points^2, 2), first coordinate slowest
    same = mixture[torch.zeros(len(plane), dtype=torch.long)]
    density = same.log_prob(plane).exp().view(points, points).T
    levels = torch.linspace(0.04, 1, 9) * density.max()
    axes.contourf(ticks, ticks, density, levels=levels, cmap=colours().sequential)
