"""One method of a comparison, from the common start to scores on validation and test."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl.data import (
    LabelledImages,
    TwoViews,
    ViewLoader,
    digit_scenes,
    letter_images,
    make_loader,
    plain_view,
)
from probmcl.data import scene_augmentation as augmentation
from probmcl.evaluate import mean_average_precision, ridge_probe
from probmcl.experiment.recipe import DigitsData, Method, Recipe
from probmcl.loss import AsymmetricLoss, MulSupConLoss, ProbMCLLoss, SupConLoss
from probmcl.model import Encoder, MixtureDensityHead, ProjectionHead, build_encoder
from probmcl.train import (
    History,
    TrainingSettings,
    contrastive_stage,
    end_to_end,
    linear_probe,
    predict,
    same_everywhere,
    seeded,
    this_share,
)

EVALUATION_BATCH = 500
WATCHED_IMAGES = 2000
CHECKPOINT_STEPS = 500


@dataclass(frozen=True)
class Splits:
    """Train, validation and test images of an experiment."""

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages

    @classmethod
    def of_digits(cls, data: DigitsData) -> Splits:
        """Draw the DigitScenes of a recipe."""
        sizes = (("train", data.train), ("validation", data.validation), ("test", data.test))
        return cls(
            *(digit_scenes(split, size, seed=data.seed, difficulty=data.difficulty) for split, size in sizes)
        )


@dataclass(frozen=True)
class Trained:
    """A trained method, as far as evidence needs it.

    Attributes:
        encoder: the trained encoder.
        classifier: the linear layer on its features.
        validation_scores: logits of the validation images, ``(N, K)``.
        test_scores: logits of the test images, ``(N, K)``.
        history: of the stage that trained the encoder; None for the start itself.
        seconds: of the steps of all training stages, without validation.
        image_views: augmented views that the encoder was trained on.
    """

    encoder: nn.Module
    classifier: nn.Linear
    validation_scores: Tensor
    test_scores: Tensor
    history: History | None
    seconds: float
    image_views: int


def pretrain(
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    progress: str | None = None,
    checkpoint: Path | None = None,
) -> Encoder:
    """Make the common start: an encoder that tells letters apart and has never seen a digit.

    Args:
        recipe: the experiment.
        seed: seeds the encoder's first weights, the order and the augmentation.
        device: where to train.
        progress: text beside a progress bar; None for none.
        checkpoint: file to save to and to go on from, see :func:`~probmcl.train.fit`.

    Returns:
        The encoder, without its letter classifier; with random weights if the recipe has no start.
    """
    with seeded(seed):
        encoder = build_encoder(recipe.encoder, in_channels=1)
    if recipe.start is None:
        return encoder
    letters = letter_images(recipe.start.images, seed=recipe.data.seed, difficulty=recipe.data.difficulty)
    with seeded(seed):
        classifier = nn.Linear(encoder.feature_dim, len(letters.classes))
    settings = recipe.start.training
    end_to_end(
        nn.Sequential(encoder, classifier),
        functional.cross_entropy,
        _two_views(letters, settings, seed),
        settings,
        seed=seed,
        device=device,
        checkpoint=checkpoint,
        checkpoint_steps=CHECKPOINT_STEPS,
        progress=progress,
    )
    return encoder


def train_method(
    method: Method,
    start: Encoder,
    splits: Splits,
    probe: TrainingSettings,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    progress: str | None = None,
    checkpoints: Path | None = None,
) -> Trained:
    """Train one method from ``start`` (which is left as it is) and score validation and test images.

    Args:
        method: what to train, and how.
        start: the common start.
        splits: the images.
        probe: settings of the linear probe, for contrastive methods.
        seed: seeds heads, order and augmentation; the order is the same for every method.
        device: where to train.
        progress: text beside a progress bar; None for none.
        checkpoints: folder for the checkpoints of its stages; a method that was interrupted goes on.

    Returns:
        The trained method.
    """
    encoder = deepcopy(start)
    size = method.training.batch_size
    used = len(splits.train) // size * size  # the last batch is dropped if it is smaller
    train = _end_to_end if method.end_to_end else _two_stages
    classifier, histories = train(method, encoder, splits, probe, seed, device, progress, checkpoints)
    return Trained(
        encoder,
        classifier,
        *_scores(encoder, classifier, splits, device),
        history=histories[0],
        seconds=sum(history.seconds for history in histories),
        image_views=2 * used * method.training.epochs,
    )


def probe_start(
    start: Encoder, splits: Splits, probe: TrainingSettings, *, seed: int, device: torch.device | str = "cpu"
) -> Trained:
    """The linear probe of the start itself: what every method has before it learns anything."""
    classifier, history = _probe(start, splits, probe, seed, device)
    scores = _scores(start, classifier, splits, device)
    return Trained(start, classifier, *scores, history=None, seconds=history.seconds, image_views=0)


def contrastive_parts(method: Method, feature_dim: int, classes: int) -> tuple[nn.Module, nn.Module]:
    """Head and criterion of a contrastive method.

    Example:
        >>> from probmcl.experiment import digits_recipe
        >>> head, criterion = contrastive_parts(digits_recipe().methods[-1], feature_dim=128, classes=10)
        >>> type(head).__name__, type(criterion).__name__
        ('MixtureDensityHead', 'ProbMCLLoss')
    """
    if method.criterion == "probmcl":
        mixture_head = MixtureDensityHead(feature_dim, classes, trunk=method.trunk)
        return mixture_head, ProbMCLLoss(**{"sigma_floor": mixture_head.sigma_floor, **method.options})
    criterion = SupConLoss if method.criterion == "supcon" else MulSupConLoss
    return ProjectionHead(feature_dim, method.trunk), criterion(**method.options)


def _end_to_end(
    method: Method,
    encoder: Encoder,
    splits: Splits,
    probe: TrainingSettings,
    seed: int,
    device: torch.device | str,
    progress: str | None,
    checkpoints: Path | None,
) -> tuple[nn.Linear, list[History]]:
    with seeded(seed):
        classifier = nn.Linear(encoder.feature_dim, len(splits.train.classes))
    bce = functional.binary_cross_entropy_with_logits
    criterion = bce if method.criterion == "bce" else AsymmetricLoss(**method.options)
    validation = plain_loader(splits.validation)

    def watch(model: nn.Module) -> float:
        return mean_average_precision(*predict(model, validation, device=device))

    loader = _two_views(splits.train, method.training, seed)
    history = end_to_end(
        nn.Sequential(encoder, classifier),
        criterion,
        loader,
        method.training,
        seed=seed,
        device=device,
        watch=watch,
        checkpoint=checkpoints and checkpoints / "training.pt",
        checkpoint_steps=CHECKPOINT_STEPS,
        progress=progress,
    )
    return classifier, [history]


def _two_stages(
    method: Method,
    encoder: Encoder,
    splits: Splits,
    probe: TrainingSettings,
    seed: int,
    device: torch.device | str,
    progress: str | None,
    checkpoints: Path | None,
) -> tuple[nn.Linear, list[History]]:
    with seeded(seed):
        head, criterion = contrastive_parts(method, encoder.feature_dim, len(splits.train.classes))
    watched = splits.train.subset(torch.arange(min(WATCHED_IMAGES, len(splits.train))))

    def watch(model: nn.Module) -> float:
        """A ridge probe of the frozen features: cheap, and without a random number."""
        known, known_labels = predict(model, plain_loader(watched), device=device)
        features, labels = predict(model, plain_loader(splits.validation), device=device)
        return mean_average_precision(ridge_probe(known, known_labels, features), labels)

    history = contrastive_stage(
        encoder,
        head,
        criterion,
        _two_views(splits.train, method.training, seed),
        method.training,
        seed=seed,
        device=device,
        watch=watch,
        checkpoint=checkpoints and checkpoints / "training.pt",
        checkpoint_steps=CHECKPOINT_STEPS,
        progress=progress,
    )
    classifier, probed = _probe(
        encoder, splits, probe, seed, device, checkpoints and checkpoints / "probe.pt"
    )
    return classifier, [history, probed]


def _probe(
    encoder: nn.Module,
    splits: Splits,
    settings: TrainingSettings,
    seed: int,
    device: torch.device | str,
    checkpoint: Path | None = None,
) -> tuple[nn.Linear, History]:
    """The classification stage: a linear layer on frozen features with the asymmetric loss (M14).

    Every rank trains it on the features of all images: to wait for one rank takes as long, and an exchange
    that waits too long is taken for a failure. Should the ranks round differently, rank 0's layer counts.
    """
    features, labels = predict(encoder, plain_loader(splits.train), device=device)
    known, known_labels = predict(encoder, plain_loader(splits.validation), device=device)

    def watch(layer: nn.Module) -> float:
        with torch.no_grad():
            return mean_average_precision(layer(known), known_labels)

    layer, history = linear_probe(
        features, labels, AsymmetricLoss(), settings, seed=seed, watch=watch, checkpoint=checkpoint
    )
    same_everywhere(layer)
    return layer, history


def _scores(
    encoder: nn.Module, classifier: nn.Module, splits: Splits, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    model = nn.Sequential(encoder, classifier)
    validation, test = (
        predict(model, plain_loader(images), device=device)[0] for images in (splits.validation, splits.test)
    )
    return validation, test


def plain_loader(images: LabelledImages) -> ViewLoader:
    """Batches of plain views in the order of the data set; over several ranks, this rank's share of them."""
    return make_loader(images, plain_view(), EVALUATION_BATCH, shuffle=False, seed=0, share=this_share())


def _two_views(images: LabelledImages, settings: TrainingSettings, seed: int) -> ViewLoader:
    views, size = TwoViews(augmentation()), settings.batch_size  # that of all ranks together
    return make_loader(images, views, size, shuffle=True, seed=seed, drop_last=True, share=this_share())
