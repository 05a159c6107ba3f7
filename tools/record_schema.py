"""Write the JSON schema of a record, for readers in other languages: ``python tools/record_schema.py``.

It is made of the dataclasses that declare a record. It says which fields there are, all of them needed, and
of what type; a number may be null, which stands for NaN. What :func:`~probmcl_book.records.read_record`
checks beyond that, such as ranges and forms of texts, it does not say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from probmcl._files import whole_file
from probmcl_book.records import Record

FILE = Path(__file__).resolve().parents[1] / "book" / "api" / "record.schema.json"


class _Schema(GenerateJsonSchema):
    """Objects as records hold them: nothing missing, nothing unknown."""

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        found = super().dataclass_schema(schema)
        summary = found["description"].partition("\n\n")[0]
        return found | {
            "description": summary,
            "required": sorted(found["properties"]),
            "additionalProperties": False,
        }

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def float_schema(self, schema: Any) -> dict[str, Any]:
        return {"type": ["number", "null"]}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def record_schema() -> dict[str, Any]:
    """Return the schema, with the fields of an object in the order of their names.

    >>> record_schema()["properties"]["wall_seconds"]
    {'type': ['number', 'null']}
    """
    found = TypeAdapter(Record).json_schema(schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, **found}


def main() -> None:
    """Write the file."""
    with whole_file(FILE) as file:
        file.write(f"{json.dumps(record_schema(), indent=2, sort_keys=True)}\n".encode())


if __name__ == "__main__":
    main()
