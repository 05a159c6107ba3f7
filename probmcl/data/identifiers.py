"""What names an image, a group or a class: one spelling for each, decided here and nowhere else."""

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral, Real

from probmcl import _check


def spelled(name: str) -> str:
    """Return a name in composed characters (NFC), with single spaces inside, without invisible ones."""
    return " ".join(re.sub("[\u200b\u2060\ufeff]", "", unicodedata.normalize("NFC", name)).split())


def image_name(name: str) -> str:
    r"""Return the name of a file, relative to its folder, as all systems take it."""
    return posixpath.normpath(name.strip().replace("\\", "/"))


def group_names(groups: Iterable[object], what: str = "groups") -> list[str]:
    """Return the groups of rows, such as patients: ``7``, ``" 7"``, ``"007"`` and ``7.0`` are one.

    Raises:
        TypeError: If a group is neither text nor a whole number.
        ValueError: If a row has no group, or two differ in capitals only.

    >>> group_names([7, " 7", "007", 7.0, "anna"])
    ['7', '7', '7', '7', 'anna']
    """
    names = []
    for row, group in enumerate(_check.in_order(what, groups)):
        if isinstance(group, bool) or not isinstance(group, str | Real):
            got = f"{type(group).__name__} in row {row}"
            raise TypeError(f"{what}: expected text or whole numbers, got {got}")
        if isinstance(group, Real) and not isinstance(group, Integral) and group == group:
            if group % 1:
                raise TypeError(f"{what}: expected text or whole numbers, got {group} in row {row}")
            group = int(float(group))  # a float of 1e16 has an exponent
        text = spelled(str(group))
        name = re.sub(r"^0*([0-9]+?)(\.0*)?$", r"\1", unicodedata.normalize("NFKC", text))
        if name.lower() in ("", "nan"):
            raise ValueError(f"{what}: expected a group for every row, got {group!r} in row {row}")
        names.append(name)
    check_spelling(what, set(names))
    return names


def check_spelling(what: str, names: Iterable[str]) -> None:
    """Raise if two names differ in capitals only."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise ValueError(f"{what}: expected one spelling for each, got {other!r} and {name!r}")


def check_classes(classes: Sequence[str], expected: int) -> tuple[str, ...]:
    """Return ``classes`` as a tuple if they are ``expected`` different names."""
    found = _check.in_order("classes", classes)
    names = tuple(spelled(_check.instance("classes", name, str)) for name in found)
    if len(names) != expected:
        raise ValueError(f"classes: expected {expected} names, one per column of labels, got {len(names)}")
    for name, count in Counter(names).items():
        if count > 1 or not name:
            raise ValueError(f"classes: expected different names, got {name!r}" + " twice" * (count > 1))
    return names
