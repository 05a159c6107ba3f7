"""A book that lacks a page is noticed, whatever the build's exit status was."""

from pathlib import Path

import pytest
from check_book import main, missing_pages

TOC = """\
format: jb-book
root: book/index
parts:
  - chapters:
      - file: book/using
        sections:
          - file: book/inner
"""
PAGES = ["index.html", "book/index.html", "book/using.html", "book/inner.html"]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "_toc.yml").write_text(TOC)
    for page in PAGES:
        path = tmp_path / "_build" / "html" / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<p>here</p>")
    return tmp_path


def test_a_whole_book_passes_and_its_path_is_printed(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(built) == 0
    assert str(built / "_build" / "html" / "index.html") in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_a_missing_page_is_named(built: Path, page: str, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "_build" / "html" / page).unlink()
    assert missing_pages(built) == [page]
    assert main(built) == 1
    assert page in capsys.readouterr().err
