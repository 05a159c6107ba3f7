"""The cases of the failure museum: each runs a wrong version and the package on the same small input."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from probmcl.data import LabelledImages, make_loader, plain_view
from probmcl.evaluate import (
    average_precision,
    mean_average_precision,
    multilabel_metrics,
    thresholds_from_validation,
)
from probmcl.loss import (
    asymmetric_loss,
    contrastive_loss,
    cosine_similarity,
    log_bhattacharyya,
    mixture_nll,
    overlap,
)
from probmcl.model import GaussianMixture
from probmcl_book.pages.museum import wrong

Numbers = tuple[float, ...]
Case = Callable[[], tuple[Numbers, Numbers]]  # what the wrong version gives, and what the package gives


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def jaccard() -> tuple[Numbers, Numbers]:
    """How far the Jaccard weight turns the gradient, in units of the gradient without a weight."""
    labels = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [1, 0, 1]])
    weights = overlap(labels).fill_diagonal_(0)
    logits = torch.randn(4, 4, generator=_generator(0), dtype=torch.float64).requires_grad_()

    def turned(compute: Callable[[Tensor, Tensor], Tensor]) -> float:
        plain, weighted = (
            torch.autograd.grad(compute(logits, chosen), logits)[0]
            for chosen in ((weights > 0).double(), weights.double())
        )
        return round(float((weighted - plain).norm() / plain.norm()), 9)

    return (turned(wrong.jaccard_inside_the_log),), (turned(contrastive_loss),)


def coefficient() -> tuple[Numbers, Numbers]:
    """The Bhattacharyya coefficient of two unit Gaussians in 128 dimensions, built to be 0.68."""
    mu, s = torch.zeros(128, dtype=torch.float64), torch.ones(128, dtype=torch.float64)
    nu = mu.clone()
    nu[0] = math.sqrt(-8 * math.log(0.68))
    a, b = (GaussianMixture(torch.zeros(1, 1), m.view(1, 1, -1), s.view(1, 1, -1)) for m in (mu, nu))
    power = wrong.coefficient_to_the_power_of_d(mu, nu, s, s)
    return (power.item(),), (log_bhattacharyya(a, b).exp().item(),)


def far_positive() -> tuple[Numbers, Numbers]:
    """The loss when the positive's logit is 120 below the others."""
    logits, positives = torch.zeros(3, 3), torch.zeros(3, 3)
    logits[:, 0], logits[0, 1] = -120.0, -120.0
    positives[0, 1] = positives[1, 0] = positives[2, 0] = 1
    return (wrong.log_of_softmax(logits, positives).item(),), (contrastive_loss(logits, positives).item(),)


def lonely_anchor() -> tuple[Numbers, Numbers]:
    """The loss of three equal rows, one of which has no positive."""
    logits, positives = torch.zeros(3, 3), torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    found = wrong.mean_over_no_positives(logits, positives)
    return (found.item(),), (contrastive_loss(logits, positives).item(),)


def lonely_anchors() -> tuple[Numbers, Numbers]:
    """The loss of eight anchors, six of which have no positive."""
    z = torch.randn(8, 8, generator=_generator(1691), dtype=torch.float64)
    logits, positives = cosine_similarity(z) / 0.5, torch.zeros(8, 8, dtype=torch.float64)
    positives[0, 1] = positives[1, 0] = 1
    return (wrong.zeros_in_the_mean(logits, positives).item(),), (contrastive_loss(logits, positives).item(),)


