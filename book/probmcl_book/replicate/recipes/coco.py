"""Replications on MS-COCO 2014: the paper's presumed setting, two that fit less, and ResNet-101.

Which weights an encoder starts from decides more than which loss it learns with: ASL's published mAP with
TResNet-L at 448 pixels is 86.6 from ImageNet-1k and 88.4 from 22k classes (R4). timm has no TResNet-L from
22k classes (its ``tresnet_v2_l.miil_in21k`` is another network), so 88.4 is not what ours stands beside.
"""

from __future__ import annotations

from probmcl_book.replicate.datasets import CocoData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.photos import AT_224, AT_448, comparison
from probmcl_book.replicate.views import PhotoViews


def coco_tresnet_m_224() -> Recipe:
    """TResNet-M from ImageNet-21k at 224 pixels: beside 81.8 of ASL (R4) and 82.1 of KMCL (R7).

    >>> coco_tresnet_m_224().start
    PretrainedStart(weights='miil_in21k', checksum='')
    """
    views = PhotoViews(224, "unit")
    return comparison("coco-tresnet-m-224", CocoData(), "timm/tresnet_m", "miil_in21k", views, AT_224)


def coco_tresnet_l_448() -> Recipe:
    """TResNet-L from ImageNet-1k at 448 pixels: the setting that the paper's 89.1 is presumed to have (R8).

    >>> coco_tresnet_l_448().methods[-1].training.epochs
    80
    """
    views = PhotoViews(448, "unit")
    return comparison("coco-tresnet-l-448", CocoData(), "timm/tresnet_l", "miil_in1k_448", views, AT_448)


def coco_resnet101_448() -> Recipe:
    """ResNet-101 from torchvision's ImageNet-1k weights at 448 pixels: beside ML-GCN (R2).

    >>> coco_resnet101_448().encoder
    'timm/resnet101'
    """
    views = PhotoViews(448)
    return comparison("coco-resnet101-448", CocoData(), "timm/resnet101", "tv_in1k", views, AT_448)


def coco_mobilenetv2_128() -> Recipe:
    """MobileNetV2 from torchvision's ImageNet-1k weights at 128 pixels: to try the whole way on two cores.

    No published row stands beside it.

    >>> coco_mobilenetv2_128().views.size
    128
    """
    encoder, views = "torchvision/mobilenet_v2", PhotoViews(128)
    return comparison("coco-mobilenetv2-128", CocoData(), encoder, "IMAGENET1K_V1", views, AT_224)
