"""Notebooks without a kernel of their own, which would take longer to start than most cells to run."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt


def run_cells(notebook: Path) -> None:
    """Run the code of a notebook from top to bottom in this process; an error of a cell is raised."""
    names: dict[str, Any] = {"__name__": "__main__", "get_ipython": lambda: None}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), notebook.name, "exec"), names)
    plt.close("all")
    names.clear()  # its functions and they hold each other
