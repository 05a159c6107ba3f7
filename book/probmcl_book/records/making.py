"""A record in the making: what ran, on what, and since when."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from probmcl_book.records.provenance import Code, Hardware, provenance
from probmcl_book.records.record import Record


@dataclass(frozen=True)
class Making:
    """What every record states beside its results.

    Code and machine are stated before the run, as files may change while it lasts; ``began`` is on the clock
    of ``time.perf_counter``.
    """

    command: str
    made_by: tuple[Code, Hardware] = field(default_factory=provenance)
    began: float = field(default_factory=time.perf_counter)

    def record(
        self, name: str, kind: Literal["comparison", "study", "benchmark", "statistics"], **content: Any
    ) -> Record:
        """The record, with the time since then unless ``content`` tells another."""
        code, hardware = self.made_by
        seconds = {"wall_seconds": time.perf_counter() - self.began}
        return Record(name, kind, self.command, code=code, hardware=hardware, **seconds | content)
