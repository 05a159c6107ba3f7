"""How much a computation keeps for its backward pass."""

import weakref
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def kept_for_backward(compute: Callable[[], T]) -> tuple[T, float]:
    """Return what ``compute`` returns, and the MiB that autograd keeps while it waits for the backward pass.

    Tensors that share memory count once; what is gone when ``compute`` returns does not count.

    >>> x = torch.ones(2**18, requires_grad=True)  # 1 MiB
    >>> kept_for_backward(lambda: x.exp())[1], kept_for_backward(lambda: x + 1)[1]
    (1.0, 0.0)
    """
    kept: list[weakref.ref[Tensor]] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(weakref.ref(tensor))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = compute()
    alive = (tensor.untyped_storage() for found in kept if (tensor := found()) is not None)
    return result, sum({storage.data_ptr(): storage.nbytes() for storage in alive}.values()) / 2**20
