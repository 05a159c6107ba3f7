"""A recipe made on the spot: the comparison on your own photographs, with an encoder of your choice."""

from dataclasses import replace

import timm

from probmcl.model import published_weights
from probmcl_book.replicate.datasets import FolderData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes.photos import AT_224, comparison
from probmcl_book.replicate.views import PhotoViews

OWN = replace(AT_224, epochs=20, ema_decay=None)
"""KMCL's schedule for half the epochs: our choice. A moving average needs thousands of steps."""


def own_recipe(name: str, encoder: str, *, images: int, size: int | None = None) -> Recipe:
    """BCE, ASL and ProbMCL from an encoder's usual weights, where it has some.

    A batch holds a quarter of the training images at most, and at most 64. ``size`` is the height and width
    that the encoder sees, None for those of its weights.

    >>> recipe = own_recipe("mine", "timm/resnet18", images=100)
    >>> recipe.views.size, recipe.start.weights, recipe.methods[0].training.batch_size
    (224, 'a1_in1k', 25)
    """
    known = published_weights(encoder)
    library, _, model = encoder.partition("/")
    weights, side, normalisation = known[-1] if known else None, 224, "imagenet"  # torchvision's "DEFAULT"
    if library == "timm" and (usual := timm.get_pretrained_cfg(model)) is not None:
        weights, side = usual.tag if known else None, usual.input_size[-1]
        normalisation = "imagenet" if any(usual.mean) else "unit"
    training = replace(OWN, batch_size=max(2, min(OWN.batch_size, images // 4)))
    views = PhotoViews(side if size is None else size, normalisation)
    return comparison(name, FolderData(), encoder, weights, views, training)
