"""What all recipes on photographs share: three methods, one budget of image views, the schedule of M15."""

from dataclasses import replace

from probmcl.train import TrainingSettings
from probmcl_book.replicate.datasets import Dataset
from probmcl_book.replicate.recipe import Method, PretrainedStart, Recipe
from probmcl_book.replicate.views import PhotoViews

AT_224 = TrainingSettings(epochs=40, batch_size=64, learning_rate=2e-4, ema_decay=0.9997)
"""KMCL's schedule at 224 pixels (M15), on one GPU, with AdamW; its decay and rise are the defaults."""

PROBE = TrainingSettings(epochs=20, batch_size=256, learning_rate=1e-3)
"""Our choice for the linear classifier on 1,000 to 2,500 frozen features (M14)."""

TRUNK = (2048, 128)
"""Widths of the head's trunk (M3)."""


def comparison(
    name: str, data: Dataset, encoder: str, weights: str | None, views: PhotoViews, training: TrainingSettings
) -> Recipe:
    """BCE, ASL and ProbMCL from the same weights, under the same number of image views.

    ProbMCL takes its defaults: nothing has been tuned on these data sets.

    ``weights`` is the exact tag of published weights, None for random ones.
    """
    methods = (
        Method("BCE", "bce", training),
        Method("ASL", "asl", training),
        Method("ProbMCL", "probmcl", training, trunk=TRUNK),
    )
    start = None if weights is None else PretrainedStart(weights)
    return Recipe(name, data, start, encoder, methods, PROBE, views)


def miniature(recipe: Recipe, *, pixels: int, epochs: int, batch_size: int) -> Recipe:
    """The same experiment with a small network from random weights, for small data sets on a CPU.

    Data set, loader, augmentation, methods, losses and evaluation stay. The network, the input, the schedule
    and the widths of the head do not, and the average of the weights goes: it would need thousands of steps.

    ``pixels`` are the height and width of the input; the linear probe keeps its epochs.

    >>> from probmcl_book.replicate.datasets import CocoData
    >>> mine = comparison("mine", CocoData(), "timm/resnet18", None, PhotoViews(224, "unit"), AT_224)
    >>> small = miniature(mine, pixels=64, epochs=2, batch_size=16)
    >>> small.encoder, small.views.size, small.views.normalisation
    ('small-cnn', 64, 'unit')
    """
    quick = TrainingSettings(epochs=epochs, batch_size=batch_size, learning_rate=2e-3)
    methods = [replace(one, training=quick, trunk=(256, 64) if one.trunk else ()) for one in recipe.methods]
    return replace(
        recipe,
        start=None,
        encoder="small-cnn",
        views=replace(recipe.views, size=pixels),  # type: ignore[arg-type]  # photographs
        methods=tuple(methods),
        probe=replace(recipe.probe, learning_rate=1e-2),
    )


def shortened(recipe: Recipe, *, limit: int | None = None, epochs: int | None = None) -> Recipe:
    """The same experiment on fewer images, or for fewer epochs of every method.

    ``limit`` images are kept of each part, and a batch holds a quarter of them at most. The linear probe
    keeps its epochs.

    >>> from probmcl_book.replicate.datasets import CocoData
    >>> mine = comparison("mine", CocoData(), "timm/resnet18", None, PhotoViews(64), AT_224)
    >>> shortened(mine, limit=48, epochs=1).methods[0].training.batch_size
    12
    """

    def shorter(settings: TrainingSettings) -> TrainingSettings:
        batch = settings.batch_size if limit is None else min(settings.batch_size, max(1, limit // 4))
        return replace(settings, epochs=settings.epochs if epochs is None else epochs, batch_size=batch)

    methods = tuple(replace(method, training=shorter(method.training)) for method in recipe.methods)
    return replace(recipe, limit=recipe.limit if limit is None else limit, methods=methods)
