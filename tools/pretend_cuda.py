"""A GPU for tests, where there is none: its tensors hold numbers on the CPU and refuse what CUDA refuses.

It finds mixed devices, generators of the CPU, ``numpy()`` before ``cpu()`` and pinned memory of the GPU. It
shows nothing of kernels, speed or memory. To C++ a tensor is on the CPU; what Python asks is answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.profiler import profile
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("cuda", 0)
aten = torch.ops.aten
INDEXING = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default)
MOVING = (aten.copy_.default, aten._to_copy.default, aten._has_compatible_shallow_copy_type.default)
CpuGenerator = torch.Generator


class OnGpu(Tensor):
    """A tensor that says it is on the GPU."""

    def __new__(cls, held: Tensor) -> OnGpu:
        """Wrap the numbers it holds."""
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = Tensor._make_wrapper_subclass(cls, held.shape, **layout)
        made.held = held
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.detach().held.__reduce_ex__(protocol)  # saved as numbers, which a CPU can read

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in ANSWERS:
            return ANSWERS[func](*args, **kwargs or {})
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute with what is held; what was changed in place comes back as itself."""
        kwargs = {**kwargs, "device": "cpu"} if _on_gpu((kwargs or {}).get("device")) else kwargs or {}
        _check_devices(func, args, kwargs)
        held = {id(leaf.held): leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, OnGpu)}
        plain, named = tree_map(lambda one: one.held if isinstance(one, OnGpu) else one, (args, kwargs))
        found = func(*plain, **named)
        if func is aten.copy_.default or (func._schema.is_mutable and isinstance(found, Tensor)):
            return args[0]
        return tree_map(
            lambda one: held.get(id(one)) or OnGpu(one) if isinstance(one, Tensor) else one,
            found,
            is_leaf=torch.is_tensor,
        )


def _on_gpu(device: Any) -> bool:
    return device is not None and torch.device(device).type == "cuda"


