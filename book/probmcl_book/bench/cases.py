"""The cases: sizes, both sides, and the figure to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Literal

from probmcl_book.bench import workloads
from probmcl_book.bench.cuda import coco_loss
from probmcl_book.bench.workloads import Pass, Sizes

Ratio = Literal["speed", "memory", "growth", "time"]


@dataclass(frozen=True)
class Goal:
    """A figure to reach: ``value`` times faster or smaller, or at most ``value`` MiB, or times as slow."""

    ratio: Ratio
    value: float

    def reached(self, found: float) -> bool:
        """Whether a measured figure is as good."""
        return found >= self.value if self.ratio in ("speed", "memory") else found <= self.value

    def __str__(self) -> str:
        """In words."""
        return {
            "speed": f"{self.value:g}x faster",
            "memory": f"1/{self.value:g} of the memory",
            "growth": f"grows by at most {self.value:g} MiB",
            "time": f"at most {self.value:g}x the time",
        }[self.ratio]


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    title: str  #: what is computed
    sizes: Sizes  #: at which it is measured
    smoke: Sizes  #: they take no time and prove nothing
    ours: Callable[[Sizes], Pass]  #: makes the pass that is timed
    goals: tuple[Goal, ...]  #: figures to reach
    against: str | None = None  #: the alternative's name
    theirs: Callable[[Sizes], Pass] | None = None  #: makes the alternative's pass
    repeats: int = 5  #: timed passes, of which the median counts
    cuda: bool = False  #: whether it needs a GPU
    needs: str | None = None  #: the alternative's distribution, where it is not one of this package's

    @property
    def comparable(self) -> bool:
        """Whether there is an alternative, and it is installed."""
        there = self.needs is None or find_spec(self.needs.replace("-", "_")) is not None
        return self.theirs is not None and there


_TINY_COSINE = {"N": 16, "D": 8, "classes": 5}


def _likelihood(sizes: Sizes, goal: Goal, repeats: int = 5) -> Case:
    ours, theirs, smoke = workloads.probmcl, workloads.dense_probmcl, {"N": 8, "K": 3, "D": 4}
    against = "dense broadcast in eager PyTorch"
    return Case("expected likelihood", sizes, smoke, ours, (goal,), against, theirs, repeats)


CASES: dict[str, Case] = {
    "small": _likelihood({"N": 256, "K": 14, "D": 16}, Goal("speed", 8)),
    "wide": _likelihood({"N": 128, "K": 80, "D": 128}, Goal("speed", 4), repeats=3),
    "memory": _likelihood({"N": 1024, "K": 14, "D": 16}, Goal("memory", 20), repeats=1),
    "large": replace(
        _likelihood({"N": 8192, "K": 14, "D": 16}, Goal("growth", 2048), repeats=1), against=None, theirs=None
    ),
    "cosine": Case(
        "mean cosine, threshold positives", {"N": 4096, "D": 128, "classes": 80}, _TINY_COSINE,
        workloads.cosine, (Goal("speed", 3), Goal("memory", 3)),
        "pytorch-metric-learning SupConLoss, the same pairs", workloads.metric_learning,
        repeats=3, needs="pytorch-metric-learning",
    ),
    "cosine-large": Case(
        "mean cosine, threshold positives", {"N": 65536, "D": 128, "classes": 80}, _TINY_COSINE,
        workloads.cosine, (Goal("growth", 4096),), repeats=1,
    ),
    "epoch": Case(
        "contrastive stage on DigitScenes, ProbMCL", {"N": 256, "images": 1280}, {"N": 8, "images": 16},
        partial(workloads.digits_epoch, "probmcl"), (Goal("time", 1.6),),
        "the same with thresholded SupCon", partial(workloads.digits_epoch, "supcon"), repeats=3,
    ),
    "positives": Case(
        "positive sets, any index", {"N": 8192, "K": 80}, {"N": 16, "K": 5},
        workloads.positives, (Goal("speed", 20),),
        'sklearn pairwise_distances(metric="jaccard")', workloads.scikit_learn, repeats=3,
    ),
    "cuda": Case(
        "COCO-size loss on a GPU", {"N": 256, "K": 80, "D": 128, "image": 448},
        {"N": 8, "K": 3, "D": 4, "image": 64}, coco_loss, (), cuda=True,
    ),
}  # fmt: skip
"""The cases by name, in the order of the table."""
