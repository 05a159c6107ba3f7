"""What the records say of the paper's claims: rules, verdicts, the ledger, published numbers."""

from probmcl_book.claims.claims import CLAIMS, Claim, best_rival, claim_finding, graph_test
from probmcl_book.claims.defaults import components_in_use, replaces_default, validation_gains
from probmcl_book.claims.doubt_report import epistemic_finding
from probmcl_book.claims.findings import WORDS, Finding, Part, records_in
from probmcl_book.claims.ledger import (
    LEDGER_KINDS,
    LEDGER_ROWS,
    LEDGER_STATUSES,
    LEDGER_TAGS,
    LedgerEntry,
    Published,
    ledger_summary,
    read_ledger,
)
from probmcl_book.claims.ledger_check import check_ledger, entry_record, has_test
from probmcl_book.claims.published import Standing, published_table, standings
from probmcl_book.claims.world_labels import WorldLabels, labels_record_name, world_labels

__all__ = [
    "CLAIMS", "LEDGER_KINDS", "LEDGER_ROWS", "LEDGER_STATUSES", "LEDGER_TAGS", "WORDS", "Claim", "Finding",
    "LedgerEntry", "Part", "Published", "Standing", "WorldLabels", "best_rival", "check_ledger",
    "claim_finding", "components_in_use", "entry_record", "epistemic_finding", "graph_test", "has_test",
    "labels_record_name", "ledger_summary", "published_table", "read_ledger", "records_in",
    "replaces_default", "standings", "validation_gains", "world_labels",
]  # fmt: skip
