"""The YAML that calibration files of other programs are written in: block maps and lists, flow lists, scalars.

No anchors, no tags but OpenCV's, no types beyond numbers, true, false and text: a file that needs more is refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s\[\]{}#&*!|>'"%@`,][^:\[\]{}]*?)\s*:(?:\s+(.*)|$)""")
_TAG = re.compile(r"!!?[\w-]+\s*")
DEEPEST = 12


class YamlError(ValueError):
    """The message names the line."""


@dataclass(frozen=True)
class _Line:
    number: int
    indent: int
    text: str


def read_yaml(text: str) -> object:
    """Return maps, lists, numbers and texts. Raises YamlError naming the line."""
    lines = _lines(text)
    if not lines:
        raise YamlError("line 1: it is empty; valid: YAML, like `image_width: 640`")
    value, rest = _block(lines, 0, lines[0].indent, 0)
    if rest < len(lines):
        raise YamlError(
            f"line {lines[rest].number}: {lines[rest].text!r} is indented otherwise than what it belongs to"
        )
    return value


def _lines(text: str) -> list[_Line]:
    """Lines that say something; a list in brackets over several lines is one."""
    found: list[_Line] = []
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _uncommented(raw).rstrip()
        if not held and (not line.strip() or line.startswith("%") or line.strip() in ("---", "...")):
            continue
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise YamlError(f"line {number}: a tab; valid: spaces")
        start = start if held else number
        held = f"{held} {line.strip()}" if held else line
        if held.count("[") + held.count("{") > held.count("]") + held.count("}"):
            continue
        found.append(_Line(start, len(held) - len(held.lstrip()), held.strip()))
        held = ""
    if held:
        raise YamlError(f"line {start}: {held.strip()[:40]!r} has a bracket that never closes")
    return found


def _uncommented(line: str) -> str:
    quote = ""
    for k, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#" and (k == 0 or line[k - 1].isspace()):
            return line[:k]
    return line


def _block(lines: Sequence[_Line], at: int, indent: int, depth: int) -> tuple[object, int]:
    if depth > DEEPEST:
        raise YamlError(f"line {lines[at].number}: nested deeper than {DEEPEST}")
    if lines[at].text.startswith("- ") or lines[at].text == "-":
        return _list(lines, at, indent, depth)
    return _map(lines, at, indent, depth)


def _list(lines: Sequence[_Line], at: int, indent: int, depth: int) -> tuple[list[object], int]:
    found: list[object] = []
    value: object
    while at < len(lines) and lines[at].indent == indent and lines[at].text.startswith("-"):
        inside = lines[at].text[1:].strip()
        if inside and not _KEY.match(inside):
            found.append(_scalar(inside, lines[at].number))
            at += 1
            continue
        if inside:
            shift = len(lines[at].text) - len(inside)
            moved = [*lines[:at], _Line(lines[at].number, indent + shift, inside), *lines[at + 1 :]]
            value, at = _map(moved, at, indent + shift, depth + 1)
        else:
            value, at = _inner(lines, at, indent, depth)
        found.append(value)
    return found, at


def _map(lines: Sequence[_Line], at: int, indent: int, depth: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    while at < len(lines) and lines[at].indent == indent:
        line = lines[at]
        match = _KEY.match(line.text)
        if match is None:
            raise YamlError(f"line {line.number}: {line.text[:60]!r}; valid: a field, like `image_width: 640`")
        key = match.group(1).strip("\"'")
        if key in found:
            raise YamlError(f"line {line.number}: {key} is there twice")
        value = _TAG.sub("", match.group(2) or "", count=1).strip()
        if value:
            found[key], at = _scalar(value, line.number), at + 1
        else:
            found[key], at = _inner(lines, at, indent, depth)
    return found, at


def _inner(lines: Sequence[_Line], at: int, indent: int, depth: int) -> tuple[object, int]:
    """What belongs to line `at`: lines further in, or a list that starts in the same column."""
    after = at + 1
    if after < len(lines) and (
        lines[after].indent > indent or (lines[after].indent == indent and lines[after].text.startswith("- "))
    ):
        return _block(lines, after, lines[after].indent, depth + 1)
    return None, after


def _scalar(text: str, number: int) -> object:
    if text.startswith(("[", "{")):
        value, rest = _flow(text, number, 0)
        if rest.strip():
            raise YamlError(f"line {number}: {rest.strip()[:40]!r} after the closing bracket")
        return value
    if text[:1] in "\"'":
        if len(text) < 2 or text[-1] != text[0]:
            raise YamlError(f"line {number}: {text[:40]!r} has a quote that never closes")
        return text[1:-1]
    if text[:1] in "&*|>!@`%":
        raise YamlError(f"line {number}: {text[:40]!r}; valid: a number, a text or a list in brackets")
    return _plain(text)


def _flow(text: str, number: int, depth: int) -> tuple[object, str]:
    if depth > DEEPEST:
        raise YamlError(f"line {number}: nested deeper than {DEEPEST}")
    if text.startswith("{"):
        raise YamlError(f"line {number}: braces; valid: fields on lines of their own")
    rest, found = text[1:].lstrip(), []
    while not rest.startswith("]"):
        if rest.startswith(("[", "{")):
            value, rest = _flow(rest, number, depth + 1)
        else:
            match = re.match(r"""\s*("[^"]*"|'[^']*'|[^,\[\]]*)""", rest)
            word = match.group(1).strip() if match else ""
            if not word:
                raise YamlError(f"line {number}: a value is missing in a list")
            value, rest = _scalar(word, number), rest[match.end() :] if match else ""
        found.append(value)
        rest = rest.lstrip()
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith("]"):
            raise YamlError(f"line {number}: {rest[:40]!r}; valid: a comma or a closing bracket")
    return found, rest[1:]


def _plain(text: str) -> object:
    if _NUMBER.match(text):
        return float(text) if any(sign in text for sign in ".eE") else int(text)
    return {"true": True, "false": False, "null": None, "~": None}.get(text, text)


def write_yaml(value: Mapping[str, object], indent: int = 0) -> str:
    """Return block maps with lists in brackets; texts in quotes where they could be taken for something else."""
    lines = []
    for key, one in value.items():
        if isinstance(one, Mapping):
            lines += [f"{' ' * indent}{key}:", write_yaml(one, indent + 2).rstrip("\n")]
        elif isinstance(one, list) and one and isinstance(one[0], list):
            lines.append(f"{' ' * indent}{key}:")
            lines += [f"{' ' * indent}- {_words(row)}" for row in one]
        else:
            lines.append(f"{' ' * indent}{key}: {_words(one)}")
    return "\n".join(lines) + "\n"


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_words(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    bare = bool(re.match(r"[A-Za-z_/][\w./-]*$", text)) and _plain(text) == text
    return text if bare else '"' + text.replace('"', "'") + '"'
