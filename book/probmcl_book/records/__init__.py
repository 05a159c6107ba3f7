"""A result with everything that is needed to judge it, and to make it again."""

from probmcl_book.records.provenance import Code, Hardware, command_line
from probmcl_book.records.record import (
    DataIdentity,
    Difference,
    Record,
    Row,
    load_result,
    read_record,
    results_path,
    write_record,
)
from probmcl_book.records.report import comparison_table, over_seeds, verdict
from probmcl_book.records.table import Cell, Table

__all__ = [
    "Cell", "Code", "DataIdentity", "Difference", "Hardware", "Record", "Row", "Table", "command_line",
    "comparison_table", "load_result", "over_seeds", "read_record", "results_path", "verdict", "write_record",
]  # fmt: skip
