import pytest
import torch
from torch import nn

from probmcl.model import MixtureDensityHead, ProjectionHead


def features(n: int = 5, f: int = 8) -> torch.Tensor:
    return torch.randn(n, f, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("widths", [(4,), (16, 6), (8, 8, 3)])
def test_unit_embedding_and_no_mixture(widths):
    output = ProjectionHead(8, widths)(features())
    assert output.mixture is None
    assert output.embedding.shape == (5, widths[-1])
    assert torch.allclose(output.embedding.norm(dim=-1), torch.ones(5), atol=1e-5)


@pytest.mark.parametrize("activation", [True, False])
def test_is_the_mixture_density_head_without_its_mixture(activation):
    """The ablation asks one question only: both heads share the trunk, its widths and its start."""
    torch.manual_seed(0)
    plain = ProjectionHead(8, (16, 6), activation=activation)
    torch.manual_seed(0)
    mixture = MixtureDensityHead(8, 3, trunk=(16, 6), activation=activation)
    assert torch.equal(plain(features()).embedding, mixture(features()).embedding)
    assert sum(isinstance(m, nn.ReLU) for m in plain.modules()) == int(activation)
