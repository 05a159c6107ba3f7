from collections.abc import Callable

import pytest
import torch

from probmcl.data import LabelledImages


@pytest.fixture
def make_dataset() -> Callable[..., LabelledImages]:
    """Images of noise; label k of image n is bit k of n."""

    def make(count: int = 10, *, channels: int = 1, size: int = 8, classes: int = 4) -> LabelledImages:
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(256, (count, channels, size, size), generator=generator, dtype=torch.uint8)
        labels = torch.arange(count).unsqueeze(1) >> torch.arange(classes) & 1
        return LabelledImages(images, labels, [f"class {k}" for k in range(classes)])

    return make
