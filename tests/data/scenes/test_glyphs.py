import pytest
import torch

from probmcl import data
from probmcl.data.scenes import digits
from probmcl.data.scenes.letters import FONTS, LETTERS, printed
from probmcl.data.scenes.symbols import SYMBOL_FONTS

SPLITS = ("train", "validation", "test")


def identity(scenes: data.LabelledImages) -> str:
    return data.checksum(scenes.images, scenes.labels)


def test_every_handwriting_sample_belongs_to_one_split_and_splits_are_stratified():
    indices = torch.cat([data.handwriting_indices(split) for split in SPLITS])
    assert torch.equal(indices.sort().values, torch.arange(1797))
    # ... and each split has its share of every digit
    _, digit = digits._source()
    for split, share in zip(SPLITS, (0.6, 0.2, 0.2), strict=True):
        counts = digit[data.handwriting_indices(split)].bincount()
        expected = share * digit.bincount()
        assert ((counts - expected).abs() <= 2).all()


@pytest.mark.parametrize("split", SPLITS)
def test_scenes_show_no_handwriting_of_another_split(split: str, monkeypatch: pytest.MonkeyPatch):
    images, digit = digits._source()
    blank = images.clone()
    blank[data.handwriting_indices(split)] = 0
    monkeypatch.setattr(digits, "_source", lambda: (blank, digit))
    scenes = data.digit_scenes(split, 300, difficulty=data.Difficulty(noise=0.0, clutter=3.0))
    assert scenes.images.max() == 0


def test_scenes_show_the_digits_of_their_labels(monkeypatch: pytest.MonkeyPatch):
    """With only the sevens inked, the scenes with ink are those labelled 7."""
    images, digit = digits._source()
    only_sevens = images * (digit == 7).view(-1, 1, 1)
    monkeypatch.setattr(digits, "_source", lambda: (only_sevens, digit))
    scenes = data.digit_scenes("train", 300, difficulty=data.Difficulty(noise=0.0, clutter=0.0))
    assert torch.equal(scenes.images.amax((1, 2, 3)) > 0, scenes.labels[:, 7] == 1)


def test_a_seed_repeats_everything_else_differs_and_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    again = data.digit_scenes("train", 50, seed=3)
    assert identity(data.digit_scenes("train", 50, seed=3)) == identity(again)
    others = [
        data.digit_scenes("train", 50, seed=4),
        *(data.digit_scenes(split, 50, seed=3) for split in SPLITS[1:]),
    ]
    assert len({*map(identity, [again, *others])}) == 4
    assert torch.equal(torch.get_rng_state(), before)


def test_no_symbol_was_seen_before() -> None:
    assert len(set(data.SYMBOLS)) == 10
    assert not set(data.SYMBOLS) & {*LETTERS, *"0123456789"}


@pytest.mark.parametrize(("words", "fonts"), [(LETTERS, FONTS), (data.SYMBOLS, SYMBOL_FONTS)])
def test_every_font_draws_every_letter_and_symbol_in_its_own_shape(words, fonts) -> None:
    glyphs = printed(words, fonts).images.view(len(words), len(fonts), -1)  # (C, fonts, 64)
    assert glyphs.amin() >= 0
    torch.testing.assert_close(glyphs.amax(-1), torch.ones(len(words), len(fonts)))
    for of_font in glyphs.unbind(1):  # a font without them would draw one box for all
        assert torch.pdist(of_font).min() > 0.5
    assert len(torch.unique(glyphs.flatten(0, 1), dim=0)) == len(words) * len(fonts)


def test_scenes_are_as_full_as_those_of_digits() -> None:
    symbols, digits = data.symbol_scenes(2000, seed=0), data.digit_scenes("test", 2000, seed=0)
    assert symbols.labels.float().mean(0).sub(digits.labels.float().mean(0)).abs().max() < 0.05
    assert abs(symbols.images.float().mean() / digits.images.float().mean() - 1) < 0.25


@pytest.mark.parametrize("draw", [data.symbol_scenes, data.letter_images])
def test_a_seed_repeats(draw) -> None:
    first, again, other = (draw(20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)
