"""Logits of some anchors against all rows, made tile by tile from embeddings or mixtures."""

from __future__ import annotations

from torch import Tensor

from probmcl.loss.anchor_sum import Logits
from probmcl.loss.similarity import similarity_scores, unit_rows
from probmcl.model import GaussianMixture


def cosine_logits(anchors: Tensor, rows: Tensor, temperature: float) -> Logits:
    """Cosines of embeddings ``(A, D)`` with embeddings ``(M, D)``, divided by the temperature."""
    return Logits(
        lambda a, b: (a @ b.T).div_(temperature), len(rows), (unit_rows(anchors),), (unit_rows(rows),)
    )


def mixture_logits(
    name: str, anchors: GaussianMixture, rows: GaussianMixture | None, temperature: float
) -> Logits:
    """Scores of mixtures ``(A)`` and ``(M)`` under the similarity ``name``, divided by the temperature."""
    scores = similarity_scores(name, anchors, rows) / temperature
    return Logits(lambda tile: tile, scores.shape[1], (scores,))
