"""Kill work at random moments and take it up again: ``python tools/kills.py {run,study,download,grading} N``.

A moment is a step of training, a block of a download, a member of an archive, or a call that changes the name
of a file or waits for the disk; at one of them, drawn by ``--seed``, the process ends by SIGKILL. Started
again, it must end with the numbers of work that nobody killed, and leave the same files. Grading, which has
processes of its own, is killed by the clock. The suite kills less; this is for an evening.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPResponse
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from course import build
from course_table import read_table

from probmcl.data import RemoteFile, Source, fetch
from probmcl.data.public import download, unpack
from probmcl.train import TrainingSettings, loop
from probmcl_book.replicate import Method, Recipe, run_experiment
from probmcl_book.replicate.recipe import DigitsData, LettersStart
from probmcl_book.studies import Study, Trial, run_study

Job = Callable[[Path], str]
TINY = TrainingSettings(epochs=2, batch_size=16, learning_rate=1e-3)
SCENES = DigitsData(train=48, validation=48, test=48, difficulty="easy")
METHODS = (Method("BCE", "bce", TINY), Method("ProbMCL", "probmcl", TINY, trunk=(16, 8)))
RECIPE = Recipe("tiny", SCENES, LettersStart(32, TINY), "small-cnn", METHODS, probe=TINY)


def run(folder: Path) -> str:
    """A comparison of two methods: its rows and differences."""
    record = run_experiment(RECIPE, [0], command="-", resamples=20, checkpoints=folder)
    return repr([record.differences, *(replace(row, seconds=0.0) for row in record.rows)])


def study(folder: Path) -> str:
    """A study of two settings and two seeds: the rows of its runs."""
    trials = tuple(Trial(one.name, replace(RECIPE, methods=(one,)), (0, 1)) for one in METHODS)
    tiny = Study("tiny", "digits", "Does it go on?", trials, reference="BCE")
    found = run_study(tiny, folder / "tiny")
    rows = (
        (key, replace(one.row, seconds=0.0), one.test_scores.sum().item()) for key, one in found.runs.items()
    )
    return repr(sorted(rows, key=repr))


def downloads(folder: Path) -> Job:
    """Serve two archives of noise from a folder, in ranges; the job brings them."""
    noise = {f"images/{number}.png": random.Random(number).randbytes(300_000) for number in range(12)}
    with (
        zipfile.ZipFile(folder / "a.zip", "w") as zipped,
        tarfile.open(folder / "b.tar.gz", "w:gz") as tarred,
    ):
        for name, content in noise.items():
            zipped.writestr(name, content)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tarred.addfile(entry, io.BytesIO(content))

    class Ranges(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            content = Path(folder, self.path[1:]).read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", '"one"')
            self.end_headers()
            self.wfile.write(content[start:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    files = []
    for name, place in (("a.zip", "zip"), ("b.tar.gz", "tar")):
        content = (folder / name).read_bytes()
        url, checksum = f"http://127.0.0.1:{server.server_port}/{name}", hashlib.sha256(content).hexdigest()
        proof = f"{place}/images/11.png"
        files.append(RemoteFile(name, url, len(content), f"sha256:{checksum}", proof, place))
    source = Source("noise", "Noise", "none", url, MappingProxyType({}), tuple(files), "")

    def bring(root: Path) -> str:
        found = hashlib.sha256()
        for path in sorted(fetch(source, root, progress=False).rglob("*.png")):
            found.update(path.name.encode() + path.read_bytes())
        return found.hexdigest()

    return bring


def forked(job: Job, folder: Path, last: int | None = None) -> tuple[str | None, int]:
    """Do a job in a process that dies at a moment: what it said, None if it died, and how many there were."""
    reads, writes = os.pipe()
    if not (process := os.fork()):
        count = 0

        def before(call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*arguments: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **named)

            return counted

        for owner, name in (
            *((os, name) for name in ("fsync", "replace", "unlink", "rmdir")),
            *((loop._Run, "step"), (HTTPResponse, "read1"), (unpack.shutil, "copyfileobj")),
        ):
            setattr(owner, name, before(getattr(owner, name)))
        download.BLOCK = 1 << 16
        try:
            answer = job(folder)
            os.write(writes, json.dumps([answer, count]).encode())
        except BaseException:  # the loop over kills belongs to the other process
            traceback.print_exc()
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as said:
        answer = said.read()
    os.waitpid(process, 0)
    found: tuple[str | None, int] = tuple(json.loads(answer)) if answer else (None, 0)
    return found


def names(folder: Path) -> list[str]:
    """All files and folders."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def killed_by_moments(job: Job, kills: int, seed: int, folder: Path) -> int:
    """How many of the kills ended as they should."""
    whole, moments = forked(job, folder / "whole")
    print(f"{moments} moments", flush=True)
    right = 0
    chance = random.Random(seed)
    for number in range(kills):
        moment, place = chance.randint(1, moments), folder / str(number)
        died = forked(job, place, moment)[0] is None
        again, needed = forked(job, place)
        left = set(names(place)) ^ set(names(folder / "whole"))
        right += died and again == whole and not left
        outcome = "the same" if again == whole else "OTHER"
        print(f"moment {moment}: {outcome}, {needed} more, left: {left or 'nothing'}", flush=True)
    return right


def killed_by_the_clock(kills: int, seed: int, folder: Path) -> int:
    """Grade three submissions, and kill the grader at any time."""
    built = build("a1_metrics", folder)
    (folder / "class").mkdir()
    for name, content in (("ada", built.solution), ("grace", built.student), ("kim", built.solution)):
        (folder / "class" / f"{name}.ipynb").write_bytes(content.read_bytes())
    command = [sys.executable, str(Path(__file__).with_name("course_grade.py")), str(built.autograder)]

    def grade(out: Path, seconds: float | None = None) -> tuple[list[dict[str, str]], list[str]]:
        process = subprocess.Popen(
            [*command, str(folder / "class"), "--out", str(out)], stdout=subprocess.DEVNULL
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return (read_table(out / "points.csv") if process.returncode >= 0 else []), names(out)

    began = time.monotonic()
    whole, right, chance = grade(folder / "whole"), 0, random.Random(seed)
    usual = time.monotonic() - began
    for number in range(kills):
        seconds, out = chance.uniform(0, usual), folder / f"graded {number}"
        grade(out, seconds)
        same = grade(out) == whole
        right += same
        print(f"after {seconds:.1f} s: {'the same' if same else 'OTHER'}", flush=True)
    return right


def main() -> int:
    """Kill as often as was asked; return 1 if that left a trace."""
    parser = argparse.ArgumentParser(description="Kill work at random moments and take it up again.")
    parser.add_argument("what", choices=("run", "study", "download", "grading"))
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder, served = Path(name) / "work", Path(name) / "served"
        folder.mkdir()
        served.mkdir()
        if options.what == "grading":
            right = killed_by_the_clock(options.kills, options.seed, folder)
        else:
            job = (
                downloads(served)
                if options.what == "download"
                else {"run": run, "study": study}[options.what]
            )
            right = killed_by_moments(job, options.kills, options.seed, folder)
    print(f"{options.what}: {right} of {options.kills} as if nobody had killed it")
    return int(right < options.kills)


if __name__ == "__main__":
    sys.exit(main())
