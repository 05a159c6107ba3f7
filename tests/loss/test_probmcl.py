from itertools import product

import numpy as np
import pytest
import torch

from probmcl import loss
from probmcl.model import HeadOutput
from probmcl_book import reference


def convert(output: HeadOutput, dtype: torch.dtype) -> HeadOutput:
    return HeadOutput(output.embedding.to(dtype), output.mixture.to(dtype))


class TestAgainstOracle:
    def check(self, output, labels, dtype, assert_matches, anchors=None, **arguments):
        chosen = None if anchors is None else torch.tensor(anchors)
        found = loss.ProbMCLLoss(**arguments).in_parts(convert(output, dtype), labels, chosen)
        arguments["anchors"] = anchors
        expected = reference.probmcl_loss(output.mixture, output.embedding, labels, **arguments)
        parts = (found.total, found.parts["contrastive"], found.parts["nll"])
        for part, by_hand in zip(parts, expected, strict=True):
            assert_matches(part, by_hand)

    @pytest.mark.parametrize("similarity", loss.SIMILARITIES)
    def test_similarities(self, similarity, diagonal, dtype, make_output, make_labels, assert_matches):
        output, labels = make_output(6, diagonal=diagonal), make_labels(3, 4, empty=1)
        self.check(output, labels, dtype, assert_matches, similarity=similarity)

    @pytest.mark.parametrize("empty", loss.EMPTY)
    @pytest.mark.parametrize("rule", loss.RULES)
    def test_rules_and_label_less_rows(self, rule, empty, dtype, make_output, make_labels, assert_matches):
        output, labels = make_output(10), make_labels(5, 3, empty=2)
        for policy, anchors in product(("skip", "zero"), (None, [8, 1, 3])):
            arguments = {"rule": rule, "index": "dice", "threshold": 0.8, "empty": empty}
            arguments |= {"no_positives": policy, "anchors": anchors}
            self.check(output, labels, dtype, assert_matches, **arguments)

    @pytest.mark.parametrize("nll_target", loss.NLL_TARGETS)
    def test_likelihood_term(self, nll_target, dtype, make_output, make_labels, assert_matches):
        arguments = {"nll_target": nll_target, "nll_weight": 0.7, "temperature": 1.3}
        self.check(make_output(4), make_labels(2, 3), dtype, assert_matches, **arguments)

    def test_two_images_one_class_one_component(self, dtype, make_output, assert_matches):
        output = make_output(4, components=1, d=1)
        self.check(output, torch.tensor([[1], [0]]), dtype, assert_matches)

    def test_one_image(self, dtype, make_output, assert_matches):
        self.check(make_output(2), torch.tensor([[1, 0]]), dtype, assert_matches)


def test_defaults_are_those_of_the_ledger():
    """M7 to M13: the oracle's defaults are written from the ledger."""
    criterion = loss.ProbMCLLoss()
    assert criterion.similarity == "log_expected_likelihood"
    assert criterion.temperature == 0.25
    assert (criterion.positives.rule, criterion.positives.index) == ("threshold", "jaccard")
    assert (criterion.positives.threshold, criterion.positives.empty) == (0.5, "match")
    assert (criterion.no_positives, criterion.nll_target) == ("skip", "other_view")
    assert criterion.stop_gradient is True
    assert criterion.nll_weight == 0.05


class TestGradients:
    @pytest.mark.parametrize("nll_target", loss.NLL_TARGETS)
    def test_stop_gradient_really_stops(self, nll_target, make_output, make_labels):
        output, labels = make_output(6), make_labels(3, 3)
        output.mixture.means.requires_grad_()
        for stop_gradient in (True, False):
            z = output.embedding.clone().requires_grad_()
            criterion = loss.ProbMCLLoss(nll_target=nll_target, stop_gradient=stop_gradient)
            criterion(HeadOutput(z, output.mixture), labels).backward()
            assert (z.grad is None) is stop_gradient

    def test_no_positive_leaves_the_likelihood(self, make_output):
        output = make_output(4)
        output.mixture.means.requires_grad_()
        with pytest.warns(loss.NoPositivesWarning):
            found = loss.ProbMCLLoss(empty="drop").in_parts(output, torch.zeros(2, 3))
        assert found.parts["contrastive"] == 0
        assert torch.allclose(found.total, 0.05 * found.parts["nll"])


def test_numbers_of_numpy_are_numbers(make_output, make_labels):
    output, labels = make_output(8), make_labels(4, 3)
    criterion = loss.ProbMCLLoss(temperature=np.float32(0.5), threshold=np.float32(0.25), queue=np.int64(4))
    assert (type(criterion.temperature), type(criterion.queue.rows)) == (float, int)
    expected = loss.ProbMCLLoss(temperature=0.5, threshold=0.25)(output, labels)
    assert torch.equal(criterion(output, labels), expected)
