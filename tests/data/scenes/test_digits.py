from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from probmcl.data import (
    Difficulty,
    LabelledImages,
    checksum,
    digit_scenes,
    handwriting_indices,
    letter_images,
    symbol_scenes,
)
from probmcl.data.scenes import digits

SPLITS = ("train", "validation", "test")


def identity(scenes: LabelledImages) -> str:
    return checksum(scenes.images, scenes.labels)


def test_every_handwriting_sample_belongs_to_one_split():
    indices = torch.cat([handwriting_indices(split) for split in SPLITS])
    assert torch.equal(indices.sort().values, torch.arange(1797))


def test_splits_are_stratified():
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


def test_shapes_and_names():
    scenes = digit_scenes("validation", 7, image_size=40)
    assert scenes.images.shape == (7, 1, 40, 40)
    assert scenes.labels.shape == (7, 10)
    assert scenes.classes == tuple("0123456789")


def test_a_seed_repeats_and_everything_else_differs():
    again = digit_scenes("train", 50, seed=3)
    assert identity(digit_scenes("train", 50, seed=3)) == identity(again)
    others = [digit_scenes("train", 50, seed=4), *(digit_scenes(split, 50, seed=3) for split in SPLITS[1:])]
    assert len({*map(identity, [again, *others])}) == 4


def test_splits_of_one_seed_have_different_labels():
    labels = [digit_scenes(split, 50, seed=3).labels for split in SPLITS]
    assert not torch.equal(labels[0], labels[1])
    assert not torch.equal(labels[0], labels[2])


def test_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    digit_scenes("train", 5)
    assert torch.equal(torch.get_rng_state(), before)


def train(**arguments: Any) -> LabelledImages:
    return digit_scenes(**{"split": "train", **arguments})


WRONG = {"size": 0, "seed": -1, "difficulty": "medium", "image_size": 4}
CASES = [(draw, *wrong) for draw in (train, letter_images, symbol_scenes) for wrong in WRONG.items()]


@pytest.mark.parametrize(
    ("draw", "argument", "value"),
    [*CASES, (train, "split", "val"), (train, "themes", ["cubes"]), (symbol_scenes, "themes", ["cubes"])],
)
def test_bad_arguments_are_named(draw: Callable[..., LabelledImages], argument: str, value: Any):
    with pytest.raises(ValueError, match=f"{argument}: expected"):
        draw(**{"size": 5, argument: value})
