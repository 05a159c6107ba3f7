"""The recipes, by the name that ``python -m probmcl run`` takes."""

from collections.abc import Callable

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.coco18 import coco18_features, coco18_lite0_128
from probmcl_book.replicate.recipes.digits import digits_random_recipe, digits_recipe, smaller
from probmcl_book.replicate.recipes.mirflickr import mirflickr14_features, mirflickr14_mobilenetv2_128
from probmcl_book.replicate.recipes.own import own_recipe
from probmcl_book.replicate.recipes.photos import miniature, shortened
from probmcl_book.replicate.recipes.public import PUBLIC

RECIPES: dict[str, Callable[[], Recipe]] = {
    "digits": digits_recipe,
    "digits-random": digits_random_recipe,
    **PUBLIC,
    "mirflickr14-features": mirflickr14_features,
    "mirflickr14-mobilenetv2-128": mirflickr14_mobilenetv2_128,
    "coco18-features": coco18_features,
    "coco18-lite0-128": coco18_lite0_128,
}
"""Makes the recipe of each name."""

__all__ = [
    "RECIPES", "coco18_features", "digits_random_recipe", "digits_recipe", "miniature",
    "mirflickr14_features", "own_recipe", "shortened", "smaller",
]  # fmt: skip
