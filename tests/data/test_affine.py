import math

import torch

from probmcl.data.affine import place


def test_each_image_moves_by_its_own_amount():
    images = torch.rand(1, 1, 4, 4).repeat(2, 1, 1, 1)
    one_right_then_one_down = torch.tensor([[0.5, 0.0], [0.0, 0.5]])  # 0.5 of -1..1 is one pixel of four
    placed = place(images, torch.zeros(2), torch.ones(2), one_right_then_one_down, (4, 4))
    torch.testing.assert_close(placed[0, 0, :, 1:], images[0, 0, :, :3])
    torch.testing.assert_close(placed[1, 0, 1:], images[1, 0, :3])
    assert placed[0, 0, :, 0].max() < 1e-6


def test_a_quarter_turn_is_anticlockwise():
    images = torch.rand(1, 1, 5, 5)
    placed = place(images, torch.tensor([math.pi / 2]), torch.ones(1), torch.zeros(1, 2), (5, 5))
    torch.testing.assert_close(placed[0, 0], images[0, 0].rot90())
