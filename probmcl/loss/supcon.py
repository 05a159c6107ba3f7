"""Contrastive criteria on embeddings: the deterministic relatives of ProbMCL."""

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.anchor_sum import LazyLogits
from probmcl.loss.contrastive import NO_POSITIVES, label_loss, rule_loss
from probmcl.loss.criterion import ContrastiveCriterion, Terms
from probmcl.loss.overlap import LabelSets
from probmcl.loss.positives import PositiveRule
from probmcl.loss.queue import CrossBatchQueue
from probmcl.loss.similarity import cosine_logits
from probmcl.model import HeadOutput


class _OnEmbeddings(ContrastiveCriterion):
    """A loss of the cosines of embeddings, with a queue of earlier ones."""

    def __init__(self, temperature: float, queue: int) -> None:
        super().__init__()
        self.temperature = _check.temperature(temperature)
        self.queue = CrossBatchQueue(_check.count("queue", queue, low=0), ["embedding"])

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """The loss, itself as part ``contrastive``."""
        z = output.embedding
        rows = torch.cat([z, self.queue.get_buffer("embedding").to(z)]) if len(self.queue) else z
        logits = cosine_logits(z if anchors is None else z[anchors], rows, self.temperature)
        loss = self._loss(logits, images, anchors)
        if self.training and self.queue.rows:
            self.queue.add(images.present.repeat(len(z) // len(images), 1), embedding=z)
        return loss, {"contrastive": loss.detach()}

    def _loss(self, logits: LazyLogits, images: LabelSets, anchors: Tensor | None) -> Tensor:
        """The loss of the anchors' logits against the labelled batch and the queue."""
        raise NotImplementedError


class SupConLoss(_OnEmbeddings):
    """Multi-label supervised contrastive loss on the cosine of embeddings.

    With the default rule it is ProbMCL without its mixture, which is the recipe of MultiSupContrast (2022):
    positives by a Jaccard threshold.

    Args:
        rule: one of :data:`~probmcl.loss.RULES`.
        index: overlap index (M7).
        threshold: decision threshold alpha (M7).
        empty: policy for label-less rows (M8).
        temperature: tau, in [1e-4, 1e4].
        no_positives: policy for anchors without positives.
        queue: rows of earlier batches to compare with as well, at most; 0 for none.

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
        super().__init__(temperature, queue)
        self.positives = PositiveRule(rule, index, threshold, empty)
        self.no_positives = _check.one_of("no_positives", no_positives, NO_POSITIVES)

    def _loss(self, logits: LazyLogits, images: LabelSets, anchors: Tensor | None) -> Tensor:
        queued = self.queue.label_sets() if len(self.queue) else None
        return rule_loss(logits, self.positives, images, queued, anchors, self.no_positives)


class MulSupConLoss(_OnEmbeddings):
    """MulSupCon (Zhang and Wu, AAAI 2024) on the cosine of embeddings: one contrastive task per label.

    Args:
        temperature: tau, in [1e-4, 1e4].
        queue: rows of earlier batches to compare with as well, at most; 0 for none.

    >>> criterion = MulSupConLoss(temperature=0.1)
    >>> criterion(torch.eye(4), torch.tensor([[1, 0], [0, 1]]))  # two views of two images
    tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.1, queue: int = 0) -> None:
        super().__init__(temperature, queue)

    def _loss(self, logits: LazyLogits, images: LabelSets, anchors: Tensor | None) -> Tensor:
        queued = self.queue.get_buffer("labels").to(images.present)
        rows = logits.others - len(queued)
        present = images.present.repeat(rows // len(images), 1)  # (V N, K)
        present = torch.cat([present, queued]) if len(queued) else present  # (M, K)
        return label_loss(logits, present.to(logits.dtype), anchors, rows=rows)
