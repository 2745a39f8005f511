"""The tool library as a person uses it: import, change, save, take back, delete; nothing is lost on the way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.tools import draft as drafts
from app.tools.fields import FIELDS, edited, numbers, rotation_of, rpy_of, shown
from app.tools.library import ToolLibrary
from hardware.geometry import apply, rotation_angle, rotation_from_vector, transform
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import SymmetryAxis, Tool
from models.data.errors import DreamFileError
from models.data.tool_folder import load_tool_folder, save_tool, tool_version


@pytest.fixture
def library(tmp_path: Path) -> ToolLibrary:
    return ToolLibrary(tmp_path)


@pytest.fixture
def spatula(tmp_path: Path) -> Path:
    """A round handle with a plate, in millimetres."""
    handle = trimesh.creation.cylinder(8.0, 120.0, sections=32)
    plate = trimesh.creation.box((80.0, 4.0, 60.0))
    plate.apply_translation([0, 0, -95.0])
    path = tmp_path / "My spatula (v2).stl"
    trimesh.util.concatenate([handle, plate]).export(path)
    return path


def brush() -> Tool:
    return replace(load_tool(BUILT_IN_TOOLS["brush"]), name="sweeper")


def names(library: ToolLibrary) -> list[str]:
    return [entry.name for entry in library.entries() if not entry.built_in]


def test_an_imported_file_is_a_tool_at_once(spatula: Path, library: ToolLibrary) -> None:
    draft = drafts.draft_of_file(spatula)
    assert draft.guess is not None
    assert draft.guess.unit == "mm"
    assert draft.tool.name == "My_spatula__v2"
    assert draft.tool.tip[2] == pytest.approx(-0.125)
    assert draft.tool.mass == pytest.approx(1200 * (np.pi * 0.008**2 * 0.12 + 0.08 * 0.004 * 0.06), rel=0.02)
    library.save(draft.tool, draft.source)
    loaded = library.load("My_spatula__v2")
    np.testing.assert_array_equal(loaded.mesh.vertices, draft.tool.mesh.vertices)
    assert library.source("My_spatula__v2")["file"] == "My spatula (v2).stl"


def test_everything_that_is_known_of_a_tool_comes_back(library: ToolLibrary) -> None:
    draft = drafts.with_symmetry(drafts.ToolDraft(brush()), SymmetryAxis((0.0, 0.0, 1.0), 4))
    tool = replace(
        draft.tool,
        centre_of_mass=np.array([0.01, 0, 0]),
        min_tip_height=0.003,
    )
    version = library.save(tool, {"file": "x.stl"})
    loaded = library.load("sweeper")
    assert loaded.version == version
    assert loaded.symmetry_axis == tool.symmetry_axis
    assert loaded.min_tip_height == 0.003
    for key in ("centre_of_mass", "symmetry", "tip", "T_flange_tool", "trackable"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(tool, key))


def test_a_folder_from_before_these_fields_still_opens(tmp_path: Path) -> None:
    save_tool(tmp_path, brush())
    text = (tmp_path / "tool.toml").read_text()
    assert not any(key in text for key in ("centre_of_mass", "version", "symmetry_axis"))
    assert load_tool_folder(tmp_path).symmetry_axis is None


def test_saving_deleting_and_duplicating_can_be_taken_back_and_done_again(library: ToolLibrary) -> None:
    first = library.save(brush(), {})
    second = library.save(replace(brush(), mass=0.5), {}, replacing="sweeper")
    assert library.load("sweeper").mass == 0.5
    library.delete("sweeper")
    assert names(library) == []
    assert library.undo_words == "deleting sweeper"
    library.undo()
    assert library.load("sweeper").version == second
    library.undo()
    assert library.load("sweeper").version == first
    library.redo()
    assert library.load("sweeper").version == second
    library.redo()
    assert names(library) == []
    with pytest.raises(DreamFileError, match="nothing to take back"):
        library.redo()


def test_a_built_in_tool_can_be_copied_but_neither_changed_nor_deleted(library: ToolLibrary) -> None:
    assert library.duplicate("brush") == "brush_copy"
    assert library.duplicate("brush") == "brush_copy2"
    assert library.source("brush_copy")["copy_of"] == "brush"
    with pytest.raises(DreamFileError, match="built in"):
        library.delete("brush")
    with pytest.raises(DreamFileError, match="built-in"):
        library.save(load_tool(BUILT_IN_TOOLS["brush"]), {})


def test_a_taken_name_is_refused_and_a_renamed_tool_leaves_its_old_name(library: ToolLibrary) -> None:
    library.save(brush(), {})
    library.save(replace(brush(), name="other"), {})
    with pytest.raises(DreamFileError, match="'other' is taken"):
        library.save(replace(brush(), name="other"), {}, replacing="sweeper")
    library.save(replace(brush(), name="third"), {}, replacing="sweeper")
    assert names(library) == ["other", "third"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 65, "spät", ".hidden"])
def test_a_name_that_is_no_folders_name_is_refused(library: ToolLibrary, name: str) -> None:
    with pytest.raises(DreamFileError, match="name"):
        library.save(replace(brush(), name=name), {})
    assert not library.root.exists() or not list(library.root.iterdir())


def test_a_broken_tool_is_listed_with_its_reason_and_harms_no_other(library: ToolLibrary) -> None:
    library.save(brush(), {})
    library.save(replace(brush(), name="broken"), {})
    (library.root / "broken" / "tool.toml").write_text("name = \n")
    (library.root / "empty").mkdir()
    found = {entry.name: entry.problem for entry in library.entries()}
    assert not found["sweeper"]
    assert "broken" in found["broken"]
    assert found["empty"]


def test_a_save_that_fails_leaves_the_old_tool(library: ToolLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    version = library.save(brush(), {})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.data.tool_folder.write_mesh", full)
    with pytest.raises(OSError, match="No space"):
        library.save(replace(brush(), mass=0.9), {}, replacing="sweeper")
    assert tool_version(library.root / "sweeper") == version
    assert [path.name for path in library.root.iterdir()] == ["sweeper"]


def test_the_trash_keeps_what_a_dream_was_made_with(library: ToolLibrary, tmp_path: Path) -> None:
    library.save(brush(), {})
    library.save(replace(brush(), name="unused"), {})
    role = tmp_path / "dreams" / "cup" / "tools" / "left"
    role.mkdir(parents=True)
    save_tool(role, library.load("sweeper"))
    assert library.users("sweeper") == ("cup",)
    assert library.users("unused") == ()
    library.delete("sweeper")
    library.delete("unused")
    gone, kept = library.empty_trash()
    assert gone == 1
    assert [name.split(".")[0] for name in kept] == ["sweeper"]
    assert library.undo_words == ""


def test_the_version_changes_with_any_file(library: ToolLibrary) -> None:
    first = library.save(brush(), {})
    path = library.root / "sweeper" / "mesh.obj"
    path.write_text(path.read_text() + "\n")
    assert tool_version(library.root / "sweeper") != first


def test_another_unit_or_scale_keeps_the_mount(spatula: Path) -> None:
    draft = drafts.draft_of_file(spatula)
    inches = drafts.in_unit(draft, "inch")
    assert inches.tool.tip == pytest.approx(draft.tool.tip * 25.4)
    assert inches.source["unit"] == "inch"
    assert inches.guess is not None
    assert inches.guess.sure
    twice = drafts.scaled(draft, 2.0)
    np.testing.assert_array_equal(twice.tool.T_flange_tool, draft.tool.T_flange_tool)
    assert twice.tool.mass == pytest.approx(8 * draft.tool.mass)
    assert twice.changes == ("scaled by 2",)
    with pytest.raises(ValueError, match="scale"):
        drafts.scaled(draft, 0.0)


def test_a_new_frame_leaves_the_tool_where_it_is_on_the_flange(spatula: Path) -> None:
    before = drafts.draft_of_file(spatula)
    after = drafts.quarter_turn(drafts.with_origin(before, drafts.ORIGINS[1]), 0)
    for key in ("tip", "centre_of_mass"):
        seen = [apply(d.tool.T_flange_tool, getattr(d.tool, key)[None])[0] for d in (before, after)]
        np.testing.assert_allclose(seen[0], seen[1], atol=1e-12)
    np.testing.assert_allclose(
        apply(before.tool.T_flange_tool, before.tool.mesh.vertices),
        apply(after.tool.T_flange_tool, after.tool.mesh.vertices),
        atol=1e-12,
    )
    assert len(after.changes) == 2


def test_the_tracked_part_by_piece_cut_and_box(spatula: Path) -> None:
    draft = drafts.draft_of_file(spatula)
    plate = drafts.track_piece(draft, 0).tool.trackable
    below = drafts.track_cut(draft, 2, -0.0625, False).tool.trackable
    boxed = drafts.track_box(draft, np.array([-0.1, -0.1, -0.2]), np.array([0.1, 0.1, -0.0625])).tool.trackable
    assert plate is not None
    assert plate.sum() == 12
    np.testing.assert_array_equal(plate, below)
    np.testing.assert_array_equal(plate, boxed)
    with pytest.raises(ValueError, match="piece"):
        drafts.track_piece(draft, 9)


def test_the_symmetry_of_the_tracked_part_is_proposed_and_its_axis_goes_through_the_origin(spatula: Path) -> None:
    draft = drafts.moved_frame(drafts.draft_of_file(spatula), transform(np.eye(3), [0.03, 0.01, 0.0]), "off")
    handle, words = drafts.propose_symmetry(drafts.track_piece(draft, 1))
    assert handle is not None
    assert handle.tool.symmetry_axis is not None
    assert handle.tool.symmetry_axis.order == 0
    assert len(handle.tool.symmetry) == 35
    assert "31.6 mm" in words
    used = handle.tool.mesh.vertices[np.unique(handle.tool.mesh.faces[handle.tool.trackable])]
    assert used[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=1e-4)
    assert drafts.with_origin(handle, drafts.ORIGINS[1]).tool.symmetry_axis is not None
    moved = drafts.moved_frame(handle, transform(np.eye(3), [0.01, 0, 0]), "off again")
    assert moved.tool.symmetry_axis is None
    assert not len(moved.tool.symmetry)


def test_repair_and_thinning_are_noted_and_keep_the_tracked_part(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(4, radius=50.0)
    trimesh.Trimesh(ball.vertices, ball.faces[1:]).export(tmp_path / "ball.stl")
    draft = drafts.track_cut(drafts.draft_of_file(tmp_path / "ball.stl"), 2, 0.0, True)
    assert "not watertight" in drafts.report_words(draft)
    draft = drafts.thinned(drafts.repaired(draft), 1000)
    assert draft.changes[0] == "closed holes with 1 face"
    assert draft.changes[1].startswith("thinned from 5120 to")
    assert draft.tool.trackable is not None
    middle = draft.tool.mesh.vertices[draft.tool.mesh.faces].mean(axis=1)[:, 2]
    assert middle[draft.tool.trackable].min() > -0.005


def test_what_the_form_shows_is_what_it_reads() -> None:
    draft = drafts.ToolDraft(brush())
    same, problems = edited(draft, shown(draft))
    assert not problems
    assert same is draft


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("name", "a b", "letters"), ("tip", "1, 2", "3 numbers"), ("tip", "1e9 0 0", "too large"),
        ("tip", "0, 0, 900", "outside the tool"),
        ("mount_rpy", "1000, 0, 0", "too large"), ("mount_position", "nan, 0, 0", "3 numbers"),
        ("mass", "-1", "negative"), ("mass", "heavy", "a number"), ("density", "1", "density"),
        ("min_tip_height", "900", "0 to 500"), ("symmetry", "z 1", "order"), ("symmetry", "q 4", "valid"),
        ("symmetry", "0 0 0 4", "no length"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_left_as_it_was(key: str, text: str, message: str) -> None:
    draft = drafts.ToolDraft(brush())
    after, problems = edited(
        draft, {key: text, "mass" if key != "mass" else "name": "250" if key != "mass" else "n"}
    )
    assert list(problems) == [key]
    assert message in problems[key]
    assert FIELDS[key].show(after) == FIELDS[key].show(draft)


def test_typed_fields_reach_the_tool() -> None:
    typed = {
        "name": "n1", "tip": "1, 2, -30", "mount_position": "0 5 90",
        "mount_rpy": "180, 0, 45", "mass": "250", "centre_of_mass": "1 1 1", "min_tip_height": "4",
        "symmetry": "z every",
    }  # fmt: skip
    draft, problems = edited(drafts.ToolDraft(brush()), typed)
    assert not problems
    tool = draft.tool
    assert tool.tip == pytest.approx([0.001, 0.002, -0.03])
    assert tool.T_flange_tool[:3, 3] == pytest.approx([0, 0.005, 0.09])
    assert (tool.mass, tool.min_tip_height) == (0.25, 0.004)
    assert tool.symmetry.shape == (35, 3, 3)
    assert FIELDS["mount_rpy"].show(draft) == "180, 0, 45"


def test_angles_come_back_for_any_turn() -> None:
    rng = np.random.default_rng(0)
    for R in rotation_from_vector(rng.normal(0, 1.5, (50, 3))):
        assert rotation_angle(rotation_of(rpy_of(R)), R) < 1e-7
    upright = rotation_of(np.array([0.3, np.pi / 2, 0.2]))
    assert rotation_angle(rotation_of(rpy_of(upright)), upright) < 1e-6
    assert numbers("1; 2 3", 3).tolist() == [1, 2, 3]
