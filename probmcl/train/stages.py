"""Both stages after each other: data sets come in, a trained encoder with its classifier comes out (M14)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from probmcl import _check
from probmcl.data import LabelledDataset, ViewLoader, make_loader, suggested_workers
from probmcl.data.labelled import check_dataset
from probmcl.data.views import View
from probmcl.loss import AsymmetricLoss, ContrastiveCriterion
from probmcl.train.classification_stage import Criterion, linear_probe
from probmcl.train.contrastive_stage import contrastive_stage
from probmcl.train.distributed import broadcast, this_share
from probmcl.train.history import History
from probmcl.train.loop import Options, Watch
from probmcl.train.predict import predict
from probmcl.train.settings import TrainingSettings

Metric = Callable[[Tensor, Tensor], float]
"""A metric of scores and labels, each ``(N, K)``, such as mean average precision; higher is better."""


@dataclass(frozen=True)
class TwoStages:
    """The encoder, trained, the linear layer on its features (on the CPU), and the history of each stage."""

    encoder: nn.Module
    classifier: nn.Linear
    contrastive: History
    probe: History

    @property
    def model(self) -> nn.Sequential:
        """Images to logits ``(N, K)``: encoder and classifier."""
        return nn.Sequential(self.encoder, self.classifier)


def two_stages(
    encoder: nn.Module,
    head: nn.Module,
    train: LabelledDataset,
    validation: LabelledDataset,
    criterion: ContrastiveCriterion,
    settings: TrainingSettings,
    *,
    probe: TrainingSettings,
    two_views: View,
    plain_view: View,
    metric: Metric,
    seed: int,
    watch: Watch | None = None,
    plain_batch: int = 256,
    chunk: int | None = None,
    **options: Unpack[Options],
) -> TwoStages:
    """Train by the method (M14): encoder and head by contrast, then a linear layer on the frozen encoder.

    Args:
        encoder: maps images to features ``(N, F)``; trained in place.
        head: maps features to a :class:`~probmcl.model.HeadOutput`; trained in place, and used no more
            after the first stage.
        train: images to learn from.
        validation: images by which the probe's epoch is chosen.
        criterion: the contrastive loss, such as :class:`~probmcl.loss.ProbMCLLoss`.
        settings: optimiser, schedule and precision of the first stage.
        probe: the same of the second.
        two_views: two augmented views of an image, such as :class:`~probmcl.data.TwoViews` gives.
        plain_view: the view without chance, of the same size.
        metric: what the probe's epoch is chosen by, on validation images.
        seed: seeds order, views and probe.
        watch: metric of the encoder after an epoch of the first stage; without one the last epoch is kept.
        plain_batch: images of a batch where nothing is trained.
        chunk: image views kept at once, see :func:`~probmcl.train.contrastive_stage`.
        options: see :func:`~probmcl.train.fit`; ``checkpoint`` is a folder here, for a file of each stage.

    >>> from probmcl.data import TwoViews, digit_scenes, plain_view, scene_augmentation
    >>> from probmcl.evaluate import mean_average_precision
    >>> from probmcl.loss import ProbMCLLoss
    >>> from probmcl.model import MixtureDensityHead, SmallCNN
    >>> scenes, encoder = digit_scenes("train", 32), SmallCNN()
    >>> trained = two_stages(
    ...     encoder, MixtureDensityHead(encoder.feature_dim, 10, trunk=(16, 8)), scenes, scenes,
    ...     ProbMCLLoss(), TrainingSettings(1, 16, 1e-3), probe=TrainingSettings(1, 16, 1e-2),
    ...     two_views=TwoViews(scene_augmentation()), plain_view=plain_view(),
    ...     metric=mean_average_precision, seed=0,
    ... )
    >>> trained.model(plain_view()(scenes.images)).shape
    torch.Size([32, 10])
    """
    _check_probing(train, validation, plain_view, metric, plain_batch)
    _check.function("two_views", two_views)
    for name, stage in (("settings", settings), ("probe", probe)):
        _check.instance(name, stage, TrainingSettings)
    device = options.setdefault("device", "cpu")
    folder = options.pop("checkpoint", None)
    if folder is not None:
        options["checkpoint"] = Path(folder) / "training.pt"
    loader = device_loader(train, two_views, settings.batch_size, device=device, seed=seed)
    named: dict[str, Any] = {"seed": seed, "watch": watch, "chunk": chunk}
    contrastive = contrastive_stage(encoder, head, loader, criterion, settings, **named, **options)
    seen: dict[str, Any] = {"plain_view": plain_view, "plain_batch": plain_batch, "metric": metric}
    seen |= {"seed": seed, "device": device, "checkpoint": folder and Path(folder) / "probe.pt"}
    classifier, probed = probe_encoder(encoder, train, validation, AsymmetricLoss(), probe, **seen)
    return TwoStages(encoder, classifier, contrastive, probed)


def probe_encoder(
    encoder: nn.Module,
    train: LabelledDataset,
    validation: LabelledDataset,
    criterion: Criterion,
    settings: TrainingSettings,
    *,
    plain_view: View,
    metric: Metric,
    seed: int,
    plain_batch: int = 256,
    **options: Unpack[Options],
) -> tuple[nn.Linear, History]:
    """The classification stage: a linear layer on a frozen encoder's features, and its history (M14).

    The layer trains on the CPU, on every rank with the features of all images: to wait for one rank takes as
    long, and a long wait is taken for a failure. Should the ranks round differently, rank 0's layer counts.

    Args:
        encoder: maps images to features ``(N, F)``; left as it is.
        train: images to learn from.
        validation: images by which the epoch is chosen, by ``metric``.
        criterion: the asymmetric loss (M14), or another.
        settings: optimiser, schedule and precision.
        seed: seeds the stage; for the options see :func:`~probmcl.train.fit`.
        plain_view: the view without chance.
        metric: what the epoch is chosen by.
        plain_batch: images of a batch of features.
    """
    _check_probing(train, validation, plain_view, metric, plain_batch)
    _check.instance("encoder", encoder, nn.Module)
    device = options.pop("device", "cpu")
    (features, labels), (known, known_labels) = (
        predict(encoder, device_loader(images, plain_view, plain_batch, device=device), device=device)
        for images in (train, validation)
    )

    @torch.no_grad()
    def watch(layer: nn.Module) -> float:
        return metric(layer(known), known_labels)

    layer, history = linear_probe(features, labels, criterion, settings, seed=seed, watch=watch, **options)
    broadcast(layer)
    return layer, history


def _check_probing(train: object, validation: object, plain_view: View, metric: Metric, batch: int) -> None:
    """Raise unless a probe can begin: with two stages, before the long one."""
    check_dataset(train, "train")
    check_dataset(validation, "validation")
    _check.function("plain_view", plain_view)
    _check.function("metric", metric)
    _check.count("plain_batch", batch)


def device_loader(
    dataset: LabelledDataset,
    view: View,
    batch_size: int,
    *,
    device: torch.device | str,
    seed: int | None = None,
) -> ViewLoader:
    """Batches for a model on ``device``: loaded as it needs them, and over several ranks this rank's share.

    Args:
        dataset: images and labels.
        view: what the model sees of an image.
        batch_size: images of a batch, over all ranks together.
        device: where the model computes.
        seed: to train: shuffles, and leaves out the last batch if it is smaller. None keeps all, in order.

    >>> from probmcl.data import digit_scenes, plain_view
    >>> scenes = digit_scenes("train", 20)
    >>> [len(device_loader(scenes, plain_view(), 8, device="cpu", seed=seed)) for seed in (0, None)]
    [2, 3]
    """
    machine: dict[str, Any] = {"workers": suggested_workers(dataset, device), "share": this_share()}
    if torch.device(device).type == "cuda":
        machine |= {"device": device, "pin_memory": not dataset.labels.is_cuda}  # as its images are
    training = seed is not None
    return make_loader(dataset, view, batch_size, shuffle=training, seed=seed, drop_last=training, **machine)
