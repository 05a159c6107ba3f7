"""What a run will take, before it starts: one training step of every method, timed on its device."""

import operator
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from probmcl.data import LabelledImages, make_loader
from probmcl.data.seeded import Batch
from probmcl.evaluate import multiply_adds, parameter_count
from probmcl.model import Encoder, build_encoder
from probmcl.train import History, contrastive_stage, end_to_end, seeded
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate.memory import device_memory, kept_for_backward, step_memory
from probmcl_book.replicate.parts import contrastive_parts, end_to_end_parts, logits_model
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.views import PhotoViews

CPU_MACS = 4 * 10**9
"""Multiply-accumulates of the encoder in a step's forward pass on a CPU: seconds, on one core."""

Clock = Callable[[Callable[[], History]], float]
"""Runs two steps of training, the first of which warms up, and returns the seconds of the second."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    ``parameters`` are the encoder's, without heads, and ``macs`` its multiply-accumulates for one view. A
    timed step had so many ``images``; fewer than a batch are scaled up. ``hours`` are of all training steps,
    without scoring, and ``core_hours`` of one CPU core that augments all images, and decodes them if they are
    on disk. ``memory`` is the most bytes that a step had on a GPU; None on a CPU. For the
    gradient a view's float32 pass has ``kept`` bytes, and the largest step so ``needed`` ones, of those
    ``available`` on the device, if it says.
    """

    parameters: int
    macs: int
    image_views: int
    images: int
    device: str
    hours: float
    core_hours: float
    memory: int | None
    kept: int
    needed: int
    available: int | None

    def check(self) -> None:
        """Raise if the device has not the memory for the largest step."""
        if self.available is not None and self.needed > self.available:
            raise ValueError(
                f"device: a step takes about {self.needed / 2**30:.1f} GiB, and {self.device} has "
                f"{self.available / 2**30:.1f}; expected a smaller --batch-size, --chunk for contrastive "
                "batches, or on a GPU --precision bfloat16 or float16"
            )

    def lines(self) -> list[str]:
        """The estimate in words."""
        memory = "" if self.memory is None else f", {self.memory / 2**30:.1f} GiB of memory"
        elsewhere = "A GPU takes another time: ask on one." if self.memory is None else ""
        return [
            f"Estimate: {self.parameters / 1e6:.1f} M parameters, {self.macs / 1e9:.2f} GMAC per view, "
            f"{self.image_views:,} image views over all methods and seeds.",
            f"One step of {self.images} images timed per method on {self.device}: {_hours(self.hours)} of "
            f"training{memory}, and {_hours(self.core_hours)} of one CPU core for the images.",
            f"The largest step keeps about {self.needed / 2**30:.1f} GiB, without the loss.",
            f"Scoring comes on top, and whatever else the machine does. {elsewhere}".rstrip(),
        ]


