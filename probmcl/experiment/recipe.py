"""Recipes: everything that decides a result, in one frozen object that is saved beside it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field, replace
from typing import Any

from probmcl import _check
from probmcl.train import TrainingSettings

CRITERIA = ("bce", "asl", "supcon", "mulsupcon", "probmcl")
"""Names of the training criteria; the first two train encoder and classifier end to end."""


@dataclass(frozen=True)
class DigitsData:
    """Sizes and difficulty of the DigitScenes of an experiment, and the seed that draws them."""

    train: int = 6000
    validation: int = 1500
    test: int = 2000
    difficulty: str = "default"
    seed: int = 0


@dataclass(frozen=True)
class LettersStart:
    """Pretraining on letters, where every method starts: images, and the training of a letter classifier."""

    images: int
    training: TrainingSettings


@dataclass(frozen=True)
class Method:
    """One row of a comparison.

    Attributes:
        name: as it stands in tables.
        criterion: one of :data:`CRITERIA`.
        training: settings of its training from the common start.
        trunk: widths of the head's trunk (contrastive criteria); the last one is D.
        options: arguments of the criterion that differ from its defaults.
    """

    name: str
    criterion: str
    training: TrainingSettings
    trunk: tuple[int, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check.one_of("criterion", self.criterion, CRITERIA)
        if not self.end_to_end and not self.trunk:
            raise ValueError(f"trunk: {self.name} is contrastive and needs the widths of a head, got none")

    @property
    def end_to_end(self) -> bool:
        """Whether encoder and classifier are trained together; otherwise in two stages."""
        return self.criterion in ("bce", "asl")


@dataclass(frozen=True)
class Recipe:
    """An experiment on DigitScenes: data, a common start, methods, and the linear probe of frozen encoders.

    Attributes:
        name: name of the experiment and of its record.
        data: the scenes.
        start: the pretraining; None starts every method from the same random weights.
        encoder: name for :func:`~probmcl.model.build_encoder`.
        methods: what is compared; every method sees the same number of image views.
        probe: training of the linear classifier on frozen features (M14).

    Example:
        >>> from probmcl.experiment import digits_recipe
        >>> recipe = digits_recipe(smoke=True)
        >>> Recipe.from_dict(recipe.to_dict()) == recipe
        True
    """

    name: str
    data: DigitsData
    start: LettersStart | None
    encoder: str
    methods: tuple[Method, ...]
    probe: TrainingSettings

    def to_dict(self) -> dict[str, Any]:
        """A plain form, as it stands in records."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Recipe:
        """The inverse of :meth:`to_dict`.

        Raises:
            TypeError: if a field is missing or unknown.
        """
        start = plain["start"]
        return cls(
            **{
                **plain,
                "data": DigitsData(**plain["data"]),
                "start": start and LettersStart(start["images"], TrainingSettings(**start["training"])),
                "methods": tuple(_method(method) for method in plain["methods"]),
                "probe": TrainingSettings(**plain["probe"]),
            }
        )


def _method(plain: dict[str, Any]) -> Method:
    training = TrainingSettings(**plain["training"])
    return Method(**{**plain, "training": training, "trunk": tuple(plain["trunk"])})


def digits_recipe(*, smoke: bool = False) -> Recipe:
    """The main comparison on DigitScenes (chapter 10): BCE, ASL, thresholded SupCon and ProbMCL.

    Args:
        smoke: the same experiment in seconds: fewer images, one epoch. It proves that all parts fit together
            and nothing else.

    Example:
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


def digits_random_recipe(*, smoke: bool = False) -> Recipe:
    """The same comparison from random weights, where the threshold alone gives too little to hold on to.

    Args:
        smoke: the same experiment in seconds.

    Example:
        >>> digits_random_recipe().start is None
        True
    """
    whole = digits_recipe()
    bce, _, threshold, probmcl = whole.methods
    weighted = replace(threshold, name="SupCon, Jaccard-weighted", options={"rule": "weighted"})
    recipe = replace(whole, name="digits_random", start=None, methods=(bce, threshold, weighted, probmcl))
    return smaller(recipe, images=384, epochs=1) if smoke else recipe


def smaller(recipe: Recipe, *, images: int, epochs: int) -> Recipe:
    """The same experiment with fewer training images and epochs, for live runs.

    Args:
        recipe: the experiment.
        images: training images; half as many for validation and for test.
        epochs: of every method, and of the start.

    Example:
        >>> smaller(digits_recipe(), images=1000, epochs=2).data.test
        500
    """

    def shorter(settings: TrainingSettings) -> TrainingSettings:
        return replace(settings, epochs=epochs, batch_size=min(settings.batch_size, images // 4))

    start = recipe.start
    return replace(
        recipe,
        data=replace(recipe.data, train=images, validation=images // 2, test=images // 2),
        start=start and LettersStart(images, shorter(start.training)),
        methods=tuple(replace(method, training=shorter(method.training)) for method in recipe.methods),
    )


_TRAINING = TrainingSettings(epochs=8, batch_size=128, learning_rate=5e-3)
_CONTRASTIVE = replace(_TRAINING, learning_rate=2e-3)
_TRUNK = (256, 64)
