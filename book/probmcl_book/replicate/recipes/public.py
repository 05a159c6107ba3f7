"""Replications on MS-COCO 2014 and on chest films, which are our extension: the paper's films are others.

Which weights an encoder starts from decides more than which loss it learns with: ASL's published mAP with
TResNet-L at 448 pixels is 86.6 from ImageNet-1k and 88.4 from 22k classes (R4). timm has no TResNet-L from
22k classes (its ``tresnet_v2_l.miil_in21k`` is another network), so 88.4 is not what ours stands beside.

Both ChestX-ray14 recipes take NIH's official split: its 25,596 test films are the same for everybody. Not for
clinical use. ChestMNIST is learned from random weights, as MedMNIST's own rows are (R14). At 28 pixels its
images are those of the published rows. Their rows of input 224 enlarge these; our 64 and 224 pixels are made
from the original films and show more, so they are not ranked with them. At 28 pixels the network is another
than theirs, whose first layer keeps the size of the image: this one makes it a quarter at once.
"""

from dataclasses import replace
from functools import partial

from probmcl.train import TrainingSettings
from probmcl_book.replicate.datasets import ChestData, ChestMnistData, CocoData, Dataset
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.replicate.recipes.photos import AT_224, comparison
from probmcl_book.replicate.views import PhotoViews

KMCL_224 = replace(AT_224, optimiser="adam", ema_warmup=False)
KMCL_448 = replace(KMCL_224, epochs=80, batch_size=128, learning_rate=4e-4)
"""The settings of KMCL's code at 224 and at 448 pixels, see :mod:`probmcl_book.replicate.public_code`."""

ASL = replace(KMCL_448, learning_rate=1e-4)
"""Those of ASL's code at any size."""


def _coco(
    name: str, encoder: str, weights: str, size: int, normalisation: str, training: TrainingSettings
) -> Recipe:
    """Three methods as KMCL's code trains, and ASL as its own code does, to stand beside its numbers (R4)."""
    views = PhotoViews(size, normalisation, "asl")
    recipe = comparison(name, CocoData(), encoder, weights, views, training)
    bce, asl, probmcl = recipe.methods
    alone = Method("ASL, one view", "asl", ASL, views_per_image=1)
    # The decay that stands beside a loss summed over images and labels, as theirs is.
    decays = [(one, one.training.weight_decay / (one.training.batch_size * 80)) for one in (bce, asl, alone)]
    summed = (one.trained(weight_decay=decay) for one, decay in decays)
    return replace(recipe, methods=(*summed, probmcl), probe_images=10_000)


_COCO = (
    # Beside 81.8 of ASL (R4) and 82.1 of KMCL (R7).
    ("coco-tresnet-m-224", "timm/tresnet_m", "miil_in21k", 224, "unit", KMCL_224),
    # The setting that the paper's 89.1 is presumed to have (R8).
    ("coco-tresnet-l-448", "timm/tresnet_l", "miil_in1k_448", 448, "unit", KMCL_448),
    # From torchvision's ImageNet-1k weights, beside ML-GCN (R2).
    ("coco-resnet101-448", "timm/resnet101", "tv_in1k", 448, "imagenet", KMCL_448),
)
_OFFICIAL = ChestData("official")
_OTHERS: tuple[tuple[str, Dataset, str, str | None, PhotoViews], ...] = (
    # To try the whole way on two cores: no published row stands beside it.
    ("coco-mobilenetv2-128", CocoData(), "torchvision/mobilenet_v2", "IMAGENET1K_V1", PhotoViews(128)),
    # Beside R11; the schedule is M15's at 224 pixels, which states none for 320.
    ("chestxray14-densenet121-320", _OFFICIAL, "timm/densenet121", "tv_in1k", PhotoViews(320)),
    # KMCL's encoder (R13), on all rows of the official split.
    ("chestxray14-tresnet-m-224", _OFFICIAL, "timm/tresnet_m", "miil_in21k", PhotoViews(224, "unit")),
    ("chestmnist-resnet18-28", ChestMnistData(28), "timm/resnet18", None, PhotoViews(28)),
    ("chestmnist-resnet18-64", ChestMnistData(64), "timm/resnet18", None, PhotoViews(64)),
    ("chestmnist-resnet18-224", ChestMnistData(224), "timm/resnet18", None, PhotoViews(224)),
)
PUBLIC = {row[0]: partial(_coco, *row) for row in _COCO}
PUBLIC |= {row[0]: partial(comparison, *row, AT_224) for row in _OTHERS}
"""Makes the recipe of each name."""
