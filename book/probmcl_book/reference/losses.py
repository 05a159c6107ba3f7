"""Losses, one anchor at a time (M9, M11, M12, M14)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from probmcl_book.reference.arithmetic import float64_matrix, float64_scalar, log_sigmoid, log_sum_exp
from probmcl_book.reference.mixtures import MixtureLike, log_prob
from probmcl_book.reference.overlap import label_set
from probmcl_book.reference.positives import positive_weights
from probmcl_book.reference.similarity import cosine_similarity, similarity_scores


def log_softmax_without_self(logits: Tensor, i: int) -> list[float]:
    """Log of exp(s_ij) / sum_{m != i} exp(s_im) for every j of row i of logits (N, N) (M9); j = i unused.

    >>> [round(value, 4) for value in log_softmax_without_self(torch.zeros(3, 3), 0)[1:]]
    [-0.6931, -0.6931]
    """
    row = logits[i].double().tolist()
    log_total = log_sum_exp([s for m, s in enumerate(row) if m != i])
    return [s - log_total for s in row]


def contrastive_loss(
    logits: Tensor, weights: Tensor, *, no_positives: str = "skip", anchors: Sequence[int] | None = None
) -> Tensor:
    """L_PCL of logits (N, N) and weights (N, N): a scalar (M9).

    Anchor i costs -(sum_j w_ij log softmax_{j != i} s_ij) / sum_j w_ij. Anchors without positives are left
    out of the mean (``skip``) or count as 0 in it (``zero``). Without any positive the loss is 0.
    The diagonals are ignored.
    With ``anchors`` only these rows are summed, and still divided by the count over all rows.

    >>> contrastive_loss(torch.zeros(3, 3), torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    tensor(0.6931, dtype=torch.float64)
    """
    losses = []
    for i in range(len(logits)):
        row = [float(w) if j != i else 0.0 for j, w in enumerate(weights[i])]
        if sum(row) > 0:
            log_p = log_softmax_without_self(logits, i)
            loss = -sum(w * log_p[j] for j, w in enumerate(row) if w) / sum(row)
            losses.append(loss if anchors is None or i in anchors else 0.0)
        elif no_positives == "zero":
            losses.append(0.0)
        elif no_positives != "skip":
            raise ValueError(f"no_positives: expected skip or zero, got {no_positives!r}")
    return float64_scalar(sum(losses) / len(losses) if losses else 0.0)


def supcon_loss(z: Tensor, classes: Tensor, temperature: float = 0.1) -> Tensor:
    """The single-label supervised contrastive loss (L_out of Khosla et al. 2020), z (N, D), classes (N,).

    Positives are the other rows of the same class, logits cos(z_i, z_j) / temperature; anchors without
    positives are left out.

    >>> supcon_loss(torch.eye(4), torch.tensor([0, 0, 1, 1]))
    tensor(1.0986, dtype=torch.float64)
    """
    logits = cosine_similarity(z) / temperature
    same = [[float(i != j and a == b) for j, b in enumerate(classes)] for i, a in enumerate(classes)]
    return contrastive_loss(logits, float64_matrix(same))


def mulsupcon_loss(logits: Tensor, labels: Tensor, *, anchors: Sequence[int] | None = None) -> Tensor:
    """MulSupCon of logits (N, N) and labels (N, K): a scalar.

    P_l(i) = {p != i : y_pl = 1}; the mean, over all pairs (i, l) with y_il = 1 and P_l(i) not empty, of
    -1/|P_l(i)| sum_{p in P_l(i)} log softmax_{p != i} s_ip. Every label counts as much as every other, so an
    anchor with many labels weighs more than one with few. Without any such pair the loss is 0. With
    ``anchors`` only the pairs of these rows are summed, and still divided by the number of all pairs.

    >>> mulsupcon_loss(torch.zeros(3, 3), torch.tensor([[1, 1], [1, 0], [0, 1]]))
    tensor(0.6931, dtype=torch.float64)
    """
    sets = [label_set(row) for row in labels]
    terms = []
    for i, own in enumerate(sets):
        shared = [[p for p, other in enumerate(sets) if p != i and label in other] for label in own]
        log_p = log_softmax_without_self(logits, i) if any(shared) else []
        for positives in filter(None, shared):
            term = -sum(log_p[p] for p in positives) / len(positives)
            terms.append(term if anchors is None or i in anchors else 0.0)
    return float64_scalar(sum(terms) / len(terms) if terms else 0.0)


def view_targets(embedding: Tensor, target: str = "other_view") -> Tensor:
    """The z whose likelihood each row's mixture maximises, for 2N rows, i and i + N of one image (M11).

    >>> view_targets(torch.tensor([[0.0], [1.0], [2.0], [3.0]])).flatten().tolist()
    [2.0, 3.0, 0.0, 1.0]
    """
    images = len(embedding) // 2
    if target == "self":
        return embedding
    if target == "other_view":
        return torch.stack([embedding[(i + images) % (2 * images)] for i in range(2 * images)])
    raise ValueError(f"target: expected other_view or self, got {target!r}")


def mixture_nll(mixture: MixtureLike, target: Tensor, per_dimension: bool = True) -> Tensor:
    """Mean over rows of -log p_i(z_i), divided by D with ``per_dimension``; target (N, D): a scalar (M11).

    >>> from probmcl_book.reference import Mixture
    >>> one = Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 4), torch.ones(1, 1))
    >>> mixture_nll(one, torch.zeros(1, 4))
    tensor(0.9189, dtype=torch.float64)
    """
    nll = -sum(log_prob(mixture, target).tolist()) / len(target)
    return float64_scalar(nll / target.shape[1] if per_dimension else nll)


def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> Tensor:
    """Asymmetric loss (Ridnik et al. 2021), mean over the entries of logits (N, K) and labels (N, K) (M14).

    With p = sigmoid(logit) and p_m = max(p - margin, 0): -(1 - p)^gamma_positive log p where the label is on,
    -p_m^gamma_negative log(1 - p_m) where it is off.

    >>> asymmetric_loss(torch.zeros(1, 2), torch.tensor([[1, 0]]), gamma_negative=0, margin=0)
    tensor(0.6931, dtype=torch.float64)
    """
    terms = []
    for x, y in zip(logits.double().flatten().tolist(), labels.flatten().tolist(), strict=True):
        p, not_p = math.exp(log_sigmoid(x)), math.exp(log_sigmoid(-x))
        if y:
            terms.append(-(not_p**gamma_positive) * log_sigmoid(x))
        elif margin == 0:  # log(1 - p) without forming 1 - p, which would round to 0
            terms.append(-(p**gamma_negative) * log_sigmoid(-x))
        else:
            shifted = max(p - margin, 0.0)
            terms.append(-(shifted**gamma_negative) * math.log1p(-shifted))
    return float64_scalar(sum(terms) / len(terms))


def probmcl_loss(
    mixture: MixtureLike,
    embedding: Tensor,
    labels: Tensor,
    *,
    similarity: str = "log_expected_likelihood",
    temperature: float = 0.25,
    rule: str = "threshold",
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    no_positives: str = "skip",
    nll_target: str = "other_view",
    nll_weight: float = 0.05,
    anchors: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Total, contrastive part and likelihood part for 2N rows and the labels (N, K) of the N images (M12).

    L = L_PCL + nll_weight L_NLL, logits = similarity / temperature; rows i and i + N are views of image i.
    With ``anchors`` only these rows are summed, and still divided by the counts over all 2N rows.

    >>> from probmcl_book.reference import Mixture
    >>> same = Mixture(torch.zeros(4, 1), torch.zeros(4, 1, 2), torch.ones(4, 1))
    >>> total, contrastive, nll = probmcl_loss(same, torch.zeros(4, 2), torch.tensor([[1, 0], [0, 1]]))
    >>> round(contrastive.item(), 4), round(nll.item(), 4), round(total.item(), 4)
    (1.0986, 0.9189, 1.1446)
    """
    two_views = torch.cat([labels, labels])
    image_ids = torch.tensor([*range(len(labels)), *range(len(labels))])
    weights = positive_weights(two_views, rule, index, threshold, empty, image_ids)
    logits = similarity_scores(similarity, mixture) / temperature
    contrastive = contrastive_loss(logits, weights, no_positives=no_positives, anchors=anchors)
    log_p = log_prob(mixture, view_targets(embedding, nll_target))
    scored = range(len(log_p)) if anchors is None else anchors
    nll = float64_scalar(-sum(float(log_p[i]) for i in scored) / log_p.numel() / embedding.shape[1])
    return contrastive + nll_weight * nll, contrastive, nll
