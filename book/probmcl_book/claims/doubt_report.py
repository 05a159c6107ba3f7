"""What the study of uncertainty lets us say about the word "epistemic"."""

from probmcl import _check
from probmcl.evaluate.uncertainty import BETWEEN, ENSEMBLES
from probmcl_book.claims.findings import CONTRADICTED, Finding, Part, decided, scope
from probmcl_book.claims.intervals import over_images_and_seeds, per_seed, per_seed_gains
from probmcl_book.records.record import Record
from probmcl_book.studies import mean_of
from probmcl_book.studies.differences import corrected_level
from probmcl_book.studies.doubts import AT_THRESHOLDS

UNFAMILIAR = ("unseen symbols", "held-out theme")


def epistemic_finding(record: Record, score: str = BETWEEN) -> Finding:
    """Say by the rule of chapter 12 whether a score earns the word epistemic: does it know the unfamiliar?

    A kind of unfamiliar images is supported if the score's AUROC lies above that of the classifier's entropy;
    contradicted if it lies below, or if it is itself at most one half. An ensemble is one, without a spread
    over trainings, and decides nothing; nor does what more data do to a score, as a variance has a scale of
    its own in each training.
    """
    _check.one_of("score", score, dict.fromkeys(found.method for found in record.differences))
    change = "It would change with a gain over the entropy whose interval leaves out 0, for both kinds."
    return Finding(tuple(_kind(record, score, kind) for kind in UNFAMILIAR), change)


def _kind(record: Record, score: str, kind: str) -> Part:
    metric, level = f"{kind} AUROC", corrected_level(len(UNFAMILIAR))
    (images,) = (d.interval for d in record.differences if (d.method, d.metric) == (score, metric))
    rows, gains = per_seed(record, score, metric), per_seed_gains(record, score, AT_THRESHOLDS, metric)
    once = ""
    if score in ENSEMBLES:
        rows, gains = {}, []
        once = f" (over images alone [{images.low:+.2f}, {images.high:+.2f}]; one ensemble has no spread)"
    lead = over_images_and_seeds(images, gains, level)
    own = over_images_and_seeds(mean_of(record, score).metrics[metric], list(rows.values()), level)
    word = CONTRADICTED if own.high <= 0.5 else decided(lead)
    numbers = (
        f"{score} has AUROC {own:.2f}",
        f"less {AT_THRESHOLDS} {lead:+.2f}{once}",
        f"with fewer training images it is {mean_of(record, score).metrics['growth']:.2f} times as large",
    )
    return Part(kind, word, scope(record), numbers, (record.name,))
