"""The same plans on emulated controllers, as `execute` runs them: to see that the virtual clock says the same."""

import time

import numpy as np

from app.evaluation.bench import NotRun, TrialBench
from app.execution.session import ExecutionSession
from app.ledger import Ledger
from app.settings import ledger_file
from app.workspace import Workspace
from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.types import Plan
from hardware.world.arm_play import task_time
from hardware.world.process import WorldProcess
from hardware.world.tasks.layout import Moment

CONNECT_S, MARGIN_S = 120.0, 60.0
LOOK_S = 0.03


class RealTimeArms:
    """Emulated controllers and servo processes, connected when the first plan comes; close them at the end."""

    def __init__(self, rig: Rig, workspace: Workspace) -> None:
        self._ledger = Ledger(ledger_file(workspace))
        self._session = ExecutionSession(rig, workspace, self._ledger)

    def execute(self, bench: TrialBench, plan: Plan) -> tuple[Moment, ...]:
        """Run a plan on the table as it is, with arms that start at home; return what was so, as often as the world
        said it.

        Raises NotRun where it is stopped on the way, ArmError where the arms are not ready for it.
        """
        session = self._session
        session.set_plan(plan)
        session.connect(bench.carried(plan), (bench.layout.task, bench.layout.seed))
        if session.wait(CONNECT_S) != "ready":
            raise ArmError(session.message or f"the arms did not connect in {CONNECT_S:.0f} s")
        world = self._laid(bench)
        reasons = session.forbidden()
        if reasons:
            raise ArmError("; ".join(reasons))
        session.approve(None)
        session.execute()
        moments = self._watched(bench, plan, world)
        bench.leave(moments[-1], {})  # the next plan finds them at home
        if session.state != "done":
            raise NotRun(f"the run ended as {session.state}: {session.message}")
        return moments

    def close(self) -> None:
        """End every process. Safe to call twice."""
        self._session.close()
        self._ledger.close()

    def _laid(self, bench: TrialBench) -> WorldProcess:
        link = self._session.link
        if link is None or link.world is None:
            raise ArmError("the simulated table is not there")
        world, layout = link.world.world, bench.layout
        world.reset(layout.seed, layout.task, held_out=layout.held_out)
        for name, T in bench.moment().T_world_thing.items():
            world.place(name, T)
        return world

    def _watched(self, bench: TrialBench, plan: Plan, world: WorldProcess) -> tuple[Moment, ...]:
        session, roles = self._session, bench.roles(plan)
        moments: list[Moment] = []
        end = time.monotonic() + plan.duration + MARGIN_S
        while (running := session.busy) or len(moments) < 2:
            truth = world.truth()
            tools = {role: truth.T_world_tool[arm] for arm, role in roles.items()}
            touching = frozenset((roles[arm], body) for arm, body in truth.touching if arm in roles)
            progress = session.progress
            t = task_time(plan, np.array([progress.plan_time if progress else 0.0]), bench.layout.fps)
            moments.append(Moment(float(t[0]), truth.T_world_object, tools, touching))
            session.heartbeat()
            session.pump()
            if not running or time.monotonic() > end:
                break
            time.sleep(LOOK_S)
        return tuple(moments)
