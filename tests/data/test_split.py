from typing import Any

import numpy as np
import pytest
import torch

from probmcl.data import held_out
from probmcl.data.identifiers import group_names

PATIENTS = [f"patient {row // 3}" for row in range(300)]


def test_groups_stay_whole_and_the_share_is_met():
    held = held_out(PATIENTS, 0.2, seed=0)
    chosen = {patient for patient, out in zip(PATIENTS, held.tolist(), strict=True) if out}
    rest = {patient for patient, out in zip(PATIENTS, held.tolist(), strict=True) if not out}
    assert not chosen & rest
    assert 60 <= held.sum() < 63


def test_the_choice_depends_on_the_seed_and_not_on_the_order():
    held = held_out(PATIENTS, 0.2, seed=0)
    assert held_out(PATIENTS[::-1], 0.2, seed=0).tolist() == held.tolist()[::-1]
    assert held_out(PATIENTS, 0.2, seed=1).tolist() != held.tolist()
    # Fixed for all time: a record states the seed alone.
    assert held.nonzero().squeeze(1)[:6].tolist() == [12, 13, 14, 30, 31, 32]


@pytest.mark.parametrize(
    ("groups", "share"), [(["a", "a"], 0.5), (["a", "b"], 0.99), (PATIENTS, 1.0)], ids=["one", "two", "all"]
)
def test_a_side_without_rows_is_refused(groups: list[str], share: float):
    with pytest.raises(ValueError, match="share: expected groups on both sides"):
        held_out(groups, share, seed=0)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("", "groups: expected a group for every row, got '' in row 300"),
        (float("nan"), "groups: expected a group for every row, got nan"),
        ("Patient 7", "groups: expected one spelling for each, got 'Patient 7' and 'patient 7'"),
        (None, "groups: expected text or whole numbers, got NoneType in row 300"),
        (torch.tensor(7), "groups: expected text or whole numbers, got Tensor"),
        (7.5, "groups: expected text or whole numbers, got 7.5 in row 300"),
        (float("inf"), "groups: expected text or whole numbers, got inf in row 300"),
    ],
)
def test_a_group_that_is_none_or_is_spelled_in_two_ways_is_refused(group: Any, message: str):
    with pytest.raises((TypeError, ValueError), match=message):
        held_out([*PATIENTS, group], 0.2, seed=0)


@pytest.mark.parametrize(
    "groups",
    [
        np.array([1e16, 2.0, 3.0]),
        torch.tensor([10**16, 2, 3]),
        ["１００００００００００００００００", "2\u200b", "003"],
        iter([10**16, "2.0", np.float32(3)]),
    ],
    ids=["floats", "tensor", "full width", "any order once"],
)
def test_one_group_has_one_name_in_any_container(groups: Any):
    assert held_out(groups, 0.5, 0).tolist() == held_out([10**16, 2, 3], 0.5, 0).tolist()
    assert group_names([10**30, float(2**60)]) == [str(10**30), str(2**60)]


@pytest.mark.parametrize("groups", [{1, 2, 3}, {1: 2, 3: 4}])
def test_groups_without_an_order_are_refused(groups: Any):
    with pytest.raises(TypeError, match=r"groups: expected a list, got (set|dict)"):
        held_out(groups, 0.5, 0)
