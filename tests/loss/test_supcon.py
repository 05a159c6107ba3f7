from itertools import product

import pytest
import torch
from draws import unit

from probmcl import loss
from probmcl_book import reference


class TestAgainstOracle:
    @pytest.mark.parametrize("rule", loss.RULES)
    @pytest.mark.parametrize("empty", loss.EMPTY)
    def test_supcon(self, rule, empty, dtype, make_labels, assert_matches):
        labels, z = make_labels(5, 3, empty=2), unit(10, 6)
        doubled, image_ids = loss.two_view_labels(labels)
        weights = reference.positive_weights(doubled, rule, "dice", 2 / 3, empty, image_ids)
        logits = reference.cosine_similarity(z) / 0.2
        for policy, anchors in product(("skip", "zero"), (None, [8, 1, 3])):
            criterion = loss.SupConLoss(rule, "dice", 2 / 3, empty, temperature=0.2, no_positives=policy)
            found = criterion.in_parts(z.to(dtype), labels, anchors and torch.tensor(anchors))
            expected = reference.contrastive_loss(logits, weights, no_positives=policy, anchors=anchors)
            assert_matches(found.total, expected)
            assert_matches(found.parts["contrastive"], expected)

    @pytest.mark.parametrize("anchors", [None, [8, 1, 3]])
    def test_mulsupcon(self, anchors, dtype, make_labels, assert_matches):
        labels, z = make_labels(5, 3, empty=1), unit(10, 6)
        found = loss.MulSupConLoss(temperature=0.2)(z.to(dtype), labels, anchors and torch.tensor(anchors))
        logits = reference.cosine_similarity(z) / 0.2
        assert_matches(
            found, reference.mulsupcon_loss(logits, loss.two_view_labels(labels)[0], anchors=anchors)
        )


@pytest.mark.parametrize(
    "criterion", [loss.SupConLoss(), loss.SupConLoss("weighted", empty="own_view"), loss.MulSupConLoss()]
)
class TestProperties:
    def test_rotation_and_length_do_not_matter(self, criterion, make_labels):
        labels, z = make_labels(5, 3, empty=1), unit(10, 6)
        rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
        moved = torch.rand(10, 1, dtype=torch.float64).add(0.5) * z @ rotation
        assert torch.allclose(criterion(moved, labels), criterion(z, labels))


def test_weights_of_double_embeddings_are_doubles(make_labels):
    """An overlap of 1/3 in float32 would be off by 1e-8."""
    z, labels = torch.randn(7, 4, dtype=torch.float64), make_labels(7, 5)
    weights = loss.positive_weights(labels.double(), "weighted")
    expected = loss.contrastive_loss(loss.cosine_similarity(z) / 0.1, weights)
    assert torch.allclose(loss.SupConLoss("weighted")(z, labels), expected, rtol=1e-12, atol=0)
