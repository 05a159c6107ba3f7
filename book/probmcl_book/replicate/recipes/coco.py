"""Replications on MS-COCO 2014: the paper's presumed setting, two that fit less, and ResNet-101.

Which weights an encoder starts from decides more than which loss it learns with: ASL's published mAP with
TResNet-L at 448 pixels is 86.6 from ImageNet-1k and 88.4 from 22k classes (R4). timm has no TResNet-L from
22k classes (its ``tresnet_v2_l.miil_in21k`` is another network), so 88.4 is not what ours stands beside.
"""

from __future__ import annotations

from functools import partial

from probmcl_book.replicate.datasets import CocoData
from probmcl_book.replicate.recipes.photos import AT_224, AT_448, comparison
from probmcl_book.replicate.views import PhotoViews

COCO = {
    name: partial(comparison, name, CocoData(), encoder, weights, views, schedule)
    for name, encoder, weights, views, schedule in (
        # Beside 81.8 of ASL (R4) and 82.1 of KMCL (R7).
        ("coco-tresnet-m-224", "timm/tresnet_m", "miil_in21k", PhotoViews(224, "unit"), AT_224),
        # The setting that the paper's 89.1 is presumed to have (R8).
        ("coco-tresnet-l-448", "timm/tresnet_l", "miil_in1k_448", PhotoViews(448, "unit"), AT_448),
        # From torchvision's ImageNet-1k weights, beside ML-GCN (R2).
        ("coco-resnet101-448", "timm/resnet101", "tv_in1k", PhotoViews(448), AT_448),
        # To try the whole way on two cores: no published row stands beside it.
        ("coco-mobilenetv2-128", "torchvision/mobilenet_v2", "IMAGENET1K_V1", PhotoViews(128), AT_224),
    )
}
"""Makes the recipe of each name."""
