"""The tool that is being worked on: one draft at a time, with one undo for its edits and the library's changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.tools import draft as drafts
from app.tools.draft import ToolDraft
from app.tools.fields import edited, numbers
from app.tools.library import ToolLibrary
from hardware.mesh_files import MESH_SUFFIXES
from hardware.tools import BUILT_IN_TOOLS, SCALE, Units
from models.data.mesh_check import HUGE_FACES, MeshReport, check_mesh


@dataclass(frozen=True)
class _Step:
    """A draft to go back to; words say what was done after it."""

    draft: ToolDraft
    words: str


class ToolBench:
    """Every change raises ValueError or OSError in words for a person, and changes nothing then."""

    def __init__(self, library: ToolLibrary) -> None:
        self.library = library
        self.draft: ToolDraft | None = None
        self.name = ""  # of the library's tool that the draft is of, "" for a new one
        self.problems: Mapping[str, str] = {}
        self.said = ""
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self._report: tuple[int, MeshReport] | None = None

    @property
    def built_in(self) -> bool:
        return self.name in BUILT_IN_TOOLS

    @property
    def unsaved(self) -> bool:
        """Whether saving would change anything."""
        return self.draft is not None and not self.built_in and (not self.name or bool(self._past))

    @property
    def report(self) -> MeshReport:
        """How the draft's mesh hangs together; worked out once a mesh."""
        if self.draft is None:
            raise ValueError("there is no tool; choose one")
        mesh = self.draft.tool.mesh
        if self._report is None or self._report[0] != id(mesh.faces):
            self._report = (id(mesh.faces), check_mesh(mesh))
        return self._report[1]

    def open(self, name: str) -> None:
        """Take a tool of the library."""
        tool = self.library.load(name)
        self._take(ToolDraft(tool, self.library.source(name)), name)

    def take(self, draft: ToolDraft) -> None:
        """Take a draft that was just read from a file, under a name that is free."""
        taken = {entry.name for entry in self.library.entries()}
        base = draft.tool.name
        name = next(n for k in range(1, 1000) if (n := base if k == 1 else f"{base[:58]}_{k}") not in taken)
        self._take(replace(draft, tool=replace(draft.tool, name=name)), "")

    def close(self) -> None:
        """Put the tool away."""
        self.draft, self.name, self._past, self._future = None, "", [], []
        self.problems, self.said = {}, ""

    def edit(self, texts: Mapping[str, str]) -> None:
        """Take what was typed; wrong fields are in `problems`."""
        if self.draft is None or self.built_in:
            return
        after, self.problems = edited(self.draft, texts)
        if after is not self.draft:
            self._go(after, "typing")

    def change(self, what: str, value: object) -> None:
        """Do one of: unit, scale, origin, turn, repair, thin, track, symmetry."""
        if self.draft is None or self.built_in:
            raise ValueError("duplicate the built-in tool first, then change the copy")
        self.said = ""
        after = self._changes()[what](self.draft, value)
        if after is not self.draft:
            self._go(after, what)

    def put(self, draft: ToolDraft, words: str) -> None:
        """Go on with a draft that came from elsewhere, such as a wizard."""
        self._go(draft, words)

    def save(self) -> str:
        """Write the draft into the library; return its version."""
        if self.draft is None or self.built_in:
            raise ValueError("there is nothing to save")
        if self.draft.guess is not None and not self.draft.guess.sure:
            raise ValueError(f"unit: {self.draft.guess.why}; choose the file's unit, then save")
        source = {**self.draft.source} | ({"changes": list(self.draft.changes)} if self.draft.changes else {})
        version = self.library.save(self.draft.tool, source, replacing=self.name)
        self._take(replace(self.draft, tool=replace(self.draft.tool, version=version)), self.draft.tool.name)
        return version

    @property
    def undo_words(self) -> str:
        return self._past[-1].words if self._past else self.library.undo_words

    @property
    def redo_words(self) -> str:
        return self._future[-1].words if self._future else self.library.redo_words

    def undo(self) -> None:
        """Take the last edit back, and where there is none the library's last change."""
        self._back(self._past, self._future, self.library.undo)

    def redo(self) -> None:
        self._back(self._future, self._past, self.library.redo)

    def _back(self, stack: list[_Step], other: list[_Step], elsewhere: Callable[[], str]) -> None:
        if stack and self.draft is not None:
            step = stack.pop()
            other.append(_Step(self.draft, step.words))
            self.draft, self.problems = step.draft, {}
            return
        name = elsewhere()
        if any(entry.name == name for entry in self.library.entries()):
            self.open(name)
        else:
            self.close()

    def _take(self, draft: ToolDraft, name: str) -> None:
        self.draft, self.name = draft, name
        self._past, self._future, self.problems, self.said = [], [], {}, ""

    def _go(self, draft: ToolDraft, words: str) -> None:
        if self.draft is not None:
            self._past.append(_Step(self.draft, words))
        self.draft, self._future = draft, []

    def _changes(self) -> Mapping[str, Callable[[ToolDraft, object], ToolDraft]]:
        return {
            "unit": lambda d, v: drafts.in_unit(d, _unit(v)),
            "scale": lambda d, v: drafts.scaled(d, float(numbers(str(v), 1)[0])),
            "origin": lambda d, v: drafts.with_origin(d, str(v)),
            "turn": lambda d, v: drafts.quarter_turn(d, int(str(v))),
            "repair": lambda d, _: drafts.repaired(d),
            "thin": lambda d, _: drafts.thinned(d, HUGE_FACES // 2),
            "track": _tracked,
            "symmetry": self._symmetry,
        }

    def _symmetry(self, draft: ToolDraft, _: object) -> ToolDraft:
        after, self.said = drafts.propose_symmetry(draft)
        return after or drafts.with_symmetry(draft, None)


def is_cad(path: str) -> bool:
    """Return whether a file's name is that of a mesh."""
    return path.lower().endswith(MESH_SUFFIXES)


def _unit(value: object) -> Units:
    unit = next((unit for unit in SCALE if unit == value), None)
    if unit is None:
        raise ValueError(f"unit: {value!r}; valid: one of {list(SCALE)}")
    return unit


def _tracked(draft: ToolDraft, value: object) -> ToolDraft:
    """value: (part, text) as the form has them."""
    part, text = value if isinstance(value, tuple) else (str(value), "")
    if part.startswith("Piece"):
        return drafts.track_piece(draft, int(part.split()[-1]) - 1)
    if part.endswith("a cut"):
        axis, _, at = text.strip().partition(" ")
        if axis not in ("x", "y", "z"):
            raise ValueError(f"cut: {text!r}; valid: an axis and millimetres, such as z -20")
        return drafts.track_cut(draft, "xyz".index(axis), float(numbers(at, 1)[0]) / 1e3, part.startswith("Above"))
    if part.startswith("Inside"):
        corners = numbers(text, 6).reshape(2, 3) / 1e3
        return drafts.track_box(draft, np.min(corners, axis=0), np.max(corners, axis=0))
    return drafts.track_all(draft)
