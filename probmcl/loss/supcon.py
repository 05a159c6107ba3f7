"""Contrastive criteria on embeddings: the deterministic relatives of ProbMCL."""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.contrastive import NO_POSITIVES, label_loss, rule_loss
from probmcl.loss.criterion import ContrastiveCriterion, Terms
from probmcl.loss.overlap import LabelSets
from probmcl.loss.positives import PositiveRule
from probmcl.loss.queue import CrossBatchQueue
from probmcl.loss.similarity import cosine_logits
from probmcl.model import HeadOutput


class SupConLoss(ContrastiveCriterion):
    """Multi-label supervised contrastive loss on the cosine of embeddings.

    With the default rule it is ProbMCL without its mixture, which is the recipe of MultiSupContrast (2022):
    positives by a Jaccard threshold.

    Args:
        rule: one of :data:`~probmcl.loss.RULES`.
        index: overlap index (M7).
        threshold: decision threshold alpha (M7).
        empty: policy for label-less rows (M8).
        temperature: tau > 0.
        no_positives: policy for anchors without positives.
        queue: rows of earlier batches to compare with as well, at most; 0 for none.

    Example:
        >>> criterion = SupConLoss(temperature=0.1)
        >>> criterion(torch.eye(4), torch.tensor([[1, 0], [0, 1]]))  # two views of two images
        tensor(1.0986)
    """

    def __init__(
        self,
        rule: str = "threshold",
        index: str = "jaccard",
        threshold: float = 0.5,
        empty: str = "match",
        temperature: float = 0.1,
        no_positives: str = "skip",
        queue: int = 0,
    ) -> None:
        super().__init__()
        self.positives = PositiveRule(rule, index, threshold, empty)
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)
        self.no_positives = _check.one_of("no_positives", no_positives, NO_POSITIVES)
        self.queue = CrossBatchQueue(queue, ["embedding"])

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """The loss, itself as part ``contrastive``."""
        z = output.embedding
        scored = torch.arange(len(z), device=z.device) if anchors is None else anchors
        rows, queued = z, None
        if len(self.queue):
            rows = torch.cat([z, self.queue.get_buffer("embedding").to(z)])
            queued = self.queue.label_sets()
        logits = cosine_logits(z[scored], rows, self.temperature)
        loss = rule_loss(logits, self.positives, images, queued, scored, self.no_positives)
        if self.training and self.queue.rows:
            self.queue.add(images.present.repeat(len(z) // len(images), 1), embedding=z)
        return loss, {"contrastive": loss.detach()}


class MulSupConLoss(ContrastiveCriterion):
    """MulSupCon (Zhang and Wu, AAAI 2024) on the cosine of embeddings: one contrastive task per label.

    Args:
        temperature: tau > 0.
        queue: rows of earlier batches to compare with as well, at most; 0 for none.

    Example:
        >>> criterion = MulSupConLoss(temperature=0.1)
        >>> criterion(torch.eye(4), torch.tensor([[1, 0], [0, 1]]))  # two views of two images
        tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.1, queue: int = 0) -> None:
        super().__init__()
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)
        self.queue = CrossBatchQueue(queue, ["embedding"])

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """The loss, itself as part ``contrastive``."""
        z = output.embedding
        labels = images.present.repeat(len(z) // len(images), 1)  # (V N, K)
        scored = torch.arange(len(z), device=z.device) if anchors is None else anchors
        rows, present = z, labels
        if len(self.queue):
            rows = torch.cat([z, self.queue.get_buffer("embedding").to(z)])
            present = torch.cat([labels, self.queue.get_buffer("labels").to(labels)])  # (M, K)
        logits = cosine_logits(z[scored], rows, self.temperature)
        loss = label_loss(logits, present.to(logits.dtype), scored, rows=len(z))
        if self.training and self.queue.rows:
            self.queue.add(labels, embedding=z)
        return loss, {"contrastive": loss.detach()}
