import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from probmcl.loss import collapse_diagnostics, effective_rank
from probmcl.model import HeadOutput


def spread(n: int, d: int) -> torch.Tensor:
    return functional.normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(0)), dim=-1)


class TestEffectiveRank:
    @pytest.mark.parametrize("directions", [1, 2, 5])
    def test_counts_the_directions_in_use(self, directions):
        z = torch.eye(8)[:directions].repeat(3, 1)
        assert effective_rank(z).item() == pytest.approx(directions, rel=1e-4)

    def test_falls_as_embeddings_collapse_to_a_point(self):
        z = spread(64, 16)
        ranks = [effective_rank(functional.normalize(z + pull * z[0], dim=-1)) for pull in (0, 1, 5, 100)]
        assert ranks == sorted(ranks, reverse=True)
        assert ranks[0] > 12
        assert ranks[-1] < 1.1

    def test_the_origin_is_one_point(self):
        assert effective_rank(torch.zeros(3, 2)) == 1

    def test_rotation_permutation_and_scale_change_nothing(self):
        z = spread(20, 6).double()
        rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
        moved = 3 * z[torch.randperm(20)] @ rotation
        assert torch.allclose(effective_rank(moved), effective_rank(z), rtol=1e-4)

    def test_carries_no_gradient(self):
        assert not effective_rank(spread(4, 3).requires_grad_()).requires_grad

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_bad_input(self, value):
        with pytest.raises(ValueError, match="embedding: expected finite values"):
            effective_rank(torch.full((2, 2), value))
        with pytest.raises(ValueError, match="embedding: expected 2 dimensions"):
            effective_rank(torch.zeros(3))


class TestCollapseDiagnostics:
    def test_react_to_sigmas_at_their_floor(self, make_mixture):
        healthy = make_mixture(6, 4, 8, sigma=(0.2, 1.0))
        shares = []
        for part in (0, 3, 6):  # rows whose sigmas have fallen to the floor
            sigmas = healthy.sigmas.clone()
            sigmas[:part] = 0.05
            mixture = replace(healthy, sigmas=sigmas)
            found = collapse_diagnostics(HeadOutput(spread(6, 8), mixture, sigma_floor=0.05))
            shares.append(found["sigma_at_floor"].item())
            used = (healthy.log_weights.exp() * sigmas).sum(1).mean()
            assert found["mean_sigma"].item() == pytest.approx(used.item())
        assert shares == pytest.approx([0.0, 0.5, 1.0])

    def test_components_that_nobody_uses_hide_nothing(self, make_mixture):
        """Three of four sigmas are far from the floor, with no weight."""
        healthy = make_mixture(3, 4, 8, sigma=(1.0, 2.0))
        sigmas = healthy.sigmas.clone()
        sigmas[:, 0] = 0.05
        weights = torch.tensor([0.0, -200, -200, -200], dtype=torch.float64).expand(3, 4)
        for form in (sigmas, sigmas.unsqueeze(-1).expand(3, 4, 8)):
            collapsed = replace(healthy, log_weights=weights, sigmas=form)
            found = collapse_diagnostics(HeadOutput(spread(3, 8), collapsed, sigma_floor=0.05))
            assert found["mean_sigma"].item() == pytest.approx(0.05)
            assert found["sigma_at_floor"].item() == pytest.approx(1.0)

    def test_weight_entropy(self, make_mixture):
        mixture = make_mixture(3, 4, 8)
        even = replace(mixture, log_weights=torch.full((3, 4), -math.log(4)))
        one = replace(mixture, log_weights=torch.tensor([0.0, -200, -200, -200]).expand(3, 4))
        for weights, expected in ((even, math.log(4)), (one, 0.0)):
            found = collapse_diagnostics(HeadOutput(spread(3, 8), weights))
            assert found["weight_entropy"].item() == pytest.approx(expected, abs=1e-6)
            assert "sigma_at_floor" not in found

    def test_embeddings_alone(self):
        assert set(collapse_diagnostics(HeadOutput(spread(3, 8)))) == {"effective_rank"}

    def test_carry_no_gradient(self, make_mixture):
        mixture = make_mixture(3, 4, 8)
        mixture.sigmas.requires_grad_()
        mixture.log_weights.requires_grad_()
        found = collapse_diagnostics(HeadOutput(spread(3, 8), mixture, sigma_floor=0.05))
        assert not any(value.requires_grad for value in found.values())
