"""Where does a result come from? The code, the machine, the data and the command that made it."""

import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Annotated

import torch

import probmcl
from probmcl.train import this_share
from probmcl_book.records.constraints import Positive, Text, like

_PACKAGE = Path(probmcl.__file__).resolve().parent
_DECIDES = ("probmcl", "book/probmcl_book", "tools")
"""What decides a record, by its place in a checkout: a changed chapter or test makes no record dirty."""


@dataclass(frozen=True)
class Code:
    """Which code ran: the package's version, its git commit, and whether the files differed from the commit.

    The files are all that decide a record: the package, the book's code and the tools. ``commit`` and
    ``dirty`` are None when the package did not run from a checkout.
    """

    version: Text
    commit: Annotated[str, like("[0-9a-f]{40}", "40 hexadecimal digits")] | None
    dirty: bool | None


@dataclass(frozen=True)
class Hardware:
    """What it ran on; ``device`` is "cpu" or the name of the GPU, ``torch`` the version of PyTorch."""

    cpu: Text
    cores: Positive
    threads: Positive
    device: Text
    torch: Text


def provenance(device: torch.device | str = "cpu") -> tuple[Code, Hardware]:
    """Return which code runs now, and on what: no host name, no user name, no path."""
    device = torch.device(device)
    code = Code(probmcl.__version__, *_git_state())
    hardware = Hardware(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        torch=str(torch.__version__),
    )
    return code, hardware


def command_line(arguments: Sequence[str]) -> str:
    """Return the command that any machine can run: ``python -m probmcl`` with ``arguments``, folders cut off.

    Where several processes train together, it begins with ``torchrun`` and their number.

    >>> command_line(["run", "digits", "--out", "/somebody/out.json"])
    'python -m probmcl run digits --out out.json'
    """
    folders = re.compile(r"^(--?[\w-]+=)?(/|~/|[A-Za-z]:[\\/])(.*[\\/])?")
    shortened = (folders.sub(r"\1", argument) for argument in arguments)
    return shlex.join([*_launcher(), "-m", "probmcl", *shortened])


def _launcher() -> list[str]:
    """The words that started this process: ``python``, or ``torchrun`` with its sizes."""
    ranks = this_share().ranks
    if ranks == 1:
        return ["python"]
    on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    machines = ["--nnodes", str(ranks // on_this_machine)] if ranks > on_this_machine else []
    return ["torchrun", *machines, "--nproc-per-node", str(on_this_machine)]


def checkout() -> Path | None:
    """Return the root of the checkout around the package, or else around the working directory, if any."""
    for start in (_PACKAGE, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / "probmcl").is_dir() and (folder / "book" / "probmcl_book").is_dir():
                return folder
    return None


def book_folder() -> Path | None:
    """Return the folder of the ledger and its ``results``: the checkout's, or else what the wheel brought."""
    if root := checkout():
        return root / "book"
    ends = ("share", "probmcl", "ledger.yml")
    ledgers = (file for file in files("probmcl") or () if file.parts[-3:] == ends)
    return next((Path(str(file.locate())).resolve().parent for file in ledgers), None)


def _git_state() -> tuple[str | None, bool | None]:
    """Return commit and dirty flag of what decides a record, or None twice where git does not know it."""
    git, root = shutil.which("git"), _PACKAGE.parent
    if git is None or checkout() != root:
        return None, None

    def ask(*arguments: str) -> str:
        command = [git, "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return ask("rev-parse", "HEAD"), bool(ask("status", "--porcelain", "--", *_DECIDES))
    except subprocess.CalledProcessError:  # no history here, or git refuses to read it
        return None, None


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")  # Linux; elsewhere `platform` knows the model
    if info.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)):
        return found[1].strip()
    return platform.processor() or platform.machine()
