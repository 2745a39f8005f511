"""What the live views pull while arms move: the cameras' newest pictures and the arms' curves."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from app.dreams.plan_making import planned_tool
from app.execution.session import ExecutionSession
from hardware.geometry import Array, apply
from hardware.kinematics import ArmKinematics
from hardware.types import Frame, Plan, Tool
from widgets.record_values import Fact, StreamRow
from widgets.values import Mood
from widgets.views.types import ArmHistory

_WINDOW_S = 2.0
_SILENT = "No picture for two seconds: is the world or the camera still there?"
_FRESH_S = 0.015
_CURVES_EVERY_S = 0.15
SPEED_OVER_S = 0.1


class Frames(Protocol):
    """What has the newest picture of every camera."""

    def all(self) -> Mapping[str, Frame]: ...


class LatestFrames:
    """A LatestSource over the execution session; reading copies pictures, so all views share what was read."""

    def __init__(self, execution: ExecutionSession) -> None:
        self._execution = execution
        self._read_at, self._frames = 0.0, execution.latest_frames()

    def all(self) -> Mapping[str, Frame]:
        """Return every camera's newest frame, at most 15 ms old news."""
        now = time.monotonic()
        if now - self._read_at > _FRESH_S:
            self._read_at, self._frames = now, self._execution.latest_frames()
        return self._frames

    def latest(self, name: str) -> Frame | None:
        return self.all().get(name)


class RateMeter:
    """Pictures a second of each camera, from the frames' own numbers and times over the last two seconds."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[int, float]]] = {}

    def take(self, frames: Mapping[str, Frame]) -> None:
        """Look at the newest frames; call it some times a second."""
        for name, frame in frames.items():
            seen = self._seen.setdefault(name, deque())
            if not seen or seen[-1][0] != frame.index:
                seen.append((frame.index, frame.t_host))
            while len(seen) > 2 and seen[-1][1] - seen[0][1] > _WINDOW_S:
                seen.popleft()

    def rate(self, name: str, now: float) -> float:
        """[1/s]; 0 once nothing came for two seconds."""
        seen = self._seen.get(name)
        if not seen or len(seen) < 2 or now - seen[-1][1] > _WINDOW_S or seen[-1][1] <= seen[0][1]:
            return 0.0
        return (seen[-1][0] - seen[0][0]) / (seen[-1][1] - seen[0][1])


class SeenCameras:
    """The cameras of the world that the arms move in, by what their pictures show; look some times a second."""

    def __init__(self, frames: Frames, names: Sequence[str]) -> None:
        """names: of the rig's cameras, those that have shown nothing yet too."""
        self._frames, self._names, self._rates = frames, tuple(names), RateMeter()

    def look(self) -> list[StreamRow]:
        """Take note of the newest pictures; return a row for each camera that has shown one."""
        now, frames = time.monotonic(), self._frames.all()
        self._rates.take(frames)
        return [self._row(name, frame, now) for name, frame in frames.items()]

    def waiting(self) -> list[StreamRow]:
        """Return rows for a time in which nothing has come yet."""
        return [StreamRow(name, facts=(Fact("no picture yet"),)) for name in self._names]

    def _row(self, name: str, frame: Frame, now: float) -> StreamRow:
        rate, age = self._rates.rate(name, now), now - frame.t_host
        mood: Mood = "ok" if rate > 0 else "alarm"
        facts = (
            Fact(f"{rate:.1f} fps", mood),
            Fact(f"age {1000 * age:.0f} ms" if age < 1 else f"silent for {age:.0f} s"),
            Fact("simulated"),
        )
        return StreamRow(name, mood=mood, facts=facts, problem="" if rate > 0 else _SILENT)


class CurveFeed:
    """A HistorySource of one run: tip speeds and joint errors from planned and measured joints.

    tools by role, as a dream has them; KeyError where the plan moves a tool that is not among them.
    """

    def __init__(self, execution: ExecutionSession, plan: Plan, tools: Mapping[str, Tool]) -> None:
        self._execution = execution
        self._curves, self._read_at = execution.curves(), 0.0
        tips = {arm.arm: _Tip(arm.model, planned_tool(tools, arm)) for arm in plan.arms}
        self._tips = {name: (tip, tip.copy()) for name, tip in tips.items()}

    def history(self, arm: str) -> ArmHistory | None:
        now = time.monotonic()
        if now - self._read_at > _CURVES_EVERY_S:
            self._curves, self._read_at = self._execution.curves(), now
        curves = self._curves
        if arm not in curves.t or arm not in self._tips or len(curves.t[arm]) < 3:
            return None
        t, commanded, measured = curves.t[arm], curves.commanded[arm], curves.measured[arm]
        planned_tip, measured_tip = self._tips[arm]
        error = np.abs(commanded - measured).max(axis=1)
        return ArmHistory(
            t, error, speed(t, planned_tip.points(commanded)), speed(t, measured_tip.points(measured))
        )


class _Tip:
    """Where an arm's tool tip is for its joints; a run only grows, so that each sample is worked out once."""

    def __init__(self, model: str, tool: Tool) -> None:
        self._model, self._tool = model, tool
        self._kinematics = ArmKinematics.load(model)
        self._tip = apply(tool.T_flange_tool, tool.tip[None])[0]
        self._known = np.zeros((0, 3))

    def copy(self) -> "_Tip":
        return _Tip(self._model, self._tool)

    def points(self, q: Array) -> Array:
        """(N, 3) [m] in base for q (N, J)."""
        if len(q) < len(self._known):
            self._known = np.zeros((0, 3))
        more = apply(self._kinematics.flange_pose(q[len(self._known) :]), self._tip[None])[:, 0]
        self._known = np.concatenate([self._known, more])
        return self._known


def speed(t: Array, points: Array) -> Array:
    """(N,) [m/s] over about a tenth of a second, so that one sample's noise does not fill the plot."""
    half = max(1, int(np.searchsorted(t, t[0] + SPEED_OVER_S)) // 2)
    index = np.arange(len(t))
    ahead, behind = np.minimum(index + half, len(t) - 1), np.maximum(index - half, 0)
    way = np.linalg.norm(points[ahead] - points[behind], axis=1)
    return np.asarray(way / np.maximum(t[ahead] - t[behind], 1e-6))
