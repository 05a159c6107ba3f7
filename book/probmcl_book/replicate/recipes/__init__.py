"""The recipes, by the name that ``python -m probmcl run`` takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.chest import (
    chestmnist_resnet18,
    chestxray14_densenet121_320,
    chestxray14_tresnet_m_224,
)
from probmcl_book.replicate.recipes.coco import (
    coco_mobilenetv2_128,
    coco_resnet101_448,
    coco_tresnet_l_448,
    coco_tresnet_m_224,
)
from probmcl_book.replicate.recipes.digits import digits_random_recipe, digits_recipe, smaller
from probmcl_book.replicate.recipes.mirflickr import mirflickr14_features, mirflickr14_mobilenetv2_128
from probmcl_book.replicate.recipes.own import own_recipe
from probmcl_book.replicate.recipes.photos import miniature, shortened

RECIPES: dict[str, Callable[[], Recipe]] = {
    "digits": digits_recipe,
    "digits-random": digits_random_recipe,
    "coco-tresnet-m-224": coco_tresnet_m_224,
    "coco-tresnet-l-448": coco_tresnet_l_448,
    "coco-resnet101-448": coco_resnet101_448,
    "coco-mobilenetv2-128": coco_mobilenetv2_128,
    "chestxray14-densenet121-320": chestxray14_densenet121_320,
    "chestxray14-tresnet-m-224": chestxray14_tresnet_m_224,
    **{f"chestmnist-resnet18-{pixels}": partial(chestmnist_resnet18, pixels) for pixels in (28, 64, 224)},
    "mirflickr14-features": mirflickr14_features,
    "mirflickr14-mobilenetv2-128": mirflickr14_mobilenetv2_128,
}
"""Makes the recipe of each name."""

__all__ = [
    "RECIPES",
    "digits_random_recipe",
    "digits_recipe",
    "miniature",
    "mirflickr14_features",
    "own_recipe",
    "shortened",
    "smaller",
]
