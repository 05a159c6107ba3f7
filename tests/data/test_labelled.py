import re
from typing import Any

import pytest
import torch

from probmcl.data import LabelledImages, checksum, label_statistics

IMAGES = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
LABELS = torch.tensor([[1, 0], [1, 1], [0, 0]])
CLASSES = ("cat", "dog")


def test_items_and_batches_hold_the_same_images(make_dataset):
    dataset = make_dataset(6)
    images, labels = dataset.__getitems__([4, 1])
    for row, index in enumerate([4, 1]):
        image, label = dataset[index]
        assert torch.equal(images[row], image)
        assert torch.equal(labels[row], label)
    assert image.dtype == label.dtype == torch.uint8


def test_subset_takes_indices_and_masks(make_dataset):
    dataset = make_dataset(4)
    by_index = dataset.subset([3, 1])
    assert torch.equal(by_index.labels, dataset.labels[[3, 1]])
    assert torch.equal(
        dataset.subset(torch.tensor([True, False, False, True])).images, dataset.images[[0, 3]]
    )
    for wrong in ([], torch.tensor([1, 0, 1, 0], dtype=torch.uint8)):  # of bytes nobody knows what they are
        with pytest.raises(ValueError, match=r"indices: expected rows below 4"):
            dataset.subset(wrong)


def test_labels_of_any_dtype_are_stored_as_uint8():
    for dtype in (torch.bool, torch.float32, torch.int64):
        assert LabelledImages(IMAGES, LABELS.to(dtype), CLASSES).labels.dtype == torch.uint8


CHANNELS_LAST = IMAGES.new_zeros(3, 8, 8, 3)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("images", IMAGES.float(), "images: expected dtype torch.uint8, got torch.float32"),
        ("images", CHANNELS_LAST, r"images: .* channels before height .*permute\(0, 3, 1, 2"),
        ("labels", LABELS[:2], "labels: expected as many rows as images"),
        ("classes", ("cat",), "classes: expected 2 names"),
        ("classes", ("cat", "cat"), "classes: expected different names, got 'cat' twice"),
        ("classes", {"cat", "dog"}, "classes: expected a list, got set"),
        ("classes", (1, 2), "classes: expected a str"),
    ],
)
def test_bad_input_is_named(argument: str, value: Any, message: str):
    arguments = {"images": IMAGES, "labels": LABELS, "classes": CLASSES, argument: value}
    with pytest.raises((TypeError, ValueError), match=message):
        LabelledImages(**arguments)


def test_statistics_by_hand():
    statistics = label_statistics(LABELS, CLASSES)
    assert (statistics.images, statistics.classes, statistics.label_sets) == (3, CLASSES, 3)
    assert statistics.cardinality == pytest.approx(1.0)
    assert statistics.density == pytest.approx(0.5)
    assert statistics.empty_share == pytest.approx(1 / 3)
    assert statistics.frequency.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert statistics.co_occurrence.flatten().tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert LabelledImages(IMAGES, LABELS, CLASSES).describe().label_sets == 3


def test_the_checksum_tells_values_types_and_shapes_apart() -> None:
    images = torch.arange(6, dtype=torch.uint8)
    others = [images + 1, images.to(torch.int16), images.reshape(2, 3), images.flip(0)]
    assert re.fullmatch("sha256:[0-9a-f]{64}", checksum(images))
    assert len({checksum(images), *map(checksum, others)}) == 5
    assert checksum(images[::2]) == checksum(images[::2].clone())
    assert checksum(images, images) != checksum(images)
    with pytest.raises(TypeError, match=r"tensors: expected a torch\.Tensor"):
        checksum(images.numpy())  # type: ignore[arg-type]
