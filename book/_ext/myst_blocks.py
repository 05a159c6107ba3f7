"""MyST text as a list of blocks: text, code, displayed formulas and directives, each with its line number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

FENCE = re.compile(
    r"^(?P<indent>\s*)(?P<marker>`{3,}|~{3,}|:{3,})\s*(?:\{(?P<name>[\w:.-]+)\})?(?P<rest>.*)$"
)
OPTION = re.compile(r"^\s*:(?P<key>[\w-]+):(?:\s+(?P<value>.*))?$")
MATH_END = re.compile(r"^(?P<body>.*?)\$\$\s*(?:\((?P<label>[\w:.-]+)\))?\s*$")


VERBATIM = (
    "code-cell",
    "raw-cell",
    "code-block",
    "code",
    "sourcecode",
    "literalinclude",
    "eval-rst",
    "glossary",
)


class SourceError(ValueError):
    """Something in a chapter that the exporter cannot turn into plain Markdown, with its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Block:
    """A piece of a chapter.

    Attributes:
        kind: ``text``, ``code`` (a fence without a directive), ``math`` or ``directive``.
        line: number of the block's first line in the file, from 1.
        lines: text: as written; code: with its fences; math and directive: what stands inside, not indented.
        indent: white space in front of the block, for blocks inside a list.
        name: name of the directive.
        argument: what follows the name on its line.
        options: the directive's options.
        label: the label of a formula.
        body_line: number of the first of ``lines`` of a directive.
    """

    kind: str
    line: int
    lines: tuple[str, ...]
    indent: str = ""
    name: str = ""
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    label: str = ""
    body_line: int = 0


def split_blocks(lines: Sequence[str], first_line: int = 1) -> list[Block]:
    """Split ``lines``, the first of which is line ``first_line`` of the file."""
    blocks: list[Block] = []
    text_from, i = 0, 0
    while i < len(lines):
        if FENCE.match(lines[i]):
            block, after = _fence(lines, i, first_line)
        elif lines[i].lstrip().startswith("$$"):
            block, after = _math(lines, i, first_line)
        else:
            i += 1
            continue
        if text_from < i:
            blocks.append(Block("text", first_line + text_from, tuple(lines[text_from:i])))
        blocks.append(block)
        text_from = i = after
    if text_from < len(lines):
        blocks.append(Block("text", first_line + text_from, tuple(lines[text_from:])))
    return blocks


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield every block in reading order, and those inside directives that hold Markdown."""
    for block in blocks:
        if block.kind == "directive" and block.name == "math":
            yield Block("math", block.line, block.lines, block.indent, label=block.options.get("label", ""))
            continue
        yield block
        if block.kind == "directive" and block.name not in VERBATIM:
            yield from walk(split_blocks(block.lines, block.body_line))


def _fence(lines: Sequence[str], start: int, first_line: int) -> tuple[Block, int]:
    opening = FENCE.match(lines[start])
    assert opening is not None
    indent, marker, name = opening["indent"], opening["marker"], opening["name"]
    closing = re.compile(rf"^\s*{re.escape(marker[0])}{{{len(marker)},}}\s*$")
    end = next((j for j in range(start + 1, len(lines)) if closing.match(lines[j])), None)
    if end is None:
        raise SourceError(first_line + start, f"the block {lines[start].strip()!r} is never closed")
    if name is None and marker[0] == ":":
        raise SourceError(first_line + start, f"expected a directive in braces after {marker!r}")
    if name is None:
        return Block("code", first_line + start, tuple(lines[start : end + 1])), end + 1
    inside = [
        line[len(indent) :] if line.startswith(indent) else line.lstrip() for line in lines[start + 1 : end]
    ]
    options, skipped = _options(inside, first_line + start + 1)
    body, line = tuple(inside[skipped:]), first_line + start
    argument = opening["rest"].strip()
    directive = Block("directive", line, body, indent, name, argument, options, body_line=line + 1 + skipped)
    return directive, end + 1


def _options(lines: Sequence[str], first_line: int) -> tuple[dict[str, str], int]:
    """Return a directive's options and the number of lines that they take."""
    if lines and lines[0].strip() == "---":
        end = next((j for j in range(1, len(lines)) if lines[j].strip() == "---"), None)
        if end is None:
            raise SourceError(first_line, "the options opened with '---' are never closed")
        return {key: str(value) for key, value in yaml.safe_load("\n".join(lines[1:end])).items()}, end + 1
    options: dict[str, str] = {}
    for line in lines:
        option = OPTION.match(line)
        if option is None:
            break
        options[option["key"]] = (option["value"] or "").strip()
    return options, len(options)


def _math(lines: Sequence[str], start: int, first_line: int) -> tuple[Block, int]:
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    rest = lines[start].strip()[2:]
    body: list[str] = []
    for j in range(start, len(lines)):
        line = rest if j == start else lines[j].strip()
        if ending := MATH_END.match(line):
            body.append(ending["body"].strip())
            content = tuple(part for part in body if part)
            return Block("math", first_line + start, content, indent, label=ending["label"] or ""), j + 1
        if not line and j > start:
            break
        body.append(line)
    raise SourceError(first_line + start, "the formula opened with '$$' is never closed")
