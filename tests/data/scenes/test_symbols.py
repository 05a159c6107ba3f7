import torch

from probmcl.data import SYMBOLS, digit_scenes, symbol_scenes
from probmcl.data.scenes.letters import LETTERS, printed
from probmcl.data.scenes.symbols import SYMBOL_FONTS


def test_no_symbol_was_seen_before() -> None:
    assert len(set(SYMBOLS)) == 10
    assert not set(SYMBOLS) & {*LETTERS, *"0123456789"}


def test_every_font_draws_every_symbol_in_its_own_shape() -> None:
    glyphs = printed(SYMBOLS, SYMBOL_FONTS).images.view(len(SYMBOLS), len(SYMBOL_FONTS), -1)
    assert (glyphs.amax(-1) == 1).all()
    for of_font in glyphs.unbind(1):  # a font without the symbols would draw one box ten times
        assert torch.pdist(of_font).min() > 0.5


def test_scenes_are_as_full_as_those_of_digits() -> None:
    symbols, digits = symbol_scenes(2000, seed=0), digit_scenes("test", 2000, seed=0)
    assert symbols.labels.float().mean(0).sub(digits.labels.float().mean(0)).abs().max() < 0.05
    assert abs(symbols.images.float().mean() / digits.images.float().mean() - 1) < 0.25


def test_a_seed_repeats() -> None:
    assert torch.equal(symbol_scenes(9, seed=1).images, symbol_scenes(9, seed=1).images)
    assert not torch.equal(symbol_scenes(9, seed=1).images, symbol_scenes(9, seed=2).images)
