"""Every quantity of ``probmcl.loss`` as a slow, obvious loop in float64: the oracle of tests and exercises.

Nothing of the package is imported here, and nothing is vectorised except sums over the D dimensions of one
vector. A function has the name of the fast function that it checks. A mixture is anything with
``log_weights`` (N, K), ``means`` (N, K, D) and ``sigmas`` (N, K) or (N, K, D); ``Mixture`` is the plainest.
Ledger ids (M7, M10, ...) are those of the book's ledger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

__all__ = [
    "Mixture",
    "asymmetric_loss",
    "between_variance",
    "contrastive_loss",
    "cosine_similarity",
    "index_value",
    "kmcl_contrastive_loss",
    "kmcl_reconstruction_loss",
    "label_set",
    "log_bhattacharyya",
    "log_expected_likelihood",
    "log_expected_likelihood_kernel",
    "log_normal",
    "log_prob",
    "log_softmax_without_self",
    "mean_cosine",
    "mixture_mean",
    "mixture_nll",
    "mulsupcon_loss",
    "overlap",
    "overlaps_enough",
    "positive_set",
    "positive_statistics",
    "positive_weights",
    "probmcl_loss",
    "sets_overlap_enough",
    "similarity_scores",
    "supcon_loss",
    "view_targets",
    "within_variance",
]


# ---------------------------------------------------------------------------------------------- label sets


def label_set(row: Tensor) -> frozenset[int]:
    """The classes that are on in one row (K,) of a label matrix.

    >>> sorted(label_set(torch.tensor([1, 0, 1])))
    [0, 2]
    """
    return frozenset(k for k, on in enumerate(row.tolist()) if on)


def index_value(a: frozenset[int], b: frozenset[int], index: str = "jaccard") -> float:
    """Overlap index of two label sets (M7), in [0, 1].

    With i = |a & b|: jaccard i / |a | b|, dice 2i / (|a| + |b|), overlap i / min(|a|, |b|),
    cosine i / sqrt(|a| |b|), exact [a = b]. An empty set overlaps with nothing: 0, also where the index is
    0/0 (two empty sets). Only ``exact`` finds two empty sets equal; what they are to each other is M8's
    question.

    >>> a, b = frozenset({0, 1}), frozenset({1, 2})
    >>> [round(index_value(a, b, name), 3) for name in ("jaccard", "dice", "overlap", "cosine", "exact")]
    [0.333, 0.5, 0.5, 0.5, 0.0]
    """
    if index == "exact":
        return 1.0 if a == b else 0.0
    if not a or not b:
        return 0.0
    shared = len(a & b)
    if index == "jaccard":
        return shared / len(a | b)
    if index == "dice":
        return 2 * shared / (len(a) + len(b))
    if index == "overlap":
        return shared / min(len(a), len(b))
    if index == "cosine":
        return shared / math.sqrt(len(a) * len(b))
    raise ValueError(f"index: expected jaccard, dice, overlap, cosine or exact, got {index!r}")


def sets_overlap_enough(a: frozenset[int], b: frozenset[int], index: str, threshold: float) -> bool:
    """Whether o(a, b) >= alpha, the threshold, compared in whole numbers (M7).

    The threshold is read as the nearest fraction with a denominator up to 10**6, so 1/3 means one third.
    An empty set never matches, not even at threshold 0: two empty sets are left to the policy of M8.

    >>> five = frozenset(range(5))
    >>> 5 / (math.sqrt(5) * math.sqrt(5)) >= 1, sets_overlap_enough(five, five, "cosine", 1.0)
    (False, True)
    """
    if not a or not b:
        return False
    alpha = Fraction(threshold).limit_denominator(10**6)
    shared = len(a & b)
    if index == "jaccard":
        return Fraction(shared, len(a | b)) >= alpha
    if index == "dice":
        return Fraction(2 * shared, len(a) + len(b)) >= alpha
    if index == "overlap":
        return Fraction(shared, min(len(a), len(b))) >= alpha
    if index == "cosine":  # i / sqrt(ab) >= alpha without the root: both sides are >= 0
        return Fraction(shared**2, len(a) * len(b)) >= alpha**2
    if index == "exact":
        return Fraction(int(a == b)) >= alpha
    raise ValueError(f"index: expected jaccard, dice, overlap, cosine or exact, got {index!r}")


def overlap(labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard") -> Tensor:
    """Overlap index of every row of ``labels`` (N, K) with every row of ``other`` (M, K): (N, M) (M7).

    >>> overlap(torch.tensor([[1, 1, 0], [0, 1, 1]]))
    tensor([[1.0000, 0.3333],
            [0.3333, 1.0000]], dtype=torch.float64)
    """
    rows = [label_set(row) for row in labels]
    columns = rows if other is None else [label_set(row) for row in other]
    return _matrix([[index_value(a, b, index) for b in columns] for a in rows])


def overlaps_enough(
    labels: Tensor, other: Tensor | None = None, *, index: str = "jaccard", threshold: float = 0.5
) -> Tensor:
    """Whether the overlap reaches the threshold, exactly, for every pair of rows: (N, M) bool (M7).

    >>> overlaps_enough(torch.tensor([[1, 1, 0], [0, 1, 1]]), threshold=1 / 3).tolist()
    [[True, True], [True, True]]
    """
    rows = [label_set(row) for row in labels]
    columns = rows if other is None else [label_set(row) for row in other]
    return torch.tensor([[sets_overlap_enough(a, b, index, threshold) for b in columns] for a in rows])


# ------------------------------------------------------------------------------------------- positive sets


def positive_set(
    labels: Tensor,
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """A(i) = {j != i : o(y_i, y_j) >= alpha} as a matrix (N, N) of bool (M7, M8).

    >>> positive_set(torch.tensor([[1, 1], [1, 0], [0, 0]])).int().tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    return positive_weights(labels, "threshold", index, threshold, empty, image_ids) > 0


