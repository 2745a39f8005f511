"""Tools from files and from CAD: what a wrong scale, an empty mesh or a lost texture would do to a tracker."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hardware.geometry import transform
from hardware.tools import BUILT_IN_TOOLS, TOOLS_FOLDER, load_mesh, load_tool
from hardware.world.tools import write_tools


def box_file(folder: Path, extent: float, suffix: str = ".stl") -> Path:
    path = folder / f"box{suffix}"
    trimesh.creation.box([extent, extent / 2, extent / 4]).export(path)
    return path


@pytest.mark.parametrize("name", BUILT_IN_TOOLS)
def test_built_in_tools_are_watertight_and_in_metres(name: str) -> None:
    tool = load_tool(BUILT_IN_TOOLS[name])
    solid = trimesh.Trimesh(tool.mesh.vertices, tool.mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 1e-5
    assert 0.1 < np.ptp(tool.mesh.vertices, axis=0).max() < 0.3
    assert tool.mesh.uv is not None


def test_the_rotation_gripper_has_the_published_size_and_frame() -> None:
    left = load_tool(BUILT_IN_TOOLS["rotation_gripper_left"]).mesh
    plate = left.vertices[left.vertices[:, 2] > -0.0125]
    np.testing.assert_allclose(np.ptp(plate, axis=0)[:2], [0.140, 0.096], atol=1e-6)
    assert left.vertices[:, 2].max() == pytest.approx(0.0)
    # the rounded end is at +x: no corner there
    far = plate[np.hypot(plate[:, 0] - 0.07, np.abs(plate[:, 1]) - 0.048) < 0.012]
    assert not len(far)


def test_left_and_right_gripper_are_mirror_images_with_different_prints() -> None:
    left, right = (load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]).mesh for side in ("left", "right"))
    mirrored = left.vertices * [1, -1, 1]
    assert np.abs(np.sort(mirrored, axis=0) - np.sort(right.vertices, axis=0)).max() < 1e-9
    # chiral in shape too: a plain mesh is told apart
    distance = np.linalg.norm(left.vertices[:, None] - right.vertices[None], axis=2).min(axis=1).max()
    assert distance > 0.005
    assert left.texture is not None
    assert right.texture is not None
    assert np.abs(left.texture.astype(int) - right.texture.astype(int)).mean() > 5


@pytest.mark.parametrize("name", BUILT_IN_TOOLS)
def test_no_half_turn_makes_a_print_look_the_same(name: str) -> None:
    picture = load_tool(BUILT_IN_TOOLS[name]).mesh.texture
    assert picture is not None
    rows, columns = (np.flatnonzero((picture[..., 0] < 60)[:480].any(axis=axis)) for axis in (1, 0))
    sheet = picture[rows[0] : rows[-1], columns[0] : columns[-1]].astype(int)
    for turned in (sheet[::-1, ::-1], sheet[::-1], sheet[:, ::-1]):
        assert np.abs(sheet - turned).mean() > 25


def test_a_flange_pointing_down_holds_the_plate_facing_up() -> None:
    tool = load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])
    T_world_tool = transform(np.diag([1.0, -1.0, -1.0]), [0.3, 0.0, 0.2]) @ tool.T_flange_tool
    np.testing.assert_allclose(T_world_tool, transform(np.eye(3), [0.3, 0.0, 0.12]), atol=1e-12)


def test_the_committed_tools_are_what_the_command_makes(tmp_path: Path) -> None:
    write_tools(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        committed = TOOLS_FOLDER / made.name
        if made.suffix == ".png":
            assert np.array_equal(np.array(Image.open(made)), np.array(Image.open(committed))), made.name
        else:
            assert made.read_bytes() == committed.read_bytes(), made.name


def test_the_scooper_is_tracked_by_its_handle_only() -> None:
    tool = load_tool(BUILT_IN_TOOLS["scooper"])
    assert tool.trackable is not None
    middle = tool.mesh.vertices[tool.mesh.faces].mean(axis=1)
    assert middle[tool.trackable, 0].max() <= 0.0601
    assert middle[~tool.trackable, 0].min() > 0.0599


@given(st.floats(0.006, 0.99), st.sampled_from(["mm", "m"]))
@settings(max_examples=25, deadline=None)
def test_units_are_guessed_from_the_size_of_a_tool(
    tmp_path_factory: pytest.TempPathFactory, m: float, units: str
) -> None:
    path = box_file(tmp_path_factory.mktemp("units"), m * (1000 if units == "mm" else 1))
    assert np.ptp(load_mesh(path).vertices, axis=0).max() == pytest.approx(m, rel=1e-4)


@pytest.mark.parametrize("extent", [2.0, 0.001, 5000.0])
def test_units_that_cannot_be_told_are_refused(tmp_path: Path, extent: float) -> None:
    with pytest.raises(ValueError, match=r"box\.stl: units: .*neither in mm nor in m"):
        load_mesh(box_file(tmp_path, extent))


def test_a_tool_of_the_wrong_scale_is_refused_naming_file_and_field(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"box\.stl: units: .*did you mean 'm'"):
        load_mesh(box_file(tmp_path, 0.14), "mm")
    with pytest.raises(ValueError, match=r"box\.stl: units: .*did you mean 'mm'"):
        load_mesh(box_file(tmp_path, 140.0), "m")


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
def test_corners_are_joined_whatever_the_format(tmp_path: Path, suffix: str) -> None:
    mesh = load_mesh(box_file(tmp_path, 140.0, suffix))
    assert mesh.vertices.shape == (8, 3)
    assert mesh.faces.shape == (12, 3)
    assert not mesh.textured


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty.obj", "v 0 0 0\n", r"empty\.obj: mesh"),
        ("nothing.obj", "", r"nothing\.obj: mesh"),
        ("flat.obj", "v 0 0 0\nv 100 0 0\nv 0 0 0\nf 1 2 3\n", r"flat\.obj: mesh is empty"),
        ("tool.step", "ISO-10303-21;", r"tool\.step: mesh: \.step is not one of"),
        ("broken.stl", "not a mesh at all", r"broken\.stl: mesh"),
        ("lost.obj", "mtllib gone.mtl\nv 0 0 0\nv 90 0 0\nv 0 90 0\nf 1 2 3\n", r"lost\.obj: mtllib: gone\.mtl"),
    ],
)
def test_a_mesh_that_cannot_be_used_is_refused_naming_file_and_field(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_mesh(path)


def test_a_lost_texture_is_refused(tmp_path: Path) -> None:
    write_tools(tmp_path)
    (tmp_path / "brush.png").unlink()
    with pytest.raises(ValueError, match=r"brush\.mtl: map_Kd: brush\.png"):
        load_mesh(tmp_path / "brush.obj")


def test_face_colours_come_along(tmp_path: Path) -> None:
    solid = trimesh.creation.box([100.0, 50.0, 20.0])
    colours = np.full((12, 4), 255, np.uint8)
    colours[:6, 0] = 10
    solid.visual = trimesh.visual.ColorVisuals(solid, face_colors=colours)
    solid.export(tmp_path / "two.ply")
    mesh = load_mesh(tmp_path / "two.ply")
    assert mesh.face_rgb is not None
    assert len(np.unique(mesh.face_rgb, axis=0)) == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('units = "mm"', 'units = "ell"', "units: 'ell'"),
        ("tip = [", "tip = [1.0, ", r"tip: \["),
        ("position = [0.0, 0.0, 80.0]", "position = [0.0, 0.0]", "position"),
        ("rpy_deg = [180.0, 0.0, 0.0]", 'rpy_deg = ["down", 0, 0]', "rpy_deg"),
        ("trackable_box = [[-61.0", "trackable_box = [[900.0", "trackable_box"),
        ('mesh = "scooper.obj"', "", "mesh"),
        ("mass_kg = 0.14", 'mass_kg = "light"', "mass_kg"),
    ],
)
def test_a_wrong_tool_file_is_refused_naming_file_and_field(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    write_tools(tmp_path)
    path = tmp_path / "scooper.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=message) as refused:
        load_tool(path)
    assert "scooper" in str(refused.value)


def test_a_bare_mesh_is_a_tool_with_the_default_mount(tmp_path: Path) -> None:
    tool = load_tool(box_file(tmp_path, 140.0))
    assert tool.name == "box"
    assert tool.tip[2] == pytest.approx(-0.0175)
