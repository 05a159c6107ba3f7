"""Empty the book's execution cache when it no longer fits: ``python tools/execution_cache.py --profile cpu``.

Jupyter Book keeps a chapter's results as long as its cells stay the same. They also depend on the package, on
the pinned environment, on the ledger and the records that pages read, and on the profile. A digest of all
these lies beside the cache; when it changes, the cache goes and every chapter runs again.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

from probmcl._files import whole_file

ROOT = Path(__file__).resolve().parents[1]
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


def main() -> None:
    """Refresh the cache for the profile named on the command line."""
    parser = argparse.ArgumentParser(description="Empty the book's execution cache when it no longer fits.")
    parser.add_argument("--profile", required=True)
    kept = refresh(ROOT, parser.parse_args().profile)
    print("Chapters that did not change keep their results." if kept else "Every chapter runs.")


if __name__ == "__main__":
    main()
