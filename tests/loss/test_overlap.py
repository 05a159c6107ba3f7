import math
from fractions import Fraction
from itertools import product

import pytest
import torch

from probmcl.loss import INDICES, overlap, overlaps_enough, positive_set, positive_weights
from probmcl.loss.overlap import _needed, _times_square
from probmcl_book import reference

EVERY_SET = torch.tensor(list(product((0, 1), repeat=4)))  # all 16 label sets of four classes
THRESHOLDS = (
    *(0, 1e-7, 0.1, 1 / 6, 0.2, 0.25, 1 / 3, 0.4, 0.5),
    *(0.5**0.5, 0.6, 2 / 3, 0.75, 0.8, 6 / 7, 1 - 1e-9, 1),
)


@pytest.mark.parametrize("index", INDICES)
class TestAgainstOracle:
    def test_overlap_of_every_pair_of_small_sets(self, index, assert_matches):
        assert_matches(overlap(EVERY_SET, index=index), reference.overlap(EVERY_SET, index=index))

    def test_threshold_of_every_pair_of_small_sets(self, index):
        for threshold in THRESHOLDS:
            found = overlaps_enough(EVERY_SET, index=index, threshold=threshold)
            expected = reference.overlaps_enough(EVERY_SET, index=index, threshold=threshold)
            assert torch.equal(found, expected), threshold

    def test_two_matrices_of_many_classes(self, index, make_labels, assert_matches):
        rows, columns = make_labels(6, 80, seed=1, empty=1), make_labels(9, 80, seed=2, empty=2, density=0.5)
        columns[-1] = rows[-1]
        assert_matches(overlap(rows, columns, index=index), reference.overlap(rows, columns, index=index))
        for threshold in (0.2, 0.35, 1):
            found = overlaps_enough(rows, columns, index=index, threshold=threshold)
            expected = reference.overlaps_enough(rows, columns, index=index, threshold=threshold)
            assert torch.equal(found, expected)

    def test_one_class(self, index):
        labels = torch.tensor([[1], [0], [1]])
        enough = overlaps_enough(labels, index=index, threshold=1.0)
        assert enough.int().tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 1]]


def first(n: int, *, skip: int = 0, classes: int = 12) -> torch.Tensor:
    """One row with the labels skip, ..., skip + n - 1."""
    row = torch.zeros(1, classes, dtype=torch.uint8)
    row[0, skip : skip + n] = 1
    return row


@pytest.mark.parametrize(
    ("index", "threshold", "a", "b"),
    [
        ("jaccard", 1 / 3, first(2), first(2, skip=1)),  # 1 of 3
        ("jaccard", 0.1, first(1), first(10)),
        ("jaccard", 0.3, first(3), first(10)),
        ("jaccard", 0.6, first(3), first(5)),
        ("jaccard", 6 / 7, first(6), first(7)),
        ("dice", 2 / 3, first(1), first(2)),  # 2 of 3
        ("dice", 0.8, first(2), first(3)),
        ("dice", 2 / 7, first(3), first(4, skip=2)),
        ("overlap", 2 / 3, first(3), first(3, skip=1)),
        ("overlap", 0.7, first(10, classes=13), first(10, skip=3, classes=13)),
        ("cosine", 0.5, first(1), first(4)),  # 1 / sqrt(4)
        ("cosine", 2 / 3, first(4), first(9)),
        ("cosine", 0.75, first(4), first(4, skip=1)),
    ],
)
def test_an_overlap_reaches_its_own_value_and_nothing_above(index, threshold, a, b):
    assert overlaps_enough(a, b, index=index, threshold=threshold).item()
    assert not overlaps_enough(a, b, index=index, threshold=threshold + 1e-5).item()
    assert overlap(a, b, index=index).item() == pytest.approx(threshold, abs=1e-6)


class TestManyClasses:
    @pytest.mark.parametrize("index", INDICES)
    def test_cost_nothing_where_rows_have_few_labels(self, index):
        """The only table is that of sizes 0 and 1, where one of every size up to 600 takes seconds."""
        _needed.cache_clear()
        assert torch.equal(overlaps_enough(torch.eye(600)[:2], index=index), torch.eye(2).bool())
        assert _needed.cache_info().currsize == 1
        assert len(_needed(index, Fraction(1, 2), 2)) == 2
        assert _needed.cache_info().hits == 1

    def test_cosine_compares_squares_beyond_64_bits(self):
        """Sets of 8,000 labels and a threshold of seven digits."""
        p, q, sizes = 654_321, 999_983, 8_000 * 7_999
        exact = math.ceil(sizes * p**2 / q**2)  # far from a whole number, so a float will do
        assert sizes * p**2 > 2**63
        assert _times_square(torch.tensor(sizes), p, q).item() == exact


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("tiny", [1e-7, 5e-324])
def test_a_tiny_threshold_is_not_zero(index, tiny):
    """Sets that share nothing overlap by 0, which is below any threshold but 0."""
    assert torch.equal(overlaps_enough(torch.eye(2), index=index, threshold=tiny), torch.eye(2).bool())
    assert not positive_set(torch.eye(2), index, tiny).any()


def test_sets_are_counted_exactly_with_a_default_type_of_16_bits():
    """257 is no number in bfloat16."""
    labels = torch.cat([first(256, classes=300), first(257, classes=300)])
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        enough, values = overlaps_enough(labels, threshold=1), overlap(labels)
        weights = positive_weights(labels, "exact")
    finally:
        torch.set_default_dtype(usual)
    assert torch.equal(enough, torch.eye(2).bool())
    assert not weights.any()
    assert weights.dtype == values.dtype == torch.bfloat16


def test_double_labels_give_double_overlaps():
    third = overlap(torch.tensor([[1.0, 1, 1], [1, 0, 0]]).double())[0, 1]
    assert third.dtype == torch.float64
    assert third.item() == 1 / 3
