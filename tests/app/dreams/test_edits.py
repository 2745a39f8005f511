"""Undo and redo of corrections: always back to exactly what was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dreams.edits import (
    AddCut,
    AddHint,
    Allowed,
    Edit,
    History,
    MarkSpan,
    RemoveCut,
    RemoveHint,
    RemovePose,
    Review,
    SetPose,
    SetTrim,
    UseTracker,
)
from app.dreams.edits_file import load_history, save_history
from hardware.geometry import exp_se3
from models.corrections import pose_values
from models.data.errors import DreamFileError
from models.types import Cut, Hint, PoseFix

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
tools = st.sampled_from(["left", "right"])
poses = st.lists(st.floats(-1, 1), min_size=6, max_size=6).map(lambda twist: pose_values(exp_se3(twist)))
fixes = st.builds(PoseFix, tools, st.integers(0, 3), poses)
cuts = st.one_of(
    st.builds(Cut, st.just("split"), tools, st.integers(1, 3)),
    st.builds(Cut, st.just("restart"), tools, st.integers(1, 3), poses),
)
marks = st.tuples(tools, st.integers(0, 4), st.integers(0, 3), st.booleans()).map(
    lambda m: MarkSpan(m[0], m[1], m[1] + m[2], m[3])
)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(AddHint, hints),
    st.builds(RemoveHint, hints),
    trims.map(lambda t: SetTrim(*t)),
    st.sampled_from([UseTracker("fusion"), UseTracker("stereo")]),
    st.builds(SetPose, fixes),
    st.builds(RemovePose, fixes),
    marks,
    st.builds(AddCut, cuts),
    st.builds(RemoveCut, cuts),
)


def _after(steps: list[Edit]) -> History:
    history = History(START)
    for edit in steps:
        history = history.do(edit, "Ada", "2026-01-02T03:04:05+00:00")
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
        '{"edits": [{"edit": "pose", "tool": "left", "t": 1, "pose": [1, 2, 3]}], "position": 0}',
        '{"edits": [{"edit": "pose", "tool": "left", "t": 1, "pose": [' + "9," * 15 + '9]}], "position": 0}',
        '{"edits": [{"edit": "untracked", "tool": "left", "first": 3, "last": 2}], "position": 0}',
        '{"edits": [{"edit": "untracked", "tool": "left", "first": 3, "last": 99}], "position": 0}',
        '{"edits": [{"edit": "split", "kind": "split", "tool": "left", "t": 0}], "position": 0}',
        '{"edits": [{"edit": "restart", "kind": "restart", "tool": "left", "t": 2}], "position": 0}',
        '{"edits": [], "position": 0, "start": {"hints": 3}}',
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


@given(st.lists(edits, max_size=10), st.integers(0, 4))
def test_the_provenance_names_every_correction_that_counts_and_none_that_was_undone(
    steps: list[Edit], undone: int
) -> None:
    history = _after(steps)
    for _ in range(undone):
        history = history.undo()
    counted = [e.edit for e in history.entries[: history.position] if not isinstance(e.edit, SetTrim | UseTracker)]
    assert len(history.corrections) == len(counted)
    assert all(c.who == "Ada" and c.when and c.first <= c.last for c in history.corrections)


@given(st.lists(edits, max_size=12))
def test_a_frame_is_never_both_marked_untracked_and_given_a_pose(steps: list[Edit]) -> None:
    review = _after(steps).review
    assert not {(fix.tool, fix.t) for fix in review.fixes} & review.untracked
    assert len({(fix.tool, fix.t) for fix in review.fixes}) == len(review.fixes)
