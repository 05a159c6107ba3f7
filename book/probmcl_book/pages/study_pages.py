"""Studies on a page: what is recorded, tables of records, and a plain word where there is no record."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from probmcl_book.claims import (
    WorldLabels,
    claim_finding,
    labels_record_name,
    records_in,
    replaces_default,
    validation_gains,
    world_labels,
)
from probmcl_book.pages.display import show
from probmcl_book.pages.figures.studies import differences_to
from probmcl_book.pages.output import say
from probmcl_book.pages.tables import table
from probmcl_book.records import Cell, Record, over_seeds
from probmcl_book.studies import (
    EVERY_WORLD,
    PLANNED,
    difference_of,
    planned_study,
    record_name,
    recorded_runs,
    study_in,
)

NOT_RUN = "not run"


def study_command(study: str, world: str) -> str:
    """What to type to run a study and record it for the book.

    >>> study_command("topology", "digits")
    'python -m probmcl study topology --out book/results/study_topology.json'
    """
    place = "" if world == "digits" else f" --world {world} --data DIR"
    return f"python -m probmcl study {study}{place} --out book/results/{record_name(study, world)}.json"


def recorded(study: str) -> dict[str, Record]:
    """The records of a study that there are, by world."""
    names = {record_name(study, world): world for world in PLANNED[study]}
    return {names[name]: record for name, record in records_in(None, list(names)).items()}


def study_plan(names: Sequence[str]) -> None:
    """Display which planned studies are recorded, and which are not."""
    rows: list[list[Cell]] = []
    for study in names:
        found = recorded(study)
        for world in PLANNED[study]:
            planned = len(planned_study(study, world))
            runs: Cell = recorded_runs(found[world]) if world in found else NOT_RUN
            made = found[world].created if world in found else study_command(study, world)
            rows.append([study, EVERY_WORLD[world].title, planned, runs, made])
    columns = ["study", "world", "runs planned", "runs recorded", "recorded on, or how to run it"]
    table(rows, columns, caption="The studies of this page. Runs of tuning are not counted.")


def where_recorded(study: str, draw: Callable[[Record], None]) -> None:
    """Show something of a study in every world where it is recorded, and say so where it is not."""
    found = recorded(study)
    for world in PLANNED[study]:
        print(EVERY_WORLD[world].title)
        if world in found:
            draw(found[world])
        else:
            print(f"  Not run yet. To run it: {study_command(study, world)}")


def differences(record: Record) -> None:
    """Show how much higher every other setting of one group is than the study's reference, in a figure."""
    reference = study_in(record).reference
    gains = {name: difference_of(record, name, reference) for name in over_seeds(record)}
    found = {name: gain for name, gain in gains.items() if gain is not None}
    level = next(iter(found.values())).level
    show(
        differences_to,
        record,
        reference,
        alt=f"Test mAP of each setting less that of {reference}, with intervals over images: "
        f"{'; '.join(f'{name} {gain:+z.3f}' for name, gain in found.items())}.",
        caption=f"{record.data.name}: less {reference}. Thick: over images, paired bootstrap, level "
        f"{level:.4g} after the correction. Thin: over seeds, t interval, 95 %, not corrected.",
    )


def gains_on_validation(record: Record) -> None:
    """Display how much higher each setting of one group is than the default on validation, with errors."""
    gains = sorted(validation_gains(record).items(), key=lambda item: -item[1].value)
    caption = f"Means over {len(record.seeds)} seeds, plus and minus two standard errors."
    table(gains, ["setting", "validation mAP less the default's"], caption=caption)


def defaults_verdict(study: str) -> None:
    """Print whether a study around the default replaces it, by the rule of chapter 12."""
    found, worlds = recorded(study), PLANNED[study]
    missing = [EVERY_WORLD[world].title for world in worlds if world not in found]
    if missing:
        lacking = f"{NOT_RUN.capitalize()}: {', '.join(missing)}."
        say(f"The rule asks for {len(worlds)} worlds. {lacking} Until then the default stays.")
    reasons = replaces_default(found) if found else {}
    if found and not reasons:
        say("No setting replaces the default on what is recorded.")
    for setting, reason in reasons.items():
        where = "what is recorded" if missing else "both worlds"
        say(f"{setting}: {reason}, on {where}.")


def claim_verdict(row: str) -> None:
    """Print the verdict on a claim, C1 to C4: its word, its parts, and what would change it."""
    found = claim_finding(row)
    for line in (f"{row}: {found.word}.", *map(str, found.parts), found.change):
        say(line)


def labels_of(record: Record, group: str = "") -> WorldLabels:
    """The labels of a study's world, counted in a record of the book where they are not known exactly."""
    name = labels_record_name(study_in(record).world)
    return world_labels(record, records_in(None, [name]).get(name), group=group)


def metrics_by_setting(record: Record, metrics: Mapping[str, str], *, caption: str) -> None:
    """Display metrics, titles by name, of every setting: means over seeds with their intervals."""
    seeds = Counter(row.method for row in record.rows if row.seed is not None)
    rows = over_seeds(record).items()
    cells = [[name, *(row.metrics.get(metric) for metric in metrics), seeds[name]] for name, row in rows]
    table(cells, ["setting", *metrics.values(), "seeds"], caption=caption)
