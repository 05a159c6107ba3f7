"""Similarities of mixtures, one pair of components at a time (M10)."""

from torch import Tensor

from probmcl_book.reference.arithmetic import float64_matrix, log_sum_exp
from probmcl_book.reference.mixtures import MixtureLike, log_normal, mixture_mean


def log_expected_likelihood_kernel(a: MixtureLike, b: MixtureLike) -> Tensor:
    """Log kappa_ij for the N mixtures of a and the M of b: (N, M) (M10).

    kappa_ij = sum_k sum_l pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl)

    >>> from probmcl_book.reference import Mixture
    >>> point = Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 1), torch.tensor([[0.5**0.5]]))
    >>> round(log_expected_likelihood_kernel(point, point).item(), 4)  # log N(0; 0, 1)
    -0.9189
    """
    rows = range(a.means.shape[0])
    columns = range(b.means.shape[0])
    return float64_matrix([[_log_kernel(a, i, b, j) for j in columns] for i in rows])


def _log_kernel(a: MixtureLike, i: int, b: MixtureLike, j: int) -> float:
    """Log kappa of mixture i of a and mixture j of b."""
    terms = []
    for k in range(a.means.shape[1]):
        for m in range(b.means.shape[1]):
            sigma = (a.sigmas[i, k].double() ** 2 + b.sigmas[j, m].double() ** 2).sqrt()
            log_pi = float(a.log_weights[i, k]) + float(b.log_weights[j, m])
            terms.append(log_pi + log_normal(a.means[i, k], b.means[j, m], sigma))
    return log_sum_exp(terms)


def log_expected_likelihood(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Log of the normalised expected likelihood: (N, M), at most 0 (M10).

    log Sim_ij = log kappa_ij - (log kappa_ii + log kappa_jj) / 2

    >>> from probmcl_book.reference import Mixture
    >>> two = Mixture(torch.zeros(2, 1), torch.tensor([[[0.0]], [[2.0]]]), torch.ones(2, 1))
    >>> log_expected_likelihood(two).round(decimals=6).tolist()
    [[0.0, -1.0], [-1.0, 0.0]]
    """
    cross = log_expected_likelihood_kernel(a, a if b is None else b)
    self_a = [_log_kernel(a, i, a, i) for i in range(cross.shape[0])]
    self_b = self_a if b is None else [_log_kernel(b, j, b, j) for j in range(cross.shape[1])]
    return float64_matrix(
        [
            [float(cross[i, j]) - 0.5 * (self_a[i] + self_b[j]) for j in range(cross.shape[1])]
            for i in range(cross.shape[0])
        ]
    )


def log_bhattacharyya(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Log sum_k sqrt(pi_ik pi_jk) BC(N_ik, N_jk), component k against component k: (N, M), <= 0 (M10).

    log BC = sum_d 1/2 log(2 s_d t_d / (s_d^2 + t_d^2)) - (mu_d - nu_d)^2 / (4 (s_d^2 + t_d^2))

    >>> from probmcl_book.reference import Mixture
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
                terms.append(log_pi + log_coefficient(a, i, b, j, k))
            row.append(log_sum_exp(terms))
        matrix.append(row)
    return float64_matrix(matrix)


def log_coefficient(a: MixtureLike, i: int, b: MixtureLike, j: int, k: int) -> float:
    """Log of the Bhattacharyya coefficient of component k of mixture i and component k of mixture j."""
    mu, nu = a.means[i, k].double(), b.means[j, k].double()
    s, t = a.sigmas[i, k].double().expand_as(mu), b.sigmas[j, k].double().expand_as(nu)
    variance = s**2 + t**2
    return float((0.5 * (2 * s * t / variance).log() - (mu - nu) ** 2 / (4 * variance)).sum())


def mean_cosine(a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """Cosine of the mixtures' means, which sees no variance: (N, M) in [-1, 1] (M10).

    >>> from probmcl_book.reference import Mixture
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
    return float64_matrix([[float(u @ v) / float(u.norm() * v.norm()) for v in columns] for u in rows])


def similarity_scores(name: str, a: MixtureLike, b: MixtureLike | None = None) -> Tensor:
    """The similarity by its name: (N, M); a name without ``log_`` gives the exponential (M10).

    >>> from probmcl_book.reference import Mixture
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
