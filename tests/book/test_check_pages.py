from pathlib import Path

import pytest
from check_pages import SITE, check_site, find_browser, pages_of, side_by_side

pytestmark = pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")

FAULTS = {
    "console.html": ("<script>console.error('odd')</script>", "console: odd"),
    "script.html": ("<script>undefinedName()</script>", "script error: undefinedName is not defined"),
    "network.html": ("<img src='http://example.org/a.png' alt=''>",
                     "request to another host: http://example.org"),
    "missing.html": ("<img src='nothing.png' alt=''>", "answer 404"),
    "formula.html": (r"<span class='math'>\(x\)</span>", "formulas: 0 of 1 are rendered"),
    "contrast.html": ("<p style='color: #aaa; background: #fff'>pale</p>",
                      "accessibility, light: Elements must meet minimum color contrast"),
    "sidebar.html": ("<nav class='bd-sidebar-secondary' style='width: 50px; overflow: hidden'>"
                     "<a href='#'>ContrastiveCriterion.forward</a></nav>", "cut off in the list"),
    "wide.html": ("<p style='width: 800px'>wide</p>", "scrolls sideways: 8"),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    bodies = {name: body for name, (body, _) in FAULTS.items()} | {"sound.html": "<p>sound</p>"}
    for name, body in bodies.items():
        page = "<!doctype html><html lang='en'><title>t</title>"
        text = f"{page}<body style='margin: 0'><div class='bd-article'>{body}</div>"
        (folder / name).write_text(text)
    (folder / "index.html").write_text('<meta http-equiv="Refresh" content="0; url=sound.html" />')
    return folder


@pytest.fixture(scope="module")
def problems(site: Path) -> dict[str, list[str]]:
    return side_by_side(site, pages_of(site))


def test_a_sound_page_passes_and_one_that_only_leads_on_is_left_out(problems: dict[str, list[str]]) -> None:
    assert problems["sound.html"] == []
    assert {*problems} == {*FAULTS, "sound.html"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(problems: dict[str, list[str]], name: str) -> None:
    assert any(problem.startswith(FAULTS[name][1]) for problem in problems[name]), problems[name]


def test_a_site_without_pages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run make book first"):
        side_by_side(tmp_path, pages_of(tmp_path))


@pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="the book is not built: make book")
def test_the_built_book_has_no_fault() -> None:
    names = ("book/index.html", "book/04_positive_sets.html", "book/ledger.html")  # `make pages` opens all
    assert {name: found for name, found in check_site(SITE, names).items() if found} == {}