class _Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations that torch carries out."""

    operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.operations += 1
        return func(*args, **(kwargs or {}))


def double_loop() -> tuple[Numbers, Numbers]:
    """Operations that the Jaccard indices of 32 rows take, and of 64."""

    def operations(index: Callable[[Tensor], Tensor], rows: int) -> float:
        labels = (torch.rand(rows, 10, generator=_generator(0)) < 0.5).float()
        labels[:, 0] = 1
        with _Count() as count:  # type: ignore[no-untyped-call]
            index(labels)
        return float(count.operations)

    slow, fast = (tuple(operations(f, n) for n in (32, 64)) for f in (wrong.jaccard_by_double_loop, overlap))
    return slow, fast


def label_less_rows() -> tuple[Numbers, Numbers]:
    """The Jaccard index of two rows without labels."""
    labels = torch.zeros(2, 3)
    return (wrong.jaccard_by_double_loop(labels)[0, 1].item(),), (overlap(labels)[0, 1].item(),)


def linear_space() -> tuple[Numbers, Numbers]:
    """Negative log-likelihood of standard normal points in 32, 64 and 128 dimensions, in nats."""

    def both(d: int) -> tuple[float, float]:
        z = torch.randn(16, d, generator=_generator(0))
        mixture = GaussianMixture(torch.zeros(16, 1), torch.zeros(16, 1, d), torch.ones(16, 1))
        linear = wrong.nll_in_linear_space(mixture, z).item()
        return linear, mixture_nll(mixture, z, per_dimension=False).item()

    linear, logs = zip(*map(both, (32, 64, 128)), strict=True)
    return linear, logs


def mixed_components() -> tuple[Numbers, Numbers]:
    """Negative log-likelihood at (0, 8) of a mixture of (0, 0) and (8, 8), where no component is near."""
    means = torch.tensor([[[0.0, 0.0], [8.0, 8.0]]])
    mixture = GaussianMixture(torch.full((1, 2), 0.5).log(), means, torch.ones(1, 2))
    z = torch.tensor([[0.0, 8.0]])
    found = wrong.nll_of_every_dimension_alone(mixture, z)
    return (found.item(),), (mixture_nll(mixture, z, per_dimension=False).item(),)


def gradients_back_on() -> tuple[Numbers, Numbers]:
    """Whether gradients are on after the loss was computed under ``no_grad``: 1 for yes."""

    def left_on(compute: Callable[[Tensor, Tensor], Tensor]) -> float:
        with torch.no_grad():
            compute(torch.zeros(2, 3), torch.ones(2, 3))
            return float(torch.is_grad_enabled())

    return (left_on(wrong.focal_weight_without_gradient),), (left_on(asymmetric_loss),)


def order_of_ties() -> tuple[Numbers, Numbers]:
    """Average precision of the same rows in two orders: positives first, and positives last."""
    scores = torch.tensor([0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1])
    labels = torch.tensor([1, 0, 1, 1, 0, 0, 0, 0])
    orders = (torch.arange(8), torch.arange(8).flip(0))
    place = tuple(wrong.precision_at_every_place(scores[order], labels[order]) for order in orders)
    ours = (average_precision(scores[order, None], labels[order, None]).item() for order in orders)
    return place, tuple(ours)


def thresholds_from_test() -> tuple[Numbers, Numbers]:
    """CF1 of scores that know nothing, with thresholds from the test images and from validation images."""
    generator = _generator(0)
    scores = {part: torch.rand(100, 20, generator=generator) for part in ("validation", "test")}
    labels = {part: (torch.rand(100, 20, generator=generator) < 0.1).int() for part in scores}

    def cf1(part: str) -> float:
        chosen = thresholds_from_validation(validation_scores=scores[part], validation_labels=labels[part])
        return multilabel_metrics(scores["test"], labels["test"], thresholds=chosen).at_threshold.CF1

    return (cf1("test"),), (cf1("validation"),)


def best_epoch() -> tuple[Numbers, Numbers]:
    """Test mAP of the best of 20 equally good epochs, chosen on the test images and on validation images."""
    generator = _generator(0)
    labels = {part: (torch.rand(100, 10, generator=generator) < 0.2).int() for part in ("validation", "test")}

    def epochs(part: str) -> list[float]:
        noise = torch.randn(20, 100, 10, generator=generator)
        return [mean_average_precision(labels[part] + scores, labels[part]) for scores in noise]

    validation, test = epochs("validation"), epochs("test")
    return (max(test),), (test[validation.index(max(validation))],)


def fixed_threshold() -> tuple[Numbers, Numbers]:
    """CF1 of calibrated probabilities of rare labels, at 0.8 and at thresholds from validation images."""
    generator = _generator(0)
    scores = torch.rand(2, 2000, 10, generator=generator) ** 3  # mean 1/4
    labels = (torch.rand(2, 2000, 10, generator=generator) < scores).int()
    chosen = thresholds_from_validation(validation_scores=scores[0], validation_labels=labels[0])
    found = (
        multilabel_metrics(scores[1], labels[1], thresholds=thresholds).at_threshold.CF1
        for thresholds in (0.8, chosen)
    )
    return (next(found),), (next(found),)


def a_tenth() -> tuple[Numbers, Numbers]:
    """Images and classes that a loader gives of 1,000 images, sorted by their ten classes."""
    images = torch.zeros(1000, 1, 4, 4, dtype=torch.uint8)
    labels = functional.one_hot(torch.arange(1000) // 100)

    def seen(kind: type[LabelledImages]) -> Numbers:
        loader = make_loader(
            kind(images, labels, list("0123456789")), plain_view(), 50, shuffle=False, seed=0
        )
        given = torch.cat([batch for _, batch in loader])
        return float(len(given)), float(given.any(0).sum())

    return seen(wrong.TenthOfTheImages), seen(LabelledImages)


def without_a_gpu() -> tuple[Numbers, Numbers]:
    """Whether the loss of a batch on the CPU can be computed: 1 for yes."""

    def runs(compute: Callable[[Tensor], Tensor]) -> float:
        try:
            return float(compute(torch.zeros(4, 4)).isfinite())
        except (RuntimeError, AssertionError):  # no GPU, or logits and mask on two devices
            return 0.0

    ours = runs(lambda logits: contrastive_loss(logits, torch.ones_like(logits)))
    return (runs(wrong.loss_that_lives_on_the_gpu),), (ours,)
