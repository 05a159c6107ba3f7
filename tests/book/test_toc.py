"""The table of contents names the pages of ``book/``, and numbers chapters as their files do."""

from pathlib import Path

import yaml
from check_book import toc_entries

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def test_every_entry_has_a_page_and_every_page_an_entry() -> None:
    files = [path for place in ("", "playgrounds/", "api/") for path in ROOT.glob(f"book/{place}*.md")]
    pages = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in files)
    assert sorted(toc_entries(TOC)) == pages


def test_chapters_are_numbered_as_their_files_are_through_parts_i_to_v() -> None:
    parts = [part for part in TOC["parts"] if part.get("numbered")]
    numbers = [f"Part {roman}" for roman in ("I", "II", "III", "IV", "V")]
    assert [part["caption"].split(":")[0] for part in parts] == numbers
    files = [Path(entry).name for entry in toc_entries(parts)]  # Sphinx counts them in this order
    assert [int(name[:2]) for name in files] == list(range(1, 18))
