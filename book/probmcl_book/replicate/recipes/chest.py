"""Replications on chest films, our extension: the paper's medical data set is another. Not for clinical use.

Both ChestX-ray14 recipes take NIH's official split: its 25,596 test films are the same for everybody.
"""

from __future__ import annotations

from probmcl_book.replicate.datasets import ChestData, ChestMnistData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.photos import AT_224, comparison
from probmcl_book.replicate.views import PhotoViews


def chestxray14_densenet121_320() -> Recipe:
    """DenseNet-121 from torchvision's ImageNet-1k weights at 320 pixels: beside R11.

    The schedule is M15's at 224 pixels: it states none for 320.

    >>> chestxray14_densenet121_320().data.split
    'official'
    """
    data, views = ChestData("official"), PhotoViews(320)
    return comparison("chestxray14-densenet121-320", data, "timm/densenet121", "tv_in1k", views, AT_224)


def chestxray14_tresnet_m_224() -> Recipe:
    """TResNet-M from ImageNet-21k at 224 pixels: KMCL's encoder (R13), on all rows of the official split.

    >>> chestxray14_tresnet_m_224().views.normalisation
    'unit'
    """
    data, views = ChestData("official"), PhotoViews(224, "unit")
    return comparison("chestxray14-tresnet-m-224", data, "timm/tresnet_m", "miil_in21k", views, AT_224)


def chestmnist_resnet18(pixels: int) -> Recipe:
    """ResNet-18 on ChestMNIST, from random weights as MedMNIST's own (R14).

    At 28 pixels its images are those of the published rows. Their rows of input 224 enlarge these; our 64 and
    224 pixels are made from the original films and show more, so they are not ranked with them. At 28 pixels
    the network is another than theirs, whose first layer keeps the size of the image: this one makes it a
    quarter at once.

    Args:
        pixels: 28, 64 or 224, of the data set and of the encoder's input.

    >>> chestmnist_resnet18(64).name
    'chestmnist-resnet18-64'
    """
    name = f"chestmnist-resnet18-{pixels}"
    return comparison(name, ChestMnistData(pixels), "timm/resnet18", None, PhotoViews(pixels), AT_224)