def positive_weights(
    labels: Tensor,
    rule: str = "threshold",
    index: str = "jaccard",
    threshold: float = 0.5,
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> Tensor:
    """Weight w_ij >= 0 of row j as a positive of anchor i, for labels (N, K): (N, N), zero diagonal (M7, M9).

    Rules: any (a shared label), all (y_i a non-empty subset of y_j), exact (y_i = y_j), threshold
    (o(y_i, y_j) >= alpha), weighted (w = o(y_i, y_j)). A label-less and a labelled row are never positives of
    each other. For two label-less rows ``empty`` decides under every rule (M8): match (weight 1), own_view
    (weight 1 if they are views of one image, by ``image_ids`` (N,)), drop (0).

    >>> positive_weights(torch.tensor([[1, 1], [1, 0], [0, 0]]), "all").int().tolist()
    [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    """
    sets = [label_set(row) for row in labels]
    if image_ids is None and empty == "own_view":
        raise ValueError("image_ids: own_view needs the image of every row, got None")
    images = [0] * len(sets) if image_ids is None else image_ids.tolist()
    weights = [[0.0] * len(sets) for _ in sets]
    for i, a in enumerate(sets):
        for j, b in enumerate(sets):
            if i == j:
                continue
            if not a and not b:
                weights[i][j] = _empty_pair_weight(empty, images[i] == images[j])
            elif a and b:
                weights[i][j] = _pair_weight(a, b, rule, index, threshold)
    return _matrix(weights)


def _pair_weight(a: frozenset[int], b: frozenset[int], rule: str, index: str, threshold: float) -> float:
    """Weight of the non-empty set b as a positive of the non-empty set a."""
    if rule == "any":
        return float(bool(a & b))
    if rule == "all":
        return float(a <= b)
    if rule == "exact":
        return float(a == b)
    if rule == "threshold":
        return float(sets_overlap_enough(a, b, index, threshold))
    if rule == "weighted":
        return index_value(a, b, index)
    raise ValueError(f"rule: expected any, all, exact, threshold or weighted, got {rule!r}")


def _empty_pair_weight(empty: str, same_image: bool) -> float:
    """Weight of one label-less row as a positive of another (M8)."""
    if empty == "match":
        return 1.0
    if empty == "own_view":
        return float(same_image)
    if empty == "drop":
        return 0.0
    raise ValueError(f"empty: expected match, own_view or drop, got {empty!r}")


def positive_statistics(
    labels: Tensor,
    thresholds: Sequence[float],
    index: str = "jaccard",
    empty: str = "match",
    image_ids: Tensor | None = None,
) -> tuple[list[float], list[float]]:
    """Mean positives per anchor and share of anchors without any, one number per threshold (M7).

    >>> positive_statistics(torch.tensor([[1, 1], [1, 0], [0, 1]]), (0.5, 1.0))
    ([1.3333333333333333, 0.0], [0.0, 1.0])
    """
    mean_positives, share_without = [], []
    for threshold in thresholds:
        counts = [sum(row) for row in positive_set(labels, index, threshold, empty, image_ids).tolist()]
        mean_positives.append(sum(counts) / len(counts))
        share_without.append(sum(count == 0 for count in counts) / len(counts))
    return mean_positives, share_without


# ------------------------------------------------------------------------------------- mixtures (M5, M6)


class MixtureLike(Protocol):
    """N Gaussian mixtures of K components in D dimensions."""

    @property
    def log_weights(self) -> Tensor: ...  # (N, K)
    @property
    def means(self) -> Tensor: ...  # (N, K, D)
    @property
    def sigmas(self) -> Tensor: ...  # (N, K) isotropic or (N, K, D) diagonal; standard deviations


class Mixture(NamedTuple):
    """The plainest mixture: three tensors (M5, M6).

    >>> Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1)).means.shape
    torch.Size([1, 1, 2])
    """

    log_weights: Tensor
    means: Tensor
    sigmas: Tensor


def log_normal(z: Tensor, mean: Tensor, sigma: Tensor) -> float:
    """Log N(z; mean, diag(sigma^2)) for one z (D,), one mean (D,), sigma () or (D,) (M5, M6).

    = -1/2 sum_d ((z_d - mean_d) / sigma_d)^2 - sum_d log sigma_d - D/2 log(2 pi)

    >>> round(log_normal(torch.zeros(2), torch.zeros(2), torch.tensor(1.0)), 4)
    -1.8379
    """
    z, mean = z.double(), mean.double()
    sigma = sigma.double().expand_as(z)
    distance = float((((z - mean) / sigma) ** 2).sum())
    return -0.5 * distance - float(sigma.log().sum()) - 0.5 * len(z) * math.log(2 * math.pi)


def log_prob(mixture: MixtureLike, z: Tensor) -> Tensor:
    """Log density of each row's mixture at its own z (N, D): (N,) (M5).

    log sum_k pi_k N(z; mu_k, Sigma_k)

    >>> one = Mixture(torch.log(torch.tensor([[0.5, 0.5]])), torch.tensor([[[0.0], [2.0]]]), torch.ones(1, 2))
    >>> log_prob(one, torch.tensor([[1.0]]))
    tensor([-1.4189], dtype=torch.float64)
    """
    rows = []
    for n in range(len(z)):
        terms = []
        for k in range(mixture.means.shape[1]):
            log_pi = float(mixture.log_weights[n, k])
            terms.append(log_pi + log_normal(z[n], mixture.means[n, k], mixture.sigmas[n, k]))
        rows.append(_log_sum_exp(terms))
    return torch.tensor(rows, dtype=torch.float64)


def mixture_mean(mixture: MixtureLike) -> Tensor:
    """Mean sum_k pi_k mu_k of each mixture: (N, D) (M5).

    >>> mixture_mean(Mixture(torch.zeros(1, 1), torch.tensor([[[3.0, 4.0]]]), torch.ones(1, 1))).tolist()
    [[3.0, 4.0]]
    """
    rows = []
    for n in range(mixture.means.shape[0]):
        mean = torch.zeros(mixture.means.shape[2], dtype=torch.float64)
        for k in range(mixture.means.shape[1]):
            mean = mean + math.exp(float(mixture.log_weights[n, k])) * mixture.means[n, k].double()
        rows.append(mean)
    return torch.stack(rows)


def within_variance(mixture: MixtureLike) -> Tensor:
    """sum_k pi_k trace(Sigma_k), the mean variance inside the components: (N,).

    >>> within_variance(Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.tensor([[3.0]]))).tolist()
    [18.0]
    """
    rows = []
    for n in range(mixture.means.shape[0]):
        total = 0.0
        for k in range(mixture.means.shape[1]):
            sigma = mixture.sigmas[n, k].double().expand(mixture.means.shape[2])
            total += math.exp(float(mixture.log_weights[n, k])) * float((sigma**2).sum())
        rows.append(total)
    return torch.tensor(rows, dtype=torch.float64)


def between_variance(mixture: MixtureLike) -> Tensor:
    """sum_k pi_k |mu_k - mean|^2, the spread of the components' means: (N,).

    >>> two = Mixture(torch.log(torch.tensor([[0.5, 0.5]])), torch.tensor([[[0.0], [2.0]]]), torch.ones(1, 2))
    >>> round(between_variance(two).item(), 6)
    1.0
    """
    means = mixture_mean(mixture)
    rows = []
    for n in range(mixture.means.shape[0]):
        total = 0.0
        for k in range(mixture.means.shape[1]):
            distance = float(((mixture.means[n, k].double() - means[n]) ** 2).sum())
            total += math.exp(float(mixture.log_weights[n, k])) * distance
        rows.append(total)
    return torch.tensor(rows, dtype=torch.float64)


# ------------------------------------------------------------------------------------- similarities (M10)


def log_expected_likelihood_kernel(a: MixtureLike, b: MixtureLike) -> Tensor:
    """Log kappa_ij for the N mixtures of a and the M of b: (N, M) (M10).

    kappa_ij = sum_k sum_l pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl)

    >>> point = Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 1), torch.tensor([[0.5**0.5]]))
    >>> round(log_expected_likelihood_kernel(point, point).item(), 4)  # log N(0; 0, 1)
    -0.9189
    """
    rows = range(a.means.shape[0])
    columns = range(b.means.shape[0])
    return _matrix([[_log_kernel(a, i, b, j) for j in columns] for i in rows])


def _log_kernel(a: MixtureLike, i: int, b: MixtureLike, j: int) -> float:
    """Log kappa of mixture i of a and mixture j of b."""
    terms = []
    for k in range(a.means.shape[1]):
        for m in range(b.means.shape[1]):
            sigma = (a.sigmas[i, k].double() ** 2 + b.sigmas[j, m].double() ** 2).sqrt()
            log_pi = float(a.log_weights[i, k]) + float(b.log_weights[j, m])
            terms.append(log_pi + log_normal(a.means[i, k], b.means[j, m], sigma))
    return _log_sum_exp(terms)


def log_expected_likelihood(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Log of the normalised expected likelihood: (N, M), at most 0 (M10).

    log Sim_ij = log kappa_ij - (log kappa_ii + log kappa_jj) / 2

    >>> two = Mixture(torch.zeros(2, 1), torch.tensor([[[0.0]], [[2.0]]]), torch.ones(2, 1))
    >>> log_expected_likelihood(two).round(decimals=6).tolist()
    [[0.0, -1.0], [-1.0, 0.0]]
    """
    cross = log_expected_likelihood_kernel(a, a if b is None else b)
    self_a = [_log_kernel(a, i, a, i) for i in range(cross.shape[0])]
    self_b = self_a if b is None else [_log_kernel(b, j, b, j) for j in range(cross.shape[1])]
    return _matrix(
        [
            [float(cross[i, j]) - 0.5 * (self_a[i] + self_b[j]) for j in range(cross.shape[1])]
            for i in range(cross.shape[0])
        ]
    )


def log_bhattacharyya(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Log sum_k sqrt(pi_ik pi_jk) BC(N_ik, N_jk), component k against component k: (N, M), <= 0 (M10).

    log BC = sum_d 1/2 log(2 s_d t_d / (s_d^2 + t_d^2)) - (mu_d - nu_d)^2 / (4 (s_d^2 + t_d^2))

    >>> two = Mixture(torch.zeros(2, 1), torch.tensor([[[0.0]], [[2.0]]]), torch.ones(2, 1))
    >>> log_bhattacharyya(two)
    tensor([[ 0.0000, -0.5000],
            [-0.5000,  0.0000]], dtype=torch.float64)
    """
    b = a if b is None else b
    matrix = []
    for i in range(a.means.shape[0]):
        row = []
        for j in range(b.means.shape[0]):
            terms = []
            for k in range(a.means.shape[1]):
                log_pi = 0.5 * (float(a.log_weights[i, k]) + float(b.log_weights[j, k]))
                terms.append(log_pi + _log_coefficient(a, i, b, j, k))
            row.append(_log_sum_exp(terms))
        matrix.append(row)
    return _matrix(matrix)


def _log_coefficient(a: MixtureLike, i: int, b: MixtureLike, j: int, k: int) -> float:
    """Log of the Bhattacharyya coefficient of component k of mixture i and component k of mixture j."""
    mu, nu = a.means[i, k].double(), b.means[j, k].double()
    s, t = a.sigmas[i, k].double().expand_as(mu), b.sigmas[j, k].double().expand_as(nu)
    variance = s**2 + t**2
    return float((0.5 * (2 * s * t / variance).log() - (mu - nu) ** 2 / (4 * variance)).sum())


def mean_cosine(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Cosine of the mixtures' means, which sees no variance: (N, M) in [-1, 1] (M10).

    >>> two = Mixture(torch.zeros(2, 1), torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]]), torch.ones(2, 1))
    >>> mean_cosine(two).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return cosine_similarity(mixture_mean(a), mixture_mean(a if b is None else b))


