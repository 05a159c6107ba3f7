"""Images in the layout of a public data set are never recorded as that data set."""

import json
import re
from pathlib import Path

import pytest

from probmcl_book.replicate import CocoData, Origin, read_origin, write_coco_miniature, write_origin

DOGS = Origin("Ten dogs", "by hand", "private rebuild of dogs", "https://example.org")


def test_a_record_says_where_the_images_come_from(tmp_path: Path) -> None:
    write_coco_miniature(tmp_path / "coco", train=60, val=20, pixels=40)
    public = CocoData().splits(tmp_path / "coco").identity()
    assert "sources fetch coco2014" in public.access
    write_origin(tmp_path / "coco", DOGS)
    found = CocoData().splits(tmp_path / "coco").identity()
    assert (found.name, found.split) == ("Ten dogs", f"by hand; {public.split}")
    assert found.access.startswith("private rebuild of dogs")
    assert (found.source, found.checksum) == ("https://example.org", public.checksum)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        (json.dumps(vars(DOGS) | {"more": "x"}), "more: unknown field, expected name, split, access, source"),
        (json.dumps(vars(DOGS) | {"name": ""}), "name: expected words, got none"),
    ],
)
def test_a_damaged_origin_is_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "ORIGIN.json").write_text(content)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'ORIGIN.json'}: {message}")):
        read_origin(tmp_path)
