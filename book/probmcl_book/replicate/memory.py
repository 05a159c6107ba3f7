"""How much memory a training step takes, counted before it runs, and how much its device has."""

import os
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from probmcl.train import this_share
from probmcl_book.replicate.recipe import Method


def kept_for_backward(encoder: nn.Module, view: Tensor) -> int:
    """Bytes per view that a float32 forward pass keeps for the gradient: layers' inputs, but no weights.

    It runs on PyTorch's meta device, which knows shapes and computes nothing. ``view`` is one, with its batch
    dimension.

    >>> kept_for_backward(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.zeros(1, 4))  # 4 and 3 floats
    28
    """
    network = deepcopy(encoder).to("meta").train()
    weights = {weight.untyped_storage()._cdata for weight in network.parameters()}
    kept: dict[int, int] = {}  # bytes by storage, which several layers may keep

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.cat([view, view]).to("meta"))  # batch normalisation wants two
    return sum(size for storage, size in kept.items() if storage not in weights) // 2


def step_memory(method: Method, weights: int, per_view: int, device: torch.device) -> int:
    """Bytes of a training step: what ``weights`` numbers and a rank's views keep, without the loss's own.

    Beside the weights there are their gradients, Adam's two averages, the best epoch's copy and perhaps the
    moving average; half precision halves what the views keep.
    """
    training = method.training
    copies = 5 + (training.ema_decay is not None)
    half = device.type == "cuda" and training.precision != "float32"
    views = method.views_per_image * -(-training.batch_size // this_share().ranks)
    views = views if method.chunk is None else min(views, method.chunk)
    return 4 * copies * weights + views * per_view // (2 if half else 1)


def device_memory(device: torch.device) -> int | None:
    """Free bytes of a GPU; all bytes of the machine for the CPU, None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu" and hasattr(os, "sysconf"):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
