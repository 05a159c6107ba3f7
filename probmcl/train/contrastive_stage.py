"""The first stage: encoder and head learn from two views of every image (M1, M9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from probmcl.loss import ContrastiveCriterion, LossParts
from probmcl.train.batches import Loader
from probmcl.train.distributed import shared_batches
from probmcl.train.gathering import AcrossRanks
from probmcl.train.history import History
from probmcl.train.loop import Watch, fit
from probmcl.train.settings import TrainingSettings


def contrastive_stage(
    encoder: nn.Module,
    head: nn.Module,
    criterion: ContrastiveCriterion,
    loader: Loader,
    settings: TrainingSettings,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    watch: Watch | None = None,
    keep_head: bool = False,
    checkpoint: str | Path | None = None,
    checkpoint_steps: int | None = None,
    progress: str | None = None,
) -> History:
    """Train ``encoder`` and ``head`` in place with a contrastive criterion.

    Args:
        encoder: maps images to features ``(N, F)``.
        head: maps features to a :class:`~probmcl.model.HeadOutput`; it is dropped after this stage (M14),
            unless it is the classifier too (``keep_head``).
        criterion: such as :class:`~probmcl.loss.ProbMCLLoss` or :class:`~probmcl.loss.SupConLoss`.
        loader: batches ``((view_1, view_2), labels)`` as ``make_loader`` with ``TwoViews`` yields them. If
            it gives each rank its share, every image is compared with those of all ranks.
        settings: optimiser, schedule and precision.
        seed: seeds the stage.
        device: where to train.
        watch: metric of the encoder on validation images; higher is better.
        keep_head: ``watch`` gets encoder and head, an ``nn.Sequential``: the head is used afterwards.
        checkpoint: file to write after every epoch and to resume from, see :func:`~probmcl.train.fit`.
        checkpoint_steps: write it after every so many steps as well.
        progress: text beside a progress bar; None for none.

    Returns:
        The history of the epochs.
    """
    scored = criterion if shared_batches(loader) is None else AcrossRanks(criterion)

    def step(model: nn.Module, batch: Any) -> LossParts:
        views, labels = batch
        return scored.in_parts(model(torch.cat(views)), labels)  # 2N rows: all first views, all second

    def watch_kept(model: nn.Module) -> float:
        assert watch is not None
        return watch(model if keep_head else model.get_submodule("0"))

    return fit(
        nn.Sequential(encoder, head),
        step,
        loader,
        settings,
        seed=seed,
        device=device,
        criterion=criterion,
        watch=None if watch is None else watch_kept,
        checkpoint=checkpoint,
        checkpoint_steps=checkpoint_steps,
        progress=progress,
    )
