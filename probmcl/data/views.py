"""Views: what an encoder sees of an image, plain or augmented.

A view maps one uint8 image (C, H, W) or a batch (B, C, H, W) to normalised float32, and in a batch gives
every image a draw of its own; torchvision's transforms give one draw to the whole batch. All views draw from
torch's global random numbers, as torchvision.transforms.v2 does, so a seed set around them makes them repeat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import pil_to_tensor, to_pil_image

from probmcl import _check
from probmcl.data.affine import place

View = Callable[[Tensor], Tensor | tuple[Tensor, Tensor]]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORMALISATIONS = {"imagenet": (IMAGENET_MEAN, IMAGENET_STD), "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))}
"""Mean and standard deviation that pixels of 0..1 are normalised with; TResNet's weights want "unit"."""


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
        if not callable(augment):
            raise TypeError(f"augment: expected a callable view, got {type(augment).__name__}")
        self.augment = augment
        self.once = once

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return two views, each (B, C, H, W)."""
        images = images if self.once is None else self.once(images)
        return self.augment(images), self.augment(images)


def plain_view() -> v2.Compose:
    """Return the view without chance: grey 0..255 becomes -1..1.

    >>> plain_view()(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2)).flatten().tolist()
    [-1.0, 1.0]
    """
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), *_to_unit_range()])


def scene_augmentation() -> v2.Compose:
    """Return the augmentation of DigitScenes, computed for a whole batch at once, on its device.

    Each image is turned, scaled and moved a little, its contrast and brightness change, and noise is added.
    Nothing is cropped or erased: a digit of a third of the canvas would leave the scene with its label kept.

    >>> scene_augmentation()(torch.zeros(4, 1, 32, 32, dtype=torch.uint8)).dtype
    torch.float32
    """
    return v2.Compose(
        [
            v2.ToDtype(torch.float32, scale=True),
            RandomAffine(rotation=10.0, scale=(0.85, 1.15), translation=0.06),
            RandomContrast(contrast=(0.7, 1.3), brightness=0.1),
            PixelNoise(sigma=0.04),
            *_to_unit_range(),
        ]
    )


def photo_view(size: int, *, normalisation: str = "imagenet") -> v2.Compose:
    """Return the view of photographs without chance: squished to a square, normalised.

    Args:
        size: Height and width that the encoder takes, in pixels.
        normalisation: One of ``"imagenet"`` and ``"unit"`` (0..1), whichever the encoder's weights were
            trained with.

    >>> photo_view(64)(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """
    return v2.Compose([v2.RGB(), squish(size), _normalised(normalisation)])


def squish(size: int) -> v2.Resize:
    """Return the resize of photographs to a square, whatever their shape (M15); smoothed, on uint8.

    Args:
        size: Height and width, in pixels.

    >>> squish(64)(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """
    return v2.Resize((_check.count("size", size),) * 2, antialias=True)


def two_photo_views(size: int, *, normalisation: str = "imagenet") -> TwoViews:
    """Return two views of photographs, resized once: ``TwoViews(photo_augmentation(size))``, but faster.

    Args:
        size: Height and width that the encoder takes, in pixels.
        normalisation: As in ``photo_view``.

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
    flip and ImageNet's normalisation are our additions.

    Args:
        size: Height and width that the encoder takes, in pixels.
        normalisation: As in ``photo_view``.

    >>> photo_augmentation(64)(torch.zeros(2, 3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([2, 3, 64, 64])
    """
    return PerImage(
        v2.Compose(
            [
                v2.RGB(),
                squish(size),
                v2.RandomHorizontalFlip(),
                v2.RandomErasing(p=1.0, scale=(1 / 16, 1 / 4), ratio=(1.0, 1.0)),
                PillowRandAugment(),
                _normalised(normalisation),
            ]
        )
    )


class PerImage(nn.Module):
    """Apply a transform to each image of a batch on its own, for transforms that draw once a call.

    Args:
        transform: Maps one image (C, H, W) to a tensor; the results must have one shape.

    >>> flip = PerImage(v2.RandomHorizontalFlip())
    >>> flip(torch.rand(5, 3, 8, 8)).shape
    torch.Size([5, 3, 8, 8])
    """

    def __init__(self, transform: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.transform = transform

    def forward(self, images: Tensor) -> Tensor:
        """Transform one image (C, H, W) or a batch (B, C, H, W)."""
        if images.dim() == 3:
            return self.transform(images)
        return torch.stack([self.transform(image) for image in images])


class PillowRandAugment(nn.Module):
    """RandAugment of one uint8 image, by Pillow where it can be: the same draws, half the time.

    On a GPU, and for anything but one or three channels, the image stays a tensor.

    >>> PillowRandAugment()(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self) -> None:
        super().__init__()
        self.augment = v2.RandAugment()

    def forward(self, image: Tensor) -> Tensor:
        """Augment an image (C, H, W)."""
        if image.is_cuda or image.shape[0] not in (1, 3):
            augmented: Tensor = self.augment(image)
        else:
            augmented = pil_to_tensor(self.augment(to_pil_image(image)))
        return augmented


class NormalisedFloat(nn.Module):
    """Turn uint8 into normalised float32 in one pass, where v2.ToDtype and v2.Normalize take two.

    Args:
        mean: Mean of each channel, where white is 1.
        std: Standard deviation of each channel.

    >>> NormalisedFloat([0.5], [0.25])(torch.tensor([[[0, 255]]], dtype=torch.uint8)).round().tolist()
    [[[-2.0, 2.0]]]
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        middle, spread = torch.tensor(mean).view(-1, 1, 1), torch.tensor(std).view(-1, 1, 1)
        self.scale, self.shift = 1 / (255 * spread), -middle / spread  # (C, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise uint8 images (C, H, W) or (B, C, H, W); others are a TypeError."""
        if images.dtype != torch.uint8:  # floats of 0..1 would be divided by 255 again
            raise TypeError(f"images: expected torch.uint8, got {images.dtype}")
        return torch.addcmul(self.shift.to(images.device), images, self.scale.to(images.device))


class RandomAffine(nn.Module):
    """Rotate, scale and move each image of a batch by its own random amount.

    Args:
        rotation: Largest rotation to either side, in degrees.
        scale: Smallest and largest factor of size.
        translation: Largest movement in each direction, as a share of the image's width and height.

    >>> RandomAffine(rotation=10.0, scale=(0.9, 1.1), translation=0.1)(torch.rand(2, 1, 8, 8)).shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(self, rotation: float, scale: tuple[float, float], translation: float) -> None:
        super().__init__()
        self.rotation = math.radians(rotation)
        self.scale = scale
        self.translation = 2 * translation  # in the coordinates -1..1 of ``place``

    def forward(self, images: Tensor) -> Tensor:
        """Move float images (B, C, H, W) or (C, H, W)."""
        batch = images if images.dim() == 4 else images.unsqueeze(0)
        moved = place(
            batch,
            angle=_per_image(batch, -self.rotation, self.rotation).flatten(),
            scale=_per_image(batch, *self.scale).flatten(),
            centre=_per_image(batch, -self.translation, self.translation, values=2).flatten(1),
            size=(batch.shape[2], batch.shape[3]),
        )
        return moved.view_as(images)


class RandomContrast(nn.Module):
    """Change contrast and brightness of each image of a batch by its own random amount.

    Args:
        contrast: Smallest and largest factor.
        brightness: Largest shift to either side, where 1 is the step from black to white.

    >>> RandomContrast(contrast=(2.0, 2.0), brightness=0.0)(torch.full((1, 1, 1, 1), 0.3)).item()
    0.6...
    """

    def __init__(self, contrast: tuple[float, float], brightness: float) -> None:
        super().__init__()
        self.contrast = contrast
        self.brightness = brightness

    def forward(self, images: Tensor) -> Tensor:
        """Change float images (B, C, H, W) or (C, H, W)."""
        batch = images if images.dim() == 4 else images.unsqueeze(0)
        factor = _per_image(batch, *self.contrast)  # (B, 1, 1, 1)
        shift = _per_image(batch, -self.brightness, self.brightness)  # (B, 1, 1, 1)
        return (batch * factor + shift).view_as(images)


class PixelNoise(nn.Module):
    """Add Gaussian noise to every pixel.

    Args:
        sigma: Standard deviation, where 1 is the step from black to white.

    >>> PixelNoise(sigma=0.0)(torch.ones(1, 1, 1, 1)).item()
    1.0
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, images: Tensor) -> Tensor:
        """Disturb float images of any shape."""
        return images + self.sigma * torch.randn_like(images)


def _per_image(batch: Tensor, low: float, high: float, values: int = 1) -> Tensor:
    """Draw uniform numbers on the batch's device, (B, values, 1, 1)."""
    return torch.empty(len(batch), values, 1, 1, dtype=batch.dtype, device=batch.device).uniform_(low, high)


def _normalised(normalisation: str) -> NormalisedFloat:
    return NormalisedFloat(*NORMALISATIONS[_check.one_of("normalisation", normalisation, NORMALISATIONS)])


def _to_unit_range() -> list[nn.Module]:
    return [v2.Normalize(mean=[0.5], std=[0.5])]
