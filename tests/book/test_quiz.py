from collections.abc import Callable
from pathlib import Path

import pytest
from patience import open_page
from playwright.sync_api import Browser, Page, expect
from small_book import build

ROOT = Path(__file__).parents[2]
CHAPTER = Path(__file__).with_name("quiz.md").read_text("utf-8")


def with_quiz(folder: Path, chapter: str) -> Path:
    """Build a small book with one chapter, in the theme and style of the real one."""
    return build(
        folder,
        {"index.md": "# Top\n\n```{toctree}\nchapter\n```\n", "chapter.md": chapter},
        extensions=["myst_parser", "sphinx-mathjax-offline", "quiz"],
        myst_enable_extensions=["colon_fence", "dollarmath"],
        html_theme="sphinx_book_theme",
        html_static_path=[str(ROOT / "book" / "_static")],
        html_css_files=["custom.css"],
        html_context={"default_mode": "auto"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_quiz(tmp_path_factory.mktemp("book"), CHAPTER)


def test_an_answer_is_checked_by_mouse_and_by_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("chapter.html")
    quiz = page.locator("form.quiz").first
    group = page.get_by_role("radiogroup", name="What is two and two?")
    said = quiz.get_by_role("status")
    check = quiz.get_by_role("button", name="Check")
    expect(said).to_have_text("", use_inner_text=True)

    check.click()  # nothing is chosen: the browser asks for a choice
    expect(said).to_have_text("", use_inner_text=True)
    group.get_by_text("Five.").click()
    check.click()
    expect(said).to_contain_text("c. Not so. One less.", use_inner_text=True)
    expect(quiz.locator(".quiz-feedback:visible")).to_have_count(1)

    page.keyboard.press("Shift+Tab")  # from the button back to the options
    page.keyboard.press("ArrowUp")
    expect(said.locator(":visible")).to_have_count(0)  # what was said belongs to the other option
    page.keyboard.press("Enter")
    expect(said).to_contain_text("b. Right. As many as legs on a dog, see Top.", use_inner_text=True)
    expect(quiz.locator(".quiz-feedback:visible")).to_have_count(1)
    expect(page.locator("form.quiz").last.locator(".quiz-feedback:visible")).to_have_count(0)
    assert page.url.endswith("/chapter.html")  # the form was not sent


def test_only_a_page_with_a_quiz_loads_the_script(site: Path) -> None:
    assert "quiz.js" in (site / "chapter.html").read_text()
    assert "quiz.js" not in (site / "index.html").read_text()


def test_without_scripts_the_answers_stand_in_a_box(chromium: Browser, address: str) -> None:
    page = open_page(chromium, java_script_enabled=False)
    page.goto(f"{address}/chapter.html")
    first = page.locator("form.quiz").first
    expect(first.get_by_role("button", name="Check")).to_have_count(0)
    expect(first.locator(".quiz-feedback:visible")).to_have_count(0)
    first.get_by_text("Answers").click()
    expect(first.locator(".quiz-feedback:visible")).to_have_count(3)
    page.close()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- [x] Four", "- [ ] Four", "expected one right option"),
        ("  > One more.", "  > One\n  >\n  > more.", "expected one paragraph"),
    ],
)
def test_a_quiz_that_is_not_whole_stops_the_build(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        with_quiz(tmp_path, CHAPTER.replace(old, new))