def estimate(
    recipe: Recipe,
    splits: Splits,
    seeds: int,
    *,
    device: torch.device | str = "cpu",
    clock: Clock = lambda train: train().epochs[-1].seconds,
) -> Estimate:
    """Time one training step of every method of a recipe, and count the steps; no weights are fetched.

    On a GPU every method makes a step of the recipe's batch, or of half of what fits. On a CPU the encoder
    takes a few images, which count for all methods and are scaled up; a contrastive head and its loss, which
    compares all pairs, take the whole batch. ``clock`` measures: the training loop's own if not given.

    >>> from probmcl_book.replicate import digits_recipe
    >>> recipe = digits_recipe(smoke=True)
    >>> estimate(recipe, recipe.splits(), 1).image_views  # 4 methods, 1 epoch, 384 images, 2 views
    3072
    """
    device = torch.device(device)
    arithmetic = recipe.methods[0].training.arithmetic(device)
    on_gpu, hardware = device.type == "cuda", provenance(device)[1]
    train = splits.train
    sizes = [min(method.training.batch_size, len(train)) for method in recipe.methods]
    with seeded(0):
        encoder = build_encoder(recipe.encoder, in_channels=recipe.views.channels)
        view = recipe.views.plain()(splits.test[0][0].unsqueeze(0))
        assert isinstance(view, Tensor)
        macs = multiply_adds(deepcopy(encoder).to("meta"), view.to("meta"))
        weights, kept = parameter_count(encoder), kept_for_backward(encoder, view)
        needed = max(step_memory(method, weights, kept, device) for method in recipe.methods)
        available = device_memory(device)
        images = max(sizes) if on_gpu else max(1, min(max(sizes), CPU_MACS // max(1, 2 * macs)))
        if available is not None and needed > available:
            images = max(1, min(images, max(sizes) * available // (2 * needed)))
        subset, start = train.subset(torch.arange(images)), time.perf_counter()
        (batch,) = make_loader(subset, recipe.views.two(), images, shuffle=False, seed=0)
        core_seconds = (time.perf_counter() - start) / (2 * images)  # for a view
        labels = [train.labels[:size] for size in sizes]
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
        seconds = _step_seconds(recipe, encoder, batch, labels, device, clock)
        memory = torch.cuda.max_memory_allocated(device) if on_gpu else None
    steps = [m.training.epochs * (len(train) // size) for m, size in zip(recipe.methods, sizes, strict=True)]
    each = [method.views_per_image for method in recipe.methods]
    views = seeds * sum(n * size * per for n, size, per in zip(steps, sizes, each, strict=True))
    on_cpu = f"{hardware.cpu}, threads: {hardware.threads}"
    return Estimate(
        parameters=weights,
        macs=macs,
        image_views=views,
        images=images,
        device=f"{hardware.device} ({arithmetic})" if on_gpu else on_cpu,
        hours=seeds * sum(map(operator.mul, steps, seconds)) / 3600,
        core_hours=views * core_seconds / 3600,
        memory=memory,
        kept=kept,
        needed=needed,
        available=available,
    )


def _step_seconds(
    recipe: Recipe,
    encoder: Encoder,
    batch: Batch,
    labels: Sequence[Tensor],
    device: torch.device,
    clock: Clock,
) -> list[float]:
    """Seconds of a step of every method, with as many images as it has labels."""
    images, width, cpu = len(batch[1]), encoder.feature_dim, torch.device("cpu")

    def head(method: Method, of: Tensor) -> float:
        """A step of a contrastive head and its loss, on random features of a whole batch."""
        features = list(torch.randn(2, len(of), width)), of.float()
        return clock(_steps(method, nn.Identity(), width, features, cpu))

    if device.type == "cuda":
        seen = {2: batch, 1: (batch[0][0], batch[1])}
        whole = [
            clock(_steps(one, encoder, width, seen[one.views_per_image], device)) for one in recipe.methods
        ]
        return [one * len(of) / images for one, of in zip(whole, labels, strict=True)]
    linear = Method("linear classifier", "bce", recipe.methods[0].training)
    shared = clock(_steps(linear, encoder, width, batch, device)) / images
    return [
        len(of) * shared * method.views_per_image / 2 + (head(method, of) if method.trunk else 0.0)
        for method, of in zip(recipe.methods, labels, strict=True)
    ]


def _steps(
    method: Method, encoder: nn.Module, width: int, batch: Any, device: torch.device
) -> Callable[[], History]:
    """Two steps of all that a method trains, from a copy of an encoder with features of a width."""
    encoder, labels = deepcopy(encoder), batch[1]
    options: dict[str, Any] = {"settings": replace(method.training, epochs=2), "seed": 0, "device": device}
    if not method.trunk:
        assert isinstance(encoder, Encoder)
        classifier, loss = end_to_end_parts(method, width, labels)
        return partial(end_to_end, logits_model(encoder, classifier), [batch], loss, **options)
    head, criterion = contrastive_parts(method, width, labels.shape[1])
    return partial(contrastive_stage, encoder, head, [batch], criterion, chunk=method.chunk, **options)


def sized_splits(recipe: Recipe, train: int, validation: int, test: int, classes: int) -> Splits:
    """Parts of a given size with black images and random labels, for an estimate before a download.

    The recipe says how large an image is.

    >>> from probmcl_book.replicate import RECIPES
    >>> recipe = RECIPES["coco-tresnet-m-224"]()
    >>> len(sized_splits(recipe, 82081, 4104, 40137, 80).test)
    40137
    """
    side = recipe.views.size if isinstance(recipe.views, PhotoViews) else 32
    pixels = torch.zeros(1, recipe.views.channels, side, side, dtype=torch.uint8)
    generator = torch.Generator().manual_seed(0)

    def drawn(images: int) -> LabelledImages:
        labels = torch.rand(images, classes, generator=generator) < 3 / classes
        return LabelledImages(pixels.expand(images, -1, -1, -1), labels, [str(k) for k in range(classes)])

    return Splits(drawn(train), drawn(validation), drawn(test), "sizes alone", "none", "none", "none")


def _hours(hours: float) -> str:
    """Hours, or less.

    >>> _hours(12.34), _hours(0.2), _hours(0.001)
    ('12.3 hours', '12 minutes', '4 seconds')
    """
    if hours >= 1:
        return f"{hours:,.1f} hours"
    return f"{60 * hours:.0f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.0f} seconds"
