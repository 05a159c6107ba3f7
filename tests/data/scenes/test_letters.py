import torch

from probmcl.data import checksum, letter_images
from probmcl.data.scenes.letters import FONTS, LETTERS, printed


def test_every_letter_has_a_glyph_in_every_font():
    bank = printed(LETTERS, FONTS)
    assert bank.images.shape == (len(LETTERS) * len(FONTS), 8, 8)
    assert bank.images.amin() >= 0
    torch.testing.assert_close(bank.images.amax((1, 2)), torch.ones(len(bank.images)))
    # A font without the letter would draw the same box for all of them.
    assert len(torch.unique(bank.images.flatten(1), dim=0)) == len(bank.images)


def test_a_seed_repeats():
    first, again, other = (letter_images(20, seed=seed) for seed in (1, 1, 2))
    assert checksum(first.images, first.labels) == checksum(again.images, again.labels)
    assert checksum(first.images, first.labels) != checksum(other.images, other.labels)
