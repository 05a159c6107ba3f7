"""Small arithmetic of the loops, in float64."""

import math

import torch
from torch import Tensor


def float64_matrix(rows: list[list[float]]) -> Tensor:
    """Rows of numbers as a tensor."""
    return torch.tensor(rows, dtype=torch.float64)


def float64_scalar(value: float) -> Tensor:
    """A number as a tensor."""
    return torch.tensor(value, dtype=torch.float64)


def log_sum_exp(values: list[float]) -> float:
    """Log sum exp(v), with the largest taken out so that nothing underflows or overflows."""
    largest = max(values)
    if largest == -math.inf:
        return -math.inf
    return largest + math.log(sum(math.exp(v - largest) for v in values))


def log_sigmoid(x: float) -> float:
    """log(1 / (1 + exp(-x))), without overflow on either side."""
    return -math.log1p(math.exp(-x)) if x >= 0 else x - math.log1p(math.exp(x))
