"""``python -m probmcl claims``: what the records say of the paper's claims, computed anew."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from probmcl_book.claims import CLAIMS, WORDS, claim_finding
from probmcl_book.commands.arguments import Commands, add_command


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "claims",
        _claims,
        "print the rule, the numbers and the word of every claim",
        "Compute the verdicts on the claims C1 to C4 from records, by the rules of chapter 12.",
    )
    parser.add_argument("--records", type=Path, metavar="DIR", help="read these records, not the book's")


def _claims(options: Namespace, arguments: Sequence[str], console: Console) -> None:
    for row, claim in CLAIMS.items():
        found = claim_finding(row, options.records)
        console.print(f"{row}, {claim.title}: {found.word}", style="bold")
        console.print(f"  supported: {claim.supported}\n  contradicted: {claim.contradicted}")
        for part in found.parts:
            console.print(f"  {part}")
        console.print(f"  {found.change}\n")
    for word, meaning in WORDS.items():
        console.print(f"{word}: {meaning}")
