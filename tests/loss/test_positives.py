from itertools import product

import pytest
import torch

from probmcl import loss
from probmcl_book import reference

# Every label set of three classes in two views, so that label-less rows, duplicates and own views all occur.
LABELS, IMAGE_IDS = loss.two_view_labels(torch.tensor([*product((0, 1), repeat=3), (0, 0, 0), (1, 1, 0)]))


@pytest.mark.parametrize("empty", loss.EMPTY)
class TestAgainstOracle:
    @pytest.mark.parametrize("rule", loss.RULES)
    def test_weights_of_every_rule(self, rule, empty, assert_matches):
        for index, threshold in [("jaccard", 0.5), ("dice", 2 / 3), ("cosine", 1.0), ("overlap", 0.0)]:
            arguments = (LABELS, rule, index, threshold, empty, IMAGE_IDS)
            assert_matches(loss.positive_weights(*arguments), reference.positive_weights(*arguments))

    @pytest.mark.parametrize("index", loss.INDICES)
    def test_positive_set(self, index, empty):
        for threshold in (0.0, 1 / 3, 0.5, 2 / 3, 1.0):
            arguments = (LABELS, index, threshold, empty, IMAGE_IDS)
            assert torch.equal(loss.positive_set(*arguments), reference.positive_set(*arguments))

    def test_statistics(self, empty):
        thresholds = (0.0, 0.3, 0.5, 1.0)
        found = loss.positive_statistics(LABELS, thresholds, "dice", empty, IMAGE_IDS)
        expected = reference.positive_statistics(LABELS, thresholds, "dice", empty, IMAGE_IDS)
        assert found.thresholds == thresholds
        assert found.mean_positives == pytest.approx(expected[0], abs=1e-12)
        assert found.share_without == pytest.approx(expected[1], abs=1e-12)


@pytest.mark.parametrize("empty", loss.EMPTY)
@pytest.mark.parametrize("rule", loss.RULES)
def test_positives_of_some_anchors_are_rows_of_the_whole_matrix(rule, empty):
    anchors, images = torch.tensor([7, 0, 8, 3]), loss.LabelSets.of("labels", LABELS[: len(LABELS) // 2])
    found = loss.PositiveRule(rule, "dice", 2 / 3, empty).between(images[anchors], images)
    expected = loss.positive_weights(LABELS, rule, "dice", 2 / 3, empty, IMAGE_IDS)
    assert torch.equal(found.float(), expected[anchors, len(images) :])  # the other views: no row is itself


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("any", [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]),
        ("all", [[0, 1, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        ("exact", [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        ("threshold", [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]),
        ("weighted", [[0, 0.5, 0.5, 0], [0.5, 0, 1, 0], [0.5, 1, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_weights_of_every_rule_by_hand(rule, expected):
    labels = torch.tensor([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert loss.positive_weights(labels, rule).tolist() == expected


class TestLabelLessRows:
    # images 0 and 1 are label-less, image 2 is not; two views of each
    labels, image_ids = loss.two_view_labels(torch.tensor([[0, 0], [0, 0], [1, 0]]))

    @pytest.mark.parametrize("rule", loss.RULES)
    @pytest.mark.parametrize(
        ("empty", "expected"),
        [
            ("match", {(0, 1), (0, 3), (0, 4), (1, 3), (1, 4), (3, 4), (2, 5)}),
            ("own_view", {(0, 3), (1, 4), (2, 5)}),
            ("drop", {(2, 5)}),
        ],
    )
    def test_policy_decides_under_every_rule(self, rule, empty, expected):
        weights = loss.positive_weights(self.labels, rule, empty=empty, image_ids=self.image_ids)
        assert {(int(i), int(j)) for i, j in weights.nonzero() if i < j} == expected
        assert torch.equal(weights, weights.T)
        assert set(weights.unique().tolist()) == {0.0, 1.0}

    def test_a_batch_of_label_less_rows_only(self):
        nothing = torch.zeros(3, 4)
        assert torch.equal(loss.positive_set(nothing), ~torch.eye(3, dtype=torch.bool))
        assert not loss.positive_set(nothing, empty="drop").any()


class TestProperties:
    @pytest.mark.parametrize("rule", loss.RULES)
    def test_diagonal_is_zero_and_input_untouched(self, rule):
        labels = LABELS.clone()
        assert not loss.positive_weights(labels, rule).diagonal().any()
        assert torch.equal(labels, LABELS)

    def test_single_row_has_no_positive(self):
        assert loss.positive_set(torch.tensor([[1, 0]])).tolist() == [[False]]

    def test_two_view_labels(self):
        labels, image_ids = loss.two_view_labels(torch.tensor([[1, 0], [0, 1]]))
        assert labels.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
        assert image_ids.tolist() == [0, 1, 0, 1]
