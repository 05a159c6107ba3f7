"""DigitScenes: real handwriting on a canvas, with label dependencies that are known exactly."""

from collections.abc import Collection
from functools import cache

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.labelled import LabelledImages
from probmcl.data.scenes.drawing import Difficulty, GlyphBank, Scenes, draw_scenes
from probmcl.data.scenes.themes import DIGITS, MOST_DIGITS, draw_label_sets

SPLITS = ("train", "validation", "test")
Names = Collection[str] | None
# Of every five samples of a digit, in the order of the source: three, one, one.
_SPLIT_OF_FIFTH = torch.tensor([0, 0, 0, 1, 2])


def digit_scenes(
    split: str,
    size: int,
    *,
    seed: int = 0,
    difficulty: str | Difficulty = "default",
    themes: Names = None,
    most: int = MOST_DIGITS,
    image_size: int = 32,
) -> LabelledImages:
    """Draw scenes of 1 to ``most`` different handwritten digits.

    Label sets are drawn from ``label_distribution(themes, most=most)``. The handwriting is the optical digits
    data set of E. Alpaydin and C. Kaynak (UCI, 1998) as bundled with scikit-learn: 1,797 samples of 8 x 8
    pixels.

    Args:
        split: ``"train"``, ``"validation"`` or ``"test"``; no handwriting sample serves two of them.
        size: Number of scenes N.
        seed: The same seed gives the same scenes, bit for bit, under the same version of PyTorch; the splits
            of one seed are drawn independently.
        difficulty: A name out of ``DIFFICULTIES`` or a ``Difficulty``.
        themes: Names out of ``THEMES``; all of them by default.
        most: Largest number of digits in a scene, 1 to 6. Fewer digits mean a lower label cardinality.
        image_size: Height and width of a scene in pixels, at least 8.

    Returns:
        Images uint8 (N, 1, image_size, image_size), labels (N, 10), classes "0" to "9".

    Raises:
        ValueError: If an argument is out of range or names nothing known.

    >>> scenes = digit_scenes("test", 100, seed=1)
    >>> scenes.images.shape, scenes.labels.shape
    (torch.Size([100, 1, 32, 32]), torch.Size([100, 10]))
    """
    labels, scenes = _draw(split, size, seed, difficulty, themes, most, image_size)
    return LabelledImages(scenes.images, labels, [str(digit) for digit in range(DIGITS)])


def digit_boxes(
    split: str,
    size: int,
    *,
    seed: int = 0,
    difficulty: str | Difficulty = "default",
    themes: Names = None,
    most: int = MOST_DIGITS,
    image_size: int = 32,
) -> Tensor:
    """Return where the digits of ``digit_scenes`` with the same arguments, and the same errors, stand.

    Returns:
        Float (N, 10, 4): left, top, right and bottom in pixels of the square that a digit was placed in,
        before it was turned; NaN for digits that are not there.

    >>> boxes = digit_boxes("test", 100, seed=1)
    >>> present = digit_scenes("test", 100, seed=1).labels.bool()
    >>> boxes.shape, torch.equal(boxes.isfinite().all(2), present)
    (torch.Size([100, 10, 4]), True)
    """
    return _draw(split, size, seed, difficulty, themes, most, image_size)[1].boxes


def handwriting_indices(split: str) -> Tensor:
    """Return which of the 1,797 samples belong to a split, int64, ascending.

    The partition is fixed and stratified: in the order of the source, of every five samples of a digit
    the first three train, the fourth validates and the fifth tests (60/20/20 %).

    >>> [len(handwriting_indices(split)) for split in ("train", "validation", "test")]
    [1085, 357, 355]
    """
    _check.one_of("split", split, SPLITS)
    _, digits = _source()
    occurrence = (digits.unsqueeze(1) == torch.arange(DIGITS)).cumsum(0)  # (1797, 10): seen so far
    fifth = (occurrence.gather(1, digits.unsqueeze(1)).squeeze(1) - 1) % 5
    return (_SPLIT_OF_FIFTH[fifth] == SPLITS.index(split)).nonzero().squeeze(1)


def stream(seed: int, name: str) -> torch.Generator:
    """Return the random generator of one seed and one split, or of the letters; no two share a stream."""
    streams = (*SPLITS, "letters")
    return torch.Generator().manual_seed(len(streams) * _check.seed(seed) + streams.index(name))


def _draw(
    split: str, size: int, seed: int, difficulty: str | Difficulty, themes: Names, most: int, image_size: int
) -> tuple[Tensor, Scenes]:
    """Return the labels (N, 10) and what is drawn of them."""
    _check.one_of("split", split, SPLITS)
    _check.count("size", size)
    generator, indices = stream(seed, split), handwriting_indices(split)
    labels = draw_label_sets(size, themes, generator, most=most)
    images, digits = (part[indices] for part in _source())
    by_digit = digits.argsort(stable=True)
    bank = GlyphBank(images[by_digit], digits[by_digit])
    return labels, draw_scenes(labels, bank, difficulty, image_size, generator)


@cache
def _source() -> tuple[Tensor, Tensor]:
    """Return the handwriting as ink in [0, 1], float (1797, 8, 8), and its digits, int64 (1797,)."""
    from sklearn.datasets import load_digits  # here, because importing scikit-learn takes a second

    source = load_digits()
    return torch.from_numpy(source.images).float() / 16, torch.from_numpy(source.target).long()
