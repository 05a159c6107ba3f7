"""KMCL with its formulas as they are meant, one class at a time."""

import math

from torch import Tensor

from probmcl_book.reference.arithmetic import float64_scalar, log_sum_exp
from probmcl_book.reference.mixtures import MixtureLike
from probmcl_book.reference.overlap import index_value, label_set
from probmcl_book.reference.similarity import log_coefficient


def kmcl_contrastive_loss(mixture: MixtureLike, labels: Tensor, *, temperature: float = 0.17) -> Tensor:
    """KMCL's contrastive term for N mixtures of K components and labels (N, K): a scalar.

    Anchor i costs -1/|A(i)| sum_{j in A(i)} J(i, j) sum_{k in both} log softmax_{j != i} BC_k(i, j) / tau,
    A(i) the other rows that share a label with i. The mean is over anchors with a non-empty A(i).

    >>> from probmcl_book.reference import Mixture
    >>> same = Mixture(torch.zeros(3, 1), torch.zeros(3, 1, 2), torch.ones(3, 1))
    >>> kmcl_contrastive_loss(same, torch.ones(3, 1))
    tensor(0.6931, dtype=torch.float64)
    """
    sets = [label_set(row) for row in labels]
    anchors = []
    for i, own in enumerate(sets):
        positives = [j for j, other in enumerate(sets) if j != i and own & other]
        cost = 0.0
        for j in positives:
            for k in own & sets[j]:
                logits = [
                    math.exp(log_coefficient(mixture, i, mixture, m, k)) / temperature
                    for m in range(len(sets))
                ]
                log_total = log_sum_exp([s for m, s in enumerate(logits) if m != i])
                cost -= index_value(own, sets[j], "jaccard") * (logits[j] - log_total)
        if positives:
            anchors.append(cost / len(positives))
    return float64_scalar(sum(anchors) / len(anchors) if anchors else 0.0)


def kmcl_reconstruction_loss(mixture: MixtureLike, z: Tensor, labels: Tensor) -> Tensor:
    """KMCL's reconstruction term for N mixtures, points z (N, D) and labels (N, K): a scalar.

    The mean over labelled rows of -log[sum_k y_k pi_k g_k / sum_k pi_k g_k] with the kernels
    g_k = exp(-sum_d (z_d - mu_kd)^2 / (2 sigma_kd^2)).

    >>> from probmcl_book.reference import Mixture
    >>> two = Mixture(torch.zeros(1, 2), torch.zeros(1, 2, 3), torch.ones(1, 2))
    >>> kmcl_reconstruction_loss(two, torch.zeros(1, 3), torch.tensor([[1, 0]]))
    tensor(0.6931, dtype=torch.float64)
    """
    terms = []
    for n, row in enumerate(labels):
        own = label_set(row)
        if own:
            logs = []
            for k in range(mixture.means.shape[1]):
                offset = (z[n].double() - mixture.means[n, k].double()) / mixture.sigmas[n, k].double()
                logs.append(float(mixture.log_weights[n, k]) - 0.5 * float((offset**2).sum()))
            terms.append(log_sum_exp(logs) - log_sum_exp([logs[k] for k in sorted(own)]))
    return float64_scalar(sum(terms) / len(terms) if terms else 0.0)
