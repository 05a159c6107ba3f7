import pytest
import torch

from probmcl.data import Difficulty, LabelledImages, checksum, digit_scenes, handwriting_indices
from probmcl.data.scenes import digits

SPLITS = ("train", "validation", "test")


def identity(scenes: LabelledImages) -> str:
    return checksum(scenes.images, scenes.labels)


def test_every_handwriting_sample_belongs_to_one_split_and_splits_are_stratified():
    indices = torch.cat([handwriting_indices(split) for split in SPLITS])
    assert torch.equal(indices.sort().values, torch.arange(1797))
    # ... and each split has its share of every digit
    _, digit = digits._source()
    for split, share in zip(SPLITS, (0.6, 0.2, 0.2), strict=True):
        counts = digit[handwriting_indices(split)].bincount()
        expected = share * digit.bincount()
        assert ((counts - expected).abs() <= 2).all()


@pytest.mark.parametrize("split", SPLITS)
def test_scenes_show_no_handwriting_of_another_split(split: str, monkeypatch: pytest.MonkeyPatch):
    images, digit = digits._source()
    blank = images.clone()
    blank[handwriting_indices(split)] = 0
    monkeypatch.setattr(digits, "_source", lambda: (blank, digit))
    scenes = digit_scenes(split, 300, difficulty=Difficulty(noise=0.0, clutter=3.0))
    assert scenes.images.max() == 0


def test_scenes_show_the_digits_of_their_labels(monkeypatch: pytest.MonkeyPatch):
    """With only the sevens inked, the scenes with ink are those labelled 7."""
    images, digit = digits._source()
    only_sevens = images * (digit == 7).view(-1, 1, 1)
    monkeypatch.setattr(digits, "_source", lambda: (only_sevens, digit))
    scenes = digit_scenes("train", 300, difficulty=Difficulty(noise=0.0, clutter=0.0))
    assert torch.equal(scenes.images.amax((1, 2, 3)) > 0, scenes.labels[:, 7] == 1)


def test_a_seed_repeats_everything_else_differs_and_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    again = digit_scenes("train", 50, seed=3)
    assert identity(digit_scenes("train", 50, seed=3)) == identity(again)
    others = [digit_scenes("train", 50, seed=4), *(digit_scenes(split, 50, seed=3) for split in SPLITS[1:])]
    assert len({*map(identity, [again, *others])}) == 4
    assert torch.equal(torch.get_rng_state(), before)
