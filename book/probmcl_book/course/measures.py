"""What is measured at an answer, where the answer is: its gradients, its steps.

The checks in a notebook call these functions; a grader has them called where the student's code runs. So
this file imports nothing of the project.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode


def gradients(answer: Callable[..., Any], arguments: Sequence[Tensor]) -> list[Tensor | None] | None:
    """The gradient of a result for each of ``arguments``, or None if the result has none."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in arguments]
    value = answer(*leaves)
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    value.backward()  # type: ignore[no-untyped-call]
    return [leaf.grad for leaf in leaves]


class _Calls(TorchFunctionMode):
    """Counts calls of PyTorch, also those that no line of Python makes, as of ``map``."""

    count = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def steps(answer: Callable[..., Any], arguments: Sequence[Any]) -> int:
    """How many steps a call takes: of Python, and calls of PyTorch. A loop takes more for a longer input.

    >>> one, two = torch.ones(4), torch.ones(8)
    >>> steps(torch.exp, [one]) == steps(torch.exp, [two])
    True
    >>> steps(lambda x: sum(x), [one]) < steps(lambda x: sum(x), [two])
    True
    """
    answer(*arguments)  # what happens once, such as an import
    taken = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal taken
        frame.f_trace_opcodes = True
        taken += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with _Calls() as calls:
            answer(*arguments)
    finally:
        sys.settrace(before)
    return int(taken + calls.count)
