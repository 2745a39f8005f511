"""Undo and redo of corrections: always back to exactly what was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import AddHint, Allowed, Edit, History, RemoveHint, Review, SetTrim, load_history, save_history
from models.data.errors import DreamFileError
from models.types import Hint

START = Review((), (0, 12))
ALLOWED = Allowed(("left", "right"), ("top", "side"), 13)
hints = st.builds(
    Hint,
    st.sampled_from(["left", "right"]),
    st.sampled_from(["top", "side"]),
    st.integers(0, 3),
    st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(101, 700)] * 2),
)
trims = st.tuples(st.integers(0, 11), st.integers(1, 12)).filter(lambda t: t[0] < t[1])
edits = st.one_of(st.builds(AddHint, hints), st.builds(RemoveHint, hints), trims.map(lambda t: SetTrim(*t)))


def _after(steps: list[Edit]) -> History:
    history = History(START)
    for edit in steps:
        history = history.do(edit)
    return history


@given(st.lists(edits, max_size=12))
def test_undoing_all_gives_the_start_and_redoing_all_gives_the_end(steps: list[Edit]) -> None:
    end = history = _after(steps)
    seen = []
    while history.can_undo:
        seen.append(history.review)
        history = history.undo()
    assert history.review == START
    for review in reversed(seen):
        history = history.redo()
        assert history.review == review
    assert history == end
    assert not history.can_redo


@given(st.lists(edits, min_size=1, max_size=8), edits)
def test_an_edit_after_an_undo_forgets_what_was_undone(steps: list[Edit], edit: Edit) -> None:
    back = _after(steps).undo()
    history = back.do(edit)
    if history != back:
        assert not history.can_redo
        assert history.undo().review == back.review


@given(st.lists(hints, max_size=10))
def test_one_box_per_tool_view_and_frame(boxes: list[Hint]) -> None:
    kept = _after([AddHint(box) for box in boxes]).review.hints
    assert len({(h.tool, h.view, h.t) for h in kept}) == len(kept)


@given(st.lists(edits, max_size=12), st.integers(0, 5))
def test_the_whole_history_survives_a_restart(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Edit], undone: int
) -> None:
    history = _after(steps)
    for _ in range(undone):
        history = history.undo()
    path = tmp_path_factory.mktemp("edits") / "edits.json"
    save_history(path, history)
    assert load_history(path, START, ALLOWED) == history


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"position": 0}',
        '{"edits": [], "position": 1}',
        '{"edits": [{"edit": "paint"}], "position": 0}',
        '{"edits": [{"edit": "trim", "first": 5, "last": 5}], "position": 0}',
        '{"edits": [{"edit": "trim", "first": 5, "last": 99}], "position": 0}',
        '{"edits": [{"edit": "box", "tool": "x", "view": "top", "t": 1, "box": [0, 0, 1, 1]}], "position": 0}',
        '{"edits": [{"edit": "box", "tool": "left", "view": "top", "t": 1, "box": [0, 0, 0, 1]}], "position": 0}',
    ],
)
def test_spoilt_edits_are_refused_with_the_field(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edits.json"
    path.write_text(text)
    with pytest.raises(DreamFileError, match=r"edits\.json: "):
        load_history(path, START, ALLOWED)


def test_edits_of_unknown_things_list_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"tool 'both' is unknown; valid: \['left', 'right'\]"):
        ALLOWED.check(AddHint(Hint("both", "top", 0, (0, 0, 1, 1))))
    with pytest.raises(ValueError, match="frame 13; valid: 0 to 12"):
        ALLOWED.check(AddHint(Hint("left", "top", 13, (0, 0, 1, 1))))
    with pytest.raises(ValueError, match="keeps fewer than two frames"):
        SetTrim(4, 4)
