"""The second stage: a linear probe of the frozen encoder (M14). Its rival: all trained at once."""

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from probmcl import _check
from probmcl.data import checksum
from probmcl.data.seeded import seeded
from probmcl.loss import LossParts
from probmcl.train.batches import Loader, views_and_labels
from probmcl.train.distributed import all_reduce, broadcast_object, shared_batches, this_share
from probmcl.train.history import History
from probmcl.train.loop import Options, Step, Watch, fit, watching
from probmcl.train.settings import TrainingSettings

Criterion = Callable[[Tensor, Tensor], Tensor]
"""A classification loss of logits and labels, such as :class:`~probmcl.loss.AsymmetricLoss`."""


def linear_probe(
    features: Tensor,
    labels: Tensor,
    criterion: Criterion,
    settings: TrainingSettings,
    *,
    seed: int,
    watch: Watch | None = None,
    **options: Unpack[Options],
) -> tuple[nn.Linear, History]:
    """Train a linear classifier on features of a frozen encoder (M14).

    Features, computed once (:func:`~probmcl.train.predict`), are standardised for the optimiser's sake; the
    returned layer takes them as they are. A feature that is constant in training has zero weights.

    Args:
        features: frozen features of the training images, ``(N, F)``, of any precision; computed in float32.
        labels: zeros and ones, ``(N, K)``.
        criterion: the asymmetric loss (M14), or another.
        settings: optimiser and schedule.
        seed: seeds initialisation and order; for the options see :func:`~probmcl.train.fit`. A checkpoint
            goes on with the same features and labels only, bit by bit.
        watch: metric of the linear layer on validation features (as they are, not standardised); higher is
            better.

    Returns:
        The linear layer, on the CPU as its features are, and the history.

    >>> cross_entropy = nn.functional.binary_cross_entropy_with_logits
    >>> features = torch.randn(64, 4)
    >>> labels = (features[:, :2] > 0).float()
    >>> settings = TrainingSettings(epochs=20, batch_size=32, learning_rate=0.1)
    >>> layer, _ = linear_probe(features, labels, cross_entropy, settings, seed=0)
    >>> bool(((layer(features) > 0) == labels.bool()).float().mean() > 0.9)
    True
    """
    _check.instance("settings", settings, TrainingSettings)
    features = _check.finite("features", features, dims=2).float().cpu()
    _check.same_rows("features", features, "labels", _check.labels("labels", labels))
    mean, constant = features.mean(0), _constant(features)
    deviation = features.std(0, correction=0).clamp(min=1e-6).masked_fill(constant, 1.0)
    with seeded(seed):
        layer = nn.Linear(features.shape[1], labels.shape[1])
    shuffle = torch.Generator().manual_seed(int(seed))
    data = TensorDataset((features - mean) / deviation, labels.float().cpu())
    loader: Loader = DataLoader(data, settings.batch_size, shuffle=True, generator=shuffle)

    folded = partial(_fold, mean=mean, deviation=deviation, constant=constant)
    known_by = {"features": features, "labels": labels} if options.get("checkpoint") else {}
    identity = broadcast_object({name: checksum(tensor) for name, tensor in known_by.items()})  # rank 0's
    named: dict[str, Any] = {"seed": seed, "watch": watching(watch, folded), "identity": identity}
    step = _classification_step(criterion)
    history = fit(layer, loader, step, settings, criterion=criterion, **named, **options)
    return folded(layer), history


def end_to_end(
    classifier: nn.Module,
    loader: Loader,
    criterion: Criterion,
    settings: TrainingSettings,
    *,
    seed: int,
    watch: Watch | None = None,
    **options: Unpack[Options],
) -> History:
    """Train encoder and classifier together, the baselines BCE and ASL, and return the history.

    Both views of an image are training images of their own, so a step sees as many image views as a step of
    the contrastive stage.

    Args:
        classifier: maps images to logits ``(N, K)``, such as ``nn.Sequential(encoder, nn.Linear(F, K))``.
        loader: batches ``((view_1, view_2), labels)``; over several ranks, each rank's share of them.
        criterion: binary cross-entropy, the asymmetric loss, or another.
        settings: optimiser, schedule and precision.
        seed: seeds the stage; for the options see :func:`~probmcl.train.fit`.
        watch: metric of the classifier on validation images; higher is better.
    """
    _check.instance("classifier", classifier, nn.Module)
    step = _classification_step(criterion, shared=shared_batches(loader) is not None)
    return fit(classifier, loader, step, settings, seed=seed, watch=watch, criterion=criterion, **options)


def _classification_step(criterion: Criterion, *, shared: bool = False) -> Step:
    _check.function("criterion", criterion)

    def step(model: nn.Module, batch: Any) -> LossParts:
        views, labels = views_and_labels(batch)
        loss = criterion(model(torch.cat(views)), labels.repeat(len(views), 1))
        if shared:  # the mean over ranks is that over all images, also where their shares are unequal
            images = torch.tensor(float(len(labels)), device=loss.device)
            loss = loss * (images * this_share().ranks / all_reduce(images))
        return LossParts(loss, {"classification": loss.detach()})

    return step


def _constant(features: Tensor) -> Tensor:
    """Which features are the same in all rows, but for the last bits, ``(F,)``."""
    low, high = features.aminmax(dim=0)
    return high - low <= 8 * torch.finfo(features.dtype).eps * torch.maximum(low.abs(), high.abs())


def _fold(layer: Any, mean: Tensor, deviation: Tensor, constant: Tensor) -> nn.Linear:
    """The layer that gives for x what ``layer`` gives for (x - mean) / deviation; a constant counts 0."""
    folded = nn.Linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        folded.weight.copy_((layer.weight.cpu() / deviation).masked_fill(constant, 0.0))
        folded.bias.copy_(layer.bias.cpu() - folded.weight @ mean)
    return folded
