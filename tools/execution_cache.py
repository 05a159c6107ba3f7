"""Execute the book's chapters side by side: ``python tools/execution_cache.py --profile cpu``.

Jupyter Book, which would execute one after the other, finds the results in its cache. They stay as long as a
chapter's cells stay the same. They also depend on the package, on the pinned environment, on the ledger and
the records that pages read, and on the profile. A digest of all these lies beside the cache; when it changes,
the cache goes and every chapter runs again. A failed chapter is not kept: the build says what is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor

from probmcl._files import whole_file

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 600  # seconds per cell, as in _config.yml
INPUTS = (
    "requirements.txt",
    "probmcl/**/*.py",
    "book/probmcl_book/**/*.py",
    "book/probmcl_book/**/*.json",
    "book/ledger.yml",
    "book/results/**/*.json",
)


def digest(root: Path, profile: str) -> str:
    """Return a digest of everything, apart from their cells, that the chapters' results depend on."""
    total = hashlib.sha256(f"{profile}\n{sys.version}\n".encode())
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def refresh(root: Path, profile: str) -> bool:
    """Remove the cache of ``root`` if its digest is another one; return whether it stays."""
    cache, note = root / "_build" / ".jupyter_cache", root / "_build" / ".jupyter_cache.digest"
    now = digest(root, profile)
    if cache.is_dir() and note.is_file() and note.read_text(encoding="utf-8") == now:
        return True
    shutil.rmtree(cache, ignore_errors=True)
    with whole_file(note) as file:
        file.write(now.encode())
    return False


def execute(root: Path) -> list[str]:
    """Execute the chapters that the cache of ``root`` lacks, one per core; return those that failed."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cache = get_cache(str(root / "_build" / ".jupyter_cache"))
    for page in sorted((root / "book").glob("*.md")):
        if page.read_text(encoding="utf-8").startswith("---\nfile_format: mystnb\n"):
            cache.add_nb_to_project(str(page), read_data={"name": "myst_nb_md", "type": "plugin"})
    result = load_executor("local-parallel", cache).run_and_cache(timeout=TIMEOUT)
    return [Path(name).name for name in result.excepted + result.errored]


def main() -> None:
    """Refresh the cache for the profile named on the command line, and fill it."""
    parser = argparse.ArgumentParser(description="Empty the book's execution cache when it no longer fits.")
    parser.add_argument("--profile", required=True)
    profile = parser.parse_args().profile
    kept = refresh(ROOT, profile)
    print("Chapters that did not change keep their results." if kept else "Every chapter runs.", flush=True)
    os.environ["PROBMCL_PROFILE"] = profile
    if failed := execute(ROOT):
        print(f"failed, and tried again by the build: {', '.join(failed)}")


if __name__ == "__main__":
    main()
