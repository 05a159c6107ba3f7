"""All assignments of a term in one table: ``python tools/course_gradebook.py graded/*/points.csv``.

Students are told apart by the ids that their notebooks state. Each assignment gives a column of points, those
by hand included, and a column of what is to be looked at: late, copies, points by hand that are missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course_table import BY_HAND, Row, read_table, write_table


def gradebook(tables: Sequence[Path]) -> tuple[list[str], list[Row]]:
    """Columns and rows of the merged tables, named after the folders that they lie in.

    Raises:
        ValueError: if a table is missing, or two of one name are given.
    """
    names = [table.parent.name for table in tables]
    if len(set(names)) < len(names):
        raise ValueError(f"tables: expected folders of different names, got {', '.join(names)}")
    students: dict[str, Row] = {}
    for name, table in zip(names, tables, strict=True):
        rows = read_table(table)
        if not rows:
            raise ValueError(f"{table}: expected a table of points, got none")
        for row in rows:
            student = row["student_id"].strip().lower() or f"no id: {row['submission']}"
            own = students.setdefault(student, {"student_id": student, "total": 0.0})
            by_hand = [value for column, value in row.items() if column.endswith(BY_HAND)]
            points = float(row["automatic"]) + sum(float(value) for value in by_hand if value)
            notes = [row["late"], row["flags"], "points by hand are missing" if "" in by_hand else ""]
            if name in own:
                notes.append(f"handed in twice, also as {row['submission']}: the higher counts")
            before = float(str(own.get(name, 0.0)))
            own["total"] = float(str(own["total"])) - before + max(before, points)
            own[name] = max(before, points)
            own[f"{name}, look at"] = "; ".join(filter(None, [str(own.get(f"{name}, look at", "")), *notes]))
    columns = [column for name in names for column in (name, f"{name}, look at")]
    return ["student_id", *columns, "total"], [students[student] for student in sorted(students)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Merge the tables of a term.")
    parser.add_argument("tables", nargs="+", type=Path, help="points.csv of each assignment")
    parser.add_argument("--out", type=Path, default=Path("gradebook.csv"))
    options = parser.parse_args(arguments)
    try:
        columns, rows = gradebook(options.tables)
    except ValueError as error:
        parser.error(str(error))
    write_table(options.out, columns, rows)
    print(f"{options.out}: {len(rows)} students, {len(options.tables)} assignments")
    return 0


if __name__ == "__main__":
    sys.exit(main())
