from pathlib import Path

import pytest
import torch

from probmcl import data


def numbered(images: int = 6, views: int = 5, entries: int = 3) -> data.LabelledFeatures:
    """Entry 0 of a feature is the number of its image, entry 1 that of its view; 0 is the plain view."""
    features = torch.zeros(images, views, entries, dtype=torch.float16)
    features[..., 0] = torch.arange(images)[:, None]
    features[..., 1] = torch.arange(views)
    return data.LabelledFeatures(features, torch.eye(images), [f"class {i}" for i in range(images)])


def test_two_different_augmented_views_of_each_image_are_drawn_evenly() -> None:
    torch.manual_seed(0)
    counts = torch.zeros(5, 5)
    for _ in range(400):
        first, second = data.two_features(numbered().images)
        assert first.shape == second.shape == (6, 3, 1, 1)
        assert first.dtype == torch.float32
        assert first[:, 0].flatten().tolist() == second[:, 0].flatten().tolist() == list(range(6))
        pairs = first[:, 1].flatten().long(), second[:, 1].flatten().long()
        counts.index_put_(pairs, torch.ones(6), accumulate=True)
    assert counts[0].sum() == counts[:, 0].sum() == 0  # the plain view
    assert counts.diagonal().sum() == 0  # twice the same
    others = counts[1:, 1:][~torch.eye(4, dtype=torch.bool)]
    assert others.min() > 0.75 * 2400 / 12
    assert others.max() < 1.25 * 2400 / 12


def test_vectors_keep_their_kind_and_refuse_what_is_not_finite_or_float32() -> None:
    rows, labels, names = torch.randn(6, 4), torch.eye(2).repeat(3, 1), ["a", "b"]
    part = data.LabelledVectors(rows, labels, names).subset([5, 0])
    ((vectors, found),) = data.make_loader(part, torch.nn.Identity(), 2)
    assert torch.equal(vectors, rows[[5, 0]])
    assert torch.equal(found, labels[[1, 0]])
    with pytest.raises(ValueError, match="images: expected finite"):
        data.LabelledVectors(rows / 0, labels, names)
    with pytest.raises(TypeError, match=r"images: expected dtype torch\.float32, got torch\.float64"):
        data.LabelledVectors(rows.double(), labels, names)


def test_features_come_back_from_their_file(tmp_path: Path) -> None:
    data.save_npz(numbered(), tmp_path / "a.npz")
    found = data.load_features(tmp_path / "a.npz").subset([*range(6)]).to("cpu")
    assert torch.equal(found.images, numbered().images)
    assert found.images.dtype == torch.float16
    assert found.classes == numbered().classes
    with pytest.raises(ValueError, match=r"a\.npz: images: expected uint8, got dtype float16"):
        data.load_npz(tmp_path / "a.npz")
    pixels = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    data.save_npz(data.LabelledImages(pixels, torch.eye(2), ["a", "b"]), tmp_path / "b.npz")
    with pytest.raises(ValueError, match=r"b\.npz: images: expected float16, got dtype uint8"):
        data.load_features(tmp_path / "b.npz")
