"""What a head with sigmoid weights returns, made up: every criterion finds its input in it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from probmcl.model import HeadOutput


@pytest.fixture
def make_output(make_mixture) -> Callable[..., HeadOutput]:
    def make(rows: int, components=3, d=4, *, diagonal=False, dtype=torch.float64) -> HeadOutput:
        generator = torch.Generator().manual_seed(7)
        z = functional.normalize(torch.randn(rows, d, generator=generator), dim=-1).to(dtype)
        logits = torch.randn(rows, components, generator=generator).to(dtype)
        mixture = make_mixture(rows, components, d, sigma=(0.2, 2.0), diagonal=diagonal, dtype=dtype)
        log_weights = functional.logsigmoid(logits).log_softmax(-1)
        return HeadOutput(z, replace(mixture, log_weights=log_weights), logits)

    return make
