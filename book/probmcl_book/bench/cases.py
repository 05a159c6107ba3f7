"""The cases: sizes, both sides, and the figure to reach."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Literal

from torch import Tensor

from probmcl.loss import kmcl_contrastive_loss
from probmcl.model import GaussianMixture
from probmcl_book.bench import workloads
from probmcl_book.bench.alternatives import (
    broadcast_log_expected_likelihood,
    gram_log_expected_likelihood,
    kmcl_by_anchors,
)
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


_GRAM = "Gram form in eager PyTorch"


def _likelihood(sizes: Sizes, goal: Goal, repeats: int = 5) -> Case:
    smoke, theirs = {"N": 8, "K": 3, "D": 4}, partial(workloads.written_out, gram_log_expected_likelihood)
    return Case("expected likelihood", sizes, smoke, workloads.probmcl, (goal,), _GRAM, theirs, repeats)


def _cosine(rows: int, goals: tuple[Goal, ...], against: str, theirs: Callable[[Sizes], Pass]) -> Case:
    sizes, title = {"N": rows, "D": 128, "classes": 80}, "mean cosine, threshold positives"
    return Case(title, sizes, _TINY_COSINE, workloads.cosine, goals, against, theirs, repeats=3)


def _our_kmcl(mixture: GaussianMixture, labels: Tensor, temperature: float) -> Tensor:
    return kmcl_contrastive_loss(mixture, labels, temperature=temperature)


CASES: dict[str, Case] = {
    "small": _likelihood({"N": 256, "K": 14, "D": 16}, Goal("speed", 12)),
    "small-broadcast": replace(
        _likelihood({"N": 256, "K": 14, "D": 16}, Goal("speed", 60), repeats=2),
        against="true broadcast in eager PyTorch",
        theirs=partial(workloads.written_out, broadcast_log_expected_likelihood),
    ),
    "wide": _likelihood({"N": 128, "K": 80, "D": 128}, Goal("speed", 12), repeats=2),
    "memory": _likelihood({"N": 1024, "K": 14, "D": 16}, Goal("memory", 20), repeats=1),
    "large": replace(
        _likelihood({"N": 8192, "K": 14, "D": 16}, Goal("growth", 2048), repeats=1), against=None, theirs=None
    ),
    "supcon-256": _cosine(256, (Goal("speed", 1),), "ten dense lines", workloads.ten_lines),
    "supcon-4096": _cosine(4096, (Goal("speed", 4),), "ten dense lines", workloads.ten_lines),
    "cosine": replace(
        _cosine(
            4096, (Goal("speed", 5), Goal("memory", 3)),
            "pytorch-metric-learning SupConLoss, pairs given", workloads.metric_learning,
        ),
        needs="pytorch-metric-learning",
    ),
    "kmcl": Case(
        "contrastive term of KMCL", {"N": 64, "K": 80, "D": 128}, {"N": 8, "K": 3, "D": 4},
        partial(workloads.kmcl, _our_kmcl), (Goal("speed", 40),),
        "loop over anchors, tensors (N, N, K, D)", partial(workloads.kmcl, kmcl_by_anchors), repeats=3,
    ),
    "cosine-large": Case(
        "mean cosine, threshold positives", {"N": 65536, "D": 128, "classes": 80}, _TINY_COSINE,
        workloads.cosine, (Goal("growth", 4096),), repeats=1,
    ),
    "epoch": Case(
        "contrastive stage on DigitScenes, ProbMCL", {"N": 256, "images": 1280}, {"N": 8, "images": 16},
        partial(workloads.digits_epoch, "probmcl"), (Goal("time", 1.25),),
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
