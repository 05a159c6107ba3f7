"""Labels and mixtures become one number."""

from probmcl.loss.asymmetric import AsymmetricLoss, asymmetric_loss
from probmcl.loss.contrastive import NO_POSITIVES, NoPositivesWarning, contrastive_loss, mulsupcon_loss
from probmcl.loss.criterion import ContrastiveCriterion, LossParts, collapse_diagnostics, effective_rank
from probmcl.loss.kmcl import KMCLLoss, kmcl_contrastive_loss, kmcl_reconstruction_loss
from probmcl.loss.overlap import INDICES, LabelSets, overlap, overlaps_enough
from probmcl.loss.positives import (
    EMPTY,
    RULES,
    PositiveRule,
    PositiveStatistics,
    positive_set,
    positive_statistics,
    positive_weights,
    two_view_labels,
)
from probmcl.loss.probmcl import NLL_TARGETS, ProbMCLLoss, mixture_nll, view_targets
from probmcl.loss.queue import CrossBatchQueue
from probmcl.loss.similarity import (
    SIMILARITIES,
    cosine_similarity,
    log_bhattacharyya,
    log_expected_likelihood,
    log_expected_likelihood_kernel,
    mean_cosine,
    similarity_scores,
)
from probmcl.loss.supcon import MulSupConLoss, SupConLoss

__all__ = [
    "EMPTY", "INDICES", "NLL_TARGETS", "NO_POSITIVES", "RULES", "SIMILARITIES", "AsymmetricLoss",
    "ContrastiveCriterion", "CrossBatchQueue", "KMCLLoss", "LabelSets", "LossParts", "MulSupConLoss",
    "NoPositivesWarning", "PositiveRule", "PositiveStatistics", "ProbMCLLoss", "SupConLoss",
    "asymmetric_loss", "collapse_diagnostics", "contrastive_loss", "cosine_similarity", "effective_rank",
    "kmcl_contrastive_loss", "kmcl_reconstruction_loss", "log_bhattacharyya", "log_expected_likelihood",
    "log_expected_likelihood_kernel", "mean_cosine", "mixture_nll", "mulsupcon_loss", "overlap",
    "overlaps_enough", "positive_set", "positive_statistics", "positive_weights", "similarity_scores",
    "two_view_labels", "view_targets",
]  # fmt: skip
