"""What the live views pull while arms move: the cameras' newest pictures and the arms' curves."""

import time
from collections import deque
from collections.abc import Mapping

import numpy as np

from app.execution import ExecutionSession
from hardware.geometry import Array, apply
from hardware.kinematics import ArmKinematics
from hardware.rig import Rig
from hardware.types import Frame, Plan, Tool
from widgets.views.types import ArmHistory

_WINDOW_S = 2.0
_FRESH_S = 0.015


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


class CurveFeed:
    """A HistorySource of one run: tip speeds and joint errors from planned and measured joints."""

    def __init__(self, execution: ExecutionSession, rig: Rig, plan: Plan, tools: Mapping[str, Tool]) -> None:
        self._execution = execution
        self._reach = {arm.arm: _Reach(arm.model, tools.get(arm.tool), rig.arm(arm.arm).role) for arm in plan.arms}

    def history(self, arm: str) -> ArmHistory | None:
        curves = self._execution.curves()
        if arm not in curves.t or arm not in self._reach or len(curves.t[arm]) < 3:
            return None
        t, commanded, measured = curves.t[arm], curves.commanded[arm], curves.measured[arm]
        reach = self._reach[arm]
        return ArmHistory(
            t, np.abs(commanded - measured).max(axis=1), reach.tip_speed(t, commanded), reach.tip_speed(t, measured)
        )


class _Reach:
    """Where an arm's tool tip is for its joints."""

    def __init__(self, model: str, tool: Tool | None, _role: str) -> None:
        self._kinematics = ArmKinematics.load(model)
        self._tip = apply(tool.T_flange_tool, tool.tip[None])[0] if tool else np.zeros(3)

    def tip_speed(self, t: Array, q: Array) -> Array:
        """(N,) [m/s] over about a tenth of a second, so that one sample's noise does not fill the plot."""
        points = apply(self._kinematics.flange_pose(q), self._tip[None])[:, 0]
        step = max(1, int(np.searchsorted(t, t[0] + 0.1)) if len(t) else 1)
        ahead, behind = (
            np.minimum(np.arange(len(t)) + step // 2 + 1, len(t) - 1),
            np.maximum(np.arange(len(t)) - step // 2, 0),
        )
        way = np.linalg.norm(points[ahead] - points[behind], axis=1)
        return np.asarray(way / np.maximum(t[ahead] - t[behind], 1e-6))
