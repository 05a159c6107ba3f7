"""What the encoder of an experiment sees of an image, and in what batches the images come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torchvision.transforms import v2

from probmcl import _check, data
from probmcl.data.views import NORMALISATIONS, PerImage, View, pillow_randaugment, squish
from probmcl.train import device_loader
from probmcl.train.settings import LATER

OneView = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SceneViews:
    """DigitScenes as they are, and augmented a batch at a time."""

    channels: ClassVar[int] = 1
    evaluation_batch: ClassVar[int] = 500

    def one(self) -> OneView:
        """One augmented view of every image."""
        view: OneView = data.scene_augmentation()
        return view

    def two(self) -> View:
        """Two augmented views of every image (M1)."""
        return data.TwoViews(data.scene_augmentation())

    def plain(self) -> View:
        """The view without chance."""
        view: View = data.plain_view()
        return view


@dataclass(frozen=True)
class PhotoViews:
    """Photographs squished to a square of ``size`` pixels and augmented.

    The normalisation is what the encoder's published weights were trained with, see
    :func:`~probmcl.data.photo_view`. The augmentation is ``"book"``, :func:`~probmcl.data.photo_augmentation`
    (M15), or ``"asl"``: that of the code of ASL and KMCL, a Cutout of any colour and then RandAugment.

    >>> PhotoViews(64, "unit", "asl").one()(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """

    size: int
    normalisation: str = "imagenet"
    augmentation: str = field(default="book", metadata=LATER)

    channels: ClassVar[int] = 3
    evaluation_batch: ClassVar[int] = 128

    def __post_init__(self) -> None:
        _check.count("size", self.size)
        _check.one_of("normalisation", self.normalisation, NORMALISATIONS)
        _check.one_of("augmentation", self.augmentation, ("book", "asl"))

    def one(self) -> OneView:
        """One augmented view of every image."""
        if self.augmentation == "book":
            return data.photo_augmentation(self.size, normalisation=self.normalisation)
        *_, normalised = data.photo_view(self.size, normalisation=self.normalisation).transforms
        return PerImage(v2.Compose([v2.RGB(), squish(self.size), cutout, pillow_randaugment, normalised]))

    def two(self) -> View:
        """Two augmented views of every image (M1), resized once."""
        return data.TwoViews(self.one(), once=squish(self.size))

    def plain(self) -> View:
        """The view without chance."""
        view: View = data.photo_view(self.size, normalisation=self.normalisation)
        return view


@dataclass(frozen=True)
class FeatureViews:
    """Features of stored views, with so many entries F (``channels``): two that differ, or the plain one."""

    channels: int

    evaluation_batch: ClassVar[int] = 2000

    def __post_init__(self) -> None:
        _check.count("channels", self.channels)

    def one(self) -> OneView:
        """One augmented view of every image, out of the stored ones."""
        return lambda stored: data.two_features(stored)[0]

    def two(self) -> View:
        """Two different augmented views of every image (M1), out of the stored ones."""
        return data.two_features

    def plain(self) -> View:
        """The view without chance."""
        return data.plain_feature


Views = PhotoViews | FeatureViews | SceneViews  # a form without fields is the last one's


def cutout(image: Tensor) -> Tensor:
    """Cover a square of half the side with a random colour, as ASL's code does; uint8 ``(C, H, W)``.

    Its middle lies anywhere, and the border cuts it off, so it covers a sixteenth to a quarter of the image.
    """
    channels, height, width = image.shape
    y, x = (int(torch.randint(side, ())) for side in (height, width))
    rows = slice(max(0, y - height // 4), y + height // 4)
    columns = slice(max(0, x - width // 4), x + width // 4)
    covered = image.clone()
    covered[:, rows, columns] = torch.randint(256, (channels, 1, 1), dtype=torch.uint8)
    return covered


def training_loader(
    images: data.LabelledDataset,
    views: Views,
    batch_size: int,
    *,
    seed: int,
    device: torch.device | str,
    per_image: int = 2,
) -> data.ViewLoader:
    """Batches of augmented views in a random order; over several ranks, this rank's share of them.

    ``batch_size`` counts the images of all ranks together; the last batch is left out if it is smaller. Of an
    image there are two views or one.
    """
    view = views.two() if per_image == 2 else views.one()
    return device_loader(images, view, batch_size, device=device, seed=seed)


def plain_loader(
    images: data.LabelledDataset, views: Views, *, device: torch.device | str
) -> data.ViewLoader:
    """Batches of plain views in the order of the data set; over several ranks, this rank's share of them."""
    return device_loader(images, views.plain(), views.evaluation_batch, device=device)
