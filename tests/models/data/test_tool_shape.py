"""Trackable part, symmetry and mass come out of a shape as a person would say them."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import apply, rotation_from_vector, transform
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Mesh, SymmetryAxis
from models.data.tool_shape import beyond_plane, find_symmetry, inside_box, mass_of, symmetry_turns

SHAPES = {
    "tube": (trimesh.creation.cylinder(0.02, 0.2, sections=64), 0),
    "cone": (trimesh.creation.cone(0.03, 0.1), 0),
    "square bar": (trimesh.creation.box((0.08, 0.08, 0.3)), 4),
    "brick": (trimesh.creation.box((0.1, 0.06, 0.03)), 2),
    "three-sided bar": (trimesh.creation.cylinder(0.05, 0.2, sections=3), 3),
    "hexagon": (trimesh.creation.cylinder(0.05, 0.2, sections=6), 6),
}


def mesh_of(solid: trimesh.Trimesh, rgb: object = None) -> Mesh:
    faces = np.asarray(solid.faces, np.int32)
    return Mesh(
        np.asarray(solid.vertices, float), faces, face_rgb=None if rgb is None else np.asarray(rgb, np.uint8)
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_symmetry_is_proposed_from_the_shape_however_it_lies(shape: str) -> None:
    solid, order = SHAPES[shape]
    mesh = mesh_of(solid)
    T = transform(rotation_from_vector([0.3, -0.5, 0.4]), [0.1, 0.02, -0.05])
    found = find_symmetry(Mesh(apply(T, mesh.vertices), mesh.faces))
    assert found is not None
    assert found.symmetry.order == order
    assert found.looks


@pytest.mark.parametrize("name", BUILT_IN_TOOLS)
def test_no_symmetry_is_found_in_the_built_in_tools(name: str) -> None:
    assert find_symmetry(load_tool(BUILT_IN_TOOLS[name]).mesh) is None


def test_a_painted_tube_says_that_its_colours_tell_its_turn() -> None:
    solid = trimesh.creation.cylinder(0.02, 0.2, sections=64)
    side = solid.triangles_center[:, 0] > 0
    found = find_symmetry(mesh_of(solid, np.where(side[:, None], [[255, 0, 0]], [[0, 255, 0]])))
    assert found is not None
    assert not found.looks
    assert "colours differ" in found.words


@settings(deadline=None)
@given(st.integers(2, 36), st.integers(0, 2))
def test_turns_close_after_one_round(order: int, axis: int) -> None:
    x, y, z = np.eye(3)[axis].tolist()
    turns = symmetry_turns(SymmetryAxis((x, y, z), order))
    assert turns.shape == (order - 1, 3, 3)
    np.testing.assert_allclose(np.linalg.matrix_power(turns[0], order), np.eye(3), atol=1e-9)


def test_every_angle_is_said_in_steps_and_none_is_nothing() -> None:
    assert symmetry_turns(SymmetryAxis((0.0, 0.0, 1.0), 0)).shape == (35, 3, 3)
    assert symmetry_turns(None).shape == (0, 3, 3)


def test_the_part_above_a_cut_and_inside_a_box() -> None:
    mesh = mesh_of(trimesh.creation.box((0.1, 0.06, 0.03)))
    top = beyond_plane(mesh, 2, 0.014)
    assert top.sum() == 2
    np.testing.assert_array_equal(inside_box(mesh, np.array([-1, -1, 0.014]), np.ones(3)), top)
    with pytest.raises(ValueError, match="no face"):
        beyond_plane(mesh, 2, 1.0)
    with pytest.raises(ValueError, match="lower corner"):
        inside_box(mesh, np.ones(3), np.zeros(3))


def test_mass_and_centre_of_a_brick_and_of_an_open_one() -> None:
    solid = trimesh.creation.box((0.1, 0.06, 0.03))
    solid.apply_translation([0.02, 0, 0])
    mesh = mesh_of(solid)
    found = mass_of(mesh, 1000.0)
    assert found.mass == pytest.approx(0.18)
    assert found.centre == pytest.approx([0.02, 0, 0], abs=1e-9)
    assert not found.hull
    opened = mass_of(Mesh(mesh.vertices, mesh.faces[1:]), 1000.0)
    assert opened.hull
    assert opened.mass == pytest.approx(0.18)
    with pytest.raises(ValueError, match="density"):
        mass_of(mesh, 0.0)
    with pytest.raises(ValueError, match="no volume"):
        mass_of(Mesh(np.eye(4, 3) * 0.1 * [1, 1, 0], np.array([[0, 1, 2], [0, 2, 3]], np.int32)), 1000.0)
