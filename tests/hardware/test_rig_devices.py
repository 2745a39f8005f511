"""Devices of a rig.toml: what is right is read in its order, what is wrong is told with its line."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from hardware.devices import RigDevices
from hardware.rig import SIM_RIG, load_rig
from hardware.world.gripper import T_GRIPPER_CAM
from tests.hardware.rig_mistakes import Mistake, must_be_told

HANDHELD = SIM_RIG.parent / "handheld.toml"
TEXT = HANDHELD.read_text(encoding="utf-8")


def test_the_handheld_gripper_is_read_with_all_its_devices() -> None:
    rig = load_rig("handheld")
    assert not rig.simulated
    assert [c.camera.name for c in rig.cameras] == ["left", "gripper", "right"]
    assert [c.driver for c in rig.cameras] == ["realsense", "basler", "realsense"]
    assert rig.cameras[0].hold_exposure
    assert rig.cameras[1].exposure_s == pytest.approx(0.008)
    assert rig.cameras[1].camera.model == "fisheye"
    assert not any(c.calibrated for c in rig.cameras)
    assert all(c.camera.T_world_cam is None for c in rig.cameras)
    assert [(s.name, s.kind) for s in rig.sensors] == [("pose", "pose"), ("opening", "opening"), ("force", "force")]
    assert rig.sensors[1].aruco is not None
    assert rig.sensors[1].aruco.markers == (0, 1)


def test_cameras_come_in_their_physical_order(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(TEXT.replace("order = 0", "order = 7"), encoding="utf-8")
    assert [c.camera.name for c in load_rig(file).cameras] == ["gripper", "right", "left"]


BROKEN: dict[str, Mistake] = {
    "a driver nobody has": (
        'driver = "basler"',
        'driver = "zed"',
        "cameras[1].driver",
        "'zed'",
        "realsense, basler",
    ),
    "an odd size": ("size = [1024, 1024]", "size = [1023, 1024]", "cameras[1].size", "1023", "even numbers"),
    "a half size": ("size = [1024, 1024]", "size = [0.5, 1024]", "cameras[1].size", "0.5", "even numbers"),
    "no rate": ("rate_hz = 30\nexposure", "rate_hz = 0\nexposure", "cameras[1].rate_hz", "0.0", "over 0"),
    "two exposures": (
        "exposure_ms = 8",
        "exposure_ms = 8\nhold_exposure = true",
        "cameras[1].hold_exposure",
        "true",
        "fixes it",
    ),
    "a lens nobody knows": ('model = "fisheye"', 'model = "eye"', "cameras[1].model", "'eye'", "pinhole, fisheye"),
    "half a place": (
        "exposure_ms = 8",
        "position = [0, 0, 1]",
        "cameras[1].rpy_deg",
        "is missing",
        "square brackets",
    ),
    "distortion without K": (
        "exposure_ms = 8",
        "distortion = [0, 0, 0, 0]",
        "cameras[1].distortion",
        "K is not given",
        "both or neither",
    ),
    "a path for a camera": ("exposure_ms = 8", 'path = "a.mp4"', "cameras[1].path", "plays no file", "no path"),
    "one place taken twice": ("order = 1", "order = 0", "cameras[1].order", "'0'", "another one"),
    "one without a place": ("order = 1\n", "", "cameras[1].order", "is missing", "for none"),
    "a sensor nobody drives": ('driver = "t265"', 'driver = "vive"', "sensors[0].driver", "'vive'", "t265, aruco"),
    "a camera that is not there": (
        'camera = "gripper"',
        'camera = "top"',
        "sensors[1].camera",
        "'top'",
        "left, gripper",
    ),
    "three markers": (
        "markers = [0, 1]",
        "markers = [0, 1, 2]",
        "sensors[1].markers",
        "[0.0, 1.0, 2.0]",
        "one or two",
    ),
    "a marker that is not of the set": (
        "markers = [0, 1]",
        "markers = [50]",
        "sensors[1].markers",
        "50",
        "0 to 49",
    ),
    "no range": ("[0.030, 0.115]", "[0.03, 0.03]", "sensors[1].measured", "0.03", "1 mm apart"),
    "no scale": (
        "newton_per_count = 0.0005",
        "newton_per_count = 0",
        "sensors[2].newton_per_count",
        "0.0",
        "not 0",
    ),
    "a serial for a port": ("limit = 50", 'serial = "1"', "sensors[2].serial", "'1'", "no serial number"),
    "a name of a camera": ('name = "force"', 'name = "left"', "sensors[2].name", "'left'", "another one"),
    "a name that is no file's": ('name = "force"', 'name = "a/b"', "sensors[2].name", "'a/b'", "letters"),
    "a field nobody knows": ("limit = 50", "limits = 50", "sensors[2].limits", "not known", "newton_per_count"),
}


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_a_mistake_is_told_with_file_line_field_value_and_what_is_valid(what: str, tmp_path: Path) -> None:
    must_be_told(TEXT, BROKEN[what], tmp_path)


def test_every_device_of_a_rig_is_made_once_and_can_be_made_in_another_process() -> None:
    devices = RigDevices(load_rig("handheld"))
    assert devices.names == ("left", "gripper", "right", "pose", "opening", "force")
    makers = pickle.loads(pickle.dumps(devices.makers))  # noqa: S301 - our own, as a spawned process gets it
    made = [make() for make in makers]
    assert [device.name for device in made] == list(devices.names)
    assert makers[1]() is made[1]
    # the opening looks at the very pictures that the fisheye gives
    assert made[4]._source._ring is made[1].ring  # type: ignore[attr-defined]


def test_a_rig_says_what_tasks_are_shown_with(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    held = '[held]\nleft = "rotation_gripper_left"\nright = "rotation_gripper_right"\n\n[safety]'
    file.write_text(TEXT.replace("[safety]", held), encoding="utf-8")
    assert load_rig(file).held == {"left": "rotation_gripper_left", "right": "rotation_gripper_right"}
    assert load_rig("handheld").held == {}


def test_a_camera_rides_on_an_arm_or_on_the_gripper_and_stands_nowhere_then() -> None:
    wrist = next(c for c in load_rig("sim-wrist").cameras if c.camera.name == "wrist")
    assert (wrist.mounted_on, wrist.on_arm, wrist.camera.T_world_cam) == ("left", True, None)
    held = next(c for c in load_rig("sim-handheld").cameras if c.camera.name == "gripper")
    assert (held.mounted_on, held.on_arm) == ("gripper", False)
    assert held.T_mount_cam is not None
    np.testing.assert_allclose(held.T_mount_cam, T_GRIPPER_CAM, atol=1e-9)


MOUNTS: dict[str, Mistake] = {
    "an arm that is not there": (
        'mounted_on = "left"', 'mounted_on = "third"', "cameras[2].mounted_on", "'third'", "gripper, left, right",
    ),
    "nobody carries it": ('mounted_on = "left"\n', "position = [0, 0, 1]\nrpy_deg = [0, 0, 0]\n",
                          "cameras[2].mounted_on", "is missing", "an arm or gripper"),
    "two places": ("mounted_position", "position = [0, 0, 1]\nmounted_position", "cameras[2].position",
                   "rides on left", "mounted_position"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(MOUNTS))
def test_a_mistake_about_who_carries_a_camera_is_told(what: str, tmp_path: Path) -> None:
    must_be_told((SIM_RIG.parent / "sim-wrist.toml").read_text(encoding="utf-8"), MOUNTS[what], tmp_path)
