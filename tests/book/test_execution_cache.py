from pathlib import Path

import pytest
from execution_cache import execute, refresh

NAMES = ("requirements.txt", "probmcl/loss/overlap.py", "book/ledger.yml", "book/results/digits.json")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    refresh(tmp_path, "cpu")
    (tmp_path / "_build" / ".jupyter_cache").mkdir()
    return tmp_path


def test_the_cache_stays_while_nothing_changes(root: Path) -> None:
    assert refresh(root, "cpu")
    assert (root / "_build" / ".jupyter_cache").is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_a_change_empties_the_cache(root: Path, name: str) -> None:
    (root / name).write_text("second")
    assert not refresh(root, "cpu")
    assert not (root / "_build" / ".jupyter_cache").exists()


def test_a_renamed_file_and_another_profile_empty_the_cache(root: Path) -> None:
    assert not refresh(root, "smoke")
    assert not (root / "_build" / ".jupyter_cache").exists()
    (root / "probmcl" / "loss" / "overlap.py").rename(root / "probmcl" / "loss" / "overlaps.py")
    assert not refresh(root, "smoke")


def test_chapters_are_executed_once_and_failures_are_named(tmp_path: Path) -> None:
    chapter = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n```{{code-cell}}\n{}\n```\n"
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "text.md").write_text("only words")
    (tmp_path / "book" / "good.md").write_text(chapter.format("open('ran', 'a').write('x')"))
    (tmp_path / "book" / "bad.md").write_text(chapter.format("1 / 0"))
    assert execute(tmp_path) == ["bad.md"]
    assert execute(tmp_path) == ["bad.md"]
    assert (tmp_path / "book" / "ran").read_text() == "x"
