"""The ledger keeps its promises: rows, tests, code, chapters, records and the README agree."""

import ast
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import chapters
import ledger_notes
import pytest
import yaml
from chapters import Book
from check_pages import browser, find_browser, served
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document
from ledger_notes import chapter_problems, rows_named
from ledger_page import RowsBecomeLinks, badge
from myst_blocks import Block, split_blocks
from patience import open_page
from readme_ledger import is_fresh, main
from sphinx.addnodes import pending_xref

from probmcl_book import claims
from probmcl_book.records import record as records

ROOT = Path(__file__).parents[2]
LEDGER = claims.read_ledger(ROOT / "book" / "ledger.yml")
COUNTS = {"C": 4, "M": 15, "R": 14, "F": 2, "T": 3}
ROWS = [f"{kind}{number + 1}" for kind, count in COUNTS.items() for number in range(count)]


def problems(root: Path) -> list[str]:
    entries = claims.read_ledger(root / "book" / "ledger.yml")
    return claims.check_ledger(entries, root) + chapter_problems(entries, Book(root))


@pytest.fixture(scope="module", autouse=True)
def each_file_is_parsed_once() -> Iterator[None]:
    """The checks read all records and chapters again for every loss: what is the same is parsed once."""
    blocks = cache(split_blocks)

    def split(lines: Sequence[str], first_line: int = 1) -> list[Block]:
        return blocks(tuple(lines), first_line)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "from_json", cache(records.from_json))
        patch.setattr("ast.parse", cache(ast.parse))
        patch.setattr(yaml, "safe_load", lambda text: yaml.load(text, yaml.CSafeLoader))
        patch.setattr(chapters, "split_blocks", split)
        patch.setattr(ledger_notes, "split_blocks", split)
        yield


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the checks read, in another folder."""
    # Other tests may be writing bytecode there at this moment.
    unread = shutil.ignore_patterns("*.ipynb", "*.png", "__pycache__")
    for name in ("book", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unread)
    for name in ("_toc.yml", "_config.yml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


Break = Callable[[Path], object]


def change(row: str, **fields: object) -> Break:
    """Set fields of an entry in the file; None takes a field away, and no field the whole entry."""

    def spoil(root: Path) -> None:
        path = root / "book" / "ledger.yml"
        entries = {entry["id"]: entry for entry in yaml.safe_load(path.read_text(encoding="utf-8"))}
        changed = entries[row] | fields
        entries[row] = {name: value for name, value in changed.items() if value is not None}
        kept = [entry for entry in entries.values() if fields or entry["id"] != row]
        path.write_text(yaml.safe_dump(kept), encoding="utf-8")

    return spoil


def edit(file: str, old: str, new: str) -> Break:
    def spoil(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text
        (root / file).write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def lose(file: str) -> Break:
    return lambda root: (root / file).unlink()


def test_the_ledger_keeps_its_promises_and_has_every_row_in_order() -> None:
    assert problems(ROOT) == []
    assert [entry.id for entry in LEDGER] == ROWS


def test_no_entry_says_more_than_we_read() -> None:
    forbidden = re.compile("the paper (uses|says|chooses|sets|is silent|does not)|state of the art", re.I)
    for entry in LEDGER:
        assert not forbidden.search(f"{entry.read} {entry.choice} {entry.because}"), entry.id


DIGITS, STUDY = "book/results/digits.json", "book/results/study_main.json"
BREAKS: dict[str, tuple[Break, str]] = {
    "a row": (change("M7"), "M7: expected one entry, got 0"),
    "a record": (lose(DIGITS), "C2: no record 'digits'"),
    "a broken record": (edit(DIGITS, '"kind": "comparison"', '"kind": "rumour"'),
        "C2: record 'digits' does not load: digits.json: kind"),
    "a recipe that does not load": (edit(DIGITS, '"encoder": "small-cnn"', '"encodr": "small-cnn"'),
        "C2: record 'digits' does not load"),
    "a method of the record": (change("C3", against="ML-GCN"),
        "C3: record 'digits' has no comparison with 'ML-GCN'"),
    "a claim's record": (change("M1", status="supported"), "M1: 'supported' needs a record"),
    "a test's name": (edit("tests/loss/test_probmcl.py", "test_defaults_are_those", "test_defaults_were"),
        "M13: no test 'tests/loss/test_probmcl.py::test_defaults_are_those_of_the_ledger'"),
    "a test's file": (lose("tests/loss/test_overlap.py"), "M7: no test 'tests/loss/test_overlap.py'"),
    "all tests of a part": (change("M5", tests=None), "M5: no test covers this part"),
    "a name in the package": (change("M7", code=["probmcl.loss.positive_sets"]),
        "M7: nothing named 'probmcl.loss.positive_sets' in the package"),
    "a chapter": (edit("_toc.yml", "      - file: book/04_positive_sets\n", ""),
        "M7: no chapter '04_positive_sets' in _toc.yml"),
    "a chapter's note": (edit("book/04_positive_sets.md", "**M8**", "M8"),
        "M8: no note in 04_positive_sets names it in bold"),
    "a chapter's entry": (change("M8", chapters=[]),
        "M8: a note in 04_positive_sets names it, but the ledger does not list that chapter"),
    "a status": (change("M1", status="done"), "M1: unknown status 'done'"),
    "a tag": (change("M1", tags=["X"]), "M1: unknown tag 'X'"),
    "all tags": (change("M1", tags=None), "M1: no tag says how we know"),
    "a reason": (change("F2", because=None), "F2: nothing says why it is 'not run'"),
    "a study of a claim": (change("C4", studies=["study_topology"]),
        "C4: expected the studies study_topology, study_topology_mirflickr14"),
    "a study under its own name": (
        lambda root: shutil.copy(root / "book/results/study_topology.json", root / STUDY),
        "C3: record 'study_main' does not load: study_main.json: expected the study of this name"),
    "the world of a study": (edit(STUDY, '"world": "digits"', '"world": "mirflickr14"'),
        "C3: record 'study_main' does not load: study_main.json: expected the study of this "
        "name, got study_main, study_main_mirflickr14"),
    "the commit of a record": (edit(DIGITS, '"dirty": false', '"dirty": true'),
        "C2: record 'digits' was made by code that was not committed"),
    "the commit of a study": (edit(STUDY, '"dirty": false', '"dirty": true'),
        "C1: record 'study_main' was made by code that was not committed"),
    "the labels that a study is compared with": (lose("book/results/labels_mirflickr14.json"),
        "C4: no record 'labels_mirflickr14', which 'study_topology_mirflickr14' needs"),
    "the published numbers": (change("R4", published=None), "R4: no published numbers"),
}  # fmt: skip


@pytest.mark.parametrize("lost", BREAKS)
def test_a_loss_is_noticed(copy: Path, lost: str) -> None:
    breaks, message = BREAKS[lost]
    breaks(copy)
    assert [problem for problem in problems(copy) if problem.startswith(message)]


def test_a_row_that_stands_there_twice_or_is_none_is_noticed() -> None:
    found = claims.check_ledger([*LEDGER, LEDGER[0], replace(LEDGER[5], id="Q1")], ROOT)
    assert found == ["C1: expected one entry, got 2", "Q1: not a row of the ledger"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"colour": "red"}, "M1: colour: unknown field, expected id, part"),
        ({"status": None}, "M1: status: expected a value, got none"),
    ],
)
def test_a_wrong_field_is_named(copy: Path, fields: dict[str, object], message: str) -> None:
    change("M1", **fields)(copy)
    with pytest.raises(ValueError, match=re.escape(message)):
        claims.read_ledger(copy / "book" / "ledger.yml")


def test_only_tests_count_as_tests(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def help(): ...\nclass TestB:\n    def test_c(self): ...\n")
    (tmp_path / "test_b.py").write_text("def help(): ...\n")
    names = [f"test_{name}" for name in ("a.py", "a.py::TestB", "a.py::TestB::test_c")]
    others = ("test_a.py::help", "test_a.py::test_c", "test_b.py")
    assert [name for name in (*names, *others) if claims.has_test(tmp_path, name)] == names


def test_notes_are_found_by_their_class_and_bold_ids(copy: Path) -> None:
    note = ":::{admonition} What\n:class: ledger\n\n**M1, M2** and **our M3** and M4.\n:::\n\n**M5**\n"
    (copy / "book" / "notation.md").write_text(f"# T\n\n{note}")
    assert rows_named(Book(copy).chapters["notation"]) == {"M1", "M2"}


def test_the_readme_is_fresh_and_a_stale_one_is_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_fresh(ROOT), "run: make notebooks"
    change("T3")(copy)
    assert main(["--check"], copy) == 1
    assert "README.md is stale" in capsys.readouterr().err
    assert main([], copy) == 0
    assert main(["--check"], copy) == 0
    assert "tables (T1 to T3): 2 not seen" in (copy / "README.md").read_text(encoding="utf-8")


def test_the_summary_has_every_claim_and_counts_every_other_row_once() -> None:
    first, others = claims.ledger_summary(LEDGER)[:4], claims.ledger_summary(LEDGER)[4:]
    assert [line.rpartition(": ")[2] for line in first] == [entry.word for entry in LEDGER[:4]]
    counted = sum(int(n) for line in others for n in re.findall(r"(\d+) [a-z]", line.split(": ")[1]))
    assert counted == len(ROWS) - len(first)


def test_a_page_that_states_a_claim_s_word_has_the_one_that_is_computed() -> None:
    computed = {entry.id: entry.status for entry in LEDGER}
    stated = {
        (path.name, *found)
        for path in (ROOT / "README.md", *ROOT.glob("book/*.md"))
        for found in re.findall(r"(C\d) is \*\*([\w ]+)\*\*", path.read_text(encoding="utf-8"))
    }
    assert {row for _, row, _ in stated} == {"C1", "C2", "C3", "C4"}
    assert [one for one in stated if computed[one[1]] != one[2]] == []


def test_every_status_has_a_colour_in_the_style_sheet() -> None:
    css = (ROOT / "book" / "_static" / "custom.css").read_text(encoding="utf-8")
    for status in claims.LEDGER_STATUSES:
        name = status.replace(" ", "-")
        assert f".ledger-{name}" in badge(status)
        assert f".ledger-{name}, .ledger-is-{name} {{" in css


def test_bold_rows_of_a_note_become_links() -> None:
    document = new_document("page", get_default_settings())
    texts = ("M1, C2", "our deviation")
    note, other = nodes.admonition(classes=["ledger"]), nodes.admonition(classes=["tip"])
    note += [nodes.strong("", text) for text in texts]
    other += nodes.strong("", "M1")
    document += [note, other]
    document.settings.env = type("Env", (), {"docname": "book/page", "config": None})()
    RowsBecomeLinks(document).apply()
    targets = [(link.astext(), link["reftarget"]) for link in document.findall(pending_xref)]
    assert targets == [("M1", "ledger-m1"), ("C2", "ledger-c2")]
    assert [strong.astext() for strong in document.findall(nodes.strong)] == [*texts, "M1"]


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_a_click_on_a_column_sorts_the_table(tmp_path: Path) -> None:
    cells = "".join(f"<tr><td>{row}</td><td>{word}</td></tr>" for row, word in (("M2", "b"), ("M10", "a")))
    head = "<thead><tr><th>Row</th><th>Status</th></tr></thead>"
    script = (ROOT / "book" / "_static" / "ledger.js").read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(
        f"<!doctype html><title>t</title><table class='ledger-sortable'>{head}<tbody>{cells}</tbody></table>"
        f"<script>{script}</script>"
    )
    with served(tmp_path) as address, browser() as chromium:
        page = open_page(chromium)
        page.goto(f"{address}/page.html")
        orders = []
        for title in ("Status", "Row", "Row"):
            page.get_by_role("button", name=title).click()
            orders.append(page.locator("td:first-child").all_inner_texts())
        assert orders == [["M10", "M2"], ["M2", "M10"], ["M10", "M2"]]
        assert page.locator("th").first.get_attribute("aria-sort") == "descending"
