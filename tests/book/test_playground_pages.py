import re
from dataclasses import fields
from pathlib import Path

import pytest
from small_book import build

import playgrounds
from probmcl_book.pages.style import DARK, LIGHT, Colours

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "book" / "_static" / "playgrounds"


def with_playground(folder: Path, chapter: str) -> Path:
    """Build a small book: a chapter, and the page of one playground."""
    fragment = "book/playgrounds/mixtures.html"
    pages = {
        "index.rst": "Top\n===\n\n.. toctree::\n\n   book/chapter\n   book/playgrounds/mixtures\n",
        "book/chapter.rst": f"Chapter\n=======\n\n{chapter}\n",
        "book/playgrounds/mixtures.rst": "Mixtures\n========\n\n.. playground:: mixtures\n",
        fragment: (ROOT / fragment).read_text(encoding="utf-8"),
    }
    return build(folder, pages, extensions=["playgrounds"], html_static_path=[], html_theme="basic")


def test_a_playground_brings_its_scripts_to_its_page_alone(tmp_path: Path) -> None:
    out = with_playground(tmp_path, ".. playground:: mixtures")
    names = ("book/playgrounds/mixtures", "book/chapter", "index")
    own, chapter, top = ((out / f"{name}.html").read_text() for name in names)
    script = re.compile(r'<script defer="defer" src="[./]*_static/(playgrounds/\w+\.js)')
    loaded = [script.findall(text) for text in (own, chapter, top)]
    assert loaded == [playgrounds.scripts("mixtures"), playgrounds.scripts("mixtures"), []]
    assert [playgrounds.STYLE in text for text in (own, chapter, top)] == [True, True, False]
    assert ["data-plane" in text for text in (own, chapter, top)] == [True, True, False]
    assert "data-page" not in own
    assert 'data-page="playgrounds/mixtures.html"' in chapter


def test_a_playground_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=f"expected one of {', '.join(playgrounds.TITLES)}, got 'missing'"):
        with_playground(tmp_path, ".. playground:: missing")


@pytest.mark.parametrize("name", playgrounds.TITLES)
def test_a_playground_is_whole(name: str) -> None:
    for file in (*playgrounds.scripts(name), playgrounds.STYLE):
        assert (STATIC.parent / file).is_file()
    page = (ROOT / "book" / "playgrounds" / f"{name}.md").read_text(encoding="utf-8")
    assert f"# {playgrounds.TITLES[name]}\n" in page
    assert f"```{{playground}} {name}\n```" in page
    fragment = (ROOT / "book" / "playgrounds" / f"{name}.html").read_text(encoding="utf-8")
    named = set(re.findall(r' id="([^"]+)"', fragment))
    assert len(named) == fragment.count(' id="')
    assert set(re.findall(r' (?:for|aria-labelledby|aria-describedby)="([^"]+)"', fragment)) <= named
    for control in re.findall(r"<(?:input|select|textarea)[^>]*>", fragment):
        found = re.search(r' id="([^"]+)"', control)
        assert "aria-label=" in control or (found and f'for="{found[1]}"' in fragment), control


@pytest.mark.parametrize(
    ("selector", "style"), [(".playground", LIGHT), ('html[data-theme="dark"] .playground', DARK)]
)
def test_the_colours_are_those_of_the_figures(selector: str, style: Colours) -> None:
    css = (STATIC / "playgrounds.css").read_text(encoding="utf-8")
    block = re.search(rf"^{re.escape(selector)} \{{(.*?)\}}", css, re.DOTALL | re.MULTILINE)
    assert block
    found = dict(re.findall(r"--pg-(\w+): (#\w+);", block[1]))
    names = {field.name for field in fields(Colours)} & set(found)
    assert len(names) == 8
    assert {name: found[name] for name in names} == {name: getattr(style, name) for name in names}