def cosine_similarity(z: Tensor, z2: Tensor | None = None) -> Tensor:
    """z_i . z'_j / (|z_i| |z'_j|) for z (N, D) and z' (M, D): (N, M).

    >>> cosine_similarity(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))[0, 1].item()
    0.6
    """
    rows = z.double()
    columns = rows if z2 is None else z2.double()
    return _matrix([[float(u @ v) / float(u.norm() * v.norm()) for v in columns] for u in rows])


def similarity_scores(name: str, a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """The similarity by its name: (N, M); a name without ``log_`` gives the exponential (M10).

    >>> one = Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 3), torch.ones(1, 1))
    >>> similarity_scores("expected_likelihood", one).tolist()
    [[1.0]]
    """
    if name == "mean_cosine":
        return mean_cosine(a, b)
    if name in ("log_expected_likelihood", "expected_likelihood"):
        log_similarity = log_expected_likelihood(a, b)
    elif name in ("log_bhattacharyya", "bhattacharyya"):
        log_similarity = log_bhattacharyya(a, b)
    else:
        raise ValueError(f"name: unknown similarity {name!r}")
    return log_similarity if name.startswith("log_") else log_similarity.exp()


# --------------------------------------------------------------------------------------------- losses


def log_softmax_without_self(logits: Tensor, i: int) -> list[float]:
    """Log of exp(s_ij) / sum_{m != i} exp(s_im) for every j of row i of logits (N, N) (M9); j = i unused.

    >>> log_softmax_without_self(torch.zeros(3, 3), 0)[1:]
    [-0.6931471805599453, -0.6931471805599453]
    """
    row = logits[i].double().tolist()
    log_total = _log_sum_exp([s for m, s in enumerate(row) if m != i])
    return [s - log_total for s in row]


def contrastive_loss(
    logits: Tensor, weights: Tensor, *, no_positives: str = "skip", anchors: Sequence[int] | None = None
) -> Tensor:
    """L_PCL of logits (N, N) and weights (N, N): a scalar (M9).

    Anchor i costs -(sum_j w_ij log softmax_{j != i} s_ij) / sum_j w_ij. Anchors without positives are left
    out of the mean (``skip``) or count as 0 in it (``zero``). Without any positive the loss is 0.
    With ``anchors`` only these rows are summed, and still divided by the count over all rows.

    >>> contrastive_loss(torch.zeros(3, 3), torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    tensor(0.6931, dtype=torch.float64)
    """
    losses = []
    for i in range(len(logits)):
        row = [float(w) for w in weights[i]]
        if sum(row) > 0:
            log_p = log_softmax_without_self(logits, i)
            loss = -sum(w * log_p[j] for j, w in enumerate(row) if w) / sum(row)
            losses.append(loss if anchors is None or i in anchors else 0.0)
        elif no_positives == "zero":
            losses.append(0.0)
        elif no_positives != "skip":
            raise ValueError(f"no_positives: expected skip or zero, got {no_positives!r}")
    return _scalar(sum(losses) / len(losses) if losses else 0.0)


def supcon_loss(z: Tensor, classes: Tensor, temperature: float = 0.1) -> Tensor:
    """The single-label supervised contrastive loss (L_out of Khosla et al. 2020), z (N, D), classes (N,).

    Positives are the other rows of the same class, logits cos(z_i, z_j) / temperature; anchors without
    positives are left out.

    >>> supcon_loss(torch.eye(4), torch.tensor([0, 0, 1, 1]))
    tensor(1.0986, dtype=torch.float64)
    """
    logits = cosine_similarity(z) / temperature
    same = [[float(i != j and a == b) for j, b in enumerate(classes)] for i, a in enumerate(classes)]
    return contrastive_loss(logits, _matrix(same))


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
        log_p = log_softmax_without_self(logits, i)
        for label in own:
            positives = [p for p, other in enumerate(sets) if p != i and label in other]
            if positives:
                term = -sum(log_p[p] for p in positives) / len(positives)
                terms.append(term if anchors is None or i in anchors else 0.0)
    return _scalar(sum(terms) / len(terms) if terms else 0.0)


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

    >>> one = Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 4), torch.ones(1, 1))
    >>> mixture_nll(one, torch.zeros(1, 4))
    tensor(0.9189, dtype=torch.float64)
    """
    nll = -sum(log_prob(mixture, target).tolist()) / len(target)
    return _scalar(nll / target.shape[1] if per_dimension else nll)


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
        p, not_p = math.exp(_log_sigmoid(x)), math.exp(_log_sigmoid(-x))
        if y:
            terms.append(-(not_p**gamma_positive) * _log_sigmoid(x))
        elif margin == 0:  # log(1 - p) without forming 1 - p, which would round to 0
            terms.append(-(p**gamma_negative) * _log_sigmoid(-x))
        else:
            shifted = max(p - margin, 0.0)
            terms.append(-(shifted**gamma_negative) * math.log1p(-shifted))
    return _scalar(sum(terms) / len(terms))


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
    nll = _scalar(-sum(float(log_p[i]) for i in scored) / log_p.numel() / embedding.shape[1])
    return contrastive + nll_weight * nll, contrastive, nll


# ------------------------------------------------------------------------------------- small arithmetic


def _matrix(rows: list[list[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _scalar(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _log_sum_exp(values: list[float]) -> float:
    """Log sum exp(v), with the largest taken out so that nothing underflows or overflows."""
    largest = max(values)
    if largest == -math.inf:
        return -math.inf
    return largest + math.log(sum(math.exp(v - largest) for v in values))


def _log_sigmoid(x: float) -> float:
    """log(1 / (1 + exp(-x))), without overflow on either side."""
    return -math.log1p(math.exp(-x)) if x >= 0 else x - math.log1p(math.exp(x))


# ------------------------------------------------------------------------------------- KMCL, corrected


def kmcl_contrastive_loss(mixture: MixtureLike, labels: Tensor, *, temperature: float = 0.17) -> Tensor:
    """KMCL's contrastive term for N mixtures of K components and labels (N, K): a scalar.

    Anchor i costs -1/|A(i)| sum_{j in A(i)} J(i, j) sum_{k in both} log softmax_{j != i} BC_k(i, j) / tau,
    A(i) the other rows that share a label with i. The mean is over anchors with a non-empty A(i).

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
                    math.exp(_log_coefficient(mixture, i, mixture, m, k)) / temperature
                    for m in range(len(sets))
                ]
                log_total = _log_sum_exp([s for m, s in enumerate(logits) if m != i])
                cost -= index_value(own, sets[j], "jaccard") * (logits[j] - log_total)
        if positives:
            anchors.append(cost / len(positives))
    return _scalar(sum(anchors) / len(anchors) if anchors else 0.0)


def kmcl_reconstruction_loss(mixture: MixtureLike, z: Tensor, labels: Tensor) -> Tensor:
    """KMCL's reconstruction term for N mixtures, points z (N, D) and labels (N, K): a scalar.

    The mean over labelled rows of -log[sum_k y_k pi_k g_k / sum_k pi_k g_k] with the kernels
    g_k = exp(-sum_d (z_d - mu_kd)^2 / (2 sigma_kd^2)).

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
            terms.append(_log_sum_exp(logs) - _log_sum_exp([logs[k] for k in sorted(own)]))
    return _scalar(sum(terms) / len(terms) if terms else 0.0)
