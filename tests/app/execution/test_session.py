"""Approve, run, stop and judge on two emulated arms, as the page and the verb do it."""

import contextlib
import errno
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import app.execution.run_folder as run_folders
import app.ledger as ledgers
from app.execution.run_folder import RunFolder
from app.execution.session import ExecutionSession
from app.ledger import Ledger, LedgerError
from app.workspace import open_workspace
from hardware import safety
from hardware.geometry import Array
from hardware.mounting import default_tools
from hardware.plan_file import load_plan, sealed
from hardware.recording.mcap_log import open_episode
from hardware.robots.arm_group import ArmRecord
from hardware.robots.emulator.process import Fault
from hardware.stream import ArmSample
from hardware.types import Plan, Tool
from tests.hardware.robots.servo_rig import plan_of, swing_path, two_arm_rig

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExecutionSession]:
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    rig = two_arm_rig()
    ledger = Ledger(workspace.ledger)
    session = ExecutionSession(rig, workspace, ledger)
    session.connect(default_tools(rig))
    assert session.wait(120) == "ready", session.message
    yield session
    session.close()
    ledger.close()


@pytest.fixture(autouse=True)
def _ready_again(session: ExecutionSession) -> Iterator[None]:
    """Arms at home without faults, nothing approved."""
    yield
    session.stop("the test is over")
    session.wait(20)
    if session._link is not None and session._link.world is not None:
        for arm in session.rig.arms:
            session._link.world.emulators[arm.name].inject(Fault("none"))
            session._link.world.emulators[arm.name].place(arm.home)
    if session.state == "fault":
        session.clear_errors()
    session.set_plan(None)
    _until(session, lambda: session.state != "fault" and _home(session))


def _home(session: ExecutionSession) -> bool:
    return all(np.abs(session.arms[a.name].q - a.home).max() < 1e-3 for a in session.rig.arms)


