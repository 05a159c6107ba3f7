import pytest
import torch

from probmcl.data import SYMBOLS, digit_scenes, letter_images, symbol_scenes
from probmcl.data.scenes.letters import FONTS, LETTERS, printed
from probmcl.data.scenes.symbols import SYMBOL_FONTS


def test_no_symbol_was_seen_before() -> None:
    assert len(set(SYMBOLS)) == 10
    assert not set(SYMBOLS) & {*LETTERS, *"0123456789"}


@pytest.mark.parametrize(("words", "fonts"), [(LETTERS, FONTS), (SYMBOLS, SYMBOL_FONTS)])
def test_every_font_draws_every_letter_and_symbol_in_its_own_shape(words, fonts) -> None:
    glyphs = printed(words, fonts).images.view(len(words), len(fonts), -1)  # (C, fonts, 64)
    assert glyphs.amin() >= 0
    torch.testing.assert_close(glyphs.amax(-1), torch.ones(len(words), len(fonts)))
    for of_font in glyphs.unbind(1):  # a font without them would draw one box for all
        assert torch.pdist(of_font).min() > 0.5
    assert len(torch.unique(glyphs.flatten(0, 1), dim=0)) == len(words) * len(fonts)


def test_scenes_are_as_full_as_those_of_digits() -> None:
    symbols, digits = symbol_scenes(2000, seed=0), digit_scenes("test", 2000, seed=0)
    assert symbols.labels.float().mean(0).sub(digits.labels.float().mean(0)).abs().max() < 0.05
    assert abs(symbols.images.float().mean() / digits.images.float().mean() - 1) < 0.25


@pytest.mark.parametrize("draw", [symbol_scenes, letter_images])
def test_a_seed_repeats(draw) -> None:
    first, again, other = (draw(20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)
