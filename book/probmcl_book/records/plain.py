"""Plain JSON values and the dataclasses that declare them: one writer, and one strict reader.

A dataclass is an object of its fields, see :func:`~probmcl.train.settings.stated`, with its ``kind`` where
the class has one; a tuple is an array, and NaN is null. A constraint is a function of a name and a value that
raises, in ``Annotated``. A number is read as it was written, 1 as 1 and not as 1.0: keys of runs are digests
of these bytes.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from probmcl import _check
from probmcl.train.settings import stated

T = TypeVar("T")
_WORDS = {dict: "an object", list: "an array", str: "a text", int: "a whole number", float: "a number"}


def to_plain(value: Any, *, digits: int = 17) -> Any:
    """Return ``value`` as JSON has it, with floats of so many significant digits.

    >>> from probmcl.evaluate import Interval
    >>> to_plain((Interval(2 / 3), True), digits=3)
    [{'value': 0.667, 'low': None, 'high': None, 'level': None, 'how': 'no interval'}, True]
    """
    if is_dataclass(value):
        value = {**_tag(type(value)), **stated(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(entry, digits=digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry, digits=digits) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"expected a value that JSON has, got {type(value).__name__}")


def from_plain(kind: type[T], plain: Any, source: str, *, complete: bool = False) -> T:
    """Read plain values as the dataclass that declares them.

    A dataclass with a static method ``upgraded`` has an older form turned into today's first. ``source`` is
    for messages; with ``complete`` every field has to be there, with or without a default.

    Raises:
        ValueError: naming ``source``, the path of the field, what was expected and what came.

    >>> from probmcl.evaluate import Interval
    >>> from_plain(Interval, {"value": 0.9, "low": "0.8"}, "mine.json")
    Traceback (most recent call last):
    ...
    ValueError: mine.json: low: expected a number, got '0.8'
    """
    try:
        read: T = _Reader(complete).read(kind, plain, "")
    except (TypeError, ValueError) as error:  # the whole has no path
        raise ValueError(f"{source}: {str(error).removeprefix(': ')}") from None
    return read


def from_json(kind: type[T], text: bytes, source: str, *, complete: bool = False) -> T:
    """Read the JSON of a dataclass, see :func:`from_plain`."""
    try:
        plain = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:  # neither UTF-8 nor JSON is a given
        raise ValueError(f"{source}: not JSON: {error}") from error
    except RecursionError:
        raise ValueError(f"{source}: not JSON of ours: it is nested too deep") from None
    return from_plain(kind, plain, source, complete=complete)


@dataclass(frozen=True)
class _Reader:
    """Reads values of declared types; ``where`` is the path of a value, "" for the whole."""

    complete: bool

    def read(self, kind: Any, plain: Any, where: str) -> Any:
        origin, kinds = get_origin(kind), get_args(kind)
        if origin is Annotated:
            value = self.read(kinds[0], plain, where)
            for constraint in kinds[1:]:
                constraint(where, value)
            return value
        if origin in (Union, UnionType):
            return self.read(_member(kinds, plain, where), plain, where)
        if origin is Literal:
            return _check.one_of(where, plain, kinds)
        if origin is dict:
            return self._entries(dict.fromkeys(_typed(dict, plain, where), kinds[1]), plain, where)
        if origin in (tuple, list, Sequence):
            values = self._array(kinds, plain, where, whole=origin is not tuple or kinds[-1] is Ellipsis)
            return values if origin is list else tuple(values)
        if is_dataclass(kind):
            return self._object(kind, _typed(dict, plain, where), where)
        return plain if kind is Any else _typed(kind, plain, where)

    def _array(self, kinds: Sequence[Any], plain: Any, where: str, *, whole: bool) -> list[Any]:
        entries = plain if isinstance(plain, tuple) else _typed(list, plain, where)
        each = [kinds[0]] * len(entries) if whole else kinds
        if len(each) != len(entries):
            raise ValueError(f"{where}: expected {len(each)} entries, got {len(entries)}")
        return [self.read(each[n], entry, f"{where}[{n}]") for n, entry in enumerate(entries)]

    def _entries(self, kinds: Mapping[str, Any], plain: Mapping[str, Any], where: str) -> dict[str, Any]:
        return {name: self.read(kinds[name], entry, _at(where, name)) for name, entry in plain.items()}

    def _object(self, kind: Any, plain: dict[str, Any], where: str) -> Any:
        held = {name: entry for name, entry in plain.items() if name not in _tag(kind)}
        held = getattr(kind, "upgraded", dict)(held)
        types, needed = _fields(kind)
        if unknown := [name for name in held if name not in types]:
            raise ValueError(
                f"{_at(where, unknown[0])}: unknown field, expected {', '.join(types) or 'none'}"
            )
        if missing := [name for name in (types if self.complete else needed) if name not in held]:
            raise ValueError(f"{_at(where, missing[0])}: expected a value, got none")
        values = self._entries(types, held, where)
        try:
            return kind(**values)
        except (TypeError, ValueError) as error:  # its message begins with the name of a field
            raise ValueError(_at(where, str(error))) from None


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], list[str]]:
    """Types of a dataclass's fields by name, and the names of those without a default."""
    types = get_type_hints(kind, include_extras=True)
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return {field.name: types[field.name] for field in fields(kind)}, needed


def _tag(kind: Any) -> dict[str, str]:
    """What tells a class of a union from the others; a field or a property of the name is none."""
    name = getattr(kind, "kind", None)
    return {"kind": name} if isinstance(name, str) else {}


def _member(members: Sequence[Any], plain: Any, where: str) -> Any:
    """The member of a union that reads a value: by its kind, or else the first whose fields are there."""
    if plain is None and NoneType in members:
        return NoneType
    rest = [member for member in members if member is not NoneType]
    if len(rest) == 1:
        return rest[0]
    held = _typed(dict, plain, where)
    kinds = {_tag(member)["kind"]: member for member in rest if _tag(member)}
    if kinds and "kind" in held:
        return kinds[_check.one_of(_at(where, "kind"), held["kind"], kinds)]
    return next((member for member in rest if held.keys() >= set(_fields(member)[1])), rest[-1])


def _typed(kind: Any, plain: Any, where: str) -> Any:
    """A plain value of a type that JSON has; for a number, null is NaN, and 1 stays 1."""
    if kind is float and plain is None:
        return math.nan
    wanted = (int, float) if kind is float else kind
    if not isinstance(plain, wanted) or (isinstance(plain, bool) and kind is not bool):
        raise TypeError(f"{where}: expected {_WORDS.get(kind, 'true or false')}, got {shortened(plain)}")
    if kind is float and not abs(plain) < math.inf:
        raise ValueError(f"{where}: expected a finite number, got {plain}")
    return plain


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")
