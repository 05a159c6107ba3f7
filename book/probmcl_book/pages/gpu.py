"""What ``make gpu-check`` recorded on a GPU, or that nothing is recorded."""

from probmcl_book.pages.output import say
from probmcl_book.pages.records import provenance_lines
from probmcl_book.pages.tables import table
from probmcl_book.records import load_result


def on_gpu(name: str, of: str = "", *, caption: str) -> None:
    """Show the rows of the record ``gpu_NAME`` whose names begin with ``of``; where there is none, say so.

    >>> on_gpu("unknown", caption="Steps.")
    Not run on a GPU yet: no record gpu_unknown; `make gpu-check` writes it.
    """
    try:
        record = load_result(f"gpu_{name}")
    except FileNotFoundError:
        say(f"Not run on a GPU yet: no record gpu_{name}; `make gpu-check` writes it.")
        return
    provenance_lines(record)
    rows = [row for row in record.rows if row.method.startswith(of)]
    figures = list(dict.fromkeys(figure for row in rows for figure in row.metrics))
    cells = [[row.method, *map(row.metrics.get, figures)] for row in rows]
    table(cells, ["", *(figure.replace("_", " ") for figure in figures)], caption=caption)
