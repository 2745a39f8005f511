"""Dream, execute, look again: the next scene is taken by itself once the arms stand, and each step is scored."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from app.dreams.goals import find_object, table_goal
from app.dreams.horizon import Aim, Horizon
from app.dreams.open_scene import scene_of_open_cameras
from app.dreams.scene import Scene
from app.dreams.table_witness import TableWitness
from app.execution.run_folder import RunFolder
from app.execution.session import ExecutionSession
from app.ledger import Ledger
from app.workspace import open_workspace
from hardware.mounting import default_tools
from hardware.plan_file import sealed
from hardware.robots.emulator.process import Fault
from hardware.types import Frame
from hardware.world.process import WorldProcess
from hardware.world.tasks.table import lay
from models.video.config import small
from tests.hardware.robots.servo_rig import plan_of, swing_path, two_arm_rig

pytestmark = pytest.mark.alone
CONFIG = small()
TABLE = ("push-shape", 3)


@dataclass(frozen=True, eq=False)
class Desk:
    """Two emulated arms at a simulated table, and the steps of a long horizon."""

    arms: ExecutionSession
    horizon: Horizon
    ledger: Ledger

    def look(self) -> Scene:
        def newest(name: str) -> Frame | None:
            return self.arms.latest_frames().get(name)

        joints = {name: state.q for name, state in self.arms.arms.items()}
        return scene_of_open_cameras(self.arms.rig, CONFIG, newest, joints, {}, task=TABLE[0])

    def until(self, done: Callable[[], bool], timeout: float = 30.0) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, (self.arms.state, self.arms.message, self.horizon.state)
            self.arms.heartbeat()
            self.arms.pump()
            self.horizon.pump()
            time.sleep(0.01)

    def execute(self, dream: bool = True) -> None:
        """Run a small motion that ends where it began, as if a dream had been planned."""
        assert self.arms.link is not None
        self.until(lambda: all(not arm.moving for arm in self.arms.arms.values()))
        q = {name: swing_path(state.q, 1.0, 0.03) for name, state in self.arms.arms.items()}
        plan = plan_of(self.arms.rig, self.arms.link.tools, q, self.arms.limits)
        self.arms.set_plan(sealed(replace(plan, track_sha256="a" * 64 if dream else "")))
        self.arms.approve("somebody")
        self.arms.execute()

    def place(self, arm: str, q: np.ndarray) -> None:
        assert self.arms.link is not None
        assert self.arms.link.world is not None
        self.arms.link.world.emulators[arm].inject(Fault("none"))
        self.arms.link.world.emulators[arm].place(q)
        self.until(lambda: float(np.abs(self.arms.arms[arm].q - q).max()) < 1e-3)


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    rig, ledger = two_arm_rig(), Ledger(workspace.ledger)
    arms = ExecutionSession(rig, workspace, ledger)

    def world() -> WorldProcess | None:
        return arms.link.world.world if arms.link is not None and arms.link.world is not None else None

    horizon = Horizon(arms, ledger, TableWitness(rig, world))
    try:
        arms.connect(default_tools(rig), TABLE)
        assert arms.wait(120) == "ready", arms.message
        yield Desk(arms, horizon, ledger)
    finally:
        horizon.close()
        arms.close()
        ledger.close()


def test_a_push_to_the_goal_is_seen_and_scored_once_the_arms_stand(desk: Desk) -> None:
    arms, horizon, layout = desk.arms, desk.horizon, lay(*TABLE)
    scene = desk.look()
    thing = find_object(scene, CONFIG)
    assert thing is not None
    goal = table_goal(thing.views, layout)
    assert goal is not None
    horizon.begin(scene, desk.look, Aim(thing, goal), most=2)
    desk.until(lambda: horizon.start is not None)

    desk.execute(dream=False)  # a move by hand is no step
    desk.until(lambda: not arms.busy)
    assert (horizon.state, horizon.steps) == ("dream", ())

    desk.execute()
    desk.until(lambda: horizon.state == "execute")
    assert arms.link is not None
    assert arms.link.world is not None
    assert layout.T_world_goal is not None
    arms.link.world.world.place("thing", layout.T_world_goal)
    desk.until(lambda: horizon.state == "dream")
    (step,) = horizon.steps
    assert step.score is not None
    assert horizon.start is not None
    assert step.score.iou > 0.7 > 0.4 > horizon.start.iou
    assert np.degrees(step.score.rotation_error) < 5
    assert horizon.scene is not scene

    assert step.run is not None
    told = RunFolder(step.run).read()["horizon"]
    assert told == desk.ledger.get(step.execution).record["horizon"]
    assert isinstance(told, dict)
    assert (told["step"], told["iou"]) == (1, step.score.iou)
    assert {file.name for file in step.run.glob("after_*.png")} == {"after_top.png", "after_side.png"}

    desk.execute()
    desk.until(lambda: horizon.state == "done")
    assert (len(horizon.steps), horizon.best) == (2, 0)


def test_an_arm_that_was_stopped_in_the_picture_is_refused_until_it_is_out(desk: Desk) -> None:
    arms, horizon = desk.arms, desk.horizon
    horizon.begin(desk.look(), desk.look)
    desk.execute()
    desk.until(lambda: arms.state == "running" and arms.progress is not None and arms.progress.plan_time > 0.2)
    home = arms.rig.arm("left").home
    arms.stop()
    desk.place("left", np.radians([0.0, 20.0, 0.0, 90.0, 0.0, 70.0, 0.0]))
    desk.until(lambda: horizon.state == "blocked")
    assert "the left arm covers" in horizon.message
    assert horizon.steps == ()
    desk.place("left", home)
    horizon.look_again()
    desk.until(lambda: horizon.state == "done")  # without a goal one step is all
    assert len(horizon.steps) == 1
    assert horizon.steps[0].score is None
    assert horizon.steps[0].verdict is not None  # the simulated table knows
    assert "IoU" in horizon.steps[0].verdict.text
