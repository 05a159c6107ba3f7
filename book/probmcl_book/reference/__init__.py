"""Every quantity of ``probmcl.loss`` as a slow, obvious loop in float64: the oracle of tests and exercises.

Nothing of the package is imported here, and nothing is vectorised except sums over the D dimensions of one
vector. A function has the name of the fast function that it checks. A mixture is anything with
``log_weights`` (N, K), ``means`` (N, K, D) and ``sigmas`` (N, K) or (N, K, D); ``Mixture`` is the plainest.
Ledger ids (M7, M10, ...) are those of the book's ledger.
"""

from probmcl_book.reference.kmcl import kmcl_contrastive_loss, kmcl_reconstruction_loss
from probmcl_book.reference.losses import (
    asymmetric_loss,
    contrastive_loss,
    log_softmax_without_self,
    mixture_nll,
    mulsupcon_loss,
    probmcl_loss,
    supcon_loss,
    view_targets,
)
from probmcl_book.reference.mixtures import (
    Mixture,
    between_variance,
    log_normal,
    log_prob,
    mixture_mean,
    within_variance,
)
from probmcl_book.reference.overlap import (
    index_value,
    label_set,
    overlap,
    overlaps_enough,
    sets_overlap_enough,
)
from probmcl_book.reference.positives import positive_set, positive_statistics, positive_weights
from probmcl_book.reference.similarity import (
    cosine_similarity,
    log_bhattacharyya,
    log_expected_likelihood,
    log_expected_likelihood_kernel,
    mean_cosine,
    similarity_scores,
)

__all__ = [
    "Mixture", "asymmetric_loss", "between_variance", "contrastive_loss", "cosine_similarity", "index_value",
    "kmcl_contrastive_loss", "kmcl_reconstruction_loss", "label_set", "log_bhattacharyya",
    "log_expected_likelihood", "log_expected_likelihood_kernel", "log_normal", "log_prob",
    "log_softmax_without_self", "mean_cosine", "mixture_mean", "mixture_nll", "mulsupcon_loss", "overlap",
    "overlaps_enough", "positive_set", "positive_statistics", "positive_weights", "probmcl_loss",
    "sets_overlap_enough", "similarity_scores", "supcon_loss", "view_targets", "within_variance",
]  # fmt: skip
