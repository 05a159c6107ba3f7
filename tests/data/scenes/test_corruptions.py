from itertools import pairwise

import pytest
import torch
from torch import Tensor

from probmcl.data import CORRUPTIONS, STRENGTHS, corrupt, digit_scenes


@pytest.fixture(scope="module")
def images() -> Tensor:
    return digit_scenes("test", 60, seed=3, difficulty="easy").images


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_step_changes_the_images_more(name: str, images: Tensor) -> None:
    steps = [images, *(corrupt(images, name, strength, seed=0) for strength in STRENGTHS)]
    changes = [(step.float() - images.float()).abs().mean().item() for step in steps]
    assert all(less < more for less, more in pairwise(changes))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_seed_repeats_and_leaves_the_global_generator_alone(name: str, images: Tensor) -> None:
    before = torch.random.get_rng_state()
    first, again = (corrupt(images, name, 3, seed=5) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.dtype == torch.uint8
    assert first.shape == images.shape
    if name in ("noise", "occlusion"):
        assert not torch.equal(first, corrupt(images, name, 3, seed=6))


def test_blur_keeps_the_ink_and_contrast_keeps_the_mean() -> None:
    image = torch.zeros(1, 1, 33, 33, dtype=torch.uint8)
    image[0, 0, 14:19, 14:19] = 200
    for name in ("blur", "contrast"):
        changed = corrupt(image, name, 3, seed=0)
        assert changed.float().mean() == pytest.approx(image.float().mean().item(), rel=0.03, abs=0.4)
        assert changed.max() < image.max()


def test_a_square_covers_what_it_covered_before_and_more() -> None:
    white = torch.full((20, 1, 32, 32), 255, dtype=torch.uint8)
    covered = [corrupt(white, "occlusion", strength, seed=0) != 255 for strength in STRENGTHS]
    for smaller, larger in pairwise(covered):
        assert bool((smaller <= larger).all())
    side = CORRUPTIONS["occlusion"].amounts[-1]
    assert covered[-1].float().mean() < side**2  # some squares reach over the edge


def test_noise_has_the_deviation_that_it_names() -> None:
    grey = torch.full((4, 1, 64, 64), 128, dtype=torch.uint8)
    for strength in (1, 2):
        found = corrupt(grey, "noise", strength, seed=0).float().std() / 255
        assert found.item() == pytest.approx(CORRUPTIONS["noise"].amounts[strength - 1], rel=0.05)
