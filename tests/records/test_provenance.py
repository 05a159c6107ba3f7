"""Provenance: which code and machine, and nothing about whose."""

import getpass
import os
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import probmcl
from probmcl_book.records import provenance as provenance_module
from probmcl_book.records.provenance import checkout, command_line, provenance


def test_it_says_what_ran_and_on_what() -> None:
    code, hardware = provenance("cpu")
    assert (code.version, hardware.torch) == (probmcl.__version__, torch.__version__)
    assert (hardware.cores, hardware.threads) == (os.cpu_count(), torch.get_num_threads())
    assert hardware.device == "cpu"
    assert hardware.cpu


def test_it_does_not_say_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")  # the first that getpass looks at
    monkeypatch.setattr(platform, "node", lambda: "somewhere")
    code, hardware = provenance()
    text = " ".join(map(str, [*asdict(code).values(), *asdict(hardware).values()]))
    assert os.sep + "home" not in text
    assert platform.node() not in text.split()
    assert getpass.getuser() not in text.split()


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def begin(folder: Path, *parts: str) -> None:
    for command in (["init"], ["add", *parts], ["commit", "-m", "Start"]):
        git(folder, *command)


@pytest.fixture
def a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:  # as a hook of git sets them
        monkeypatch.delenv(name)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):  # the user's hooks, signatures and the like
        monkeypatch.setenv(name, os.devnull)
    package = tmp_path / "probmcl"
    for folder in (package, tmp_path / "book" / "probmcl_book", tmp_path / "tools"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
    monkeypatch.setattr(provenance_module, "_PACKAGE", package)
    return tmp_path


@pytest.mark.parametrize("decides", ["probmcl", "book/probmcl_book", "tools"])
def test_the_commit_and_whether_what_decides_a_record_differs_from_it(a_checkout: Path, decides: str) -> None:
    begin(a_checkout, "probmcl", "book", "tools")
    commit = git(a_checkout, "rev-parse", "HEAD")
    (a_checkout / "book" / "chapter.md").write_text("A chapter is not code.")
    assert (provenance()[0].commit, provenance()[0].dirty) == (commit, False)
    (a_checkout / decides / "__init__.py").write_text("changed = True")
    assert (provenance()[0].commit, provenance()[0].dirty) == (commit, True)


@pytest.mark.usefixtures("a_checkout")
def test_a_copy_without_history_has_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert (provenance()[0].commit, provenance()[0].dirty) == (None, None)


def test_an_installed_package_does_not_claim_the_commit_around_it(a_checkout, monkeypatch) -> None:
    installed = a_checkout / ".venv" / "site-packages" / "probmcl"
    installed.mkdir(parents=True)
    begin(a_checkout, "probmcl")
    monkeypatch.setattr(provenance_module, "_PACKAGE", installed)
    assert checkout() == a_checkout  # its records are there all the same
    assert provenance()[0].commit is None


def test_a_checkout_is_found_from_within_as_well(a_checkout, monkeypatch, tmp_path_factory) -> None:
    monkeypatch.setattr(provenance_module, "_PACKAGE", tmp_path_factory.mktemp("elsewhere") / "probmcl")
    monkeypatch.chdir(a_checkout / "book")
    assert checkout() == a_checkout
    monkeypatch.chdir(a_checkout.parent)
    assert checkout() is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "digits", "--seeds", "3"], "run digits --seeds 3"),
        (["run", "digits", "--out=/somebody/here/out.json"], "run digits --out=out.json"),
        (["--data", "/data"], "--data data"),
        (["--data", "~/coco"], "--data coco"),
        (["--data", "C:\\somebody\\coco"], "--data coco"),
        (["--data", "shared/coco"], "--data shared/coco"),
    ],
)
def test_the_command_keeps_no_folder_of_this_machine(arguments: list[str], expected: str) -> None:
    assert command_line(arguments) == f"python -m probmcl {expected}"
