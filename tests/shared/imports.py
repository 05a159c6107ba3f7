"""What files import, from their text."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported(file: Path) -> Iterator[str]:
    """The names of modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
