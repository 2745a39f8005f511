"""The corrections of a track as rows of a list: what, where, by whom, and how each is taken back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from app.dreams.edits import Review
from models.corrections import spans
from models.types import Correction, Cut, Hint, PoseFix
from widgets.theme import tool_color
from widgets.views.types import CorrectionRow


class Corrector(Protocol):
    """What takes corrections back: the session of a dream, or a recorded demo."""

    def remove_hint(self, hint: Hint) -> None: ...

    def remove_pose(self, fix: PoseFix) -> None: ...

    def mark_untracked(self, tool: str, first: int, last: int, untracked: bool = True) -> None: ...

    def remove_cut(self, cut: Cut) -> None: ...


@dataclass(frozen=True)
class Listed:
    """A row, where it leads, and what takes the correction back."""

    row: CorrectionRow
    tool: str
    frame: int
    remove: Callable[[Corrector], None]


@dataclass(frozen=True)
class _Found:
    what: str
    tool: str
    first: int
    last: int
    view: str
    remove: Callable[[Corrector], None]


def listed(review: Review, made: Sequence[Correction], ink: Mapping[str, str]) -> tuple[Listed, ...]:
    """Return what the review holds, by frame; made: who corrected what, for the names."""
    found = sorted(_found(review), key=lambda f: (f.first, f.tool, f.view))
    return tuple(Listed(_row(i, f, made, ink), f.tool, f.first, f.remove) for i, f in enumerate(found))


def _row(number: int, f: _Found, made: Sequence[Correction], ink: Mapping[str, str]) -> CorrectionRow:
    color = ink.get(f.tool, tool_color(f.tool))
    return CorrectionRow(number, f.what, f.tool, color, _frames(f.first, f.last), f.view, _by(f, made))


def _found(review: Review) -> list[_Found]:
    spans_of = [
        (tool, first, last)
        for tool in sorted({tool for tool, _ in review.untracked})
        for first, last in spans({t for name, t in review.untracked if name == tool})
    ]
    return [
        *(
            _Found("copied box" if h.kind == "copied" else "box", h.tool, h.t, h.t, h.view, partial(_take_box, h))
            for h in review.hints
        ),
        *(_Found("pose", f.tool, f.t, f.t, "", partial(_take_pose, f)) for f in review.fixes),
        *(_Found("untracked", *span, "", partial(_take_mark, span)) for span in spans_of),
        *(_Found(c.kind, c.tool, c.t, c.t, "", partial(_take_cut, c)) for c in review.cuts),
    ]


def _take_box(hint: Hint, session: Corrector) -> None:
    session.remove_hint(hint)


def _take_pose(fix: PoseFix, session: Corrector) -> None:
    session.remove_pose(fix)


def _take_mark(span: tuple[str, int, int], session: Corrector) -> None:
    session.mark_untracked(*span, untracked=False)


def _take_cut(cut: Cut, session: Corrector) -> None:
    session.remove_cut(cut)


def _frames(first: int, last: int) -> str:
    return f"frame {first}" if first == last else f"frames {first} to {last}"


def _by(found: _Found, made: Sequence[Correction]) -> str:
    own = [
        c
        for c in made
        if c.what == found.what
        and c.tool == found.tool
        and c.view == found.view
        and c.first <= found.last
        and found.first <= c.last
    ]
    if not own or not own[-1].when:
        return ""
    return f"{own[-1].who or 'somebody'}, {own[-1].when[:16].replace('T', ' ')} UTC"
