"""One method of a comparison, from the common start to scores on validation and test."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from probmcl.data import LabelledDataset, ViewLoader
from probmcl.evaluate import mean_average_precision, ridge_probe
from probmcl.loss import AsymmetricLoss, LossParts
from probmcl.model import Encoder, LabelGraphHead, MixtureClassifier, MixtureDensityHead
from probmcl.train import History, Watch, end_to_end, fit, predict, probe_encoder, seeded, two_stages
from probmcl.train.distributed import this_share
from probmcl_book.replicate.parts import contrastive_parts, end_to_end_parts, logits_model
from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.starts import CHECKPOINT_STEPS
from probmcl_book.replicate.views import plain_loader, training_loader


@dataclass(frozen=True)
class Trained:
    """A trained method, as far as evidence needs it.

    ``classifier`` is the linear layer on the encoder's features; for KMCL a
    :class:`~probmcl.model.MixtureClassifier` on them, and a :class:`~probmcl.model.MLDecoderHead` on the
    encoder's map. Scores are logits, ``(N, K)``. ``history`` is of the stage that trained the encoder, None
    for the start itself; ``seconds`` are of the steps of all stages, without validation. ``head`` is what
    scoring does without (of KMCL it is inside the classifier as well); None end to end and for the start.
    """

    encoder: Encoder
    classifier: nn.Module
    validation_scores: Tensor
    test_scores: Tensor
    history: History | None
    seconds: float
    image_views: int
    head: nn.Module | None = None


Parts = tuple[nn.Module, nn.Module | None, list[History]]
"""What training leaves beside the encoder: a classifier, perhaps a head, and the history of each stage."""


@dataclass(frozen=True)
class _Work:
    """One method in work: what its stages need."""

    encoder: Encoder
    recipe: Recipe
    splits: Splits
    seed: int
    device: torch.device | str
    progress: str | None = None
    checkpoints: Path | None = None

    def outputs(self, model: nn.Module, images: LabelledDataset) -> tuple[Tensor, Tensor]:
        """What a model makes of plain views, and their labels."""
        loader = plain_loader(images, self.recipe.views, device=self.device)
        return predict(model, loader, device=self.device)

    def batches(self, method: Method) -> ViewLoader:
        """The training images of a method."""
        return training_loader(
            self.splits.train,
            self.recipe.views,
            method.training.batch_size,  # that of all ranks together
            seed=self.seed,
            device=self.device,
            per_image=method.views_per_image,
        )

    def options(self, watch: Watch) -> dict[str, Any]:
        """What every training on images is told alike, and its watched metric."""
        return {
            "seed": self.seed,
            "watch": watch,
            "device": self.device,
            "checkpoint": None if self.checkpoints is None else self.checkpoints / "training.pt",
            "checkpoint_steps": CHECKPOINT_STEPS,
            "progress": self.progress,
        }

    def probing(self) -> dict[str, Any]:
        """How a probe sees images, and by what its epoch is chosen."""
        views = self.recipe.views
        plain = {"plain_view": views.plain(), "plain_batch": views.evaluation_batch}
        return {**plain, "metric": mean_average_precision}


def train_method(
    method: Method,
    start: Encoder,
    recipe: Recipe,
    splits: Splits,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    progress: str | None = None,
    checkpoints: Path | None = None,
) -> Trained:
    """Train one method from ``start`` (which is left as it is) and score validation and test images.

    The seed is for heads, order and augmentation; the order is the same for every method. ``progress`` is the
    text beside a progress bar, None for none. A method that was interrupted goes on from ``checkpoints``, a
    folder.
    """
    work = _Work(deepcopy(start), recipe, splits, seed, device, progress, checkpoints)
    size = method.training.batch_size
    used = len(splits.train) // size * size  # the last batch is dropped if it is smaller
    if method.criterion == "kmcl":
        classifier, head, histories = _kmcl(method, work)
    else:
        classifier, head, histories = (_end_to_end if method.end_to_end else _two_stages)(method, work)
    return Trained(
        work.encoder.eval(),
        classifier.eval(),
        *_scores(work, classifier),
        history=histories[0],
        seconds=sum(history.seconds for history in histories),
        image_views=method.views_per_image * used * method.training.epochs,
        head=None if head is None else head.eval(),
    )


def probe_start(
    start: Encoder, recipe: Recipe, splits: Splits, *, seed: int, device: torch.device | str = "cpu"
) -> Trained:
    """The linear probe of the start itself: what every method has before it learns anything."""
    work = _Work(start, recipe, splits, seed, device)
    classifier, history = probe_encoder(
        start,
        splits.train,
        splits.validation,
        AsymmetricLoss(),
        recipe.probe,
        seed=seed,
        device=device,
        **work.probing(),
    )
    scores = _scores(work, classifier)
    return Trained(
        start.eval(), classifier.eval(), *scores, history=None, seconds=history.seconds, image_views=0
    )


def _end_to_end(method: Method, work: _Work) -> Parts:
    train = work.splits.train
    with seeded(work.seed):
        classifier, criterion = end_to_end_parts(method, work.encoder.feature_dim, train.labels)

    def watch(model: nn.Module) -> float:
        return mean_average_precision(*work.outputs(model, work.splits.validation))

    history = end_to_end(
        logits_model(work.encoder, classifier),
        work.batches(method),
        criterion,
        method.training,
        **work.options(watch),
    )
    final = classifier.linear() if isinstance(classifier, LabelGraphHead) else classifier
    return final, None, [history]


def _kmcl(method: Method, work: _Work) -> Parts:
    """KMCL: encoder, mixture and the classifier inside its weights learn together, from two views."""
    if this_share().ranks > 1:
        raise ValueError(f"method: {method.name} trains in one process, got {this_share().ranks}")
    train = work.splits.train
    with seeded(work.seed):
        head, criterion = contrastive_parts(method, work.encoder.feature_dim, len(train.classes))

    def step(model: nn.Module, batch: Any) -> LossParts:
        views, labels = batch
        return criterion.in_parts(model(torch.cat(views)), labels)

    def watch(model: nn.Module) -> float:
        encoder, mixture_head = model.children()
        assert isinstance(mixture_head, MixtureDensityHead)
        classifier = nn.Sequential(encoder, MixtureClassifier(mixture_head))
        return mean_average_precision(*work.outputs(classifier, work.splits.validation))

    history = fit(
        nn.Sequential(work.encoder, head),
        work.batches(method),
        step,
        method.training,
        criterion=criterion,
        **work.options(watch),
    )
    assert isinstance(head, MixtureDensityHead)
    return MixtureClassifier(head), head, [history]


def _two_stages(method: Method, work: _Work) -> Parts:
    train = work.splits.train
    with seeded(work.seed):
        head, criterion = contrastive_parts(method, work.encoder.feature_dim, len(train.classes))
    watched = train.subset(torch.arange(min(work.recipe.probe_images, len(train))))

    def watch(model: nn.Module) -> float:
        """A ridge probe of the frozen features: cheap, and without a random number."""
        known, known_labels = work.outputs(model, watched)
        features, labels = work.outputs(model, work.splits.validation)
        return mean_average_precision(ridge_probe(known, known_labels, features), labels)

    found = two_stages(
        work.encoder,
        head,
        train,
        work.splits.validation,
        criterion,
        method.training,
        probe=work.recipe.probe,
        two_views=work.recipe.views.two(),
        chunk=method.chunk,
        **work.probing(),
        **work.options(watch) | {"checkpoint": work.checkpoints},
    )
    return found.classifier, head, [found.contrastive, found.probe]


def _scores(work: _Work, classifier: nn.Module) -> tuple[Tensor, Tensor]:
    model = logits_model(work.encoder, classifier)
    validation, _ = work.outputs(model, work.splits.validation)
    test, _ = work.outputs(model, work.splits.test)
    return validation, test
