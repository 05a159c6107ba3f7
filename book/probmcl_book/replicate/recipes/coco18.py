"""COCO-18: 22,500 photographs of MS-COCO with 18 labels at 128 pixels, and features of their stored views.

The photographs come packed (``tools/lay_out_npz.py parts``), the weights of EfficientNet-Lite0 from the
package index (``tools/lite0_weights.py``), the features from ``tools/feature_views.py``. The labels are
COCO's categories 1 to 19 without 12, so no number here stands beside published ones of COCO.
"""

from dataclasses import replace

from probmcl.train import TrainingSettings
from probmcl_book.replicate.datasets import FeatureData, PackedData
from probmcl_book.replicate.origin import Origin
from probmcl_book.replicate.recipe import Method, PretrainedStart, Recipe
from probmcl_book.replicate.recipes.photos import PROBE, TRUNK
from probmcl_book.replicate.views import FeatureViews, PhotoViews

ORIGIN = Origin(
    name="COCO-18, MS-COCO photographs with 18 labels",
    split="a cut of our own of photographs of train2017, 15,000/2,500/5,000",
    access="private rebuild of MS-COCO 2017 (python -m probmcl sources fetch coco2017 --root DIR) at 128 "
    "pixels: 22,500 photographs kept by syf0122/COMP5329_Assignment02, commit 7c1fe6ff; packed by "
    "tools/lay_out_npz.py parts",
    source="https://cocodataset.org; https://github.com/syf0122/COMP5329_Assignment02",
)
LITE0 = PretrainedStart(
    "efficientnet-lite0.safetensors",
    "sha256:2b4a5f7e9a1870e2c41efd811c5b04f7e5843b32900a338e3f181204a324f9c6",
)


def coco18_lite0_128() -> Recipe:
    """EfficientNet-Lite0 from ImageNet weights, end to end; its file is given as ``--weights``.

    >>> coco18_lite0_128().views.normalisation
    'lite'
    """
    training = TrainingSettings(epochs=10, batch_size=64, learning_rate=5e-4)
    return Recipe(
        name="coco18-lite0-128",
        data=PackedData(ORIGIN),
        start=LITE0,
        encoder="timm/tf_efficientnet_lite0",
        methods=(Method("ASL", "asl", training), Method("ProbMCL", "probmcl", training, trunk=TRUNK)),
        probe=PROBE,
        views=PhotoViews(128, "lite"),
    )


def coco18_features() -> Recipe:
    """Methods on features of the frozen network; rates and temperatures are those of first looks.

    The encoder adds a correction to the feature that starts at zero, as in ``mirflickr14_features``.

    >>> coco18_features().encoder
    'feature-mlp'
    """
    stored = "features of one plain and 4 augmented views by tools/feature_views.py, in bfloat16"
    name = f"{ORIGIN.name}, features of EfficientNet-Lite0"
    origin = replace(ORIGIN, name=name, access=f"{ORIGIN.access}; {stored}")
    training = TrainingSettings(epochs=4, batch_size=50, learning_rate=1e-3)
    return Recipe(
        name="coco18_features",
        data=FeatureData(origin),
        start=None,
        encoder="feature-mlp",
        methods=(
            Method("BCE", "bce", training),
            Method("ASL", "asl", training, options={"gamma_negative": 2.0}),
            Method("SupCon, threshold", "supcon", training, trunk=(512, 64), options={"temperature": 0.2}),
            Method("ProbMCL", "probmcl", training, trunk=(512, 64)),
        ),
        probe=TrainingSettings(epochs=5, batch_size=50, learning_rate=3e-3, weight_decay=10.0),
        views=FeatureViews(1280),
    )
