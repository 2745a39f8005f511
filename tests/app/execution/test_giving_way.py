"""From the operator's choice to give way to the arms that do: planned, approved, executed, recorded."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.dreams.session import DreamSession
from app.execution.session import ExecutionSession
from app.ledger import Ledger
from app.workspace import open_workspace
from hardware.plan_file import load_plan
from hardware.robots.emulator.process import EmulatorProcess, Fault
from tests.hardware.robots.servo_rig import two_arm_rig

PUSH = Fault("external_force", wrench=(0.0, 0.0, 40.0, 0.0, 0.0, 0.0))


@pytest.mark.slow
def test_a_dream_is_executed_giving_way_as_it_was_approved(tmp_path: Path) -> None:
    workspace, rig = open_workspace(tmp_path), two_arm_rig("sim-mixed")
    ledger = Ledger(workspace.ledger)
    dreaming, arms = DreamSession(workspace, ledger), ExecutionSession(rig, workspace, ledger)
    try:
        dreaming._track_job = "tests.app.jobs:moving_track"
        dreaming.open_example()
        dreaming.retrack()
        assert dreaming.wait(60)
        assert dreaming.dream is not None
        arms.connect(dreaming.dream.tools)
        assert arms.wait(120) == "ready", arms.message
        q_start = {name: state.q for name, state in arms.arms.items()}
        dreaming.make_plan(rig, limits=arms.limits, q_start=q_start, give_way=20.0)
        assert dreaming.wait(120)
        plan = dreaming.plan
        assert plan is not None, dreaming.message
        arms.set_plan(plan, dreaming.track_id)
        assert arms.forbidden() == ()
        arms.approve("Ada")
        arms.execute()
        assert arms._link is not None
        assert arms._link.world is not None
        _pushed_at(arms, arms._link.world.emulators["left"], plan.phases[0].end)
        assert arms.wait(180) == "done", arms.message
        record = arms._link.group.records()["left"]
        k = np.minimum(np.arange(len(record.plan_time)), len(plan.t) - 1)
        part = next(part for part in plan.arms if part.arm == "left")
        assert np.abs(record.commanded - part.q[k]).max() > 0.005
        assert arms.run_folder is not None
        assert load_plan(arms.run_folder / "plan.json").limits["left"].give_way_force == 20.0
        (entry,) = ledger.entries("plan")
        assert entry.record["gives_way_over_N"] == {"left": 20.0, "right": 20.0}
    finally:
        arms.close()
        dreaming.close()
        ledger.close()


def _pushed_at(arms: ExecutionSession, emulator: EmulatorProcess, plan_time: float) -> None:
    _until(arms, lambda: arms.progress is not None and arms.progress.plan_time > plan_time)
    emulator.inject(PUSH)
    _until(arms, lambda: arms.progress is None or arms.progress.plan_time > plan_time + 0.4)
    emulator.inject(Fault("none"))


def _until(arms: ExecutionSession, done: Callable[[], bool]) -> None:
    end = time.monotonic() + 120.0
    while not done():
        assert time.monotonic() < end, arms.message
        arms.heartbeat()
        arms.pump()
        time.sleep(0.01)
