"""What a person says of an episode is kept beside it, comes back exactly, and is refused in words where wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.data.annotations import (
    ANNOTATION,
    AS_RECORDED,
    SHORTEST_S,
    Annotation,
    Mark,
    Piece,
    annotation_from,
    annotation_values,
    labelled,
    marked,
    merged,
    read_annotation,
    split,
    trimmed,
    without,
    write_annotation,
)
from models.data.demo import DemoLabels
from models.data.errors import DreamFileError

LABELS = DemoLabels("rotation", "turn the cube", "cube", "dim", True, ("clean", "für später"), "once more")
FULL = Annotation(
    (Piece(1, 0.5, 2.0, LABELS), Piece(3, 2.0, None)),
    (Mark(0.7, "push 1"), Mark(1.4, "push 2", "scene")),
    4,
    {"masks": {"top": "masks/top.png"}},
)


def test_what_was_said_comes_back_as_it_was_and_other_programs_keys_stay(tmp_path: Path) -> None:
    assert read_annotation(tmp_path) is AS_RECORDED
    write_annotation(tmp_path, FULL)
    assert read_annotation(tmp_path) == FULL
    assert [f.name for f in tmp_path.iterdir()] == [ANNOTATION]


def test_split_and_merge_are_each_others_undoing_but_for_the_number_that_was_given_away() -> None:
    two = split(trimmed(AS_RECORDED, 1, 0.5, 4.0), 1, 2.0)
    assert [(p.key, p.start, p.end) for p in two.pieces] == [(1, 0.5, 2.0), (2, 2.0, 4.0)]
    one = merged(two, 1)
    assert one.pieces == (Piece(1, 0.5, 4.0),)
    assert split(one, 1, 2.0).pieces[1].key == 3


def test_merging_takes_in_what_lies_between_and_keeps_the_first_ones_words() -> None:
    apart = trimmed(labelled(split(AS_RECORDED, 1, 2.0), 1, LABELS), 2, 3.0, 5.0)
    assert merged(apart, 1).pieces == (Piece(1, 0.0, 5.0, LABELS),)


def test_a_trim_leaves_nothing_lost_and_is_refused_inside_a_neighbour() -> None:
    two = split(AS_RECORDED, 1, 2.0)
    short = trimmed(two, 1, 0.5, 1.0)
    assert trimmed(short, 1, 0.0, 2.0) == two
    with pytest.raises(ValueError, match="2 begins before 1 ends"):
        trimmed(two, 1, 0.0, 2.5)
    with pytest.raises(ValueError, match=r"0\.1 s or longer"):
        trimmed(two, 1, 0.5, 0.55)


def test_the_only_piece_cannot_be_deleted_and_no_piece_twice() -> None:
    two = split(AS_RECORDED, 1, 2.0)
    left = without(two, 1)
    assert [p.key for p in left.pieces] == [2]
    with pytest.raises(ValueError, match="trash"):
        without(left, 2)
    with pytest.raises(ValueError, match=r"there is no 1; valid: \[2\]"):
        without(left, 1)
    with pytest.raises(ValueError, match="no piece comes after"):
        merged(left, 2)
    with pytest.raises(ValueError, match="inside of the piece"):
        split(left, 2, 2.0 + SHORTEST_S / 2)


def test_marks_are_kept_in_the_order_of_their_times() -> None:
    assert [m.t for m in marked(AS_RECORDED, [Mark(2.0), Mark(1.0)]).marks] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 2}, "format"),
        ({"pieces": []}, "pieces"),
        ({"pieces": [{"key": 0}]}, "key"),
        ({"pieces": [{"key": 1, "start": -1}]}, "start"),
        ({"pieces": [{"key": 1, "start": "0"}]}, "start"),
        ({"pieces": [{"key": 1, "start": 1, "end": 1.01}]}, "0.1 s"),
        ({"pieces": [{"key": 1, "end": 2}, {"key": 2, "start": 1}]}, "begins before"),
        ({"pieces": [{"key": 1, "end": 2}, {"key": 1, "start": 2}]}, "keys"),
        ({"pieces": [{"key": 1, "labels": {"success": "yes"}}]}, "success"),
        ({"pieces": [{"key": 1, "labels": {"task": "\ud800"}}]}, "task"),
        ({"pieces": [{"key": 1, "labels": {"tags": [1]}}]}, "tags"),
        ({"marks": [{"t": None}]}, "marks"),
        ({"marks": [{"t": 2}, {"t": 1}]}, "marks"),
        ({"next_key": 1}, "next_key"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_valid(
    change: dict[str, object], named: str, tmp_path: Path
) -> None:
    values = {**annotation_values(AS_RECORDED), "next_key": 9, **change}
    with pytest.raises(DreamFileError, match="valid") as told:
        annotation_from(values, tmp_path / ANNOTATION)
    assert named in str(told.value)
    assert ANNOTATION in str(told.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["format", "pieces", "marks", "next_key", "key", "start", "end", "labels"]), value=JSON)
def test_any_value_in_any_field_is_taken_or_refused_by_name(key: str, value: object, tmp_path: Path) -> None:
    values = json.loads(json.dumps(annotation_values(FULL)))
    (values if key in values else values["pieces"][0])[key] = value
    (tmp_path / ANNOTATION).write_text(json.dumps(values))
    problem = ""
    try:
        found = read_annotation(tmp_path)
        write_annotation(tmp_path, found)
        assert read_annotation(tmp_path) == found
    except DreamFileError as error:
        problem = str(error)
    assert not problem or ANNOTATION in problem


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / ANNOTATION).write_bytes(raw)
    with pytest.raises(DreamFileError, match=ANNOTATION):
        read_annotation(tmp_path)
