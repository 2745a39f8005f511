"""What several verbs share: options, and closing what they opened."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from app.verbs.output import Refused
from hardware.rig import Rig, built_in_rigs, load_rig

Verb = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]", argparse.ArgumentParser], None]


class Closes(Protocol):
    def close(self) -> None: ...


_C = TypeVar("_C", bound=Closes)


@contextmanager
def closing(thing: _C) -> Iterator[_C]:
    """Close it at the end, whatever happens."""
    try:
        yield thing
    finally:
        thing.close()


def add_rig(parser: argparse.ArgumentParser) -> None:
    """Add --rig."""
    parser.add_argument(
        "--rig",
        default="sim",
        metavar="FILE|sim",
        help=f"rig.toml, or a built-in one: {', '.join(built_in_rigs())} (default: sim)",
    )


def read_rig(name: str) -> Rig:
    """Return the rig; Refused says what is wrong with its file."""
    try:
        return load_rig(name)
    except FileNotFoundError as error:
        raise Refused(
            f"--rig: {name}: there is no such file; valid: a rig.toml, or {', '.join(built_in_rigs())}"
        ) from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refused(str(error) if name in str(error) else f"--rig: {name}: {error}") from error


def writable(path: Path, option: str) -> Path:
    """Return the path when a file can be made there, before any long work; else raise Refused."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise Refused(f"{option}: {path}: valid: a file in a folder that is there")
    return path


def tools_by_role(words: Sequence[str]) -> dict[str, str]:
    """Return role -> tool of words like left=NAME; Refused says which word is wrong."""
    tools: dict[str, str] = {}
    for word in words:
        role, equals, name = word.partition("=")
        if not role or not equals or not name or role in tools:
            raise Refused(f"--tools: {word!r}; valid: ROLE=NAME, each role once, such as tool=pusher")
        tools[role] = name
    return tools
