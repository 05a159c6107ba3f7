"""The files at the top agree with each other: address, dependencies, licence, citation, README."""

import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from imports import imported
from set_repository import current, disagreements, files, owner_and_name, set_repository

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGE = PROJECT["project"]["dependencies"]
BOOK = PROJECT["project"]["optional-dependencies"]["book"]
DIRECT = [*PACKAGE, *BOOK, *PROJECT["dependency-groups"]["dev"]]
NAMES = [re.split(r"[<>=!~; ]", requirement)[0].lower() for requirement in DIRECT]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for path in files(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def texts(root: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in files(root)}


def test_every_copy_of_the_address_agrees() -> None:
    assert disagreements(ROOT) == []
    owner, name = current(ROOT)
    url = f"https://github.com/{owner}/{name}"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["project"]["urls"]["Source"] == citation["repository-code"] == url
    assert PROJECT["project"]["urls"]["Book"] == citation["url"] == f"https://{owner}.github.io/{name}"
    assert f"git+{url}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_one_command_changes_the_address_everywhere_and_back(copy: Path) -> None:
    before = texts(copy)
    old, new = current(copy), ("someone-else", "course-2027")
    changed = set_repository(copy, "https://github.com/someone-else/course-2027")
    assert {"_config.yml", "README.md", "CITATION.cff", "pyproject.toml"} <= set(changed)
    assert current(copy) == new
    assert disagreements(copy) == []
    for text in texts(copy).values():
        assert f"github.com/{old[0]}/{old[1]}" not in text
        assert f"{old[0]}.github.io" not in text
    set_repository(copy, f"https://github.com/{old[0]}/{old[1]}")
    assert texts(copy) == before


@pytest.mark.parametrize("wrong", ["github.com/{0}x/{1}", "{0}x.github.io/{1}", "github.com/{0}/{1}x"])
def test_a_copy_that_disagrees_is_found(copy: Path, wrong: str) -> None:
    wrong = wrong.format(*current(copy))
    readme = copy / "README.md"
    readme.write_text(f"{readme.read_text(encoding='utf-8')}\nhttps://{wrong}\n", encoding="utf-8")
    assert disagreements(copy) == [f"README.md: {wrong}"]


@pytest.mark.parametrize("url", ["", "probmcl/probmcl", "http://github.com/a/b", "https://github.com/a"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"url: expected https://github\.com/<owner>/<name>, got"):
        owner_and_name(url)


def test_every_direct_dependency_is_pinned_and_has_a_reason() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", pins, re.MULTILINE))
    reasons = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").lower().partition("## dependencies")[2]
    named = set(re.findall(r"[a-z][a-z0-9-]+", reasons))
    assert set(NAMES) <= pinned
    assert set(NAMES) <= named


IMPORTED_AS = {"scikit-learn": "sklearn", "pillow": "PIL", "pyyaml": "yaml"}


def imports_of(folder: Path) -> set[str]:
    """Return what the files of a package import, other packages than Python's own."""
    found = {name.partition(".")[0] for path in folder.rglob("*.py") for name in imported(path)}
    return found - set(sys.stdlib_module_names) - {folder.name}


def imported_as(requirements: list[str]) -> set[str]:
    names = (re.split(r"[<>=]", requirement)[0] for requirement in requirements)
    return {IMPORTED_AS.get(name, name) for name in names}


def test_the_package_asks_for_what_it_imports_and_nothing_else() -> None:
    # the fonts of printed letters are matplotlib's, and the command line is the book's
    found = imports_of(ROOT / "probmcl") | {"safetensors"}
    assert found == imported_as(PACKAGE) | {"matplotlib", "probmcl_book"}


def test_the_extra_holds_what_the_books_code_imports_beside_the_package() -> None:
    known = imported_as(PACKAGE) | {"probmcl"}
    optional = {"torchmetrics", "pytorch_metric_learning", "IPython"}  # the last is what runs a notebook
    assert imports_of(ROOT / "book" / "probmcl_book") - known - optional == imported_as(BOOK)


def test_the_pins_name_no_index_and_no_machine() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pin = re.compile(r"[a-z0-9.-]+==[\w.]+( ; .+)?")
    assert [line for line in lines if not line.startswith("#") and not pin.fullmatch(line)] == []
    assert not [line for line in lines if line.startswith(("nvidia", "cuda", "triton"))]


SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(3))  # the fourth, own photographs, is tested with the command line
def test_a_snippet_of_the_readme_runs(number: int) -> None:
    assert len(SNIPPETS) == 3
    assert SNIPPETS[number].count("\n") <= 15
    names: dict[str, Any] = {}
    exec(SNIPPETS[number], names)
    found = names["loss"] if "loss" in names else names["scores"]
    assert found.isfinite().all()
