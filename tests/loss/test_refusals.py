"""What models and losses refuse, one line per rule; wrong types, names and rows are the fuzzer's."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from probmcl import loss, model
from probmcl.train import AcrossRanks

LABELS = torch.eye(4)[:, :3]
Z = torch.zeros(4, 2)


def mixture(n: int = 4, k: int = 3, d: int = 2, *, sigma: float = 1.0) -> model.GaussianMixture:
    return model.GaussianMixture(torch.zeros(n, k), torch.zeros(n, k, d), torch.full((n, k), sigma))


def scored_at(anchors: list[Any]) -> torch.Tensor:
    return loss.SupConLoss()(Z + 1, LABELS, torch.tensor(anchors))


DIAGONAL = model.GaussianMixture(torch.zeros(4, 3), torch.zeros(4, 3, 2), torch.ones(4, 3, 2))
FAR = model.GaussianMixture(torch.zeros(4, 1), 1e11 * torch.eye(4)[:, None], torch.full((4, 1), 1e-7))
WITH_LOGITS = model.HeadOutput(Z, mixture(), LABELS)
FULL_QUEUE = loss.CrossBatchQueue(4, ["embedding"])
FULL_QUEUE.add(torch.ones(2, 3), embedding=torch.ones(2, 5))

REFUSED = [
    ("log_weights: expected shape (4, 3)", lambda: model.GaussianMixture(Z, torch.zeros(4, 3, 2), Z)),
    ("sigmas: expected shape", lambda: model.GaussianMixture(torch.zeros(4, 3), torch.zeros(4, 3, 2), Z)),
    ("z: expected shape (4, 2), got (2, 2)", lambda: mixture().log_prob(Z[:2])),
    ("sigmas: expected values in [1e-07, 1e+07], got 1e-30", lambda: mixture(sigma=1e-30).log_prob(Z)),
    ("n: expected a whole number >= 1, got 0", lambda: mixture().sample(0)),
    ("mixtures: expected one shape", lambda: model.GaussianMixture.cat([mixture(), mixture(k=2)])),
    ("mixture: expected 4 rows as in embedding, got 3", lambda: model.HeadOutput(Z, mixture(3))),
    ("logits: expected the shape of mixture", lambda: model.HeadOutput(Z, mixture(), torch.zeros(4, 2))),
    ("logits: expected as many rows as embedding (4)", lambda: model.HeadOutput(Z, None, torch.zeros(3, 2))),
    ("components: expected a whole number <= 2147483647", lambda: model.MixtureDensityHead(8, 10**18)),
    ("trunk: expected at least one entry", lambda: model.MixtureDensityHead(8, 3, trunk=())),
    ("trunk: expected a whole number >= 1, got 0", lambda: model.MixtureDensityHead(8, 3, trunk=(16, 0))),
    ("sigma_floor: expected a number", lambda: model.MixtureDensityHead(8, 3, sigma_floor=0.0)),
    ("head: expected one with weights", lambda: model.MixtureClassifier(model.MixtureDensityHead(8, 3))),
    ("in_dim: expected a whole number", lambda: model.ProjectionHead(0, (4,))),
    ("widths: expected a whole number", lambda: model.ProjectionHead(8, (4.5,))),
    ("features: expected 8 entries per row, got 9", lambda: model.ProjectionHead(8, (4,))(torch.zeros(2, 9))),
    ("features: expected torch.float32", lambda: model.ProjectionHead(8, (4,))(torch.zeros(2, 8).double())),
    ("features: expected 4 entries per row", lambda: model.LabelGraphHead(4, LABELS)(torch.zeros(2, 3))),
    ("threshold: expected a number in (0, 1]", lambda: model.LabelGraphHead(4, LABELS, threshold=0.0)),
    ("reweighting: expected a number in [0, 1)", lambda: model.LabelGraphHead(4, LABELS, reweighting=1.0)),
    ("width: expected a multiple of heads (4), got 10", lambda: model.MLDecoderHead(5, 4, width=10, heads=4)),
    ("dropout: expected a number", lambda: model.MLDecoderHead(5, 4, dropout=1.5)),
    ("maps: expected 5 channels, got 6", lambda: model.MLDecoderHead(5, 4)(torch.zeros(2, 6, 2, 3))),
    ("hidden: expected a whole number >= 1, got 0", lambda: model.FeatureMLP(3, hidden=0)),
    ("images: expected images that the network takes", lambda: model.SmallCNN()(torch.zeros(2, 3, 8, 8))),
    ("weights: small-cnn has no published weights", lambda: model.build_encoder("small-cnn", weights="V1")),
    ("in_channels: torchvision", lambda: model.build_encoder("torchvision/resnet18", in_channels=1)),
    ("name: expected a backbone with a linear", lambda: model.build_encoder("torchvision/squeezenet1_1")),
    ("other: expected 3 classes as in labels, got 2", lambda: loss.overlap(LABELS, Z)),
    ("threshold: expected a number in [0, 1]", lambda: loss.overlaps_enough(LABELS, threshold=1.1)),
    ("threshold: expected a number in [0, 1]", lambda: loss.positive_set(LABELS, threshold=-0.1)),
    ("image_ids: expected the image of every row", lambda: loss.positive_set(LABELS, empty="own_view")),
    ("thresholds: expected at least one entry", lambda: loss.positive_statistics(LABELS, [])),
    ("thresholds: expected a number in [0, 1]", lambda: loss.positive_statistics(LABELS, [0.5, 1.5])),
    ("logits: expected the shape of labels (4, 3)", lambda: loss.asymmetric_loss(Z, LABELS)),
    ("gamma_positive: expected a number", lambda: loss.AsymmetricLoss(gamma_positive=-1.0)),
    ("gamma_negative: expected a number", lambda: loss.AsymmetricLoss(gamma_negative=-1.0)),
    ("margin: expected a number in [0, 1)", lambda: loss.AsymmetricLoss(margin=1.0)),
    ("logits: expected a square matrix", lambda: loss.contrastive_loss(Z, Z)),
    ("weights: expected no negative weight", lambda: loss.contrastive_loss(torch.eye(4), -torch.ones(4, 4))),
    ("b: expected 3 dimensions", lambda: loss.similarity_scores("mean_cosine", mixture(d=3), mixture())),
    ("b: expected the covariance form", lambda: loss.similarity_scores("mean_cosine", mixture(), DIAGONAL)),
    ("b: expected 3 components", lambda: loss.similarity_scores("bhattacharyya", mixture(), mixture(k=2))),
    ("b: expected torch.float32 as a", lambda: loss.cosine_similarity(Z, Z.double())),
    ("b: expected 2 dimensions as in a, got 3", lambda: loss.cosine_similarity(Z, LABELS)),
    ("a.sigmas: expected values in", lambda: loss.similarity_scores("mean_cosine", mixture(sigma=1e8))),
    ("output: expected", lambda: loss.SupConLoss()(Z[0], LABELS)),
    ("output: expected finite", lambda: loss.SupConLoss()(Z * math.nan, LABELS)),
    ("labels: expected one row per embedding (4)", lambda: loss.SupConLoss()(Z, LABELS[:3])),
    ("labels: expected 2 dimensions", lambda: loss.SupConLoss()(Z, LABELS[0])),
    ("anchors: expected row indices in [0, 4), got 4", lambda: scored_at([0, 4])),
    ("anchors: expected row indices in [0, 4), got -1", lambda: scored_at([-1])),
    ("anchors: expected every row at most once", lambda: scored_at([3, 3])),
    ("anchors: expected 1 dimensions", lambda: scored_at([[0]])),
    ("anchors: expected row indices of type torch.int64", lambda: scored_at([0.0])),
    ("anchors: expected at least one element", lambda: scored_at([])),
    ("temperature: expected a number in [0.0001, 10000], got 0", lambda: loss.SupConLoss(temperature=0)),
    ("temperature: expected a number", lambda: loss.MulSupConLoss(temperature=-1.0)),
    ("temperature: expected a number", lambda: loss.ProbMCLLoss(temperature=math.inf)),
    ("temperature: expected a number", lambda: loss.KMCLLoss(temperature=1e-30)),
    ("nll_weight: expected a number", lambda: loss.ProbMCLLoss(nll_weight=-1.0)),
    ("queue: expected a whole number, got bool", lambda: loss.ProbMCLLoss(queue=np.bool_(True))),
    ("contrastive_weight: expected a number", lambda: loss.KMCLLoss(contrastive_weight=-1.0)),
    ("reconstruction_weight: expected a number", lambda: loss.KMCLLoss(reconstruction_weight=-1.0)),
    ("labels: expected shape (4, 3)", lambda: loss.kmcl_contrastive_loss(mixture(), LABELS[:3])),
    ("z: expected shape (4, 2)", lambda: loss.kmcl_reconstruction_loss(mixture(), LABELS, LABELS)),
    ("output: expected mixtures (of a", lambda: loss.ProbMCLLoss()(model.HeadOutput(Z), LABELS)),
    ("output: expected mixtures and logits", lambda: loss.KMCLLoss()(model.HeadOutput(Z, mixture()), LABELS)),
    ("anchors: expected None", lambda: loss.KMCLLoss()(WITH_LOGITS, LABELS, torch.arange(2))),
    ("criterion: expected one that scores anchors, as ProbMCLLoss", lambda: AcrossRanks(loss.KMCLLoss())),
    ("criterion: expected one that scores anchors", lambda: AcrossRanks(AcrossRanks(loss.SupConLoss()))),
    ("target: expected shape (4, 2), got (2, 2)", lambda: loss.mixture_nll(mixture(), Z[:2])),
    ("embedding: expected 2 rows per image", lambda: loss.view_targets(Z[:3])),
    ("labels: expected shape (4, 3), got (4, 2)", lambda: FULL_QUEUE.add(Z, embedding=Z)),
    (
        "logits: expected finite values, got a sum",
        lambda: loss.ProbMCLLoss(temperature=1e-4, nll_weight=0)(FAR, torch.ones(4, 1)),
    ),
]


@pytest.mark.parametrize(("message", "refused"), REFUSED, ids=[message for message, _ in REFUSED])
def test_what_is_refused_is_named(message, refused):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        refused()
