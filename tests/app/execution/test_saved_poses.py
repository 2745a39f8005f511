"""Poses saved by name are there again, for their own arm and model, and a broken file is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.execution.saved_poses import SavedPoses
from hardware.rig import load_rig
from models.data.errors import DreamFileError

LEFT, RIGHT = load_rig().arms
Q = np.radians([10.0, -46.0, 0.0, 64.0, 0.5, 110.0, 0.0])


@pytest.fixture
def poses(tmp_path: Path) -> SavedPoses:
    return SavedPoses(tmp_path / "poses.toml")


def test_before_anything_is_saved_there_are_no_poses(poses: SavedPoses) -> None:
    assert not poses.of("sim", LEFT)


def test_a_saved_pose_is_there_again_for_its_arm_alone(poses: SavedPoses) -> None:
    poses.save("sim", LEFT, "  above the board ", Q)
    poses.save("sim", LEFT, "park", Q * 0)
    assert list(poses.of("sim", LEFT)) == ["above the board", "park"]
    np.testing.assert_allclose(poses.of("sim", LEFT)["above the board"].q, Q, atol=1e-6)
    assert not poses.of("sim", RIGHT)
    assert not poses.of("another rig", LEFT)


def test_a_pose_of_another_model_of_arm_is_not_offered(poses: SavedPoses) -> None:
    poses.save("sim", LEFT, "home", Q)
    assert not poses.of("sim", replace(LEFT, model="ur5", home=np.zeros(6)))


def test_deleting_leaves_the_others(poses: SavedPoses) -> None:
    poses.save("sim", LEFT, "a", Q)
    poses.save("sim", RIGHT, "b", Q)
    poses.delete("sim", LEFT, "a")
    poses.delete("sim", LEFT, "never was")
    assert not poses.of("sim", LEFT)
    assert list(poses.of("sim", RIGHT)) == ["b"]


def test_a_name_must_be_a_name(poses: SavedPoses) -> None:
    with pytest.raises(ValueError, match="name"):
        poses.save("sim", LEFT, "   ", Q)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("sim = 3", "sim"),
        ("[sim.left.a]\nmodel = 'xarm7'", "sim.left.a.q_deg"),
        ("[sim.left.a]\nmodel = 'xarm7'\nq_deg = [nan]", "sim.left.a.q_deg"),
        ("[sim", "syntax"),
    ],
)
def test_a_broken_file_is_named_with_its_field(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "poses.toml").write_text(text)
    with pytest.raises(DreamFileError, match=field):
        SavedPoses(tmp_path / "poses.toml").of("sim", LEFT)
