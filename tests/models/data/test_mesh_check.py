"""A mesh before it becomes a tool: which unit, is it closed, what repair changes."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.tools import BUILT_IN_TOOLS, SCALE, load_tool
from hardware.types import Mesh
from models.data.mesh_check import check_mesh, components, decimate, guess_unit, repair


def mesh_of(solid: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(solid.vertices, float), np.asarray(solid.faces, np.int32))


@pytest.mark.parametrize(
    ("extent", "unit", "sure"),
    [(140.0, "mm", True), (0.14, "m", True), (5.5, "inch", False), (14.0, "cm", False), (500.0, "mm", True)],
)
def test_the_unit_is_guessed_and_doubt_is_said(extent: float, unit: str, sure: bool) -> None:
    guess = guess_unit(extent)
    assert (guess.unit, guess.sure) == (unit, sure)
    assert ("no other unit fits" in guess.why) == sure


def test_what_a_file_says_counts_unless_it_cannot_be() -> None:
    assert guess_unit(5.5, 0.0254).unit == "inch"
    doubtful = guess_unit(0.14, 1e-3)
    assert doubtful.unit == "m"
    assert not doubtful.why.startswith("the file says millimetres: ")
    assert "but then it is" in doubtful.why


@settings(deadline=None)
@given(st.floats(1e-9, 1e9))
def test_a_guess_is_never_refused_and_always_says_why(extent: float) -> None:
    guess = guess_unit(extent)
    assert guess.unit in SCALE
    assert guess.why


def test_the_built_in_tools_are_fine_as_they_are() -> None:
    for path in BUILT_IN_TOOLS.values():
        assert check_mesh(load_tool(path).mesh).fine


def test_a_hole_is_told_and_closed_and_the_look_stays() -> None:
    whole = load_tool(BUILT_IN_TOOLS["pusher"]).mesh
    assert whole.uv is not None
    open_ = Mesh(whole.vertices, whole.faces[1:], uv=whole.uv[1:], texture=whole.texture)
    report = check_mesh(open_)
    assert report.open_edges == 3
    assert "not watertight" in report.words
    fixed, old, said = repair(open_)
    assert check_mesh(fixed).fine
    assert said == ("closed holes with 1 face",)
    assert fixed.uv is not None
    np.testing.assert_array_equal(fixed.uv[:-1], open_.uv)
    assert len(old) == len(fixed.faces) == len(whole.faces)


def test_turned_and_doubled_faces_are_put_right_and_said() -> None:
    box = mesh_of(trimesh.creation.box((0.1, 0.06, 0.03)))
    broken = Mesh(box.vertices, np.concatenate([box.faces[:3, ::-1], box.faces[3:], box.faces[4:5]]))
    fixed, _, said = repair(broken)
    assert check_mesh(fixed).fine
    assert said == ("dropped 1 doubled face", "turned 3 faces outwards")


def test_an_inside_out_mesh_is_told_and_turned() -> None:
    box = mesh_of(trimesh.creation.box((0.1, 0.06, 0.03)))
    inside_out = Mesh(box.vertices, box.faces[:, ::-1])
    assert check_mesh(inside_out).inside_out
    assert check_mesh(repair(inside_out)[0]).fine


def test_repair_of_a_good_mesh_changes_nothing() -> None:
    box = mesh_of(trimesh.creation.box((0.1, 0.06, 0.03)))
    fixed, _, said = repair(box)
    assert said == ()
    np.testing.assert_array_equal(fixed.faces, box.faces)


def test_pieces_are_numbered_from_the_largest() -> None:
    small, large = trimesh.creation.box((0.01,) * 3), trimesh.creation.box((0.1,) * 3)
    large.apply_translation([1, 0, 0])
    labels = components(mesh_of(trimesh.util.concatenate([small, large])))
    assert labels.tolist() == [1] * 12 + [0] * 12


def test_a_huge_mesh_becomes_light_and_keeps_size_and_colour() -> None:
    ball = mesh_of(trimesh.creation.icosphere(5, radius=0.05))
    rgb = np.where(ball.vertices[ball.faces].mean(axis=1)[:, :1] > 0, [[255, 0, 0]], [[0, 0, 255]]).astype(np.uint8)
    thin, old = decimate(Mesh(ball.vertices, ball.faces, face_rgb=rgb), 2000)
    assert len(thin.faces) <= 2000
    assert np.ptp(thin.vertices, axis=0) == pytest.approx([0.1] * 3, rel=0.02)
    assert thin.face_rgb is not None
    right = thin.vertices[thin.faces].mean(axis=1)[:, 0] > 0.005
    assert (thin.face_rgb[right] == [255, 0, 0]).all()
    np.testing.assert_array_equal(thin.face_rgb, rgb[old])
