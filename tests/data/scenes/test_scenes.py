import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from probmcl.data import DIFFICULTIES, Difficulty
from probmcl.data.scenes.drawing import GlyphBank, draw_scenes

CALM = Difficulty(scale=(0.26, 0.26), rotation=0.0, overlap=0.0, contrast=(1.0, 1.0), clutter=0.0, noise=0.0)
SQUARES = GlyphBank(torch.ones(6, 8, 8), torch.arange(6))
SIX = torch.ones(40, 6, dtype=torch.uint8)
ONE = torch.eye(6, dtype=torch.uint8).repeat(20, 1)


def draw(labels: Tensor, difficulty: Difficulty, bank: GlyphBank = SQUARES, size: int = 64) -> Tensor:
    """Ink in [0, 1], (N, H, W)."""
    generator = torch.Generator().manual_seed(0)
    return draw_scenes(labels, bank, difficulty, size, generator).images[:, 0].float() / 255


def test_each_label_is_drawn_with_a_glyph_of_its_class():
    shades = GlyphBank(SQUARES.images * (torch.arange(6) + 1).view(6, 1, 1) / 6, torch.arange(6))
    strongest = draw(ONE, CALM, shades).amax((1, 2))
    torch.testing.assert_close(strongest, (ONE.argmax(1) + 1) / 6, atol=0.01, rtol=0.0)


def test_all_glyphs_of_a_class_are_used():
    shades = torch.tensor([0.2, 0.5, 1.0]).view(3, 1, 1).expand(3, 8, 8)
    bank = GlyphBank(shades, torch.zeros(3).long())
    strongest = draw(torch.ones(50, 1, dtype=torch.uint8), CALM, bank).amax((1, 2))
    assert len(torch.unique((strongest * 10).round())) == 3


def test_without_overlap_glyphs_stand_apart():
    area = 6 * (0.26 * 64) ** 2
    apart = draw(SIX, CALM).sum((1, 2))
    torch.testing.assert_close(apart, torch.full_like(apart, area), rtol=0.05, atol=0.0)
    assert draw(SIX, replace(CALM, overlap=1.0)).sum((1, 2)).mean() < 0.9 * area


def test_glyphs_stay_on_the_canvas_wherever_they_are_placed():
    area = draw(ONE, replace(CALM, overlap=1.0, scale=(0.5, 0.5))).sum((1, 2))
    torch.testing.assert_close(area, torch.full_like(area, 32.0**2), rtol=0.05, atol=0.0)


def test_a_box_holds_its_glyph_and_nothing_else():
    scenes = draw_scenes(SIX, SQUARES, CALM, 64, torch.Generator().manual_seed(0))
    ink = scenes.images[:, 0].float() / 255
    middle = torch.arange(64) + 0.5
    left, top, right, bottom = scenes.boxes.unbind(2)  # (N, 6) each
    columns = (middle >= left.unsqueeze(2)) & (middle <= right.unsqueeze(2))  # (N, 6, 64)
    rows = (middle >= top.unsqueeze(2)) & (middle <= bottom.unsqueeze(2))
    inside = rows.unsqueeze(3) & columns.unsqueeze(2)  # (N, 6, 64, 64)
    assert ink.unsqueeze(1).expand_as(inside)[inside].mean() > 0.9
    assert ink[~inside.any(1)].mean() < 0.05
    boxes = draw_scenes(ONE, SQUARES, CALM, 64, torch.Generator().manual_seed(0)).boxes
    assert torch.equal(boxes.isfinite().all(2), ONE.bool())


def test_scale_is_drawn_from_its_range():
    side = draw(ONE, replace(CALM, scale=(0.2, 0.6))).sum((1, 2)).sqrt() / 64
    assert 0.19 < side.min() < 0.25
    assert 0.55 < side.max() < 0.62


def test_rotation_stays_within_its_limit():
    bar = torch.zeros(1, 8, 8)
    bar[:, :, 3:5] = 1
    bank = GlyphBank(bar, torch.zeros(1).long())
    one = torch.ones(60, 1, dtype=torch.uint8)
    turns = tilt(draw(one, replace(CALM, rotation=30.0, scale=(0.5, 0.5)), bank))
    assert turns.abs().max() < 32
    assert turns.min() < -20 < 20 < turns.max()
    assert tilt(draw(one, CALM, bank)).abs().max() < 1


def tilt(ink: Tensor) -> Tensor:
    """Angle of the longer axis to the vertical, in degrees, from the second moments of the ink, (N,)."""
    places, total = torch.arange(64.0), ink.sum((1, 2))
    x, y = (places - (ink.sum(axis) @ places / total).unsqueeze(1) for axis in (1, 2))  # (N, 64) each
    xx, yy = (ink.sum(1) * x**2).sum(1), (ink.sum(2) * y**2).sum(1)
    xy = torch.einsum("nyx,ny,nx->n", ink, y, x)
    return 0.5 * torch.atan2(2 * xy, yy - xx) * 180 / math.pi


def test_contrast_is_drawn_from_its_range():
    strongest = draw(ONE, replace(CALM, contrast=(0.3, 0.6))).amax((1, 2))
    assert 0.29 < strongest.min() < 0.35
    assert 0.55 < strongest.max() < 0.61


def test_clutter_adds_ink_and_its_mean_is_the_number_of_fragments():
    plain, cluttered = (draw(ONE, replace(CALM, clutter=mean)) for mean in (0.0, 2.0))
    assert cluttered.sum() > 1.2 * plain.sum()
    # A fragment is less than half of its glyph.
    assert cluttered.sum() - plain.sum() < 0.5 * 2.0 * plain.sum()


def test_noise_has_its_standard_deviation():
    white = replace(CALM, scale=(1.0, 1.0), contrast=(0.5, 0.5), noise=0.1)
    middle = draw(ONE, white)[:, 8:-8, 8:-8]
    assert middle.std().item() == pytest.approx(0.1, rel=0.02)
    assert middle.mean().item() == pytest.approx(0.5, abs=0.005)


def test_the_presets_grow_harder():
    easy, default, hard = (DIFFICULTIES[name] for name in ("easy", "default", "hard"))
    for name in ("rotation", "overlap", "clutter", "noise"):
        assert getattr(easy, name) < getattr(default, name) < getattr(hard, name)
    assert easy.contrast[0] > default.contrast[0] > hard.contrast[0]


OUTSIDE = {"scale": [(0.0, 0.5), (0.2, 1.5), (0.5, 0.2)], "contrast": [(0.9, 0.1)]}
OUTSIDE |= {"rotation": [-1.0], "overlap": [1.1], "clutter": [float("nan")], "noise": [-0.1]}


@pytest.mark.parametrize(
    ("name", "value"), [(name, one) for name, all_of in OUTSIDE.items() for one in all_of]
)
def test_a_difficulty_out_of_range_is_named(name: str, value: Any):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        Difficulty(**{name: value})
