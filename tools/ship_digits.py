"""Make the trained run that ships with the book: ``python tools/ship_digits.py``, minutes on one core.

The file holds recipe, seed, checksum of the scenes, code and machine beside the weights, as the file of every
finished run does: it is its own record.
"""

from __future__ import annotations

from pathlib import Path

from probmcl_book.replicate.finished import write_finished
from probmcl_book.replicate.shipped import SHIPPED, rounded, train_to_ship


def main(path: Path = SHIPPED) -> None:
    """Train, round the weights to half precision, write."""
    write_finished(rounded(train_to_ship(progress=True)), path)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
