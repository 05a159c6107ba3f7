"""Scenes of symbols that no training image holds: what a model should be unsure about."""

from collections.abc import Collection

import torch

from probmcl import _check
from probmcl.data.labelled import LabelledImages
from probmcl.data.scenes.drawing import Difficulty, draw_scenes
from probmcl.data.scenes.letters import FONTS, printed
from probmcl.data.scenes.themes import draw_label_sets

SYMBOLS = ("Γ", "Δ", "Λ", "Ξ", "Π", "Φ", "Ψ", "Ω", "λ", "ψ")
"""Greek letters: neither a digit nor one of the letters that encoders are pretrained on, nor alike. So no Θ
(0, 8) and no Σ (E)."""

SYMBOL_FONTS = tuple(font for font in FONTS if not font.startswith("cm"))  # Computer Modern: no Greek here
_FAR_SEEDS = 2**40  # apart from the seeds of digits and letters


def symbol_scenes(
    size: int,
    *,
    seed: int = 0,
    difficulty: str | Difficulty = "default",
    themes: Collection[str] | None = None,
    image_size: int = 32,
) -> LabelledImages:
    """Draw scenes as :func:`~probmcl.data.digit_scenes` does, with ten Greek letters in place of the digits.

    As many symbols stand on a scene, and they are placed and disturbed alike; fragments between them are cut
    from Greek letters too. So what sets the scenes apart is the symbols, and that they are printed.

    Arguments and errors are those of the digits; in ``themes`` the k-th symbol stands for digit k.

    Returns:
        Images uint8 (N, 1, image_size, image_size), labels (N, 10) of the symbols, classes ``SYMBOLS``.

    >>> scenes = symbol_scenes(20, seed=0)
    >>> scenes.images.shape, scenes.classes[0]
    (torch.Size([20, 1, 32, 32]), 'Γ')
    """
    _check.count("size", size)
    generator = torch.Generator().manual_seed(_FAR_SEEDS + _check.seed(seed))
    labels = draw_label_sets(size, themes, generator)
    scenes = draw_scenes(labels, printed(SYMBOLS, SYMBOL_FONTS), difficulty, image_size, generator)
    return LabelledImages(scenes.images, labels, SYMBOLS)
