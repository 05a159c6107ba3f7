"""Figures of chapter 8: where a step's time goes, schedules, precision, and the log of a stage."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from probmcl.train import History
from probmcl_book.pages.figures.marks import end_to_end
from probmcl_book.pages.style import colours


def step_times(seconds: Mapping[str, Mapping[str, float]]) -> Figure:
    """One step as a bar of its parts in their order, one bar per method."""
    figure, axes = plt.subplots(figsize=(7, 0.75 * len(seconds) + 1.4))
    parts = next(iter(seconds.values()))
    lengths = {part: [1000 * line[part] for line in seconds.values()] for part in parts}
    styles = [{"color": colour, "height": 0.6} for colour in colours().categorical]
    end_to_end(axes, list(seconds), lengths, styles)
    axes.set_xlabel("milliseconds per step")
    return figure


def schedules(rates: Sequence[float], decays: Sequence[float], target: float) -> Figure:
    """Learning rate and decay of the moving average over a run's steps; ``target`` is the decay asked for."""
    c = colours()
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1))
    left.plot(rates, color=c.anchor)
    left.set(title="One cycle", xlabel="step", ylabel="learning rate", ylim=(0, None))
    right.plot(decays, color=c.accent)
    right.axhline(target, color=c.muted, linestyle="--", linewidth=1)
    right.text(len(decays), target + 0.015, "asked for", color=c.muted, ha="right")
    right.set(title="The average's decay warms up", xlabel="step", ylabel="decay", ylim=(0, 1.1))
    return figure


def precision_errors(sigmas: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Figure:
    """Largest error of a logit over sigma if the mixture is kept in a number format, one line per format."""
    c = colours()
    figure, axes = plt.subplots(figsize=(7, 3.4))
    axes.axhline(1, color=c.muted, linewidth=1, linestyle="--")
    axes.text(sigmas[-1], 1.3, "a factor e in the softmax", color=c.muted, ha="right")
    for (name, line), colour in zip(errors.items(), c.categorical, strict=False):
        axes.plot(sigmas, line, color=colour, marker="o", markersize=4)
        axes.text(sigmas[0] / 1.08, line[0], name, color=colour, ha="right", va="center")
    axes.set(title="Narrow components need long numbers", xlabel="standard deviation σ")
    axes.set(ylabel="largest error of a logit", xscale="log", yscale="log")
    axes.set_xlim(sigmas[0] / 1.7, sigmas[-1] * 1.1)
    axes.set_xticks(sigmas, [f"{sigma:g}" for sigma in sigmas])
    axes.minorticks_off()
    return figure


def stage_logs(
    histories: Mapping[str, History], before: Mapping[str, float], landmarks: Sequence[float]
) -> Figure:
    """Loss, effective rank and watched metric (also ``before`` training) by epoch, one line per start."""
    figure, panels = plt.subplots(1, 3, figsize=(7, 3.2))
    curves = ("contrastive", "effective_rank", "watched")
    titles = ("Contrastive loss", "Effective rank of z", "Watched mAP")
    for axes, curve, title in zip(panels, curves, titles, strict=True):
        for name, colour in zip(histories, colours().categorical, strict=False):
            values = histories[name].curve(curve)
            places = list(range(1, len(values) + 1))
            if curve == "watched":
                places, values = [0, *places], [before[name], *values]
            axes.plot(places, values, color=colour, marker="o", markersize=4, label=name)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    for loss in landmarks:
        panels[0].axhline(loss, color=colours().muted, linestyle="--", linewidth=1)
    plt.setp(panels[:2], xlim=(0, None))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(histories))
    return figure
