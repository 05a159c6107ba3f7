"""MIRFLICKR-25000 with 14 topics: photographs at 128 pixels, and the features of their stored views.

Small enough for two cores. The photographs come packed, see ``tools/lay_out_npz.py``; the features are made
by ``tools/feature_views.py`` from the same packed files. Both stand in the repository.
"""

from probmcl.train import TrainingSettings
from probmcl_book.replicate.datasets import FeatureData, PackedData
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.recipe import Method, PretrainedStart, Recipe
from probmcl_book.replicate.recipes.photos import PROBE, TRUNK
from probmcl_book.replicate.views import FeatureViews, PhotoViews

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
    """Methods on features of a frozen ImageNet MobileNetV2: less than a minute a run.

    Learning rates and options are the best of eight trials per method on validation: record
    ``mirflickr14_tuning``, made by ``tools/tune_mirflickr14.py``.

    The encoder adds a correction to the feature that starts at zero, so every method starts at the frozen
    feature, and the start's linear probe is that of the frozen network.
    """
    origin = Origin(
        f"{NAME}, features of MobileNetV2",
        SPLIT,
        f"{ACCESS}; features of one plain and 8 augmented views by tools/feature_views.py",
        SOURCE,
    )
    return Recipe(
        name="mirflickr14_features",
        data=FeatureData(origin),
        start=None,
        encoder="feature-mlp",
        methods=(
            Method("BCE", "bce", _features(6e-4)),
            Method("ASL", "asl", _features(6e-4), options={"gamma_negative": 2.0}),
            _contrastive("SupCon, threshold", "supcon", 1e-3, temperature=0.25),
            _contrastive("ProbMCL", "probmcl", 3e-3, temperature=0.5),
        ),
        probe=PROBE,
        views=FeatureViews(1280),
    )


def mirflickr14_mobilenetv2_128() -> Recipe:
    """MobileNetV2 from torchvision's ImageNet weights, end to end on photographs of 128 pixels."""
    return Recipe(
        name="mirflickr14-mobilenetv2-128",
        data=PackedData(Origin(NAME, SPLIT, ACCESS, SOURCE)),
        start=PretrainedStart("IMAGENET1K_V1"),
        encoder="torchvision/mobilenet_v2",
        methods=(Method("ASL", "asl", _PHOTOS), Method("ProbMCL", "probmcl", _PHOTOS, trunk=TRUNK)),
        probe=PROBE,
        views=PhotoViews(128),
    )


def _features(learning_rate: float) -> TrainingSettings:
    return TrainingSettings(epochs=6, batch_size=64, learning_rate=learning_rate)


def _contrastive(name: str, criterion: str, learning_rate: float, *, temperature: float) -> Method:
    options = {"threshold": 1.0, "temperature": temperature}
    return Method(name, criterion, _features(learning_rate), trunk=(512, 64), options=options)


_PHOTOS = TrainingSettings(epochs=10, batch_size=64, learning_rate=5e-4)
