"""Draw scenes: glyphs placed on a grey canvas, with fragments and noise between them.

Digits and letters are drawn by the same code; only the glyphs and the label matrix differ.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.affine import place

CELLS = 3  # digits that do not overlap stand in a grid of 3 x 3 cells
CHUNK = 1000  # scenes drawn at a time: small enough for the cache; part of the identity of a seed's scenes


@dataclass(frozen=True)
class Difficulty:
    """How hard a scene is to read.

    Attributes:
        scale: Smallest and largest size of a glyph, as a share of the canvas.
        rotation: Largest rotation to either side, in degrees.
        overlap: Share of glyphs placed anywhere; the others stand in separate, jittered cells.
        contrast: Faintest and strongest ink of a glyph, in (0, 1].
        clutter: Mean number of fragments a scene (Poisson): cut-off pieces of glyphs that are no label.
        noise: Standard deviation of the pixel noise, where 1 is the step from black to white.

    Raises:
        ValueError: If a value is out of range or a range is not (smallest, largest).

    >>> Difficulty(scale=(0.5, 0.3))
    Traceback (most recent call last):
    ...
    ValueError: scale: expected (smallest, largest), got (0.5, 0.3)
    """

    scale: tuple[float, float] = (0.30, 0.42)
    rotation: float = 20.0
    overlap: float = 0.5
    contrast: tuple[float, float] = (0.45, 1.0)
    clutter: float = 2.0
    noise: float = 0.08

    def __post_init__(self) -> None:
        for name in ("scale", "contrast"):
            pair = getattr(self, name)
            if not isinstance(pair, Sequence) or len(pair) != 2 or sorted(pair) != list(pair):
                raise ValueError(f"{name}: expected (smallest, largest), got {pair!r}")
            for end in pair:
                _check.number(name, end, low=0.0, high=1.0, above=True)
        _check.number("rotation", self.rotation, low=0.0, high=180.0)
        _check.number("overlap", self.overlap, low=0.0, high=1.0)
        _check.number("clutter", self.clutter, low=0.0, high=100.0)
        _check.number("noise", self.noise, low=0.0, high=10.0)


DIFFICULTIES: Mapping[str, Difficulty] = MappingProxyType(
    {
        "easy": Difficulty((0.32, 0.38), 8.0, overlap=0.0, contrast=(0.8, 1.0), clutter=0.0, noise=0.02),
        "default": Difficulty(),
        "hard": Difficulty((0.26, 0.42), 30.0, overlap=0.8, contrast=(0.35, 1.0), clutter=3.0, noise=0.12),
    }
)
"""Three mixes of size, rotation, overlap, contrast, clutter and noise, by name."""


@dataclass(frozen=True, eq=False)
class GlyphBank:
    """The glyphs that scenes are drawn from, in the order of their classes, of which each has one."""

    images: Tensor  # ink in [0, 1], float (G, h, w)
    classes: Tensor  # int64 (G,), ascending from 0

    def pick(self, classes: Tensor, generator: torch.Generator) -> Tensor:
        """Return a random glyph of each wanted class, (M, h, w)."""
        counts = self.classes.bincount()  # (K,)
        first = counts.cumsum(0) - counts
        chosen = (torch.rand(len(classes), generator=generator) * counts[classes]).long()
        return self.images[first[classes] + chosen]


class Scenes(NamedTuple):
    """Drawn scenes, and where their glyphs stand."""

    images: Tensor  # uint8 (N, 1, H, W)
    boxes: Tensor  # (N, K, 4): left, top, right, bottom in pixels; NaN for a class that is not there


class Marks(NamedTuple):
    """Glyphs to be drawn, each with the scene it belongs to and its pose."""

    scene: Tensor  # (M,)
    glyph: Tensor  # (M, h, w)
    scale: Tensor  # (M,)
    angle: Tensor  # (M,), radians
    centre: Tensor  # (M, 2), -1 to 1
    ink: Tensor  # (M,)


def draw_scenes(
    labels: Tensor, bank: GlyphBank, difficulty: str | Difficulty, image_size: int, generator: torch.Generator
) -> Scenes:
    """Draw one scene for each row of labels (N, K), at most nine ones a row; fragments have no box."""
    _check.count("image_size", image_size, low=8)
    if not isinstance(difficulty, Difficulty):
        difficulty = DIFFICULTIES[_check.one_of("difficulty", difficulty, DIFFICULTIES)]
    chunks = [
        _draw_chunk(part, bank, difficulty, image_size, generator) for part in torch.split(labels, CHUNK)
    ]
    images, boxes = zip(*chunks, strict=True)
    return Scenes(torch.cat(images), torch.cat(boxes))


def _draw_chunk(
    labels: Tensor, bank: GlyphBank, difficulty: Difficulty, image_size: int, generator: torch.Generator
) -> Scenes:
    canvas, size = torch.zeros(len(labels), image_size * image_size), (image_size, image_size)  # (N, H W)
    placed = _labelled_marks(labels, bank, difficulty, generator)
    for marks in (placed, _fragments(len(labels), bank, difficulty, generator)):
        drawn = place(marks.glyph.unsqueeze(1), marks.angle, marks.scale, marks.centre, size)
        ink = drawn.flatten(1) * marks.ink.unsqueeze(1)  # (M, H W)
        # The maximum, not the sum: overlapping strokes stay strokes.
        canvas.scatter_reduce_(0, marks.scene.unsqueeze(1).expand_as(ink), ink, "amax")
    canvas += difficulty.noise * torch.randn(canvas.shape, generator=generator)
    pixels = (canvas.clamp(0, 1) * 255).round().to(torch.uint8)
    return Scenes(pixels.view(-1, 1, image_size, image_size), _boxes(labels, placed, image_size))


def _boxes(labels: Tensor, placed: Marks, image_size: int) -> Tensor:
    boxes = torch.full((*labels.shape, 4), math.nan)  # (N, K, 4)
    reach = torch.stack([-placed.scale, placed.scale], dim=1).unsqueeze(2)  # (M, 2, 1)
    corners = (placed.centre.unsqueeze(1) + reach).flatten(1)  # (M, 4): x and y of both, -1 to 1
    boxes[labels.nonzero(as_tuple=True)] = (corners + 1) / 2 * image_size
    return boxes


def _labelled_marks(
    labels: Tensor, bank: GlyphBank, difficulty: Difficulty, generator: torch.Generator
) -> Marks:
    """Give every label of every scene a glyph and a pose."""
    scene, glyph_class = labels.nonzero(as_tuple=True)  # (M,)
    position = (labels.cumsum(1) - 1)[scene, glyph_class]  # 0, 1, ... within the scene
    cell_order = torch.rand(len(labels), CELLS * CELLS, generator=generator).argsort(1)
    cell = cell_order[scene, position]  # no two marks of a scene share one
    corner = torch.stack([cell % CELLS, cell // CELLS], dim=1)  # (M, 2)
    jitter = _uniform(0.4, 0.6, (len(scene), 2), generator)
    apart = (corner + jitter) / CELLS * 2 - 1
    anywhere = _uniform(-1, 1, (len(scene), 2), generator)
    free = torch.rand(len(scene), 1, generator=generator) < difficulty.overlap
    scale = _uniform(*difficulty.scale, (len(scene),), generator)
    room = (1 - scale).unsqueeze(1)  # a centre within -room..room keeps the glyph on the canvas
    turn = math.radians(difficulty.rotation)
    return Marks(
        scene=scene,
        glyph=bank.pick(glyph_class, generator),
        scale=scale,
        angle=_uniform(-turn, turn, (len(scene),), generator),
        centre=torch.where(free, anywhere * room, apart.clamp(-room, room)),
        ink=_uniform(*difficulty.contrast, (len(scene),), generator),
    )


def _fragments(scenes: int, bank: GlyphBank, difficulty: Difficulty, generator: torch.Generator) -> Marks:
    """Scatter cut-off pieces of random glyphs, turned any way, over the scenes."""
    counts = torch.poisson(torch.full((scenes,), float(difficulty.clutter)), generator=generator).long()
    scene = torch.arange(scenes).repeat_interleave(counts)  # (M,)
    glyph_class = torch.randint(int(bank.classes[-1]) + 1, (len(scene),), generator=generator)
    return Marks(
        scene=scene,
        glyph=_cut(bank.pick(glyph_class, generator), generator),
        scale=_uniform(*difficulty.scale, (len(scene),), generator),
        angle=_uniform(-math.pi, math.pi, (len(scene),), generator),
        centre=_uniform(-1, 1, (len(scene), 2), generator),
        ink=_uniform(*difficulty.contrast, (len(scene),), generator),
    )


def _cut(glyphs: Tensor, generator: torch.Generator) -> Tensor:
    """Keep less than half of each glyph: the part beyond a straight line in a random direction."""
    direction = _uniform(-math.pi, math.pi, (len(glyphs), 1, 1), generator)
    rows, columns = (torch.linspace(-1, 1, pixels) for pixels in glyphs.shape[1:])
    distance = columns * torch.cos(direction) + rows.unsqueeze(1) * torch.sin(direction)  # (M, h, w)
    return glyphs * (distance > 0.15)


def _uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)
