"""The running simulated rig: cameras keep serving, faults show, and nothing outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import psutil
import pytest

from hardware.cameras.sim import SimCamera
from hardware.kinematics import ArmKinematics
from hardware.rig import load_rig
from hardware.stream import DeviceError
from hardware.world.process import CameraFault, WorldProcess
from hardware.world.simulated_rig import SimulatedRig

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedRig]:
    with SimulatedRig(size=(192, 112)) as rig:
        yield rig


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_cameras_serve_new_frames_with_true_times(running: SimulatedRig) -> None:
    for name in ("top", "side"):
        camera = running.camera(name)
        assert camera.camera.size == (192, 112)
        first = camera.read_latest()
        assert first.rgb.shape == (112, 192, 3)
        wait_for(lambda camera=camera, first=first: camera.read_latest().index >= first.index + 3)
        later = camera.read_latest()
        assert first.t_host < later.t_host <= time.monotonic()
        assert later.t_device - first.t_device == pytest.approx(later.t_host - first.t_host, abs=1e-6)


def test_an_arm_that_its_controller_moves_is_moved_in_the_world(running: SimulatedRig) -> None:
    arm, emulator = running.rig.arm("left"), running.emulators["left"]
    before = running.camera("top").read_latest()
    q = arm.home + np.array([-0.15, 0.9, 0.0, 0.35, 0.0, -0.55, 0.0])
    emulator.place(q)
    expected = arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(q)
    wait_for(lambda: bool(np.abs(running.world.truth().q["left"] - q).max() < 1e-6))
    truth = running.world.truth()
    np.testing.assert_allclose(truth.T_world_tool["left"][:2, 3], expected[:2, 3], atol=1e-6)
    wait_for(lambda: running.camera("top").read_latest().t_host > truth.t_host)
    after = running.camera("top").read_latest()
    assert (np.abs(after.rgb.astype(int) - before.rgb.astype(int)).max(axis=2) > 40).mean() > 0.01
    emulator.place(arm.home)


def test_reset_lays_the_same_table_for_the_same_seed(running: SimulatedRig) -> None:
    running.world.reset(11, "push")
    first = running.world.truth()
    running.world.reset(12, "sweep")
    assert running.world.truth().task == "sweep"
    running.world.reset(11, "push")
    again = running.world.truth()
    assert again.thing == first.thing
    np.testing.assert_allclose(again.T_world_object["thing"], first.T_world_object["thing"], atol=2e-3)
    with pytest.raises(ValueError, match="task: 'juggle'"):
        running.world.reset(0, "juggle")
    assert running.world.truth().task == "push"


def test_a_frozen_camera_stands_still_and_the_other_goes_on(running: SimulatedRig) -> None:
    running.world.inject(CameraFault("top", "freeze"))
    frozen, other = running.camera("top").read_latest(), running.camera("side").read_latest()
    wait_for(lambda: running.camera("side").read_latest().index > other.index + 3)
    assert running.camera("top").read_latest().index == frozen.index
    running.world.inject(CameraFault("top", "none"))
    wait_for(lambda: running.camera("top").read_latest().index > frozen.index)


def test_dropped_frames_show_as_gaps_in_the_index(running: SimulatedRig) -> None:
    running.world.inject(CameraFault("side", "drop", 0.5))
    seen: set[int] = set()

    def enough() -> bool:
        seen.add(running.camera("side").read_latest().index)
        return len(seen) > 15

    wait_for(enough)
    running.world.inject(CameraFault("side", "none"))
    assert max(seen) - min(seen) + 1 > len(seen)
    with pytest.raises(KeyError, match="no camera 'front'"):
        running.world.inject(CameraFault("front", "freeze"))


def test_names_that_are_not_there_are_answered_with_those_that_are(running: SimulatedRig) -> None:
    with pytest.raises(KeyError, match=r"'front'.*'top', 'side'"):
        running.camera("front")
    with pytest.raises(KeyError, match=r"'front'.*'top', 'side'"):
        running.world.camera("front")


def test_a_camera_without_its_world_says_so() -> None:
    camera = SimCamera(load_rig("sim").cameras[0].camera, "no-such-memory")
    with pytest.raises(DeviceError, match="camera top: its simulated world is not running"):
        camera.connect()
    with pytest.raises(DeviceError, match="camera top: not connected"):
        camera.read_latest()
    camera.disconnect()


def test_a_world_that_cannot_start_leaves_nothing() -> None:
    with pytest.raises(ValueError, match="task: 'juggle'"):
        WorldProcess(load_rig("sim"), task="juggle", size=(64, 48))


SCRIPT = """
import sys, time
from hardware.world.simulated_rig import SimulatedRig
if __name__ == "__main__":
    rig = SimulatedRig(size=(64, 48))
    names = [m.name for m in rig.world._memories.values()]
    print(rig.world.pid, *[e.pid for e in rig.emulators.values()], *names, flush=True)
    time.sleep(60)
"""


def test_every_process_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    # addresses of its own: the module's rig may be running beside it
    script.write_text(SCRIPT.replace("size=(64, 48)", "rig=moved(), size=(64, 48)").replace(
        "if __name__",
        "from dataclasses import replace\n"
        "from hardware.rig import load_rig\n"
        "def moved():\n"
        "    rig = load_rig('sim')\n"
        "    arms = tuple(replace(a, address=f'127.0.0.{81 + k}') for k, a in enumerate(rig.arms))\n"
        "    return replace(rig, arms=arms)\n"
        "if __name__",
    ))  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    owner = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert owner.stdout is not None
    words = owner.stdout.readline().split()
    pids, names = [int(w) for w in words[:3]], words[3:]
    assert all(psutil.pid_exists(pid) for pid in pids)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids))

    def freed() -> bool:
        for name in names:
            try:
                SharedMemory(name).close()
            except FileNotFoundError:
                continue
            return False
        return True

    time.sleep(0.5)
    assert freed()


def test_each_arm_gets_the_emulator_of_its_make_and_the_world_follows_both() -> None:
    with SimulatedRig(load_rig("sim-mixed"), size=(64, 48)) as mixed:
        assert {name: emulator.config.model for name, emulator in mixed.emulators.items()} == {
            "left": "ur5",
            "right": "xarm7",
        }
        q = mixed.world.truth().q
        for arm in mixed.rig.arms:
            np.testing.assert_allclose(q[arm.name], arm.home, atol=1e-3)
            assert len(mixed.emulators[arm.name].joints().q) == len(arm.home)
