"""How fast a jogged arm stands once its key is let go: the first slower command, the last that moves, the stand.

From end to end on the host's monotonic clock: page Rig of the real window at 1600x900 with both simulated cameras
live, an emulated xArm behind the vendor's SDK. A key of the jog pad is held, and at a random moment another thread
puts its release into the window's queue. The rule: the arm stands within 0.1 s.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent

from app.execution.teleoperation import FASTEST
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.robots.emulator.process import EmulatorProcess, JointSample
from tests.hardware.robots.servo_rig import two_arm_rig

WANTED, BUDGET_S, RULE_S = 100, 150.0, 0.1
KEYS = (Qt.Key.Key_R, Qt.Key.Key_F)  # up, then down again
HELD_S = (0.4, 0.7)
STANDING, CREEP = 1e-3, 5e-3  # rad/s of any joint, m/s of the tip


@dataclass(frozen=True)
class Release:
    """All [s] from the release: until the first slower command, the last that moves, until the tip creeps with less
    than CREEP, and until the arm stands. late_m [m]: the way of the tip after 0.1 s."""

    slower: float
    last_motion: float
    creeping: float
    standstill: float
    late_m: float


class Finger(threading.Thread):
    """Lets go of a key after a while [s] and watches the arm until it stands."""

    def __init__(self, desk: Desk, emulator: EmulatorProcess, key: Qt.Key, after: float) -> None:
        super().__init__(daemon=True)
        self._desk, self._emulator, self._key, self._after = desk, emulator, key, after
        self.released, self.samples, self.done = 0.0, list[JointSample](), False

    def run(self) -> None:
        time.sleep(self._after)
        up = QKeyEvent(QEvent.Type.KeyRelease, self._key, Qt.KeyboardModifier.NoModifier)
        self.released = time.monotonic()
        QCoreApplication.postEvent(self._desk.rig_page.robot.pad, up)
        while not self.samples or np.abs(self.samples[-1].dq).max() > STANDING:
            self.samples.append(self._emulator.joints())
            time.sleep(0.001)
        self.done = True


class Bench:
    """A window whose arms are connected, turned to the robot panel."""

    def __init__(self, root: Path) -> None:
        self.app = application()
        self.desk = Desk(self.app, open_program(open_workspace(root), two_arm_rig()), remember=False)
        self.desk.show()
        self.desk.window.resize(1600, 900)
        self.robot, self.pad = self.desk.program.teleoperation, self.desk.rig_page.robot.pad
        self.desk.board.trigger("arms.by_hand")
        self.desk.board.trigger("arms.connect")
        self.wait(lambda: self.desk.program.execution.state == "ready" and self.pad.isEnabled(), 120.0)
        self.robot.choose_speed(FASTEST)

    def wait(self, done: Callable[[], bool], limit: float = 10.0) -> None:
        end = time.monotonic() + limit
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(self.robot.message or self.desk.program.execution.message)
            self.app.processEvents()
            time.sleep(0.001)

    def one_release(self, key: Qt.Key, after: float) -> Release:
        """Hold a key, let go `after` seconds of full speed, and wait until all stands."""
        link = self.desk.program.execution.link
        if link is None or link.world is None:
            raise TimeoutError("the arms are not connected")
        emulator = link.world.emulators[self.robot.arm]
        self.wait(lambda: not self.desk.program.moving)
        QCoreApplication.postEvent(self.pad, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier))
        self.wait(lambda: bool(np.abs(emulator.joints().dq).max() > 0.05))
        finger = Finger(self.desk, emulator, key, after)
        finger.start()
        self.wait(lambda: finger.done and self.robot.mode == "none")
        finger.join()
        self.wait(lambda: link.group.hold_state().state == "over")
        record = link.group.held_record()
        if record is None or self.robot.message:
            raise TimeoutError(self.robot.message or "nothing was recorded")
        step = np.abs(np.diff(record.sent, axis=0)).max(axis=1)
        t, full = record.t_sent[1:] - finger.released, float(np.median(step))
        slower, moving = t[(t > 0) & (step < 0.9 * full)], t[step > 1e-6]
        tip, at = self._tip(finger.samples), np.array([s.t_host for s in finger.samples]) - finger.released
        speed = np.linalg.norm(np.diff(tip, axis=0), axis=1) / np.maximum(np.diff(at), 1e-6)
        late = float(np.linalg.norm(tip[-1] - tip[min(int(np.searchsorted(at, RULE_S)), len(at) - 1)]))
        creeping = float(at[1:][speed >= CREEP].max(initial=0.0))
        return Release(float(slower.min()), float(moving.max()), creeping, float(at[-1]), late)

    def _tip(self, samples: list[JointSample]) -> Array:
        """(N, 3) [m] in base."""
        link = self.desk.program.execution.link
        arm = self.desk.program.execution.rig.arm(self.robot.arm)
        tool = link.tools[arm.name] if link else None
        if tool is None:
            raise TimeoutError("the arms are not connected")
        T = ArmKinematics.load(arm.model).flange_pose(np.array([s.q for s in samples])) @ tool.T_flange_tool
        return np.asarray(T[:, :3, :3] @ tool.tip + T[:, :3, 3])

    def close(self) -> None:
        self.desk.close()


def figures(releases: list[Release]) -> dict[str, object]:
    """p50, p99 and maximum in milliseconds, and how many stood within the rule."""
    found: dict[str, object] = {"releases": len(releases)}
    for field in fields(Release) if releases else ():
        name, unit = ("after_100_ms", "mm") if field.name == "late_m" else (field.name, "ms")
        values = 1e3 * np.array([getattr(release, field.name) for release in releases])
        p50, p99 = np.percentile(values, [50, 99])
        found[name] = {f"p50_{unit}": float(p50), f"p99_{unit}": float(p99), f"max_{unit}": float(values.max())}
    for name in ("last_motion", "creeping", "standstill"):
        found[f"{name}_over_100_ms"] = sum(getattr(release, name) > RULE_S for release in releases)
    return found


def run(wanted: int = WANTED, budget_s: float = BUDGET_S) -> dict[str, object]:
    """Let go as often as wanted, or as often as the time allows."""
    rng, releases, broken = np.random.default_rng(0), list[Release](), list[str]()
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        try:
            end = time.monotonic() + budget_s
            for k in range(2 * wanted):
                if len(releases) == wanted or time.monotonic() > end:
                    break
                try:
                    releases.append(bench.one_release(KEYS[k % 2], float(rng.uniform(*HELD_S))))
                except (TimeoutError, ValueError) as error:
                    broken.append(str(error))
                    bench.robot.let_go()
                    bench.pad.drop()
        finally:
            bench.close()
    return {**figures(releases), "speed_mm_s": 1e3 * FASTEST, "broken": broken[:5], "broken_count": len(broken)}
