"""Contrastive criteria on embeddings: the deterministic relatives of ProbMCL."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from probmcl import _check
from probmcl.loss.anchor_sum import anchor_sum, scored_rows
from probmcl.loss.contrastive import NO_POSITIVES, label_targets, pair_mean, rule_mean, rule_targets
from probmcl.loss.diagnostics import collapse_diagnostics
from probmcl.loss.logits import cosine_logits
from probmcl.loss.parts import LossParts
from probmcl.loss.positive_rule import LabelledRows, PositiveRule
from probmcl.loss.queue import CrossBatchQueue
from probmcl.model import HeadOutput


class SupConLoss(nn.Module):
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
        >>> criterion(HeadOutput(torch.eye(4)), torch.tensor([[1, 0], [0, 1]])).total
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

    def forward(self, output: HeadOutput, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """Score embeddings of 2N rows (row i and i + N: views of image i) against labels ``(N, K)``.

        Args:
            output: embeddings of the 2N rows.
            labels: label matrix of the N images, ``(N, K)``.
            anchors: rows to score against all, ``(A,)``; None for all. The loss is their sum divided by the
                count over all rows, so losses of disjoint anchors that cover the rows add up to the whole.

        Returns:
            The loss, itself as part ``contrastive``, and collapse diagnostics. In training mode the rows then
            join the queue.

        Raises:
            ValueError: if there are not two rows an image, or for anchors that are not rows.
        """
        z = _check.finite("output.embedding", output.embedding, dims=2)
        images = LabelledRows.images(labels, views=len(z))
        scored = scored_rows(anchors, z)
        logits = cosine_logits(z[scored], _with_queue(z, self.queue), self.temperature)
        targets = rule_targets(self.positives, images, self.queue.labelled_rows(), scored, logits.dtype)
        total = anchor_sum(logits, targets, scored)
        loss = rule_mean(total, self.positives, images, self.no_positives)
        if self.training:
            self.queue.add(labels.repeat(2, 1), embedding=z)
        return LossParts(loss, {"contrastive": loss.detach()}, collapse_diagnostics(output))


class MulSupConLoss(nn.Module):
    """MulSupCon (Zhang and Wu, AAAI 2024) on the cosine of embeddings: one contrastive task a label.

    Args:
        temperature: tau > 0.
        queue: rows of earlier batches to compare with as well, at most; 0 for none.

    Example:
        >>> criterion = MulSupConLoss(temperature=0.1)
        >>> criterion(HeadOutput(torch.eye(4)), torch.tensor([[1, 0], [0, 1]])).total
        tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.1, queue: int = 0) -> None:
        super().__init__()
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)
        self.queue = CrossBatchQueue(queue, ["embedding"])

    def forward(self, output: HeadOutput, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """Score embeddings of 2N rows against labels ``(N, K)``; arguments as of :class:`SupConLoss`."""
        z = _check.finite("output.embedding", output.embedding, dims=2)
        images = LabelledRows.images(labels, views=len(z))
        scored = scored_rows(anchors, z)
        logits = cosine_logits(z[scored], _with_queue(z, self.queue), self.temperature)
        present = images.sets.present.to(logits.dtype).repeat(2, 1)
        if len(self.queue):
            present = torch.cat([present, self.queue.get_buffer("labels").to(present)])  # (M, K)
        targets, pairs = label_targets(present, scored, rows=len(z))
        loss = pair_mean(anchor_sum(logits, targets, scored), pairs)
        if self.training:
            self.queue.add(labels.repeat(2, 1), embedding=z)
        return LossParts(loss, {"contrastive": loss.detach()}, collapse_diagnostics(output))


def _with_queue(z: Tensor, queue: CrossBatchQueue) -> Tensor:
    """The embeddings of a batch and of the queue behind it, ``(M, D)``."""
    return torch.cat([z, queue.get_buffer("embedding").to(z)]) if len(queue) else z
