"""The outline that is drawn over a picture lies where the tool is, and costs nothing where it cannot be seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array, apply, exp_se3, project
from hardware.types import Camera, Mesh
from widgets.views.made_up_mesh import ball, joined, prism, tool_mesh
from widgets.views.outline import mesh_edges, outline, project_axes, project_points, tip_path

K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
CAMERA = Camera("c", K, (640, 480))
SQUARE = 0.05 * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])


def _ahead(x: float = 0.0, y: float = 0.0, z: float = 0.8, turn: tuple[float, float, float] = (0, 0, 0)) -> Array:
    return exp_se3(np.array([*turn, x, y, z]))


def _length(lines: list[Array]) -> float:
    return float(sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines))


def test_a_plate_seen_from_above_is_outlined_by_its_rim() -> None:
    lines, creases = outline(mesh_edges(prism(SQUARE, 0.0, 0.01)), _ahead(), CAMERA)
    near = 0.05 * 500 / 0.8
    everything = np.concatenate(lines)
    assert np.abs(everything - [320, 240]).max() == pytest.approx(near, abs=0.5)
    assert _length(lines) == pytest.approx(8 * near, rel=0.02)
    assert len(creases) == 0


def test_a_turned_box_shows_its_inner_edges() -> None:
    _, creases = outline(mesh_edges(prism(SQUARE, -0.05, 0.05)), _ahead(turn=(0.5, 0.4, 0.0)), CAMERA)
    assert len(creases) > 0


def test_what_the_tool_hides_of_itself_is_not_drawn() -> None:
    front, behind = prism(SQUARE, -0.01, 0.0), prism(0.5 * SQUARE, 0.05, 0.06)
    alone, _ = outline(mesh_edges(front), _ahead(), CAMERA)
    both, _ = outline(mesh_edges(joined(front, behind)), _ahead(), CAMERA)
    assert _length(both) == pytest.approx(_length(alone), rel=0.02)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_outline_of_a_ball_is_its_circle(values: list[float]) -> None:
    pose = exp_se3(np.array(values) * [3, 3, 3, 0.1, 0.1, 0.1] + [0, 0, 0, 0, 0, 0.8])
    lines, creases = outline(mesh_edges(ball(0.05, 24, 36)), pose, CAMERA)
    centre = pose[:3, 3]
    rays = np.concatenate([np.concatenate(lines), np.ones((sum(map(len, lines)), 1))], axis=1) @ np.linalg.inv(K).T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    apart = np.linalg.norm(np.cross(rays, centre), axis=1)
    assert apart.max() < 0.0505
    assert apart.min() > 0.0475
    assert len(creases) == 0


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_outline_never_leaves_the_tool(values: list[float]) -> None:
    pose = exp_se3(np.array(values) * [3, 3, 3, 0.2, 0.2, 0.2] + [0, 0, 0, 0, 0, 0.8])
    mesh = tool_mesh()
    lines, creases = outline(mesh_edges(mesh), pose, CAMERA)
    drawn = np.concatenate([*lines, creases.reshape(-1, 2)])
    pixels = project(K, apply(pose, mesh.vertices))
    assert (drawn >= pixels.min(axis=0) - 1e-6).all()
    assert (drawn <= pixels.max(axis=0) + 1e-6).all()
    # the tool's outermost points in the picture are on its outline
    for axis in (0, 1):
        assert drawn[:, axis].min() == pytest.approx(pixels[:, axis].min(), abs=0.5)
        assert drawn[:, axis].max() == pytest.approx(pixels[:, axis].max(), abs=0.5)


def test_a_lost_tool_or_one_behind_the_camera_has_no_outline() -> None:
    edges = mesh_edges(tool_mesh())
    for pose in (np.full((4, 4), np.nan), _ahead(z=-0.5), _ahead(z=0.0)):
        lines, creases = outline(edges, pose, CAMERA)
        assert not lines
        assert len(creases) == 0


def test_split_vertices_do_not_make_every_edge_a_border() -> None:
    box = prism(SQUARE, 0.0, 0.02)
    loose = Mesh(
        box.vertices[box.faces].reshape(-1, 3), np.arange(3 * len(box.faces), dtype=np.int32).reshape(-1, 3)
    )
    assert len(mesh_edges(loose).edges) == len(mesh_edges(box).edges) == 18


def test_the_path_has_gaps_where_the_tool_is_lost() -> None:
    poses = np.array([_ahead(x=0.01 * i) for i in range(5)])
    poses[2] = np.nan
    path = tip_path(CAMERA, poses, np.array([0.0, 0.0, 0.1]))
    assert np.isfinite(path[[0, 1, 3, 4]]).all()
    assert np.isnan(path[2]).all()


def test_axes_point_where_the_camera_sees_them() -> None:
    axes = project_axes(CAMERA, _ahead(), 0.04)
    assert axes[0] == pytest.approx([320, 240])
    assert axes[1] == pytest.approx([345, 240])
    assert axes[2] == pytest.approx([320, 265])


@pytest.mark.parametrize(
    ("model", "distortion"),
    [
        ("pinhole", [-0.2, 0.05, 0.001, -0.002, 0.01]),
        ("pinhole", [0.1] * 8),
        ("fisheye", [0.05, -0.01, 0.002, 0.0]),
    ],
)
def test_distortion_is_that_of_opencv(model: str, distortion: list[float]) -> None:
    cv2 = pytest.importorskip("cv2")
    points = np.random.default_rng(0).uniform([-0.3, -0.2, 0.5], [0.3, 0.2, 1.0], (50, 3))
    camera = Camera("c", K, (640, 480), np.array(distortion), model=model)  # type: ignore[arg-type]
    zero, d = np.zeros(3), np.array(distortion)
    if model == "fisheye":
        wanted, _ = cv2.fisheye.projectPoints(points[:, None], zero, zero, K, d)
    else:
        wanted, _ = cv2.projectPoints(points, zero, zero, K, d)
    assert np.abs(project_points(camera, points) - wanted[:, 0]).max() < 1e-6
