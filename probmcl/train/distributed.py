"""Many processes: each trains on its share of every batch, together they train as one on the whole batch.

``torchrun`` starts the processes (the *ranks*), gloo on CPUs or NCCL on GPUs carries tensors between them,
``DistributedDataParallel`` averages the gradients. Without ``torchrun`` there is one rank.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, nn
from torch.distributed.elastic.multiprocessing.errors import get_error_handler
from torch.nn.parallel import DistributedDataParallel

from probmcl import _check
from probmcl.data import Share, SharedBatches

Key = TypeVar("Key")
Value = TypeVar("Value")


@contextmanager
def process_group(device: torch.device | str) -> Iterator[None]:
    """Join the other processes that ``torchrun`` started, if it did.

    An error inside the block is handed to ``torchrun``, which ends all ranks and prints the traceback.

    Args:
        device: where this rank computes; on CUDA each rank needs a GPU of its own, ``cuda:LOCAL_RANK``.

    >>> with process_group("cpu"):
    ...     this_share()
    Share(rank=0, ranks=1)
    """
    device = _check.device(device)
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        yield
        return
    try:
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")
        yield
    except Exception as error:
        get_error_handler().record_exception(error)
        raise  # without leaving the group in good order: the others may wait for this rank
    dist.destroy_process_group()


def this_share() -> Share:
    """Which rank this process is, and of how many; rank 0 of 1 outside of a process group.

    >>> this_share()
    Share(rank=0, ranks=1)
    """
    if dist.is_available() and dist.is_initialized():
        return Share(dist.get_rank(), dist.get_world_size())
    return Share()


def is_first() -> bool:
    """Whether this is rank 0, which alone prints, shows bars, and writes records and checkpoints.

    >>> is_first()
    True
    """
    return this_share().rank == 0


def shared_batches(loader: object) -> SharedBatches | None:
    """This rank's part of the batches of ``make_loader(..., share=this_share())``; None for other loaders."""
    batches = getattr(getattr(loader, "sampler", None), "batches", None)
    return batches if isinstance(batches, SharedBatches) else None


def replicate(model: nn.Module, device: torch.device) -> nn.Module:
    """Wrap a model so that its gradients are the mean over the ranks; all start from rank 0's weights.

    On CUDA batch normalisation becomes ``SyncBatchNorm`` (in place), over the joined batch. On the CPU, which
    has none, each rank normalises with its own images, and rank 0's running statistics are kept.
    """
    if device.type != "cuda":
        return DistributedDataParallel(model)
    # Not torch's own converter: timm's layers may hold their activation, which it would drop.
    model = convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(model, device_ids=[device])


def all_reduce(value: Tensor) -> Tensor:
    """The sum over the ranks."""
    value = value.detach().clone()
    dist.all_reduce(value)
    return value


def all_reduce_means(values: dict[Key, Tensor]) -> dict[Key, Tensor]:
    """The means over the ranks of scalars with the same names, in one exchange."""
    means = all_reduce(torch.stack(list(values.values()))) / dist.get_world_size()
    return dict(zip(values, means, strict=True))


def broadcast_object(value: Value) -> Value:
    """Rank 0's value, on every rank: what is decided by it is decided alike."""
    if this_share().ranks == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def broadcast(*modules: nn.Module) -> None:
    """Give every rank rank 0's weights and buffers (such as running statistics).

    >>> broadcast(nn.Linear(2, 1))  # one rank alone: nothing to do
    """
    if this_share().ranks == 1:
        return
    for module in modules:
        for tensor in module.state_dict().values():
            sent = tensor.contiguous()  # filters may lie in memory with their channels last
            dist.broadcast(sent, 0)
            tensor.copy_(sent)
