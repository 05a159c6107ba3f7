"""Logits of some anchors against all rows, made tile by tile from embeddings or mixtures."""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl.loss.anchor_sum import Logits
from probmcl.loss.bhattacharyya import log_matched_coefficient, numbers_per_pair
from probmcl.loss.gaussian_kernel import Components
from probmcl.loss.similarity import kernel_parts, matched_pair, mixture_means, normalised, unit_rows
from probmcl.model import GaussianMixture


def cosine_logits(anchors: Tensor, rows: Tensor, temperature: float) -> Logits:
    """Cosines of embeddings ``(A, D)`` with embeddings ``(M, D)``, divided by the temperature."""
    return Logits(torch.inner, len(rows), (unit_rows(anchors) / temperature,), (unit_rows(rows),))


def mixture_logits(
    name: str, anchors: GaussianMixture, rows: GaussianMixture | None, temperature: float
) -> Logits:
    """Scores of mixtures ``(A)`` and ``(M)`` under the similarity ``name``, divided by the temperature.

    Args:
        name: one of :data:`~probmcl.loss.SIMILARITIES`.
        anchors: mixtures to score.
        rows: mixtures they are scored against; ``anchors`` again for None, which makes use of symmetry.
        temperature: tau.
    """
    if name == "mean_cosine":
        return cosine_logits(*mixture_means(anchors, rows), temperature)

    def scores(log_scores: Tensor) -> Tensor:
        return (log_scores if name.startswith("log_") else log_scores.exp()) / temperature

    if name.endswith("expected_likelihood"):
        log_k, self_a, self_b = kernel_parts(anchors, rows)
        return Logits(lambda *parts: scores(normalised(*parts)), len(self_b), (log_k, self_a), (self_b,))

    def matched(*parts: Tensor) -> Tensor:
        return scores(log_matched_coefficient(Components(*parts[:3]), Components(*parts[3:])))

    first, second = matched_pair(anchors, rows)
    return Logits(matched, len(second.means), first, second, numbers_per_pair(second))
