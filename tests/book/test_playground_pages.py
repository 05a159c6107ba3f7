import re
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import playgrounds
from probmcl_book.pages.style import DARK, LIGHT, Colours

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "book" / "_static" / "playgrounds"


def build(folder: Path, chapter: str) -> Path:
    """Build a small book: a chapter, and the page of one playground."""
    (folder / "book" / "playgrounds").mkdir(parents=True)
    shutil.copy(ROOT / "book" / "playgrounds" / "mixtures.html", folder / "book" / "playgrounds")
    pages = {
        "index": "Top\n===\n\n.. toctree::\n\n   book/chapter\n   book/playgrounds/mixtures\n",
        "book/chapter": f"Chapter\n=======\n\n{chapter}\n",
        "book/playgrounds/mixtures": "Mixtures\n========\n\n.. playground:: mixtures\n",
    }
    for name, text in pages.items():
        (folder / f"{name}.rst").write_text(text)
    options = {"extensions": ["playgrounds"], "html_static_path": [], "html_theme": "basic"}
    out = folder / "out"
    with docutils_namespace():  # the next build registers the directive again
        Sphinx(folder, None, out, folder / "trees", "html", options, status=None, warningiserror=True).build()
    return out


def test_a_playground_brings_its_scripts_to_its_page_alone(tmp_path: Path) -> None:
    out = build(tmp_path, ".. playground:: mixtures")
    names = ("book/playgrounds/mixtures", "book/chapter", "index")
    own, chapter, top = ((out / f"{name}.html").read_text() for name in names)
    script = re.compile(r'<script defer="defer" src="[./]*_static/(playgrounds/\w+\.js)')
    loaded = [script.findall(text) for text in (own, chapter, top)]
    assert loaded == [playgrounds.scripts("mixtures"), playgrounds.scripts("mixtures"), []]
    assert playgrounds.STYLE in own
    assert playgrounds.STYLE not in top
    assert "data-page" not in own
    assert 'data-page="playgrounds/mixtures.html"' in chapter
    assert "data-plane" in own
    assert "data-plane" in chapter


def test_a_playground_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Exception, match=r"expected one of positive_sets, mixtures, asymmetric, got 'missing'"
    ):
        build(tmp_path, ".. playground:: missing")


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
