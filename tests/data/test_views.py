import math

import pytest
import torch
from torchvision.transforms import v2

from probmcl import data
from probmcl.data.affine import place
from probmcl.data.seeded import seeded
from probmcl.data.views import pillow_randaugment, random_affine, random_contrast


@pytest.fixture(scope="module")
def scene() -> torch.Tensor:
    return data.digit_scenes("train", 1, difficulty="easy").images  # (1, 1, 32, 32)


@pytest.mark.parametrize(
    "view", [data.plain_view(), data.scene_augmentation(), data.photo_view(16), data.photo_augmentation(16)]
)
def test_a_view_takes_one_image_or_a_batch_and_gives_float32(view):
    channels = 1 if view(torch.zeros(1, 4, 4, dtype=torch.uint8)).shape[0] == 1 else 3
    size = 8 if channels == 1 else 16
    one = view(torch.full((channels, 8, 8), 7, dtype=torch.uint8))
    batch = view(torch.full((5, channels, 8, 8), 7, dtype=torch.uint8))
    assert one.shape == (channels, size, size)
    assert batch.shape == (5, channels, size, size)
    assert one.dtype == batch.dtype == torch.float32
    if channels == 3:  # grey photographs become colour, and squares
        assert view(torch.zeros(2, 1, 10, 30, dtype=torch.uint8)).shape == (2, 3, 16, 16)


@pytest.mark.parametrize("augment", [data.scene_augmentation(), data.photo_augmentation(32)])
def test_each_image_of_a_batch_has_a_draw_of_its_own(augment, scene):
    with seeded(0):
        views = augment(scene.expand(6, 3, -1, -1)).flatten(1)
    assert (torch.cdist(views, views) + 100 * torch.eye(6) > 0.1).all()


def test_two_views_are_two_draws_and_repeat_under_a_seed(scene):
    augment = data.scene_augmentation()
    with seeded(3):
        first, second = data.TwoViews(augment)(scene)
        torch.manual_seed(3)
        assert torch.equal(first, augment(scene))  # the scene is as it was
        assert torch.equal(second, augment(scene))
    assert (first - second).abs().mean() > 0.01


def test_an_augmented_scene_still_shows_its_digits(scene):
    with seeded(0):
        views = data.scene_augmentation()(scene.expand(50, -1, -1, -1))
    ink, plain = (strokes(images).float().sum((1, 2, 3)) for images in (views, data.plain_view()(scene)))
    assert ink.min() > 0.5 * plain
    assert ink.max() < 2.0 * plain


def strokes(images: torch.Tensor) -> torch.Tensor:
    """Pixels brighter than the middle between an image's darkest and brightest."""
    return images > (images.amin((1, 2, 3), keepdim=True) + images.amax((1, 2, 3), keepdim=True)) / 2


def test_random_affine_keeps_to_its_limits():
    images = torch.rand(4, 2, 9, 9)
    still = random_affine(images, rotation=0.0, scale=(1.0, 1.0), translation=0.0)
    torch.testing.assert_close(still, images)
    larger = random_affine(torch.ones(1, 1, 8, 8), rotation=0.0, scale=(2.0, 2.0), translation=0.0)
    torch.testing.assert_close(larger, torch.ones(1, 1, 8, 8))
    dot = torch.zeros(200, 1, 33, 33)
    dot[:, :, 15:18, 15:18] = 1
    moved = random_affine(dot, rotation=0.0, scale=(1.0, 1.0), translation=0.1)
    columns = (moved.sum((1, 2)) * torch.arange(33)).sum(1) / moved.sum((1, 2, 3)) - 16
    assert 0.07 < (columns / 33).abs().max() <= 0.1001


def test_random_contrast_keeps_to_its_limits():
    values = random_contrast(torch.full((400, 1, 2, 2), 1.0), contrast=(0.5, 1.5), brightness=0.1)
    assert 0.4 <= values.min() < 0.6
    assert 1.4 < values.max() <= 1.6
    assert (values.flatten(1).std(1) < 1e-6).all()


def test_cutout_blackens_a_sixteenth_to_a_quarter():
    erase = data.photo_augmentation(64).transform.transforms[3]
    white = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    shares = torch.tensor([(erase(white) == 0).float().mean() for _ in range(60)])
    assert 0.05 < shares.min() < 0.12
    assert 0.18 < shares.max() < 0.27


def test_two_photo_views_are_two_augmentations_of_one_resized_image():
    photo = torch.randint(256, (3, 30, 50), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with seeded(3):
        views = data.two_photo_views(24)(photo)
        torch.manual_seed(3)
        expected = data.TwoViews(data.photo_augmentation(24))(photo)
    assert all(torch.equal(view, other) for view, other in zip(views, expected, strict=True))
    assert not torch.equal(*views)


def test_what_two_views_share_is_done_once():
    calls = []
    views = data.TwoViews(lambda image: image + 1, once=lambda image: calls.append(1) or image)
    assert views(torch.ones(1)) == (2, 2)
    assert calls == [1]


def test_a_photograph_is_normalised_as_torchvision_does():
    photo = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(3, -1, -1)
    normalise = v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    torch.testing.assert_close(data.photo_view(16)(photo), normalise(photo / 255), atol=1e-5, rtol=1e-5)
    assert data.photo_view(16)(photo.permute(1, 2, 0).contiguous().permute(2, 0, 1)).stride() == (1, 48, 3)


def test_randaugment_by_pillow_draws_what_it_draws_on_tensors():
    photo = torch.arange(48, dtype=torch.uint8).view(1, 48, 1).expand(3, -1, 48).contiguous()
    near = []
    with torch.random.fork_rng():
        for seed in range(20):
            torch.manual_seed(seed)
            by_pillow = pillow_randaugment(photo)
            after = torch.rand(1)
            torch.manual_seed(seed)
            on_tensors = v2.RandAugment()(photo)
            assert torch.equal(after, torch.rand(1))
            near.append((by_pillow.float() - on_tensors.float()).abs().mean() < 3)
    assert sum(near) >= 18  # the two round and interpolate differently


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
