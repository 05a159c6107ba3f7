"""Write the ledger's summary into the README: ``python tools/readme_ledger.py [--check]``.

It stands between two comments, one line a kind of row. With ``--check`` nothing is written, and the exit
status is 1 if the README does not hold what the ledger gives.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from probmcl._files import whole_file
from probmcl_book.claims import ledger_summary, read_ledger

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- ledger: written by `make notebooks` -->\n", "<!-- /ledger -->"
PLACE = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)


def with_summary(root: Path) -> str:
    """Return the README's text with the summary that the ledger gives.

    Raises:
        ValueError: the README does not have the two comments once.
    """
    readme = (root / "README.md").read_text(encoding="utf-8")
    lines = "".join(f"- {line}\n" for line in ledger_summary(read_ledger(root / "book" / "ledger.yml")))
    text, places = PLACE.subn(lambda _: f"{BEGIN}{lines}{END}", readme)
    if places != 1:
        raise ValueError(f"README.md: expected one place for the ledger's summary, got {places}")
    return text


def is_fresh(root: Path) -> bool:
    """Tell whether the README holds the summary that the ledger gives."""
    return (root / "README.md").read_text(encoding="utf-8") == with_summary(root)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the summary, or check it; return the exit status."""
    if arguments == ["--check"]:
        if not is_fresh(root):
            print("README.md is stale. Run: make notebooks", file=sys.stderr)
            return 1
        return 0
    text = with_summary(root)
    with whole_file(root / "README.md") as file:
        file.write(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
