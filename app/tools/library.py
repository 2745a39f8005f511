"""The tools of a workspace: a folder each, written whole or not at all, with trash and undo; and the built-in ones.

WORKSPACE/tools/NAME/ holds tool.toml, mesh.obj, mesh.mtl and texture.png (docs/tools.md). What is replaced or
deleted goes to WORKSPACE/tools/.trash/, from where it can be taken back.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Tool
from models.data.errors import DreamFileError
from models.data.fields import safe_name
from models.data.text_files import read_table
from models.data.tool_folder import library_tool, load_tool_folder, save_tool, tool_version

TRASH = ".trash"


@dataclass(frozen=True)
class LibraryEntry:
    """name: of its folder; path: the tool.toml that an import takes; built_in: cannot be changed or deleted;
    version: over all its files; problem: why it cannot be used, "" where it can."""

    name: str
    path: Path
    built_in: bool
    version: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Change:
    """What stood under a name before, now in the trash; None: nothing did."""

    name: str
    kept: Path | None
    words: str


class ToolLibrary:
    """Every method raises DreamFileError naming file and field, or OSError; nothing is half done then."""

    def __init__(self, workspace: Path) -> None:
        self._workspace, self.root = workspace, workspace / "tools"
        self._done: list[_Change] = []
        self._undone: list[_Change] = []

    def entries(self) -> tuple[LibraryEntry, ...]:
        """The workspace's tools, then the built-in ones; a broken folder is listed with its problem."""
        folders = sorted(self.root.iterdir()) if self.root.is_dir() else []
        own = [self._entry(folder) for folder in folders if folder.is_dir() and not folder.name.startswith(".")]
        return (*own, *(LibraryEntry(name, path, True) for name, path in BUILT_IN_TOOLS.items()))

    def load(self, name: str) -> Tool:
        """Return a tool; one of the workspace carries its version."""
        folder = self.root / name
        if folder.is_dir():
            return library_tool(folder)
        if name in BUILT_IN_TOOLS:
            return load_tool(BUILT_IN_TOOLS[name])
        raise DreamFileError(self.root, "tool", f"{name!r} is not there", "a tool of the library")

    def source(self, name: str) -> Mapping[str, object]:
        """Where a tool came from, as its folder says."""
        path = self.root / name / "tool.toml"
        found = read_table(path).get("source", {}) if path.is_file() else {}
        return found if isinstance(found, dict) else {}

    def save(self, tool: Tool, source: Mapping[str, object], *, replacing: str = "") -> str:
        """Write a tool under its name and return its version; replacing: the name it had, whose folder goes to the
        trash. A name that another tool has is refused."""
        name = safe_name(
            tool.name, lambda p: DreamFileError(self.root, "name", p, "1 to 64 letters, digits, - or _")
        )
        if name in BUILT_IN_TOOLS:
            raise DreamFileError(self.root, "name", f"{name!r} is a built-in tool", "another name")
        if name != replacing and (self.root / name).exists():
            raise DreamFileError(self.root, "name", f"{name!r} is taken", "another name")
        self._put(name, replace(tool, version=""), source)
        if replacing and replacing != name and (self.root / replacing).is_dir():
            self._remember(_Change(replacing, self._discard(replacing), f"renaming {replacing}"))
        return tool_version(self.root / name)

    def duplicate(self, name: str) -> str:
        """Copy a tool, a built-in one too, under a free name; return that."""
        tool = self.load(name)
        taken = {entry.name for entry in self.entries()}
        new = next(n for k in range(1, 1000) if (n := f"{name[:56]}_copy{k if k > 1 else ''}") not in taken)
        source = {**self.source(name), "copy_of": name} | ({"version": tool.version} if tool.version else {})
        self._put(new, replace(tool, name=new, version=""), source)
        return new

    def delete(self, name: str) -> None:
        """Move a tool to the trash: dreams that use it hold their own copy, and undo brings it back."""
        if name in BUILT_IN_TOOLS:
            raise DreamFileError(self.root, "tool", f"{name!r} is built in", "a tool of the workspace")
        if not (self.root / name).is_dir():
            raise DreamFileError(self.root, "tool", f"{name!r} is not there", "a tool of the workspace")
        self._remember(_Change(name, self._discard(name), f"deleting {name}"))

    def users(self, name: str) -> tuple[str, ...]:
        """Names of the dreams that were imported with this tool, by its name or its version."""
        version = tool_version(self.root / name) if (self.root / name).is_dir() else ""
        found = {
            path.parents[2].name
            for path in sorted((self._workspace / "dreams").glob("*/tools/*/tool.toml"))
            if _uses(path, name, version)
        }
        return tuple(sorted(found))

    @property
    def in_trash(self) -> int:
        """How many tools, and earlier versions of tools, the trash holds."""
        trash = self.root / TRASH
        return sum(1 for _ in trash.iterdir()) if trash.is_dir() else 0

    def empty_trash(self) -> tuple[int, tuple[str, ...]]:
        """Delete for good what is in the trash, but for tools whose version a dream names; return how many went and
        what was kept. Undo ends here."""
        named = self._versions_in_dreams()
        gone, kept = 0, []
        for folder in sorted((self.root / TRASH).iterdir()) if (self.root / TRASH).is_dir() else []:
            if tool_version(folder) in named:
                kept.append(folder.name)
            else:
                shutil.rmtree(folder)
                gone += 1
        self._done, self._undone = [], []
        return gone, tuple(kept)

    @property
    def undo_words(self) -> str:
        """What undo would take back, "" for nothing."""
        return self._done[-1].words if self._done else ""

    @property
    def redo_words(self) -> str:
        return self._undone[-1].words if self._undone else ""

    def undo(self) -> str:
        """Take the last change back; return the name it was about."""
        return self._swap(self._done, self._undone)

    def redo(self) -> str:
        return self._swap(self._undone, self._done)

    # inside ----------------------------------------------------------------------------------------------------
    def _put(self, name: str, tool: Tool, source: Mapping[str, object]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{name}.part.", dir=self.root))
        try:
            part.chmod(0o755)
            save_tool(part, tool, source)
            load_tool_folder(part)  # what cannot be read back is not saved
            _to_disk(part)
            kept = self._discard(name) if (self.root / name).exists() else None
            part.rename(self.root / name)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._remember(_Change(name, kept, f"saving {name}"))

    def _discard(self, name: str) -> Path:
        trash = self.root / TRASH
        trash.mkdir(exist_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        slot = next(s for k in range(10_000) if not (s := trash / f"{name}.{stamp}.{k}").exists())
        (self.root / name).rename(slot)
        return slot

    def _remember(self, change: _Change) -> None:
        self._done.append(change)
        self._undone = []

    def _swap(self, stack: list[_Change], other: list[_Change]) -> str:
        if not stack:
            raise DreamFileError(self.root, "undo", "there is nothing to take back")
        change = stack[-1]
        live = self.root / change.name
        if change.kept is not None and not change.kept.is_dir():
            raise DreamFileError(change.kept, "trash", "is no longer there", "an untouched trash")
        kept = self._discard(change.name) if live.is_dir() else None
        if change.kept is not None:
            change.kept.rename(live)
        stack.pop()
        other.append(_Change(change.name, kept, change.words))
        return change.name

    def _entry(self, folder: Path) -> LibraryEntry:
        path = folder / "tool.toml"
        try:
            table = read_table(path)
            problem = "" if "T_flange_tool" in table and (folder / "mesh.obj").is_file() else f"{path}: no tool"
            return LibraryEntry(folder.name, path, False, tool_version(folder), problem)
        except (DreamFileError, OSError) as error:
            return LibraryEntry(folder.name, path, False, "", str(error))

    def _versions_in_dreams(self) -> set[str]:
        paths = (self._workspace / "dreams").glob("*/tools/*/tool.toml")
        return {version for path in paths if (version := _version_in(path))}


def _uses(path: Path, name: str, version: str) -> bool:
    try:
        table = read_table(path)
    except DreamFileError:
        return False
    return bool(table.get("version")) and (table.get("version") == version or table.get("name") == name)


def _version_in(path: Path) -> str:
    try:
        return str(read_table(path).get("version", ""))
    except DreamFileError:
        return ""


def _to_disk(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
