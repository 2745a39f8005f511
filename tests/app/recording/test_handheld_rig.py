"""The handheld gripper's simulated rig from the command line, and a force sensor that is zeroed."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.gui.take_replay import TakeReplay
from app.recording.live_devices import WorldDevices, open_devices
from app.recording.session import RecordingSession
from hardware.recording.capture import Capture
from hardware.recording.capture_process import CaptureProcess
from hardware.recording.mcap_log import open_episode
from hardware.recording.note import read_note
from hardware.rig import built_in_rigs, load_rig
from hardware.stream import DeviceError, Pose, Reading
from hardware.world.gripper import LARGEST_OPENING
from hardware.world.process import WorldProcess
from tests.hardware.recording.sources import Source, camera_source, info, pose_source
from tests.hardware.recording.test_mcap_log import write

SENSORS = ("pose", "opening", "force")


class Pulled(Source):
    """A force sensor that stands at 2 N until it is zeroed."""

    def __init__(self, broken: bool = False) -> None:
        self.zero, self._broken = 0.0, broken
        super().__init__(info("force", "force"), lambda k, t: [Reading("force", k, t, k / 30.0, 2.0 - self.zero)])

    def tare(self) -> None:
        if self._broken:
            raise DeviceError("force: it does not measure; check its cable, then tare again")
        self.zero = 2.0


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object]]:
    status = main([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("made", [Capture, CaptureProcess])
def test_a_force_sensor_is_zeroed_where_its_device_lives(made: type[Capture] | type[CaptureProcess]) -> None:
    capture = made([Pulled, pose_source])
    try:
        capture.zero("force")
        with pytest.raises(ValueError, match="t265: it has no zero to set"):
            capture.zero("t265")
    finally:
        capture.close()


def test_zeroing_is_an_order_between_takes_after_which_the_force_stands_at_zero(tmp_path: Path) -> None:
    capture = Capture([camera_source, Pulled])
    session = RecordingSession(capture, tmp_path / "s", tmp_path / "recording.json")
    try:
        assert session.forces == ("force",)
        session.zero_force()
        assert session.state == "zeroing"
        with pytest.raises(ValueError, match="not while zeroing"):
            session.zero_force()
        assert session.wait(30, "idle")
        newest, count = capture._devices["force"].ring, capture._devices["force"].ring.count
        assert newest.wait(count, 30)
        value = capture.status().values["force"]
        assert isinstance(value, Reading)
        assert value.value == 0.0
    finally:
        session.close()
        capture.close()


def test_a_zero_that_fails_is_said_and_leaves_the_session_as_it_was(tmp_path: Path) -> None:
    capture = Capture([camera_source, lambda: Pulled(broken=True)])
    session = RecordingSession(capture, tmp_path / "s", tmp_path / "recording.json")
    try:
        session.zero_force()
        assert session.wait(30, "idle")
        assert "does not measure" in session.message
    finally:
        session.close()
        capture.close()


def test_a_rig_without_a_force_sensor_says_so(tmp_path: Path) -> None:
    capture = Capture([camera_source])
    session = RecordingSession(capture, tmp_path / "s", tmp_path / "recording.json")
    try:
        with pytest.raises(ValueError, match="no force sensor is open"):
            session.zero_force()
    finally:
        session.close()
        capture.close()


@pytest.mark.parametrize(("rig", "task", "right"), [("sim", "pick-and-place", "sim-handheld"),
                                                    ("sim-handheld", "rotation", "sim")])  # fmt: skip
def test_a_task_that_the_rig_cannot_show_is_refused_with_the_rig_that_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rig: str, task: str, right: str
) -> None:
    base = ("record", "--rig", rig, "--task", task, "--episodes", "1", "--dataset", tmp_path / "d")
    status, told = call(capsys, *base, "--workspace", tmp_path / "workspace")
    assert status == 3
    assert f"cannot show {task}; valid for that task: --rig {right}" in told["error"]["message"]  # type: ignore[index]


def test_pick_and_place_is_recorded_with_the_sensors_of_the_handheld_rig(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, root = tmp_path / "d", ("--workspace", tmp_path / "workspace")
    base = ("record", "--rig", "sim-handheld", "--task", "pick-and-place", "--episodes", "1", "--size", "64x48")
    status, told = call(capsys, *base, "--dataset", dataset, *root)
    assert (status, told["episodes"]) == (0, [1])
    assert call(capsys, "dataset", "verify", dataset, *root)[0] == 0
    folder = dataset / "episodes" / "000001"
    note = read_note(folder / "episode.json")
    assert not [v for v in note.verdicts if v.check == "force zero"]
    with open_episode(folder) as reader:
        assert reader.cameras == ("left", "gripper", "right")
        poses, truth = reader.poses("pose"), reader.poses("tool-gripper")
        moved = [
            float(np.linalg.norm(p[-1].T_ref_sensor[:3, 3] - p[0].T_ref_sensor[:3, 3])) for p in (poses, truth)
        ]
        assert len(poses) == len(truth) > 60
        assert max(moved) > 0.02
        openings = [r.value for r in reader.readings("opening") if r.valid]
        assert min(openings) < 0.06 < max(openings) < 0.09
        forces = [r.value for r in reader.readings("force")]
        assert abs(np.median(forces[:10])) < 0.1
        assert max(forces) > 0.5


def test_a_take_replays_with_what_the_sensors_said_then(tmp_path: Path) -> None:
    write(tmp_path)
    replay = TakeReplay(tmp_path)
    until = time.monotonic() + 60
    while not replay.seconds and time.monotonic() < until:
        time.sleep(0.01)
    replay.close()
    with open_episode(tmp_path) as reader:
        sensors = {name: info.kind for name, info in reader.streams.items() if info.kind in SENSORS}
        now, values = reader.span[0] + replay.seconds, replay.values
        assert set(values) == set(sensors) != set()
        for name, kind in sensors.items():
            said = reader.poses(name) if kind == "pose" else reader.readings(name)
            assert values[name].index == max(s.index for s in said if s.t_host <= now), name


def test_a_live_world_serves_the_sensors_beside_its_cameras() -> None:
    rig = load_rig("sim-handheld")
    with WorldProcess(rig, task="pick-and-place", seed=1, size=(64, 48)) as world:
        live = open_devices(rig, world)
        try:
            assert not live.capture.status().missing
            assert list(live.capture.streams) == ["left", "gripper", "right", *SENSORS]
            gripper = live.capture.streams["gripper"].camera
            assert gripper is not None
            assert gripper.T_world_cam is None, "it rides on the gripper"
            live.capture.zero("force")
            values = live.capture.status().values
            while not all(name in values for name in SENSORS):
                values = live.capture.status().values
                time.sleep(0.05)
            assert isinstance(values["pose"], Pose)
        finally:
            live.close()


def test_a_live_world_is_looked_at_by_the_sensor_for_real_markers(tmp_path: Path) -> None:
    text = built_in_rigs()["sim-handheld"].read_text(encoding="utf-8")
    file = tmp_path / "rig.toml"
    file.write_text(text.replace('driver = "sim"\nkind = "opening"', 'driver = "aruco"'), encoding="utf-8")
    rig = load_rig(file)
    with WorldProcess(rig, task="pick-and-place", seed=1) as world, ExitStack() as opened:
        for maker in WorldDevices(rig, world).makers:
            device = maker()
            info = device.connect()
            opened.callback(device.disconnect)
            if info.name == "opening":
                assert info.free_running
                assert device.ring.wait(device.ring.count + 1, 60.0)
                seen = device.ring.newest()
    assert isinstance(seen, Reading)
    assert seen.valid
    assert seen.value == pytest.approx(LARGEST_OPENING, abs=0.002)
