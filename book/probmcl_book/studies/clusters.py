"""A mean of many numbers of which some belong together, such as those of one image."""

import torch
from scipy.stats import norm
from torch import Tensor

from probmcl import _check
from probmcl.evaluate import Interval

LEVEL = 0.95


def clustered_mean(values: Tensor, clusters: Tensor) -> Interval:
    """Return a mean of ``(M,)`` values whose 95 % interval takes each cluster as one observation.

    The digits of one scene share its noise: to count them as independent would make the interval too narrow.
    The standard error is that of K.-Y. Liang and S. L. Zeger, "Longitudinal data analysis using generalized
    linear models", Biometrika 73, 1986. Clusters are whole numbers from 0 on, ``(M,)``, two at least.

    >>> values, alone = torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.arange(4)
    >>> print(f"{clustered_mean(values, alone):.2f}")
    0.50 [0.01, 0.99]
    """
    _check.finite("values", values, dims=1)
    _check.same_rows("clusters", clusters, "values", values)
    images = len(set(clusters.tolist()))
    if images < 2:
        raise ValueError(f"clusters: expected at least 2, got {images}")
    exact, clusters = values.double().cpu(), clusters.cpu()
    mean = exact.mean()
    sums = torch.zeros(int(clusters.max()) + 1, dtype=torch.double).index_add_(0, clusters, exact - mean)
    reach = float(norm.ppf((1 + LEVEL) / 2)) * sums.square().sum().sqrt() / len(values)
    how = f"normal interval over {images:,} images"
    return Interval(mean.item(), (mean - reach).item(), (mean + reach).item(), LEVEL, how)
