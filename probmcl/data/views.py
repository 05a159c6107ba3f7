"""Views: what an encoder sees of an image, plain or augmented.

A view maps one uint8 image (C, H, W) or a batch (B, C, H, W) to normalised float32, and in a batch gives
every image a draw of its own; torchvision's transforms give one draw to the whole batch. All views draw from
torch's global random numbers, as torchvision.transforms.v2 does, so a seed set around them makes them repeat.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image

from probmcl import _check
from probmcl.data.affine import place

View = Callable[[Tensor], Tensor | tuple[Tensor, Tensor]]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "lite": ((127 / 255,) * 3, (128 / 255,) * 3),
}
"""Mean and standard deviation that pixels of 0..1 are normalised with.

TResNet's weights want "unit", EfficientNet-Lite's "lite".
"""


class TwoViews:
    """Give two independent views of each image: the batch of a contrastive loss (M1).

    Args:
        augment: A random view, called twice.
        once: What both views begin with and chance does not touch, such as a resize; done once.

    >>> first, second = TwoViews(scene_augmentation())(torch.zeros(4, 1, 32, 32, dtype=torch.uint8))
    >>> first.shape, bool((first != second).any())
    (torch.Size([4, 1, 32, 32]), True)
    """

    def __init__(
        self, augment: Callable[[Tensor], Tensor], once: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.augment = _check.function("augment", augment)
        self.once = once if once is None else _check.function("once", once)

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return two views, each (B, C, H, W)."""
        images = images if self.once is None else self.once(images)
        return self.augment(images), self.augment(images)


def plain_view() -> v2.Compose:
    """Return the view without chance: grey 0..255 becomes -1..1.

    >>> plain_view()(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2)).flatten().tolist()
    [-1.0, 1.0]
    """
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean=[0.5], std=[0.5])])


def scene_augmentation() -> v2.Compose:
    """Return the augmentation of DigitScenes, computed for a whole batch at once, on its device.

    Each image is turned, scaled and moved a little, its contrast and brightness change, and noise is added.
    Nothing is cropped or erased: a digit of a third of the canvas would leave the scene with its label kept.

    >>> scene_augmentation()(torch.zeros(4, 1, 32, 32, dtype=torch.uint8)).dtype
    torch.float32
    """
    steps = [
        v2.ToDtype(torch.float32, scale=True),
        partial(random_affine, rotation=10.0, scale=(0.85, 1.15), translation=0.06),
        partial(random_contrast, contrast=(0.7, 1.3), brightness=0.1),
        partial(pixel_noise, sigma=0.04),
        v2.Normalize(mean=[0.5], std=[0.5]),
    ]
    return v2.Compose(steps)


def photo_view(size: int, *, normalisation: str = "imagenet") -> v2.Compose:
    """Return the view of photographs without chance: squished to a square, normalised.

    Args:
        size: Height and width that the encoder takes, in pixels.
        normalisation: ``"imagenet"``, ``"unit"`` (0..1) or ``"lite"`` ((x - 127) / 128 on 0..255), whichever
            the encoder's weights were trained with.

    >>> photo_view(64)(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """
    return v2.Compose([v2.RGB(), squish(size), _normalised(normalisation)])


def squish(size: int) -> v2.Resize:
    """Return the resize of photographs to a square of ``size`` pixels a side (M15); smoothed, on uint8.

    >>> squish(64)(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """
    return v2.Resize((_check.count("size", size, low=2),) * 2, antialias=True)


def two_photo_views(size: int, *, normalisation: str = "imagenet") -> TwoViews:
    """Return two views of photographs, resized once: ``TwoViews(photo_augmentation(size))``, but faster.

    >>> first, second = two_photo_views(64)(torch.zeros(3, 48, 80, dtype=torch.uint8))
    >>> first.shape, second.shape
    (torch.Size([3, 64, 64]), torch.Size([3, 64, 64]))
    """
    return TwoViews(photo_augmentation(size, normalisation=normalisation), once=squish(size))