def _until(session: ExecutionSession, done: Callable[[], bool], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < deadline, (session.state, session.message, session.progress)
        session.heartbeat()
        time.sleep(0.01)
        session.pump()


def _plan(session: ExecutionSession, seconds: float = 1.0) -> Plan:
    tools = session._link.tools if session._link else {}
    q = {arm.name: swing_path(session.arms[arm.name].q, seconds, 0.05) for arm in session.rig.arms}
    return plan_of(session.rig, tools, q, session.limits)


def _running(session: ExecutionSession, seconds: float = 4.0) -> None:
    session.set_plan(_plan(session, seconds))
    session.approve("Ada")
    session.execute()
    _until(session, lambda: session.progress is not None and session.progress.plan_time > 0.4)


def _ledger(session: ExecutionSession) -> Ledger:
    return session._ledger


def test_what_connecting_found_is_shown_before_anything_may_be_approved(session: ExecutionSession) -> None:
    assert set(session.limits) == set(session.arms) == {"left", "right"}
    assert {check.rule for check in session.checks} == {
        *("kinematics", "limits read back", "emulated", "forces are measured on demand", "table")
    }
    assert all(check.status == "ok" for check in session.checks)
    assert set(session.latest_frames()) == {"top", "side"}
    assert "no plan yet" in session.forbidden()[0]


def test_a_run_is_done_recorded_and_judged(session: ExecutionSession) -> None:
    heard: list[str] = []
    forget = session.on_change(heard.append)
    plan = _plan(session)
    session.set_plan(plan)
    assert session.forbidden() == ()
    rehearsal = session.rehearsal()
    assert rehearsal.T_world_tool["left"].shape == (len(plan.t), 4, 4)
    assert 0.05 < rehearsal.tip_speed["left"].max() < 0.2
    session.approve("Ada")
    assert (session.state, session.approval_left_s > 100) == ("approved", True)
    session.execute()
    assert session.wait(30) == "done", session.message
    forget()
    assert {"state", "approval", "progress", "plan"} <= set(heard)
    _check_files(session, plan)
    outcome = session.outcome(False, ("slipped",), "left tool too high")
    chain = {entry.kind: entry for entry in _ledger(session).chain(outcome)}
    assert list(chain) == ["outcome", "execution", "approval", "plan"]
    assert chain["outcome"].record == {"success": False, "tags": ["slipped"], "note": "left tool too high"}
    assert (chain["approval"].record["person"], chain["execution"].record["ended"]) == ("Ada", "done")


def test_a_dream_through_a_camera_that_was_moved_cannot_be_approved(session: ExecutionSession) -> None:
    plan = _plan(session)
    session.camera_reasons = lambda: ("top was moved since it was calibrated",)
    session.set_plan(sealed(replace(plan, track_sha256="f" * 64)))
    assert "top was moved since it was calibrated" in session.forbidden()
    session.set_plan(sealed(replace(plan, track_sha256="")))  # a move by hand needs no camera
    assert session.forbidden() == ()


def _check_files(session: ExecutionSession, plan: Plan) -> None:
    assert session.run_folder is not None
    folder = RunFolder(session.run_folder)
    assert load_plan(folder.plan).sha256 == plan.sha256
    assert folder.read()["end"] == "done"
    for record in folder.curves().values():
        assert np.abs(record.commanded - record.measured).max() < 0.1
        assert record.plan_time[-1] == pytest.approx(plan.duration, abs=0.05)
    with open_episode(folder.recording) as episode:
        assert set(episode.streams) == {"top", "side", "left_arm", "right_arm"}
        assert episode.facts["execution"] == session.run_id
        for camera in ("top", "side"):
            assert sum(1 for _ in episode.frames(camera)) == len(episode.times(camera).t_host) > 3
        for arm, record in folder.curves().items():
            _check_arm(episode.arm_samples(f"{arm}_arm"), record, session.rig.arm(arm).T_world_base)
    recorded = folder.read()["recorded"]
    assert isinstance(recorded, dict)
    assert set(recorded["samples"]) == {"top", "side", "left_arm", "right_arm"}
    assert recorded["mcap_sha256"] == hashlib.sha256(folder.recording.read_bytes()).hexdigest()


def _check_arm(samples: tuple[ArmSample, ...], record: ArmRecord, T_world_base: Array) -> None:
    """What was recorded at times of its own lies on the record of every cycle."""
    t, q = np.array([s.t_host for s in samples]), np.array([s.q for s in samples])
    during = (t > record.t_measured[0]) & (t < record.t_measured[-1])
    assert during.sum() > 10
    curve = np.array([np.interp(t[during], record.t_measured, row) for row in record.measured.T]).T
    assert np.abs(q[during] - curve).max() < 0.003
    told = [s for s in samples if s.commanded is not None]
    assert len(told) > 10
    for sample in told:
        at = np.searchsorted(record.t_sent, sample.t_commanded) - 1
        assert sample.commanded is not None
        assert np.abs(record.commanded[max(0, at - 3) : at + 2] - sample.commanded).max(axis=1).min() < 1e-9
    assert np.linalg.norm(samples[0].T_world_tool[:3, 3] - T_world_base[:3, 3]) < 1.5


def test_stop_ends_a_run_and_its_record_says_so(session: ExecutionSession) -> None:
    _running(session)
    session.stop()
    assert session.wait(10) == "stopped"
    assert "Stop" in session.message
    assert session.run_folder is not None
    assert RunFolder(session.run_folder).read()["end"] == "stopped"
    assert 0 < len(RunFolder(session.run_folder).curves()["left"].plan_time) < 350
    assert _ledger(session).get(session.run_id).record["ended"] == "stopped"


def test_stop_before_the_arms_move_means_they_never_do(session: ExecutionSession) -> None:
    session.set_plan(_plan(session))
    session.approve("Ada")
    session.execute()
    session.stop()
    assert session.wait(20) == "stopped"
    assert _home(session)


def test_a_window_that_hangs_stops_the_arms(session: ExecutionSession) -> None:
    _running(session)
    time.sleep(1.2)
    session.pump()
    assert session.wait(10) == "stopped", session.message
    assert session.progress is not None
    assert session.progress.plan_time < 3.0


def test_pause_stands_and_going_on_needs_a_new_approval(session: ExecutionSession) -> None:
    _running(session)
    session.pause()
    assert session.wait(10) == "paused"
    with pytest.raises(ValueError, match="no live approval"):
        session.execute()
    session.set_plan(_plan(session, 1.0))
    session.approve("Ada")
    session.execute()
    assert session.wait(30) == "done", session.message


def test_stop_ends_a_paused_run(session: ExecutionSession) -> None:
    _running(session)
    session.pause()
    assert session.wait(10) == "paused"
    session.stop()
    _until(session, lambda: session.state == "stopped")


def test_stop_voids_an_approval_that_was_not_used_yet(session: ExecutionSession) -> None:
    session.set_plan(_plan(session))
    session.approve("Ada")
    session.stop()
    _until(session, lambda: session.state == "ready")
    assert session.approval is None
    with pytest.raises(ValueError, match="no live approval"):
        session.execute()
    session.approve("Ada")
    session.execute()
    assert session.wait(30) == "done", session.message


def test_an_arm_in_error_ends_the_run_as_a_fault_and_can_be_cleared(session: ExecutionSession) -> None:
    _running(session)
    assert session._link is not None
    assert session._link.world is not None
    session._link.world.emulators["left"].inject(Fault("error", code=31))
    assert session.wait(15) == "fault"
    assert "left" in session.message
    assert any("fault" in reason for reason in session.forbidden())
    session._link.world.emulators["left"].inject(Fault("none"))
    session.clear_errors()
    _until(session, lambda: session.state == "ready")


def test_another_plan_voids_the_approval(session: ExecutionSession) -> None:
    session.set_plan(_plan(session))
    session.approve("Ada")
    session.set_plan(_plan(session, 1.5))
    assert (session.state, session.approval) == ("ready", None)
    with pytest.raises(ValueError, match="no live approval"):
        session.execute()


def test_an_old_approval_is_void(session: ExecutionSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "APPROVAL_S", 0.2)
    session.set_plan(_plan(session))
    session.approve("Ada")
    _until(session, lambda: session.state == "ready")
    assert "expired" in session.message


def test_an_arm_that_moved_voids_the_approval(session: ExecutionSession) -> None:
    session.set_plan(_plan(session))
    session.approve("Ada")
    assert session._link is not None
    assert session._link.world is not None
    session._link.world.emulators["right"].place(session.rig.arm("right").home + 0.1)
    _until(session, lambda: session.state == "ready")
    assert "moved" in session.message
    assert any("right: it stands" in reason for reason in session.forbidden())


def test_an_edited_plan_and_a_plan_for_another_tool_are_refused(session: ExecutionSession) -> None:
    plan = _plan(session)
    session.set_plan(replace(plan, speed_scale=0.5))
    with pytest.raises(ValueError, match="sha256"):
        session.approve("Ada")
    arms = tuple(replace(arm, tool="brush") for arm in plan.arms)
    session.set_plan(sealed(replace(plan, arms=arms)))
    with pytest.raises(ValueError, match="the plan is for brush"):
        session.approve("Ada")
    session.set_plan(plan)
    with pytest.raises(ValueError, match="name of a person"):
        session.approve(" ")


@pytest.mark.expects_warnings
def test_nothing_runs_that_cannot_be_recorded(session: ExecutionSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.set_plan(_plan(session))
    session.approve("Ada")
    with _held_by_another_program(session, monkeypatch):
        session.execute()
        assert session.wait(20) == "ready"
    assert "could not be recorded" in session.message
    assert _home(session)


def test_a_rig_that_does_not_answer_says_so(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    rig = two_arm_rig()
    gone = replace(rig, simulated=False, arms=tuple(replace(arm, emulated=False) for arm in rig.arms))
    session = ExecutionSession(gone, workspace, Ledger(workspace.ledger))
    tools: dict[str, Tool] = default_tools(rig)
    session.connect(tools)
    assert session.wait(60) == "fault"
    assert "left" in session.message or "right" in session.message
    assert session.latest_frames() == {}
    session.close()


@contextlib.contextmanager
def _held_by_another_program(session: ExecutionSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _ledger(session)._db.execute("pragma busy_timeout = 100")
    monkeypatch.setattr(ledgers, "BUSY_TIMEOUT_S", 0.1)
    other = sqlite3.connect(_ledger(session)._path, isolation_level=None)
    other.execute("begin exclusive")
    try:
        yield
    finally:
        other.execute("rollback")
        other.close()


@pytest.mark.expects_warnings
def test_a_ledger_locked_at_the_end_of_a_run_loses_nothing(
    session: ExecutionSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _running(session, 1.5)
    with _held_by_another_program(session, monkeypatch):
        assert session.wait(30) == "done"
        assert "record of this run is not complete" in session.message
        assert "close that one" in session.message
        assert session.run_folder is not None
        assert RunFolder(session.run_folder).read()["end"] == "done", "the folder has it"
        with pytest.raises(LedgerError):
            session.outcome(True)
        assert RunFolder(session.run_folder).read()["outcome"] == {"success": True, "tags": [], "note": ""}
    outcome = session.outcome(True)
    assert _ledger(session).get(session.run_id).record["ended"] == "done", "the ledger has it once it is free"
    assert _ledger(session).get(outcome).record["success"] is True


@pytest.mark.expects_warnings
def test_a_disk_that_fills_up_during_a_run_loses_nothing_once_there_is_room(
    session: ExecutionSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _running(session, 1.5)
    assert session.run_folder is not None
    folder, db = RunFolder(session.run_folder), _ledger(session)._db
    (pages,) = db.execute("pragma page_count").fetchone()
    before, write = folder.read(), run_folders.write_whole

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folders, "write_whole", full)
    db.execute(f"pragma max_page_count = {pages}")
    assert session.wait(30) == "done", "a full disk stops no arm"
    assert "No space left" in session.message
    assert folder.read() == before, "what is there already stays whole"
    monkeypatch.setattr(run_folders, "write_whole", write)
    db.execute("pragma max_page_count = 1000000")
    session.outcome(False, note="the disk was full")
    assert folder.read()["end"] == "done"
    assert set(folder.curves()) == {"left", "right"}
    assert _ledger(session).get(session.run_id).record["ended"] == "done"
