"""Replications on chest films, our extension: the paper's medical data set is another. Not for clinical use.

Both ChestX-ray14 recipes take NIH's official split: its 25,596 test films are the same for everybody.

ChestMNIST is learned from random weights, as MedMNIST's own rows are (R14). At 28 pixels its images are those
of the published rows. Their rows of input 224 enlarge these; our 64 and 224 pixels are made from the original
films and show more, so they are not ranked with them. At 28 pixels the network is another than theirs, whose
first layer keeps the size of the image: this one makes it a quarter at once.
"""

from __future__ import annotations

from functools import partial

from probmcl_book.replicate.datasets import ChestData, ChestMnistData, Dataset
from probmcl_book.replicate.recipes.photos import AT_224, comparison
from probmcl_book.replicate.views import PhotoViews

_NIH = ChestData("official")
_ROWS: tuple[tuple[str, Dataset, str, str | None, PhotoViews], ...] = (
    # Beside R11; the schedule is M15's at 224 pixels, which states none for 320.
    ("chestxray14-densenet121-320", _NIH, "timm/densenet121", "tv_in1k", PhotoViews(320)),
    # KMCL's encoder (R13), on all rows of the official split.
    ("chestxray14-tresnet-m-224", _NIH, "timm/tresnet_m", "miil_in21k", PhotoViews(224, "unit")),
    ("chestmnist-resnet18-28", ChestMnistData(28), "timm/resnet18", None, PhotoViews(28)),
    ("chestmnist-resnet18-64", ChestMnistData(64), "timm/resnet18", None, PhotoViews(64)),
    ("chestmnist-resnet18-224", ChestMnistData(224), "timm/resnet18", None, PhotoViews(224)),
)

CHEST = {
    name: partial(comparison, name, data, encoder, weights, views, AT_224)
    for name, data, encoder, weights, views in _ROWS
}
"""Makes the recipe of each name."""
