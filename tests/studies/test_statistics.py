from pathlib import Path

import numpy as np
import pytest
import torch

from probmcl.__main__ import main
from probmcl.loss import positive_set
from probmcl_book.records import Record, Row, load_result, read_record
from probmcl_book.studies import LABEL_SOURCES, label_record, read_label_matrix, statistics

CLASSES = ("a", "b", "c")
LABELS = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0], [1, 0, 0]])
WHOLE = {"labels": LABELS, "classes": CLASSES}
PARTS = {"train": torch.tensor([1, 1, 1, 0, 0, 0]).bool(), "test": torch.tensor([0, 0, 0, 1, 1, 1]).bool()}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches as small as the label matrices of these tests."""
    monkeypatch.setattr(statistics, "BATCH_SIZE", 4)
    monkeypatch.setattr(statistics, "BATCHES", 200)


def a_record(labels: torch.Tensor = LABELS, **changes: object) -> Record:
    return label_record("chestxray14", labels, CLASSES, **{"command": "make it", **changes})


def row(record: Record, method: str) -> Row:
    (found,) = [row for row in record.rows if row.method == method]
    return found


def values(record: Record, method: str) -> dict[str, float]:
    return {name: interval.value for name, interval in row(record, method).metrics.items()}


def test_counts_by_hand() -> None:
    record = a_record(parts=PARTS)
    assert values(record, "all") == pytest.approx(
        {
            "images": 6,
            "cardinality": 1,
            "density": 1 / 3,
            "label sets": 3,
            "label-less share": 1 / 3,
            "accuracy of nothing": 2 / 3,
            "chance mAP": (4 / 6 + 2 / 6) / 2,  # class c has no positive, so it is not scored
        }
    )
    assert values(record, "test, labelled")["chance mAP"] == pytest.approx((1 + 1 / 2) / 2)
    assert row(record, "all").series["images of class"] == [4, 2, 0]
    assert row(record, "all").series["images of pair"] == [4, 2, 0, 2, 2, 0, 0, 0, 0]
    assert record.data.sizes == {"train": 3, "test": 3}


def test_positives_when_the_batch_is_everything() -> None:
    labelled = LABELS[[0, 1, 4, 5]]
    whole = a_record(labelled)
    expected = positive_set(labelled, threshold=0.5).sum(1).double().mean().item()
    assert values(whole, "positives, match")["positives at 0.5"] == expected == 3
    assert values(whole, "positives, match")["without at 1"] == 0
    assert values(a_record(), "positives, labelled") == values(whole, "positives, match")


def test_the_policy_for_label_less_rows_is_the_one_named() -> None:
    record = a_record()
    match, drop = values(record, "positives, match"), values(record, "positives, drop")
    # four of six images, both label-less ones among them in 6 of 15 batches: two positives for four anchors
    assert match["positives at 1"] - drop["positives at 1"] == pytest.approx(0.4 * 2 / 4, abs=0.05)
    assert row(record, "positives, match").metrics["positives at 1"].how.endswith("200 random batches")
    assert values(a_record(), "positives, drop") == drop  # the seed is part of the record


def test_the_command_writes_a_record_without_a_trace_of_the_machine(tmp_path: Path) -> None:
    np.savez(tmp_path / "labels.npz", labels=LABELS.repeat(40, 1), classes=CLASSES, split=["x", "y"] * 120)
    labels, out = tmp_path / "labels.npz", tmp_path / "out.json"
    assert main(["statistics", "coco-val2017", "--labels", str(labels), "--out", str(out)]) == 0
    record = read_record(out)
    assert record.command == "python -m probmcl statistics coco-val2017 --labels labels.npz --out out.json"
    assert record.data.sizes == {"x": 120, "y": 120}
    assert str(tmp_path) not in out.read_text()


def test_bad_files_and_arguments_are_named(tmp_path: Path) -> None:
    for message, arrays in (
        ("labels: expected the key 'classes'", {"labels": LABELS}),
        (r"split: expected a part for each of 6 images, got \(5,\)", {**WHOLE, "split": ["train"] * 5}),
        ("labels: expected zeros and ones, got <U3", {"labels": [["yes", "no"]], "classes": CLASSES[:2]}),
    ):
        np.savez(tmp_path / "wrong.npz", **arrays)
        with pytest.raises(ValueError, match=message):
            read_label_matrix(tmp_path / "wrong.npz")
    (tmp_path / "text.npz").write_text("no zip")
    with pytest.raises(ValueError, match=r"path: expected an npz file, got text\.npz"):
        read_label_matrix(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError):
        read_label_matrix(tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match="labels: expected at least 4 labelled images, got 3"):
        a_record(LABELS[:5])
    with pytest.raises(ValueError, match="name: expected one of"):
        label_record("imagenet", LABELS, CLASSES, command="-")


@pytest.mark.parametrize("name", sorted(LABEL_SOURCES))
def test_the_book_holds_each_record(name: str) -> None:
    record = load_result(f"labels_{name.replace('-', '_')}")
    everything = row(record, "all")
    images = everything.metrics["images"].value
    assert record.kind == "statistics"
    assert sum(record.data.sizes.values()) == images
    classes, counted = len(record.recipe["classes"]), everything.series["images of class"]
    assert (len(counted), len(everything.series["images of pair"])) == (classes, classes**2)
    assert sum(counted) / images == pytest.approx(everything.metrics["cardinality"].value, rel=1e-5)
