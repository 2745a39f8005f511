"""MegaPose's published files are written and read as its own tutorial has them."""

import ast
import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import is_transform, rotation_from_vector, transform
from hardware.types import Camera, Tool
from models.data.errors import DreamFileError
from models.data.mesh_text import read_mesh
from models.tracking.blobs import tool_boxes
from models.tracking.megapose_files import (
    LabelledBox,
    LabelledPose,
    pose_rows,
    poses_from_rows,
    read_poses,
    write_boxes,
    write_scene,
)
from models.tracking.megapose_setup import WORKER
from tests.models.tracking.synthetic import clip, path, wedge

K = np.array([[605.95, 0.0, 319.03], [0.0, 605.01, 249.68], [0.0, 0.0, 1.0]])


def test_a_scene_folder_is_the_published_one(tmp_path: Path) -> None:
    tool = wedge()
    write_scene(tmp_path, Camera("top", K, (640, 480)), {"left": tool})
    write_boxes(tmp_path, [LabelledBox("left", (384.0, 234.0, 522.0, 455.0))])
    camera = json.loads((tmp_path / "camera_data.json").read_text())
    assert camera == {"K": K.tolist(), "resolution": [480, 640]}
    boxes = json.loads((tmp_path / "inputs" / "object_data.json").read_text())
    assert boxes == [{"label": "left", "bbox_modal": [384.0, 234.0, 522.0, 455.0]}]
    mesh = read_mesh(tmp_path / "meshes" / "left")
    assert mesh.vertices == pytest.approx(tool.mesh.vertices * 1000)
    assert mesh.texture is not None
    assert (mesh.texture == tool.mesh.texture).all()
    assert len(list((tmp_path / "meshes" / "left").glob("*.obj"))) == 1


def test_only_what_may_be_tracked_of_a_tool_is_handed_over(tmp_path: Path) -> None:
    whole = wedge()
    some = np.arange(len(whole.mesh.faces)) < 5
    part = Tool(whole.name, whole.mesh, whole.T_flange_tool, whole.tip, trackable=some)
    write_scene(tmp_path, Camera("top", K, (640, 480)), {"left": part})
    assert len(read_mesh(tmp_path / "meshes" / "left").faces) == 5


def test_the_tutorials_answer_is_read_in_its_order_x_y_z_w(tmp_path: Path) -> None:
    file = tmp_path / "object_data.json"
    file.write_text('[{"label": "sauce", "TWO": [[0.0, 0.0, 0.7071068, 0.7071068], [0.1, 0.07, 0.45]]}]')
    (pose,) = read_poses(file)
    assert pose.label == "sauce"
    assert pose.T_cam_tool[:3, 3] == pytest.approx([0.1, 0.07, 0.45])
    assert pose.T_cam_tool[:3, :3] == pytest.approx(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_pose_comes_back_as_it_was_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T = transform(rotation_from_vector(rng.normal(0, 2, 3)), rng.normal(0, 1, 3))
    rows = json.loads(json.dumps(pose_rows([LabelledPose("a", T, 0.5), LabelledPose("b", T)])))
    first, second = poses_from_rows(rows)
    assert first.T_cam_tool == pytest.approx(T, abs=1e-12)
    assert (first.label, first.score, second.label) == ("a", 0.5, "b")
    assert np.isnan(second.score)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["label", "TWO", "score", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_whatever_the_worker_answers_is_a_pose_or_a_clear_refusal(rows: object) -> None:
    poses: list[LabelledPose] = []
    with contextlib.suppress(ValueError):
        poses = list(poses_from_rows(rows))
    assert all(is_transform(pose.T_cam_tool) for pose in poses)


@pytest.mark.parametrize(
    "text", ["", "{", "[{}]", '{"label": 3}', '[{"label": "a", "TWO": [[0, 0, 0, 0], [0, 0, 1]]}]']
)
def test_a_spoilt_file_of_poses_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "object_data.json"
    file.write_text(text)
    with pytest.raises(DreamFileError, match=r"object_data\.json"):
        read_poses(file)


def test_blobs_stand_where_the_tools_are() -> None:
    poses = {
        "left": path(2, np.array([0.08, 0.03, 0.60]), np.zeros(3), 0.0),
        "right": path(2, np.array([-0.10, 0.02, 0.62]), np.zeros(3), 0.0),
    }
    for each in poses.values():
        each[0] = np.nan
    dream = clip({"left": wedge(seed=1), "right": wedge(mirrored=True, seed=2)}, poses, views=1)
    frames = dream.views[0].frames
    assert tool_boxes(frames[0], frames[0], 2) == []
    boxes = tool_boxes(frames[1], frames[0], 2)
    centres = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes]
    for role, centre in zip(("right", "left"), centres, strict=True):
        x, y, z = poses[role][1, :3, 3]
        assert np.hypot(300 * x / z + 160 - centre[0], 300 * y / z + 112 - centre[1]) < 12


def test_the_worker_script_is_of_the_python_of_its_environment() -> None:
    text = WORKER.read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 9))
    head = text.split("# ///")[1]
    assert 'requires-python = "==3.9.*"' in head
