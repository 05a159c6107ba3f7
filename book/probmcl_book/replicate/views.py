"""What the encoder of an experiment sees of an image, and in what batches the images come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from probmcl import _check
from probmcl.data import (
    LabelledDataset,
    TwoViews,
    ViewLoader,
    photo_view,
    plain_feature,
    plain_view,
    scene_augmentation,
    two_features,
    two_photo_views,
)
from probmcl.data.views import NORMALISATIONS, View
from probmcl.train import device_loader


@dataclass(frozen=True)
class SceneViews:
    """DigitScenes as they are, and augmented a batch at a time.

    >>> SceneViews().plain()(torch.zeros(1, 1, 32, 32, dtype=torch.uint8)).shape
    torch.Size([1, 1, 32, 32])
    """

    channels: ClassVar[int] = 1
    evaluation_batch: ClassVar[int] = 500

    def two(self) -> View:
        """Two augmented views of every image (M1)."""
        return TwoViews(scene_augmentation())

    def plain(self) -> View:
        """The view without chance."""
        view: View = plain_view()
        return view


@dataclass(frozen=True)
class PhotoViews:
    """Photographs squished to a square, augmented as M15 says.

    Attributes:
        size: height and width that the encoder takes, in pixels.
        normalisation: what the encoder's published weights were trained with, see
            :func:`~probmcl.data.photo_view`.

    >>> PhotoViews(64, "unit").plain()(torch.zeros(3, 48, 80, dtype=torch.uint8)).shape
    torch.Size([3, 64, 64])
    """

    size: int
    normalisation: str = "imagenet"

    channels: ClassVar[int] = 3
    evaluation_batch: ClassVar[int] = 128

    def __post_init__(self) -> None:
        _check.count("size", self.size)
        _check.one_of("normalisation", self.normalisation, NORMALISATIONS)

    def two(self) -> View:
        """Two augmented views of every image (M1), resized once."""
        return two_photo_views(self.size, normalisation=self.normalisation)

    def plain(self) -> View:
        """The view without chance."""
        view: View = photo_view(self.size, normalisation=self.normalisation)
        return view


@dataclass(frozen=True)
class FeatureViews:
    """Features of stored views: two that differ, or the plain one.

    ``channels`` are the entries F of a feature.

    >>> FeatureViews(1280).plain()(torch.zeros(4, 9, 1280, dtype=torch.float16)).shape
    torch.Size([4, 1280, 1, 1])
    """

    channels: int

    evaluation_batch: ClassVar[int] = 2000

    def __post_init__(self) -> None:
        _check.count("channels", self.channels)

    def two(self) -> View:
        """Two different augmented views of every image (M1), out of the stored ones."""
        return two_features

    def plain(self) -> View:
        """The view without chance."""
        return plain_feature


Views = PhotoViews | FeatureViews | SceneViews  # a form without fields is the last one's


def training_loader(
    images: LabelledDataset, views: Views, batch_size: int, *, seed: int, device: torch.device | str
) -> ViewLoader:
    """Batches of two augmented views in a random order; over several ranks, this rank's share of them.

    ``batch_size`` counts the images of all ranks together; the last batch is left out if it is smaller.

    >>> from probmcl.data import digit_scenes
    >>> loader = training_loader(digit_scenes("train", 20), SceneViews(), 8, seed=0, device="cpu")
    >>> len(loader)
    2
    """
    return device_loader(images, views.two(), batch_size, device=device, seed=seed)


def plain_loader(images: LabelledDataset, views: Views, *, device: torch.device | str) -> ViewLoader:
    """Batches of plain views in the order of the data set; over several ranks, this rank's share of them."""
    return device_loader(images, views.plain(), views.evaluation_batch, device=device)
