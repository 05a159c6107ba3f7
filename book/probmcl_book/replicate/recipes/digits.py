"""The comparison on DigitScenes: nothing to download, minutes per seed on two cores."""

from dataclasses import replace

from probmcl.train import TrainingSettings
from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.recipe import LettersStart, Method, Recipe


def digits_recipe(*, smoke: bool = False) -> Recipe:
    """The main comparison on DigitScenes (chapter 10): BCE, ASL, thresholded SupCon and ProbMCL.

    With ``smoke`` it is the same in seconds, with fewer images and one epoch: it proves that all parts fit
    together and nothing else.

    >>> [method.name for method in digits_recipe().methods]
    ['BCE', 'ASL', 'SupCon, threshold', 'ProbMCL']
    """
    recipe = Recipe(
        name="digits",
        data=DigitsData(),
        start=LettersStart(6000, TrainingSettings(epochs=6, batch_size=128, learning_rate=5e-3)),
        encoder="small-cnn",
        methods=(
            Method("BCE", "bce", _TRAINING),
            Method("ASL", "asl", _TRAINING),
            Method("SupCon, threshold", "supcon", _CONTRASTIVE, trunk=_TRUNK),
            Method("ProbMCL", "probmcl", _CONTRASTIVE, trunk=_TRUNK),
        ),
        probe=TrainingSettings(epochs=30, batch_size=256, learning_rate=1e-2),
    )
    return smaller(recipe, images=384, epochs=1) if smoke else recipe


def digits_random_recipe() -> Recipe:
    """The same comparison from random weights, where the threshold alone gives too little to hold on to."""
    whole = digits_recipe()
    bce, _, threshold, probmcl = whole.methods
    weighted = replace(threshold, name="SupCon, Jaccard-weighted", options={"rule": "weighted"})
    return replace(whole, name="digits_random", start=None, methods=(bce, threshold, weighted, probmcl))


def smaller(recipe: Recipe, *, images: int, epochs: int) -> Recipe:
    """The same experiment on DigitScenes with fewer training images and epochs, for live runs.

    Half as many images as for training are for validation and for test; the start gets as many epochs as the
    methods.

    >>> smaller(digits_recipe(), images=1000, epochs=2).data.test
    500
    """
    data = replace(digits_of(recipe), train=images, validation=images // 2, test=images // 2)

    def shorter(settings: TrainingSettings) -> TrainingSettings:
        return replace(settings, epochs=epochs, batch_size=min(settings.batch_size, images // 4))

    start = recipe.start if isinstance(recipe.start, LettersStart) else None
    return replace(
        recipe,
        data=data,
        start=start and LettersStart(images, shorter(start.training)),
        methods=tuple(replace(method, training=shorter(method.training)) for method in recipe.methods),
    )


def digits_of(recipe: Recipe) -> DigitsData:
    """The data set of a recipe, if it is DigitScenes."""
    if not isinstance(recipe.data, DigitsData):
        raise TypeError(f"recipe: expected one on DigitScenes, got {type(recipe.data).__name__}")
    return recipe.data


_TRAINING = TrainingSettings(epochs=8, batch_size=128, learning_rate=5e-3)
_CONTRASTIVE = replace(_TRAINING, learning_rate=2e-3)
_TRUNK = (256, 64)
