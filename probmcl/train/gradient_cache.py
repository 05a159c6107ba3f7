"""A contrastive batch larger than memory: gradients of encoder and head, a few rows at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from probmcl.model import GaussianMixture, HeadOutput


class InChunks(nn.Sequential):
    """Encoder and head, which keep no activation but those of one chunk (Gao et al., 2021: GradCache).

    All rows go forward chunk by chunk and leave their outputs alone. When the loss, of all rows at once, has
    its gradients in these outputs, each chunk goes forward again, with the random numbers that it had and
    without moving statistics a second time, and hands its gradients on to the weights.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, rows: int) -> None:
        super().__init__(encoder, head)
        self.rows = rows

    def forward(self, images: Tensor) -> HeadOutput:
        """The outputs of all rows."""
        whole = super().forward
        options: Any = {"use_reentrant": False, "context_fn": lambda: (nullcontext(), _buffers_kept(self))}
        return _joined([checkpoint(whole, rows, **options) for rows in torch.split(images, self.rows)])


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)


def _joined(outputs: list[HeadOutput]) -> HeadOutput:
    mixtures = [output.mixture for output in outputs if output.mixture is not None]
    logits = [output.logits for output in outputs if output.logits is not None]
    return replace(
        outputs[0],
        embedding=torch.cat([output.embedding for output in outputs]),
        mixture=GaussianMixture.cat(mixtures) if mixtures else None,
        logits=torch.cat(logits) if logits else None,
    )
