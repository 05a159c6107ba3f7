"""What models and losses refuse, one line per rule of theirs; wrong types and NaN are the fuzzer's."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from probmcl.loss import (
    AsymmetricLoss,
    CrossBatchQueue,
    KMCLLoss,
    MulSupConLoss,
    ProbMCLLoss,
    SupConLoss,
    asymmetric_loss,
    contrastive_loss,
    cosine_similarity,
    kmcl_contrastive_loss,
    kmcl_reconstruction_loss,
    mixture_nll,
    mulsupcon_loss,
    overlap,
    overlaps_enough,
    positive_set,
    positive_statistics,
    positive_weights,
    similarity_scores,
    view_targets,
)
from probmcl.model import (
    FeatureMLP,
    GaussianMixture,
    HeadOutput,
    LabelGraphHead,
    MixtureClassifier,
    MixtureDensityHead,
    MLDecoderHead,
    ProjectionHead,
    SmallCNN,
    build_encoder,
)
from probmcl.train import AcrossRanks

LABELS = torch.eye(4)[:, :3]
Z = torch.zeros(4, 2)


def mixture(n: int = 4, k: int = 3, d: int = 2, *, sigma: float = 1.0) -> GaussianMixture:
    return GaussianMixture(torch.zeros(n, k), torch.zeros(n, k, d), torch.full((n, k), sigma))


DIAGONAL = GaussianMixture(torch.zeros(4, 3), torch.zeros(4, 3, 2), torch.ones(4, 3, 2))
FAR = GaussianMixture(torch.zeros(4, 1), 1e11 * torch.eye(4)[:, None], torch.full((4, 1), 1e-7))
FULL_QUEUE = CrossBatchQueue(4, ["embedding"])
FULL_QUEUE.add(torch.ones(2, 3), embedding=torch.ones(2, 5))

REFUSED = [
    ("log_weights: expected shape (4, 3), got (4, 2)", lambda: GaussianMixture(Z, torch.zeros(4, 3, 2), Z)),
    ("sigmas: expected shape", lambda: GaussianMixture(torch.zeros(4, 3), torch.zeros(4, 3, 2), Z)),
    ("z: expected shape (4, 2), got (2, 2)", lambda: mixture().log_prob(Z[:2])),
    ("sigmas: expected values in [1e-07, 1e+07], got 1e-30", lambda: mixture(sigma=1e-30).log_prob(Z)),
    ("n: expected a whole number >= 1, got 0", lambda: mixture().sample(0)),
    ("mixtures: expected one shape", lambda: GaussianMixture.cat([mixture(), mixture(k=2)])),
    ("mixture: expected 4 rows as in embedding, got 3", lambda: HeadOutput(Z, mixture(3))),
    ("logits: expected the shape of mixture", lambda: HeadOutput(Z, mixture(), torch.zeros(4, 2))),
    ("logits: expected as many rows as embedding (4)", lambda: HeadOutput(Z, None, torch.zeros(3, 2))),
    ("components: expected a whole number", lambda: MixtureDensityHead(8, 2.5)),
    ("components: expected a whole number <= 2147483647", lambda: MixtureDensityHead(8, 10**18)),
    ("trunk: expected at least one entry", lambda: MixtureDensityHead(8, 3, trunk=())),
    ("trunk: expected a whole number >= 1, got 0", lambda: MixtureDensityHead(8, 3, trunk=(16, 0))),
    ("covariance: expected one of isotropic, diagonal", lambda: MixtureDensityHead(8, 3, covariance="full")),
    ("weights: expected one of softmax, sigmoid", lambda: MixtureDensityHead(8, 3, weights="tanh")),
    ("sigma_floor: expected a number", lambda: MixtureDensityHead(8, 3, sigma_floor=0.0)),
    ("head: expected one with weights", lambda: MixtureClassifier(MixtureDensityHead(8, 3))),
    ("in_dim: expected a whole number", lambda: ProjectionHead(0, (4,))),
    ("widths: expected a whole number", lambda: ProjectionHead(8, (4.5,))),
    ("features: expected 8 entries per row, got 9", lambda: ProjectionHead(8, (4,))(torch.zeros(2, 9))),
    ("features: expected torch.float32", lambda: ProjectionHead(8, (4,))(torch.zeros(2, 8).double())),
    ("features: expected 4 entries per row, got 3", lambda: LabelGraphHead(4, LABELS)(torch.zeros(2, 3))),
    ("threshold: expected a number in (0, 1]", lambda: LabelGraphHead(4, LABELS, threshold=0.0)),
    ("reweighting: expected a number in [0, 1)", lambda: LabelGraphHead(4, LABELS, reweighting=1.0)),
    ("width: expected a multiple of heads (4), got 10", lambda: MLDecoderHead(5, 4, width=10, heads=4)),
    ("dropout: expected a number", lambda: MLDecoderHead(5, 4, dropout=1.5)),
    ("maps: expected 5 channels, got 6", lambda: MLDecoderHead(5, 4)(torch.zeros(2, 6, 2, 3))),
    ("hidden: expected a whole number >= 1, got 0", lambda: FeatureMLP(3, hidden=0)),
    ("images: expected images that the network takes", lambda: SmallCNN()(torch.zeros(2, 3, 8, 8))),
    ("weights: small-cnn has no published weights", lambda: build_encoder("small-cnn", weights="V1")),
    ("in_channels: torchvision", lambda: build_encoder("torchvision/resnet18", in_channels=1)),
    ("name: expected a backbone with a linear", lambda: build_encoder("torchvision/squeezenet1_1")),
    ("other: expected 3 classes as in labels, got 2", lambda: overlap(LABELS, Z)),
    ("labels: expected only 0 and 1, got 2", lambda: overlap(2 * LABELS)),
    ("index: expected one of jaccard, dice", lambda: overlap(LABELS, index="jacard")),
    ("threshold: expected a number in [0, 1]", lambda: overlaps_enough(LABELS, threshold=1.1)),
    ("threshold: expected a number in [0, 1]", lambda: positive_set(LABELS, threshold=-0.1)),
    ("empty: expected one of match, own_view, drop", lambda: positive_set(LABELS, empty="ignore")),
    ("image_ids: expected the image of every row", lambda: positive_set(LABELS, empty="own_view")),
    ("image_ids: expected as many rows as labels", lambda: positive_set(LABELS, image_ids=torch.zeros(3))),
    ("rule: expected one of any, all, exact", lambda: positive_weights(LABELS, "most")),
    ("thresholds: expected at least one entry", lambda: positive_statistics(LABELS, [])),
    ("thresholds: expected a number in [0, 1]", lambda: positive_statistics(LABELS, [0.5, 1.5])),
    ("logits: expected the shape of labels (4, 3)", lambda: asymmetric_loss(Z, LABELS)),
    ("gamma_positive: expected a number", lambda: AsymmetricLoss(gamma_positive=-1.0)),
    ("gamma_negative: expected a number", lambda: AsymmetricLoss(gamma_negative=-1.0)),
    ("margin: expected a number in [0, 1)", lambda: AsymmetricLoss(margin=1.0)),
    ("logits: expected a square matrix", lambda: contrastive_loss(Z, Z)),
    ("weights: expected the shape of logits", lambda: contrastive_loss(torch.eye(4), torch.eye(3))),
    ("weights: expected no negative weight", lambda: contrastive_loss(torch.eye(4), -torch.ones(4, 4))),
    ("no_positives: expected one of skip", lambda: contrastive_loss(Z[:2], Z[:2], no_positives="mean")),
    ("logits: expected as many rows as labels", lambda: mulsupcon_loss(torch.eye(3), LABELS)),
    ("b: expected 3 dimensions", lambda: similarity_scores("mean_cosine", mixture(d=3), mixture())),
    ("b: expected the covariance form", lambda: similarity_scores("mean_cosine", mixture(), DIAGONAL)),
    ("b: expected 3 components", lambda: similarity_scores("bhattacharyya", mixture(), mixture(k=2))),
    ("b: expected torch.float32 as a", lambda: cosine_similarity(Z, Z.double())),
    ("b: expected 2 dimensions as in a, got 3", lambda: cosine_similarity(Z, LABELS)),
    ("a.sigmas: expected values in", lambda: similarity_scores("mean_cosine", mixture(sigma=1e8))),
    ("name: expected one of log_expected", lambda: similarity_scores("cosine", mixture())),
    ("temperature: expected a number in [0.0001, 10000], got 0", lambda: SupConLoss(temperature=0)),
    ("temperature: expected a number", lambda: MulSupConLoss(temperature=-1.0)),
    ("temperature: expected a number", lambda: ProbMCLLoss(temperature=math.inf)),
    ("temperature: expected a number", lambda: KMCLLoss(temperature=1e-30)),
    ("similarity: expected one of", lambda: ProbMCLLoss(similarity="cosine")),
    ("nll_target: expected one of", lambda: ProbMCLLoss(nll_target="both")),
    ("nll_weight: expected a number", lambda: ProbMCLLoss(nll_weight=-1.0)),
    ("stop_gradient: expected True or False, got 'nonsense'", lambda: ProbMCLLoss(stop_gradient="nonsense")),
    ("queue: expected a whole number, got bool", lambda: ProbMCLLoss(queue=np.bool_(True))),
    ("queue: expected a whole number >= 0", lambda: MulSupConLoss(queue=-1)),
    ("contrastive_weight: expected a number", lambda: KMCLLoss(contrastive_weight=-1.0)),
    ("reconstruction_weight: expected a number", lambda: KMCLLoss(reconstruction_weight=-1.0)),
    ("labels: expected shape (4, 3)", lambda: kmcl_contrastive_loss(mixture(), LABELS[:3])),
    ("z: expected shape (4, 2)", lambda: kmcl_reconstruction_loss(mixture(), LABELS, LABELS)),
    ("output: expected mixtures (of a", lambda: ProbMCLLoss()(HeadOutput(Z), LABELS)),
    ("output: expected mixtures and logits", lambda: KMCLLoss()(HeadOutput(Z, mixture()), LABELS)),
    ("anchors: expected None", lambda: KMCLLoss()(HeadOutput(Z, mixture(), LABELS), LABELS, torch.arange(2))),
    ("criterion: expected one that scores anchors, as ProbMCLLoss does", lambda: AcrossRanks(KMCLLoss())),
    ("target: expected shape (4, 2), got (2, 2)", lambda: mixture_nll(mixture(), Z[:2])),
    ("target: expected one of other_view, self", lambda: view_targets(Z, "both")),
    ("embedding: expected 2 rows per image", lambda: view_targets(Z[:3])),
    ("labels: expected shape (4, 3), got (4, 2)", lambda: FULL_QUEUE.add(Z, embedding=Z)),
    ("embedding: expected as many rows", lambda: FULL_QUEUE.add(LABELS, embedding=torch.ones(2, 5))),
    (
        "logits: expected finite values, got a sum",
        lambda: ProbMCLLoss(temperature=1e-4, nll_weight=0)(FAR, torch.ones(4, 1)),
    ),
]


@pytest.mark.parametrize(("message", "refused"), REFUSED, ids=[message for message, _ in REFUSED])
def test_what_is_refused_is_named(message, refused):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        refused()
