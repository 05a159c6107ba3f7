"""MIRFLICKR-25000 with 14 topics: photographs at 128 pixels, and the features of their stored views.

Small enough for two cores. The photographs come packed, see ``tools/lay_out_npz.py``; the features are made
by ``tools/feature_views.py`` from the same packed files. Both stand in the repository.
"""

from __future__ import annotations

from probmcl.experiment.datasets import FeatureData, PackedData
from probmcl.experiment.recipe import Method, PretrainedStart, Recipe
from probmcl.experiment.recipes.photos import PROBE, TRUNK
from probmcl.experiment.views import FeatureViews, PhotoViews
from probmcl.train import TrainingSettings

NAME = "MIRFLICKR-25000, 14 topics"
SPLIT = (
    "im1 to im20000 with at least one topic; imsval.txt of the source is the test set, "
    "validation is 15 % of imstrain.txt by a hash of the names, seed 0"
)
ACCESS = (
    "private rebuild of MIRFLICKR-25000 (python -m probmcl sources fetch mirflickr25k --root DIR) "
    "at 128 pixels: labels and split from annotations/ of VilleAR/IDL_Image_Classification_Project, commit "
    "628aecfa; packed by tools/lay_out_npz.py parts"
)
SOURCE = "https://press.liacs.nl/mirflickr; https://github.com/VilleAR/IDL_Image_Classification_Project"


def mirflickr14_features() -> Recipe:
    """Methods on features of a frozen ImageNet MobileNetV2: seconds a run.

    The encoder adds a correction to the feature that starts at zero, so every method starts at the frozen
    feature, and the start's linear probe is that of the frozen network.

    >>> mirflickr14_features().start is None
    True
    """
    access = f"{ACCESS}; features of one plain and 8 augmented views by tools/feature_views.py"
    return Recipe(
        name="mirflickr14_features",
        data=FeatureData(f"{NAME}, features of MobileNetV2", SPLIT, access, SOURCE),
        start=None,
        encoder="feature-mlp",
        methods=(
            Method("BCE", "bce", _FEATURES),
            Method("ASL", "asl", _FEATURES),
            Method("SupCon, threshold", "supcon", _FEATURES, trunk=_TRUNK),
            Method("ProbMCL", "probmcl", _FEATURES, trunk=_TRUNK),
        ),
        probe=PROBE,
        views=FeatureViews(1280),
    )


def mirflickr14_mobilenetv2_128() -> Recipe:
    """MobileNetV2 from torchvision's ImageNet weights, end to end on photographs of 128 pixels.

    >>> mirflickr14_mobilenetv2_128().start
    PretrainedStart(weights='IMAGENET1K_V1', checksum='')
    """
    return Recipe(
        name="mirflickr14-mobilenetv2-128",
        data=PackedData(NAME, SPLIT, ACCESS, SOURCE),
        start=PretrainedStart("IMAGENET1K_V1"),
        encoder="torchvision/mobilenet_v2",
        methods=(
            Method("ASL", "asl", _PHOTOS),
            Method("ProbMCL", "probmcl", _PHOTOS, trunk=TRUNK),
        ),
        probe=PROBE,
        views=PhotoViews(128),
    )


_FEATURES = TrainingSettings(epochs=6, batch_size=64, learning_rate=1e-3)
_PHOTOS = TrainingSettings(epochs=10, batch_size=64, learning_rate=5e-4)
_TRUNK = (512, 64)
