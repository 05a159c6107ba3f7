import pytest
import torch
from torch.nn import functional

from probmcl.loss import (
    EMPTY,
    RULES,
    MulSupConLoss,
    SupConLoss,
    contrastive_loss,
    cosine_similarity,
    positive_weights,
    two_view_labels,
)
from probmcl_book import reference


def rows(n: int, d: int = 6) -> torch.Tensor:
    z = torch.randn(n, d, generator=torch.Generator().manual_seed(n))
    return functional.normalize(z, dim=-1).double()


class TestAgainstOracle:
    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("empty", EMPTY)
    def test_supcon(self, rule, empty, dtype, make_labels, assert_matches):
        labels, z = make_labels(5, 3, empty=2), rows(10)
        doubled, image_ids = two_view_labels(labels)
        weights = reference.positive_weights(doubled, rule, "dice", 2 / 3, empty, image_ids)
        for policy in ("skip", "zero"):
            criterion = SupConLoss(rule, "dice", 2 / 3, empty, temperature=0.2, no_positives=policy)
            found = criterion.in_parts(z.to(dtype), labels)
            logits = reference.cosine_similarity(z) / 0.2
            expected = reference.contrastive_loss(logits, weights, no_positives=policy)
            assert_matches(found.total, expected)
            assert_matches(found.parts["contrastive"], expected)

    def test_mulsupcon(self, dtype, make_labels, assert_matches):
        labels, z = make_labels(5, 3, empty=1), rows(10)
        found = MulSupConLoss(temperature=0.2)(z.to(dtype), labels)
        logits = reference.cosine_similarity(z) / 0.2
        assert_matches(found, reference.mulsupcon_loss(logits, two_view_labels(labels)[0]))


@pytest.mark.parametrize(
    "criterion", [SupConLoss(), SupConLoss("weighted", empty="own_view"), MulSupConLoss()]
)
class TestProperties:
    def test_rotation_and_length_do_not_matter(self, criterion, make_labels):
        labels, z = make_labels(5, 3, empty=1), rows(10)
        rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
        moved = torch.rand(10, 1, dtype=torch.float64).add(0.5) * z @ rotation
        assert torch.allclose(criterion(moved, labels), criterion(z, labels))

    def test_gradcheck(self, criterion, make_labels):
        labels, z = make_labels(2, 3), rows(4, 3).requires_grad_()
        assert torch.autograd.gradcheck(lambda x: criterion(x, labels), (z,))


def test_weights_of_double_embeddings_are_doubles(make_labels):
    """An overlap of 1/3 in float32 would be off by 1e-8."""
    z, labels = torch.randn(7, 4, dtype=torch.float64), make_labels(7, 5)
    weights = positive_weights(labels.double(), "weighted")
    expected = contrastive_loss(cosine_similarity(z) / 0.1, weights)
    assert torch.allclose(SupConLoss("weighted")(z, labels), expected, rtol=1e-12, atol=0)