def _check_devices(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Raise what CUDA raises for tensors of the CPU; a single number, and indices, may come from there."""
    leaves = tree_leaves(args[2:] if func in INDEXING and isinstance(args[0], OnGpu) else (args, kwargs))
    others = [leaf for leaf in leaves if isinstance(leaf, Tensor) and not isinstance(leaf, OnGpu)]
    changed = func._schema.is_mutable and any(one is args[0] for one in others)
    wrong = [tuple(one.shape) for one in others if one.dim() or changed]
    if wrong and func not in MOVING:
        raise RuntimeError(f"expected all tensors on the same device, found cuda:0 and cpu {wrong} ({func})")


class _Move(torch.autograd.Function):
    """To the GPU, or from there; the gradient goes the other way."""

    @staticmethod
    def forward(ctx: Any, value: Any) -> Tensor:
        return value.held.clone() if isinstance(value, OnGpu) else OnGpu(value.detach().clone())

    backward = forward


def _to(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``Tensor.to`` in its many forms."""
    device, dtype = None, None
    for one in (*args, *kwargs.values()):
        if isinstance(one, Tensor):
            device, dtype = one.device, one.dtype
        elif isinstance(one, torch.dtype):
            dtype = one
        elif isinstance(one, str | torch.device):
            device = torch.device(one)
    if device is not None and _on_gpu(device) != isinstance(tensor, OnGpu):
        tensor = _Move.apply(tensor)
    with torch._C.DisableTorchFunctionSubclass():
        return tensor if dtype in (None, tensor.dtype) else tensor.to(dtype)


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError("can't convert cuda:0 device type tensor to numpy, or pin it. Use Tensor.cpu() first")


def _of_held(func: Callable[..., Any]) -> Callable[..., Any]:
    return lambda tensor, *args, **kwargs: func(tensor.detach().held, *args, **kwargs)


ANSWERS: dict[Any, Callable[..., Any]] = {
    Tensor.device.__get__: lambda tensor: GPU,
    Tensor.is_cuda.__get__: lambda tensor: True,
    Tensor.is_cpu.__get__: lambda tensor: False,
    Tensor.get_device: lambda tensor: 0,
    Tensor.cuda: lambda tensor, *_: tensor,
    Tensor.cpu: lambda tensor: _to(tensor, "cpu"),
    Tensor.to: _to,
    **dict.fromkeys((Tensor.numpy, Tensor.__array__, Tensor.pin_memory), _refuse),
    **{func: _of_held(func) for func in (Tensor.tolist, Tensor.__repr__, Tensor.__format__, Tensor.data_ptr)},
    Tensor.untyped_storage: _of_held(Tensor.untyped_storage),
}


class _Placing(TorchFunctionMode):
    """What makes a tensor on the GPU, or moves it there, must not ask C++ for one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        placed = _on_gpu(kwargs.get("device"))
        there = placed or any(isinstance(leaf, OnGpu) for leaf in args)
        if there and not getattr(kwargs.get("generator"), "on_gpu", True):
            raise RuntimeError("expected a 'cuda' device type for generator but found 'cpu'")
        if func in (Tensor.to, Tensor.cuda):
            return _to(*args, **kwargs) if func is Tensor.to else _to(args[0], GPU)
        if not placed:
            return func(*args, **kwargs)
        wants_gradient = kwargs.pop("requires_grad", False)
        made = func(*args, **{**kwargs, "device": torch.device("cpu")})
        return (made if isinstance(made, OnGpu) else OnGpu(made)).requires_grad_(wants_gradient)


class _OfAnyDevice(type(CpuGenerator)):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, CpuGenerator)


class _Generator(CpuGenerator, metaclass=_OfAnyDevice):
    def __new__(cls, device: Any = "cpu") -> _Generator:
        made = super().__new__(cls)
        made.on_gpu = _on_gpu(device)
        return made


class _Autocast(torch.autocast):
    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu", *args, **kwargs)  # what C++ takes the tensors for


@contextmanager
def pretend_cuda() -> Iterator[torch.device]:
    """Inside the block there is one GPU, a Tesla T4."""
    about = SimpleNamespace(name="Tesla T4", total_memory=15 * 2**30, major=7, minor=5)
    nothing = ("synchronize", "set_rng_state", "manual_seed", "manual_seed_all", "set_device", "_lazy_init")
    answers = {
        **dict.fromkeys((*nothing, "current_stream", "reset_peak_memory_stats")),
        **dict.fromkeys(("is_available", "is_initialized", "is_bf16_supported"), True),
        **dict.fromkeys(("current_device", "memory_allocated", "max_memory_allocated"), 0),
        "device_count": 1,
        "get_device_name": about.name,
        "get_device_capability": (7, 5),
        "get_device_properties": about,
        "mem_get_info": (2**33, 2**34),
        "device": ExitStack(),
        "get_rng_state": torch.get_rng_state(),
    }
    autocasts, of_future = torch.is_autocast_enabled, torch.__future__
    patches = [patch.object(torch.cuda, name, lambda *_, _a=a, **__: _a) for name, a in answers.items()]
    patches += [
        patch("torch.autocast", _Autocast),
        patch("torch.is_autocast_enabled", lambda *_: autocasts("cpu")),
        patch("torch.Generator", _Generator),
        patch("torch.compile", lambda model, **_: model),
        patch(
            "torch.profiler.profile",
            lambda activities, **options: profile(activities=activities[:1], **options),
        ),
        patch("torch.accelerator.is_available", lambda *_, **__: False),
        patch("torch.optim.Optimizer._accelerator_graph_capture_health_check", lambda self: None),
        patch.object(Tensor, "is_pinned", lambda self, *_: False),
    ]
    before = of_future.get_overwrite_module_params_on_conversion()
    with ExitStack() as block:
        for each in (*patches, _Placing()):
            block.enter_context(each)
        of_future.set_overwrite_module_params_on_conversion(True)
        block.callback(of_future.set_overwrite_module_params_on_conversion, before)
        yield GPU