def photo_augmentation(size: int, *, normalisation: str = "imagenet") -> PerImage:
    """Return the augmentation of photographs: squish resize, flip, RandAugment and Cutout (M15).

    It follows the recipe of KMCL's code (arXiv 2307.03967), which takes it from ASL's. There Cutout
    covers a square of half the side whose middle lies anywhere, cut off at the border, so a sixteenth to a
    quarter of the image; here a square of such an area is blackened inside the image. The horizontal
    flip and ImageNet's normalisation are our additions. Arguments as in ``photo_view``.

    >>> photo_augmentation(64)(torch.zeros(2, 3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([2, 3, 64, 64])
    """
    steps = [
        v2.RGB(),
        squish(size),
        v2.RandomHorizontalFlip(),
        v2.RandomErasing(p=1.0, scale=(1 / 16, 1 / 4), ratio=(1.0, 1.0)),
        pillow_randaugment,
        _normalised(normalisation),
    ]
    return PerImage(v2.Compose(steps))


class PerImage(nn.Module):
    """Apply a transform of one image (C, H, W) to each of a batch, for transforms that draw once a call.

    >>> flip = PerImage(v2.RandomHorizontalFlip())
    >>> flip(torch.rand(5, 3, 8, 8)).shape
    torch.Size([5, 3, 8, 8])
    """

    def __init__(self, transform: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.transform = _check.function("transform", transform)

    def forward(self, images: Tensor) -> Tensor:
        """Transform one image (C, H, W) or a batch (B, C, H, W)."""
        if images.dim() == 3:
            return self.transform(images)
        return torch.stack([self.transform(image) for image in images])


def pillow_randaugment(image: Tensor) -> Tensor:
    """RandAugment of one uint8 image (C, H, W), by Pillow where it can be: the same draws, half the time.

    On a GPU, and for anything but one or three channels, the image stays a tensor.
    """
    as_picture = not image.is_cuda and image.shape[0] in (1, 3)
    found: Tensor = pil_to_tensor(_RANDAUGMENT(to_pil_image(image))) if as_picture else _RANDAUGMENT(image)
    return found


_RANDAUGMENT = v2.RandAugment()


def normalise(images: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Turn uint8 (..., C, H, W) into float32 in one pass, where v2.ToDtype and v2.Normalize take two.

    The scale is 1 / (255 std), the shift -mean / std, each (C, 1, 1); other images are a TypeError.
    """
    if images.dtype != torch.uint8:  # floats of 0..1 would be divided by 255 again
        raise TypeError(f"images: expected torch.uint8, got {images.dtype}")
    return torch.addcmul(shift.to(images.device), images, scale.to(images.device))


def random_affine(
    images: Tensor, *, rotation: float, scale: tuple[float, float], translation: float
) -> Tensor:
    """Rotate, scale and move each float image of (B, C, H, W) or (C, H, W) by its own random amount.

    The rotation is the largest to either side, in degrees; the scales are the smallest and the largest; the
    translation is the largest in each direction, as a share of the image's width and height.
    """
    batch = images if images.dim() == 4 else images.unsqueeze(0)
    angle, reach = math.radians(rotation), 2 * translation  # in the coordinates -1..1 of ``place``
    moved = place(
        batch,
        angle=_per_image(batch, -angle, angle).flatten(),
        scale=_per_image(batch, *scale).flatten(),
        centre=_per_image(batch, -reach, reach, values=2).flatten(1),
        size=(batch.shape[2], batch.shape[3]),
    )
    return moved.view_as(images)


def random_contrast(images: Tensor, *, contrast: tuple[float, float], brightness: float) -> Tensor:
    """Change contrast and brightness of each image like :func:`random_affine` moves it.

    The contrasts are the smallest and the largest factor; the brightness is the largest shift to either side,
    where 1 is the step from black to white.
    """
    batch = images if images.dim() == 4 else images.unsqueeze(0)
    factor = _per_image(batch, *contrast)  # (B, 1, 1, 1)
    shift = _per_image(batch, -brightness, brightness)  # (B, 1, 1, 1)
    return (batch * factor + shift).view_as(images)


def pixel_noise(images: Tensor, *, sigma: float) -> Tensor:
    """Add Gaussian noise to every pixel; ``sigma`` is 1 for the step from black to white."""
    return images + sigma * torch.randn_like(images)


def _per_image(batch: Tensor, low: float, high: float, values: int = 1) -> Tensor:
    """Draw uniform numbers on the batch's device, (B, values, 1, 1)."""
    return torch.empty(len(batch), values, 1, 1, dtype=batch.dtype, device=batch.device).uniform_(low, high)


def _normalised(normalisation: str) -> Callable[[Tensor], Tensor]:
    chosen = NORMALISATIONS[_check.one_of("normalisation", normalisation, NORMALISATIONS)]
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in chosen)  # (C, 1, 1)
    return partial(normalise, scale=1 / (255 * std), shift=-mean / std)
