"""Evaluation mode for a while, and training mode for a while: what was frozen stays frozen."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; after it every module has its own mode again.

    >>> model = nn.Sequential(nn.BatchNorm1d(2).eval())
    >>> with evaluating(model):
    ...     print(model.training)
    False
    >>> model.training, model[0].training
    (True, False)
    """
    with _own_modes_afterwards(model):
        model.eval()
        yield


@contextmanager
def training(model: nn.Module) -> Iterator[None]:
    """Training mode inside the block, but for what is frozen; after it every module has its own mode again.

    Frozen is a part none of whose parameters needs a gradient: its statistics do not move and its dropout is
    off. Frozen is also a single layer in evaluation mode while the module around it is not.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2).requires_grad_(False)).eval()
    >>> with training(model):
    ...     print([module.training for module in model.modules()])
    [True, True, False]
    """
    with _own_modes_afterwards(model):
        frozen = _frozen(model)
        model.train()
        for module in frozen:
            module.eval()
        yield


@contextmanager
def _own_modes_afterwards(model: nn.Module) -> Iterator[None]:
    """Restore mode by mode: ``model.train(before)`` would thaw what is frozen inside the model."""
    before = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def _frozen(model: nn.Module) -> list[nn.Module]:
    learns = {module: [weight.requires_grad for weight in module.parameters()] for module in model.modules()}
    parts = [module for module, weights in learns.items() if weights and not any(weights)]
    layers = [
        layer
        for parent in model.modules()
        if parent.training
        for layer in parent.children()
        if not layer.training and not list(layer.children())
    ]
    return parts + layers
