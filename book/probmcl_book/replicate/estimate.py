"""What a run will take, before it starts: parameters, arithmetic, memory, hours, money.

An estimate from counts and a few assumptions, which it states. It may be off by a factor of two.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from probmcl.data import LabelledImages
from probmcl.evaluate import multiply_adds, parameter_count
from probmcl.model import Encoder, build_encoder
from probmcl_book.replicate.methods import WATCHED_IMAGES
from probmcl_book.replicate.parts import contrastive_parts, final_classifier
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.views import PhotoViews

SUSTAINED = 40e12  # operations a second of one A100 in bfloat16 on convolutions: an eighth of its peak
PRICE = 2.0  # dollars an hour
CORE_SUSTAINED = 60e9  # operations a second of one CPU core in float32
CORE_VIEWS = 100  # augmented views a second that one core decodes and augments, at 224 pixels
BACKWARD = 2  # a backward pass costs two forward passes


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Attributes:
        parameters: of the encoder, without heads.
        macs: multiply-accumulate operations of the encoder for one view.
        image_views: augmented views of all methods and seeds together.
        operations: of training and evaluation together; a multiply-accumulate counts two.
        memory: bytes on the device while training on one.
        core_hours: of decoding and augmenting.
    """

    parameters: int
    macs: int
    image_views: int
    operations: float
    memory: int
    core_hours: float

    @property
    def gpu_hours(self) -> float:
        """Hours of one A100 that never waits for images."""
        return self.operations / SUSTAINED / 3600

    def lines(self) -> list[str]:
        """The estimate in words, with its assumptions."""
        return [
            f"Estimate: {self.parameters / 1e6:.1f} M parameters, {self.macs / 1e9:.2f} GMAC a view, "
            f"{self.image_views:,} image views over all methods and seeds.",
            f"About {self.memory / 2**30:.1f} GiB of memory to train, {_hours(self.gpu_hours)} of one GPU, "
            f"${self.gpu_hours * PRICE:,.2f}, and {_hours(self.core_hours)} of one CPU core for the images; "
            f"without a GPU {_hours(self.operations / CORE_SUSTAINED / 3600)} of one CPU core more.",
            f"Assumed: {SUSTAINED / 1e12:.0f} TFLOP/s sustained (an A100 in bfloat16, not measured here), "
            f"${PRICE:g} an hour; on a core {CORE_VIEWS} views of 224 pixels a second and "
            f"{CORE_SUSTAINED / 1e9:.0f} GFLOP/s. May be off by a factor of two.",
        ]


def estimate(recipe: Recipe, splits: Splits, seeds: int, *, device: torch.device | str = "cuda") -> Estimate:
    """Estimate a run from its recipe; nothing is computed but the counts, and no weights are fetched.

    Args:
        recipe: the experiment.
        splits: its images.
        seeds: number of seeds.
        device: where to train; on a CPU activations take twice the memory, as all is float32 there.

    Example:
        >>> from probmcl_book.replicate import digits_recipe
        >>> recipe = digits_recipe(smoke=True)
        >>> estimate(recipe, recipe.splits(), 1).image_views  # 4 methods, 1 epoch, 384 images, 2 views
        3072
    """
    encoder = build_encoder(recipe.encoder, in_channels=recipe.views.channels)
    example, _ = splits.test[0]
    view = recipe.views.plain()(example.unsqueeze(0))
    assert isinstance(view, Tensor)
    macs = multiply_adds(deepcopy(encoder).to("meta"), view.to("meta"))
    views = sum(2 * method.training.epochs * len(splits.train) for method in recipe.methods)
    forwards = sum(_plain_views(method, splits) for method in recipe.methods) + _scored(splits)
    largest = max(recipe.methods, key=lambda method: method.training.batch_size)
    pixels = view.shape[-1] * view.shape[-2]
    return Estimate(
        parameters=parameter_count(encoder),
        macs=macs,
        image_views=views * seeds,
        operations=2.0 * macs * seeds * ((1 + BACKWARD) * views + forwards),
        memory=_memory(encoder, view, largest, len(splits.train.classes), torch.device(device)),
        core_hours=seeds * (views + forwards) * (pixels / 224**2) / CORE_VIEWS / 3600,
    )


def sized_splits(recipe: Recipe, train: int, validation: int, test: int, classes: int) -> Splits:
    """Parts of a given size without their images, for an estimate before a download.

    Args:
        recipe: the experiment, which says how large an image is.
        train: images to train on.
        validation: images to validate on.
        test: images to test on.
        classes: number of labels.

    Example:
        >>> from probmcl_book.replicate import RECIPES
        >>> recipe = RECIPES["coco-tresnet-m-224"]()
        >>> len(sized_splits(recipe, 82081, 4104, 40137, 80).test)
        40137
    """

    def blank(images: int) -> LabelledImages:
        side = recipe.views.size if isinstance(recipe.views, PhotoViews) else 32
        pixels = torch.zeros(1, recipe.views.channels, side, side, dtype=torch.uint8)
        labels = torch.zeros(images, classes, dtype=torch.uint8)
        return LabelledImages(pixels.expand(images, -1, -1, -1), labels, [str(k) for k in range(classes)])

    return Splits(
        blank(train),
        blank(validation),
        blank(test),
        name="sizes alone",
        split="none",
        access="none",
        source="none",
    )


def _plain_views(method: Method, splits: Splits) -> int:
    """Images that pass without gradients: what is watched after every epoch, what is scored at the end."""
    watched = len(splits.validation)
    if not method.end_to_end:
        watched += min(WATCHED_IMAGES, len(splits.train))
    end = len(splits.validation) + len(splits.test) if method.end_to_end else _scored(splits)
    return method.training.epochs * watched + end


def _scored(splits: Splits) -> int:
    """Images that a linear probe passes: train and validation for its features, then the scores."""
    return len(splits.train) + 2 * len(splits.validation) + len(splits.test)


def _memory(encoder: Encoder, view: Tensor, method: Method, classes: int, device: torch.device) -> int:
    """Bytes of weights with all that belongs to them, and of what a forward pass keeps for the backward one.

    The pass is that of two views; what it keeps grows with their number. In half precision an activation
    takes two bytes.
    """
    if method.trunk:
        head, _ = contrastive_parts(method, encoder.feature_dim, classes)
    else:
        head = final_classifier(method, encoder.feature_dim, classes)
    weights = parameter_count(encoder) + parameter_count(head)
    copies = 5 + (method.training.ema_decay is not None)  # weights, gradients, two of Adam, best; average
    network = deepcopy(encoder).to("meta").train()
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        network(view.to("meta").expand(2, -1, -1, -1))
    parameters = {id(parameter) for parameter in network.parameters()}
    activations = sum(t.numel() for t in kept.values() if id(t) not in parameters and t.dim() > 1)
    half = device.type == "cuda" and method.training.precision != "float32"
    width = 2 if half else 4
    return 4 * copies * weights + width * activations * method.training.batch_size


def _hours(hours: float) -> str:
    """Hours, or less.

    >>> _hours(12.34), _hours(0.2), _hours(0.001)
    ('12.3 hours', '12 minutes', '4 seconds')
    """
    if hours >= 1:
        return f"{hours:,.1f} hours"
    return f"{60 * hours:.0f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.0f} seconds"
