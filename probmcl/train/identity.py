"""What tells one training run from another, so that no checkpoint goes on with something else."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

from torch import nn

from probmcl.loss import CrossBatchQueue


def shapes(module: nn.Module) -> dict[str, list[int]]:
    """The shape of each weight and buffer; not of a queue's, which grow and load at any length."""
    queues = [path for path, inner in module.named_modules() if isinstance(inner, CrossBatchQueue)]
    found = {name: list(value.shape) for name, value in module.state_dict().items()}
    return {name: shape for name, shape in found.items() if name.rpartition(".")[0] not in queues}


def criterion_identity(criterion: Callable[..., Any]) -> dict[str, Any]:
    """A function's name; a module's class, settings and shapes.

    >>> criterion_identity(nn.CrossEntropyLoss(label_smoothing=0.1))
    {'name': 'CrossEntropyLoss', 'reduction': 'mean', 'ignore_index': -100, 'label_smoothing': 0.1}
    """
    name = getattr(criterion, "__qualname__", type(criterion).__qualname__)
    of_module = shapes(criterion) if isinstance(criterion, nn.Module) else {}
    return {"name": name, **of_module, **_settings(criterion)}


def _settings(owner: object) -> dict[str, Any]:
    """Public numbers, strings and the like of an object, and of the modules and dataclasses inside it."""
    inside = dict(owner.named_children()) if isinstance(owner, nn.Module) else {}
    found: dict[str, Any] = {}
    for name, value in {**getattr(owner, "__dict__", {}), **inside}.items():
        if name.startswith("_") or name == "training":
            continue
        if value is None or type(value) in (bool, int, float, str):
            found[name] = value
        elif is_dataclass(value) or isinstance(value, nn.Module):
            found[name] = _settings(value)
    return found
