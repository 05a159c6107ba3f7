"""No work is lost at the end, and whatever happens, the command line says it in a sentence."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import BCE, tiny_recipe

from probmcl._files import one_writer
from probmcl.data import SOURCES
from probmcl.data.public.fetch import fetch
from probmcl.data.public.sources import RemoteFile
from probmcl_book.claims import read_ledger
from probmcl_book.commands import main, run
from probmcl_book.records import Record, read_record
from probmcl_book.replicate import export_run, run_experiment
from probmcl_book.replicate.tensor_file import FORMAT, read_header, read_tensors, write_tensors

RECIPE = tiny_recipe(BCE, start=None)
DEEP = "[" * 10_000 + "]" * 10_000


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(run.RECIPES, "digits", lambda: RECIPE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def command(*options: str) -> int:
    return main(["run", "digits", "--device", "cpu", *options])


def no_space(*arguments: object, **named: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("option", ["--out", "--export"])
@pytest.mark.parametrize("place", ["file/x", "n" * 300, "/proc/x", "full"])
def test_a_place_that_takes_no_file_is_found_before_training(option, place, monkeypatch, capsys) -> None:
    Path("file").touch()
    monkeypatch.setattr("probmcl_book.replicate.run.run_methods", None)  # a call would fail
    if place == "full":
        monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(SystemExit, match="2"):
        raise SystemExit(command(option, place))  # argparse exits by itself
    said = "".join(capsys.readouterr())
    assert any(words in said for words in ("[Errno", "expected")), said
    assert [path.name for path in Path().rglob("*") if path.is_file()] == ["file"]


@pytest.mark.parametrize("fails", ["commands.arguments.write_record", "replicate.run.export_run"])
@pytest.mark.parametrize("checkpoints", [True, False])
def test_a_record_that_cannot_be_written_is_kept_elsewhere(fails, checkpoints, monkeypatch, capsys) -> None:
    monkeypatch.setattr(f"probmcl_book.{fails}", no_space)
    saved = ["--checkpoints", "saved"] if checkpoints else []
    assert command("--out", "out/tiny.json", "--export", "models", *saved) == 2
    kept = Path("saved" if checkpoints else "") / f"kept-tiny-{os.getpid()}.json"
    assert read_record(kept).name == "tiny"
    said = capsys.readouterr().out.replace("\n", "")
    assert "No space left on device; the record is kept at" in said
    assert kept.name in said.replace(" ", "")


def test_what_fails_after_the_record_says_where_it_is(monkeypatch, capsys) -> None:
    def report(record: Record, *, verdicts: bool) -> list[str]:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(run, "report", lambda *given, **named: (report(*given, **named) for _ in "1"))
    assert command("--out", "tiny.json") == 1
    said = capsys.readouterr().out
    assert "record written to tiny.json" in said
    assert "KeyError" in said
    assert "Traceback" not in said
    assert any("fault of ours" in path.read_text() for path in Path().glob("probmcl-*.txt"))


@pytest.mark.parametrize(
    ("saved", "hint"), [([], "with --checkpoints DIR"), (["--checkpoints", "x"], "goes on")]
)
def test_ctrl_c_ends_with_a_line_and_a_hint(saved: list[str], hint: str, monkeypatch, capsys) -> None:
    def pressed(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("probmcl_book.replicate.runner.train_method", pressed)
    assert command(*saved) == 130
    said = capsys.readouterr().out.strip()
    assert said.startswith("stopped; ")
    assert hint in said


WRITERS = {
    "saved/tiny": lambda folder: run_experiment(RECIPE, [0], command="-", checkpoints=folder.parent),
    "models": lambda folder: export_run(None, {}, folder),
    "data/.verified/pets": lambda folder: fetch(
        replace(SOURCES["coco2014"], name="pets", files=(RemoteFile("a"),)), "data"
    ),
}


@pytest.mark.parametrize(("folder", "write"), WRITERS.items(), ids=WRITERS)
def test_a_folder_of_runs_exports_or_downloads_has_one_writer(folder: str, write: Any) -> None:
    lock = Path(folder, ".lock")
    program = "import sys\nfrom probmcl._files import one_writer\n"
    program += "with one_writer(sys.argv[1]): print(flush=True), input()"
    command = [sys.executable, "-c", program, lock]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(BlockingIOError, match=rf"process {other.pid} on .* writes there"):
            write(lock.parent)
        other.kill()
    lock.with_name(".x.1.tmp").touch()
    with one_writer(lock), one_writer(lock):  # once more within one process
        pass
    assert not [path for path in lock.parent.iterdir() if path.is_file()]


def test_broken_files_are_named_in_a_sentence(capsys) -> None:
    for text in (DEEP, "{", "- 3", "\0", "a: [", "{a: 1}"):
        Path("ledger.yml").write_text(text)
        with pytest.raises(ValueError, match=r"ledger\.yml"):
            read_ledger("ledger.yml")
    Path("a.json").write_text(DEEP)
    with pytest.raises(ValueError, match=r"a\.json"):
        read_record("a.json")
    header = {"__metadata__": {"format": FORMAT, "about": DEEP, "digest": "0"}}
    for bad in (json.dumps(header).encode(), json.dumps({"__metadata__": {"format": FORMAT}}).encode()):
        Path("a.safetensors").write_bytes(len(bad).to_bytes(8, "little") + bad)
        with pytest.raises(ValueError, match=r"a\.safetensors"):
            read_header(Path("a.safetensors"))
    np.savez("a.npz", labels=np.eye(2), classes=["a", "b"])
    whole = Path("a.npz").read_bytes()
    for place in range(0, len(whole), 7):
        Path("a.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        assert main(["statistics", "chestxray14", "--labels", "a.npz", "--out", "out.json"]) in (0, 2)
    assert command("--checkpoints", "saved") == 0
    for path in Path("saved").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-2] + b"xx")
    capsys.readouterr()
    assert command("--checkpoints", "saved") == 2
    assert "damaged" in capsys.readouterr().out


@pytest.mark.parametrize("about", [{}, {"seed": 0}, []])
def test_a_whole_file_that_does_not_say_what_it_should_is_named(tmp_path: Path, about: Any) -> None:
    write_tensors(tmp_path / "a.safetensors", about, {"x": torch.ones(1)})
    for read in (read_header, lambda path: read_tensors(path)[0]):
        with pytest.raises(ValueError, match=r"a\.safetensors: expected (a|an object as) header.*remove it"):
            read(tmp_path / "a.safetensors")["recipe"]
