"""The first stage: encoder and head learn from two views of every image (M1, M9)."""

from typing import Any, Unpack

import torch
from torch import nn

from probmcl import _check
from probmcl.loss import ContrastiveCriterion, LossParts
from probmcl.train.batches import Loader, views_and_labels
from probmcl.train.distributed import shared_batches
from probmcl.train.gathering import AcrossRanks
from probmcl.train.gradient_cache import InChunks
from probmcl.train.history import History
from probmcl.train.loop import Options, Watch, fit, watching
from probmcl.train.settings import TrainingSettings


def contrastive_stage(
    encoder: nn.Module,
    head: nn.Module,
    loader: Loader,
    criterion: ContrastiveCriterion,
    settings: TrainingSettings,
    *,
    seed: int,
    watch: Watch | None = None,
    chunk: int | None = None,
    **options: Unpack[Options],
) -> History:
    """Train ``encoder`` and ``head`` in place with a contrastive criterion, and return the history.

    Args:
        encoder: maps images to features ``(N, F)``.
        head: maps features to a :class:`~probmcl.model.HeadOutput`; it is dropped after this stage (M14).
        loader: batches ``((view_1, view_2), labels)`` as ``make_loader`` with ``TwoViews`` yields them. If
            it gives each rank its share, every image is compared with those of all ranks.
        criterion: such as :class:`~probmcl.loss.ProbMCLLoss` or :class:`~probmcl.loss.SupConLoss`.
        settings: optimiser, schedule and precision.
        seed: seeds the stage; for the options see :func:`~probmcl.train.fit`.
        watch: metric of the encoder on validation images; higher is better.
        chunk: image views whose activations are kept at once; None keeps those of all. A batch larger than
            memory then has the gradients of the whole batch, for a second forward pass (gradient caching, Gao
            et al., 2021). Chance draws chunk by chunk. Batch normalisation that trains is the exception: it
            normalises each chunk by itself, as a batch of that size.
    """
    for name, module in (("encoder", encoder), ("head", head)):
        _check.instance(name, module, nn.Module)
    if not hasattr(criterion, "in_parts"):
        kind = type(criterion).__name__
        raise TypeError(f"criterion: expected a contrastive one, such as SupConLoss(), got {kind}")
    chunk = None if chunk is None else _check.count("chunk", chunk)
    if chunk is not None and shared_batches(loader) is not None:
        raise ValueError(f"chunk: expected None, as several processes share every batch, got {chunk}")
    scored = criterion if shared_batches(loader) is None else AcrossRanks(criterion)

    def step(model: nn.Module, batch: Any) -> LossParts:
        views, labels = views_and_labels(batch)
        return scored.in_parts(model(torch.cat(views)), labels)  # 2N rows: all first views, all second

    model = nn.Sequential(encoder, head) if chunk is None else InChunks(encoder, head, chunk)
    known_by = {} if chunk is None else {"chunk": str(chunk)}
    watched = watching(watch, lambda model: model.get_submodule("0"))
    named: dict[str, Any] = {"seed": seed, "watch": watched, "criterion": criterion, "identity": known_by}
    return fit(model, loader, step, settings, **named, **options)
