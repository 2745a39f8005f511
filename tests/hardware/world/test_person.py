"""The live person: shows a task on command, follows a hand's wish at a hand's speed, and tells where tools are."""

import time

import numpy as np
import pytest

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.rig import load_rig
from hardware.world.held_memory import ROWS, HeldMemory, HeldSample
from hardware.world.live import LiveWorld
from hardware.world.process import WorldProcess

UPRIGHT = rotation_from_vector(np.array([0.0, 0.0, np.pi / 2]))


def world(task: str, seed: int = 3) -> LiveWorld:
    rig = load_rig("sim-handheld") if task == "pick-and-place" else load_rig("sim")
    return LiveWorld(rig, tuple(c.camera for c in rig.cameras), {}, task, seed)


def home(live: LiveWorld) -> dict[str, Array]:
    return dict(live.truth(0).q.items())


def test_a_shown_task_moves_its_object_and_ends_with_nobody_there() -> None:
    live = world("sweeping")
    q = home(live)
    before = live.truth(0)
    live.person.show(3)
    assert live.truth(0).showing
    for _ in range(60):
        live.advance(0.1, q)
    after = live.truth(0)
    assert not after.showing
    assert after.held is not None
    assert np.isnan(after.held.T_world_tool["tool"]).all()
    moved = [
        np.linalg.norm((after.T_world_object[n] - before.T_world_object[n])[:2, 3]) for n in before.T_world_object
    ]
    assert max(moved) > 0.05
    assert after.instruction.startswith("sweep")


def test_a_tool_driven_by_hand_keeps_to_a_hands_speed_and_above_the_table() -> None:
    live = world("push-shape")
    q = home(live)
    live.person.hold({"tool": transform(UPRIGHT, [0.0, -0.1, -0.5])}, None)
    places = []
    for _ in range(75):
        live.advance(0.04, q)
        held = live.truth(0).held
        assert held is not None
        places.append(held.T_world_tool["tool"][:3, 3])
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() < 0.4 * 0.04 + 1e-6
    np.testing.assert_allclose(places[-1], [0.0, -0.1, 0.037], atol=1e-3)  # the head is 36 mm deep
    live.person.hold({"tool": None}, None)
    live.advance(2.5, q)
    left = live.truth(0).held
    assert left is not None
    assert np.isnan(left.T_world_tool["tool"]).all()


def test_a_hand_closes_the_gripper_at_a_hands_speed() -> None:
    live = world("pick-and-place")
    live.person.hold(
        {"gripper": transform(np.array([[0, -1.0, 0], [0, 0, 1], [-1, 0, 0]]), [0.0, -0.2, 0.2])}, 0.02
    )
    live.advance(0.2, {})
    first = live.truth(0).held
    live.advance(1.0, {})
    last = live.truth(0).held
    assert first is not None
    assert last is not None
    assert first.opening > 0.05
    assert last.opening == pytest.approx(0.02, abs=0.002)


def test_wishes_that_make_no_sense_are_refused_with_what_is_valid() -> None:
    live = world("push-shape")
    with pytest.raises(ValueError, match=r"hold: 'spoon' is not a tool of this task; valid: \['tool'\]"):
        live.person.hold({"spoon": np.eye(4)}, None)
    with pytest.raises(ValueError, match="not a rigid transform"):
        live.person.hold({"tool": np.zeros((4, 4))}, None)
    with pytest.raises(ValueError, match="nobody knows how to show 'push'"):
        world("push").person.show(1)


def test_held_tools_are_sampled_30_times_a_second() -> None:
    live = world("rotation")
    live.person.show(1)
    live.advance(2.0, home(live))
    t = np.array([m.t for m in live.person.samples])
    assert len(t) == pytest.approx(60, abs=2)
    assert np.diff(t) == pytest.approx(1 / 30, abs=0.005)


def test_a_reader_of_held_tools_gets_each_sample_once_and_sees_what_it_missed() -> None:
    memory = HeldMemory()
    reader = HeldMemory(memory.name)
    try:
        assert reader.latest() is None
        for k in range(ROWS + 40):
            memory.write(HeldSample(k, k / 30, {"tool": np.eye(4) * 1.0}, 0.01, float("nan"), k % 2 == 0))
            if k == 9:
                samples, cursor = reader.since(0)
                assert [s.index for s in samples] == list(range(10))
        late, cursor = reader.since(cursor)
        assert late[0].index > 10
        assert late[-1].index == cursor - 1 == ROWS + 39
        assert [s.index for s in late] == list(range(late[0].index, cursor))
        newest = reader.latest()
        assert newest is not None
        assert set(newest.T_world_tool) == {"tool"}
        assert newest.opening == 0.01
    finally:
        reader.close()
        memory.close()


def test_the_world_process_shows_a_task_to_its_cameras_in_real_time() -> None:
    with WorldProcess(load_rig("sim-handheld"), task="pick-and-place", seed=1, size=(96, 64)) as running:
        camera = running.camera("left")
        camera.connect()
        bare = camera.read_latest().rgb.astype(int)
        begun = running.demonstrate("pick-and-place", 1)
        assert begun.showing
        assert begun.instruction.startswith("put the")
        cursor, most, samples = running.held.written, 0.0, []
        until = time.monotonic() + 60
        while running.truth().showing and time.monotonic() < until:
            most = max(most, float(np.abs(camera.read_latest().rgb - bare).mean()))
            new, cursor = running.held.since(cursor)
            samples += new
            time.sleep(0.1)
        camera.disconnect()
    assert most > 2.0  # grey levels on average: a person came into view
    assert samples[-1].t_host - samples[0].t_host == pytest.approx((len(samples) - 1) / 30, rel=0.1)
    assert max(s.grip for s in samples) > 2.0
