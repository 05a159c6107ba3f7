"""Letters in print: other symbols to pretrain an encoder on, as ImageNet is for photographs."""

from functools import cache
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import pil_to_tensor

from probmcl import _check
from probmcl.data.labelled import LabelledImages
from probmcl.data.scenes.digits import stream
from probmcl.data.scenes.drawing import Difficulty, GlyphBank, draw_scenes

# Letters whose shape is a digit's would let the pretraining see digits, so they are left out:
# O o Q D C c G (0, 6), I i J j L l (1), Z z (2), S s (5), b (6), T (7), B (8), P p d g q (9, or 6 turned).
# Small letters that repeat their capital's shape (k v w x y ...) would be the same class twice.
LETTERS = ("A", "E", "F", "H", "K", "M", "N", "R", "U", "V", "W", "X", "Y", *"aefhmnrtuy")
FONTS = (
    *("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf"),
    *("DejaVuSerif.ttf", "DejaVuSerif-Italic.ttf", "STIXGeneral.ttf", "STIXGeneralBol.ttf"),
    *("STIXGeneralItalic.ttf", "cmr10.ttf", "cmss10.ttf", "cmtt10.ttf"),
)
GLYPH_PIXELS = 8  # as coarse as the handwriting
_DRAWN_PIXELS = 64  # a letter is drawn large, then averaged down


def letter_images(
    size: int, *, seed: int = 0, difficulty: str | Difficulty = "default", image_size: int = 32
) -> LabelledImages:
    """Draw scenes of one printed letter each, for pretraining an encoder without any digit.

    The letters are those of the fonts bundled with matplotlib, reduced to the 8 x 8 pixels of the
    handwriting and drawn by the same code as the digits, with the same arguments and errors.

    Returns:
        Images uint8 (N, 1, image_size, image_size); labels one-hot (N, 23), so ``labels.argmax(1)`` is the
        class of a single-label problem; classes ``LETTERS``.

    >>> letters = letter_images(50, seed=0)
    >>> letters.images.shape, letters.labels.sum(1).unique().tolist(), len(letters.classes)
    (torch.Size([50, 1, 32, 32]), [1], 23)
    """
    _check.count("size", size)
    generator = stream(seed, "letters")
    letter = torch.randint(len(LETTERS), (size,), generator=generator)
    labels = functional.one_hot(letter, len(LETTERS)).to(torch.uint8)
    scenes = draw_scenes(labels, printed(LETTERS, FONTS), difficulty, image_size, generator)
    return LabelledImages(scenes.images, labels, LETTERS)


@cache
def printed(symbols: tuple[str, ...], fonts: tuple[str, ...]) -> GlyphBank:
    """Return every symbol, class by class, in fonts of matplotlib, as coarse as the handwriting."""
    try:
        import matplotlib  # here, because only this function needs its fonts
    except ImportError as error:
        raise ImportError("printed letters need matplotlib's fonts: pip install 'probmcl[book]'") from error

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    glyphs = [_glyph(symbol, folder / font) for symbol in symbols for font in fonts]
    return GlyphBank(torch.stack(glyphs), torch.arange(len(symbols)).repeat_interleave(len(fonts)))


def _glyph(symbol: str, font: Path) -> Tensor:
    """Return one symbol as ink in [0, 1], float (8, 8), as high as the square it stands in."""
    typeface = ImageFont.truetype(str(font), _DRAWN_PIXELS)
    left, top, right, bottom = typeface.getbbox(symbol)
    width, height = right - left, bottom - top
    side = max(width, height)
    square = Image.new("L", (int(side), int(side)))
    origin = ((side - width) / 2 - left, (side - height) / 2 - top)
    ImageDraw.Draw(square).text(origin, symbol, fill=255, font=typeface)
    ink = pil_to_tensor(square).float() / 255  # (1, side, side)
    coarse = functional.adaptive_avg_pool2d(ink, GLYPH_PIXELS)[0]
    return coarse / coarse.max()
