"""The table of contents and the pages of ``book/`` are the same set."""

from pathlib import Path

import yaml
from check_book import toc_entries

ROOT = Path(__file__).parents[2]


def test_every_entry_has_a_page_and_every_page_an_entry() -> None:
    entries = list(toc_entries(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))
    files = [*ROOT.glob("book/*.md"), *ROOT.glob("book/playgrounds/*.md")]
    pages = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in files)
    assert sorted(entries) == pages
