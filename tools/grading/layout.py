"""What a grading kernel finds when it imports: the allowed packages, with what they need, and no others."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ALWAYS = ("ipykernel",)
OURS = ("probmcl", "probmcl_book")
NOT_SHOWN = ("course", "reference")
"""Rooms of the book's package that hold answers."""

OF_THE_COURSE = "measures.py"
"""What kernels have of it, beside what stands in its place."""

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")


@dataclass(frozen=True)
class Layout:
    """Where everything is that a kernel may see.

    Attributes:
        shown: files and folders of the system and of Python.
        own: a folder with this project's modules.
        sites: folders of installed packages, with the names in them that are allowed.
        without: modules of allowed packages that are left out.
    """

    shown: list[str]
    own: str
    sites: dict[str, list[str]]
    without: list[str]

    @property
    def path(self) -> list[str]:
        """What to append to ``sys.path``."""
        return [self.own, *(site for site, names in self.sites.items() if names)]

    @property
    def hidden(self) -> list[str]:
        """Folders of the modules that are left out."""
        names = [name.replace(".", "/") for name in self.without]
        return [f"{site}/{name}" for site in self.sites for name in names]

    @property
    def allowed(self) -> list[str]:
        """Names that may be imported beside the standard library."""
        names = [name.partition(".")[0] for entries in self.sites.values() for name in entries]
        return [*names, *(path.name for path in Path(self.own).iterdir())]


def layout(packages: Iterable[str], without: Iterable[str], folder: Path) -> Layout:
    """Lay out ``packages`` for kernels; the copies of this project's modules are made in ``folder``.

    Args:
        packages: names of distributions, and ``probmcl`` or ``probmcl_book`` for this project's own.
        without: modules of these that are left out, such as ``torch.distributions``.
        folder: an empty folder.
    """
    asked = set(packages)
    course = folder / "probmcl_book" / "course"
    for name in asked.intersection(OURS):
        shutil.copytree(_home(name), folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for room in NOT_SHOWN:
        shutil.rmtree(folder / "probmcl_book" / room, ignore_errors=True)
    inside = Path(__file__).with_name("inside")
    shutil.copytree(inside, course, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_home("probmcl_book") / "course" / OF_THE_COURSE, course)
    found = sorted(_entries({*ALWAYS, *asked}))
    sites: dict[str, list[str]] = {}
    for site in filter(Path.is_dir, _sites()):
        names = found if str(site) in sys.path else []
        sites[str(site)] = [name for name in names if (site / name).exists()]
    return Layout([*SYSTEM, sys.base_prefix, str(folder)], str(folder), sites, list(without))


def _sites() -> Iterator[Path]:
    """Folders of installed packages, also those of the system that this Python does not look into."""
    yield from (Path(path) for path in sys.path if path.endswith("-packages"))
    for base in ("/usr", "/usr/local", sys.base_prefix):
        yield from Path(base).glob("lib/python3*/*-packages")


def _home(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def _entries(packages: set[str]) -> Iterator[str]:
    """Names in the folder of installed packages that belong to ``packages`` or to what they require."""
    seen: set[str] = set()
    todo = [*packages]
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        requirements = map(Requirement, found.requires or ())
        todo += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
        if name not in OURS:
            yield from {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
