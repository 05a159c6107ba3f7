from pathlib import Path

import pytest
import yaml
from check_book import main, missing_pages, toc_entries
from page_links import dead_links

ROOT = Path(__file__).parents[2]
REAL = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
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


LINKING = {
    "page": ("<a href='using.html#there'>", []),
    "page and place": ("<a href='using.html'><a href='../index.html'><a href='#here'><a name='here'>", []),
    "out of the book": ("<a href='https://example.org/none.html#none'><a href='mailto:a@b.org'>", []),
    "no page": ("<a href='none.html'>", ["none.html"]),
    "no place": ("<a href='using.html#none'>", ["using.html#none"]),
    "no place here": ("<a href='#none'>", ["#none"]),
}


@pytest.mark.parametrize(("links", "dead"), LINKING.values(), ids=LINKING)
def test_a_link_that_leads_nowhere_is_named(built, links, dead, capsys) -> None:
    page = Path("_build/html/book/inner.html")
    (built / page).write_text(links)
    (built / "_build/html/book/using.html").write_text("<p id='there'>")
    assert dead_links(built) == [f"{page}: {link}" for link in dead]
    assert main(built) == bool(dead)
    assert all(link in capsys.readouterr().err for link in dead)


@pytest.mark.parametrize(("address", "dead"), [("using.html", 0), ("none.html", 1), ("using.html#x", 1)])
def test_a_notebook_that_leads_nowhere_is_named(built: Path, address: str, dead: bool) -> None:
    notebook = built / "book" / "one.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(f'{{"source": "[a](https://someone.github.io/thebook/book/{address})\\n"}}')
    assert dead_links(built) == [f"book/one.ipynb: book/{address}"] * dead


def test_every_entry_has_a_page_and_every_page_an_entry() -> None:
    files = [path for place in ("", "playgrounds/", "api/") for path in ROOT.glob(f"book/{place}*.md")]
    pages = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in files)
    assert sorted(toc_entries(REAL)) == pages


def test_chapters_are_numbered_as_their_files_are_through_parts_i_to_v() -> None:
    parts = [part for part in REAL["parts"] if part.get("numbered")]
    numbers = [f"Part {roman}" for roman in ("I", "II", "III", "IV", "V")]
    assert [part["caption"].split(":")[0] for part in parts] == numbers
    files = [Path(entry).name for entry in toc_entries(parts)]  # Sphinx counts them in this order
    assert [int(name[:2]) for name in files] == list(range(1, 18))
