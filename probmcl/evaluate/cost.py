"""What a module costs: its parameters, and its multiply-adds for one row."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from probmcl import _check


def parameter_count(module: nn.Module) -> int:
    """Number of a module's parameters; those that two parts share count once, buffers do not count.

    >>> parameter_count(nn.Linear(3, 2))
    8
    """
    parameters = _check.instance("module", module, nn.Module).parameters()
    return sum(parameter.numel() for parameter in parameters)


def multiply_adds(module: nn.Module, example: Tensor) -> int:
    """Multiply-accumulate operations of one forward pass, for one row of ``example``.

    Convolutions, matrix products and attention are counted, by PyTorch's counter. Biases, activations,
    normalisation and pooling are not: published counts leave them out as well. The pass is a real one, in
    evaluation mode; on the meta device, where tensors have shapes and no numbers, it takes no time.

    Args:
        module: the module; it is left as it is.
        example: its input, ``(N, ...)``, such as images ``(1, 3, 224, 224)``, on the module's device; if the
            module does not take it, that is a ValueError.

    Returns:
        The count for one row; a multiply-accumulate counts one (papers that say FLOPs often mean this).

    >>> multiply_adds(nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 10, 10))  # 10 * 10 * 9 * 3 * 8
    21600
    """
    _check.instance("module", module, nn.Module)
    _check.tensor("example", example)
    with _attention_in_parts(), FlopCounterMode(display=False) as counter, torch.no_grad():
        try:
            deepcopy(module).eval()(example)
        except RuntimeError as error:
            raise ValueError(f"example: expected an input of the module, got: {error}") from error
    return int(counter.get_total_flops()) // 2 // len(example)


@contextmanager
def _attention_in_parts() -> Iterator[None]:
    """No fused attention layer, whose products the counter does not see."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)
