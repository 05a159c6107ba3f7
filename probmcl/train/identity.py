"""What tells one training run from another, so that no checkpoint goes on with something else."""

from __future__ import annotations

from torch import nn

from probmcl.loss import CrossBatchQueue


def shapes(module: nn.Module) -> dict[str, list[int]]:
    """The shape of each weight and buffer; not of a queue's, which grow and load at any length.

    >>> shapes(nn.Sequential(nn.Linear(2, 3, bias=False), CrossBatchQueue(8, ["embedding"])))
    {'0.weight': [3, 2]}
    """
    queues = [path for path, inner in module.named_modules() if isinstance(inner, CrossBatchQueue)]
    found = {name: list(value.shape) for name, value in module.state_dict().items()}
    return {name: shape for name, shape in found.items() if name.rpartition(".")[0] not in queues}
