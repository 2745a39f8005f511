"""Plans of arms that push something, for tests."""

import numpy as np

from hardware.geometry import Array
from hardware.mounting import mounted
from hardware.planning import ToolPath, default_limits, plan
from hardware.rig import Rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Plan, Tool
from hardware.world.tasks.layout import lying_at


def tools_of(rig: Rig) -> dict[str, Tool]:
    """By role, the pusher on the left arm."""
    return mounted(rig, {"tool": load_tool(BUILT_IN_TOOLS["pusher"])}, {"tool": "left"})


def pushed(rig: Rig, tools: dict[str, Tool], start: Array, way: Array) -> Plan:
    """The left arm's pusher going from start (2,) along way (2,), low over the table, facing where it goes."""
    yaw = float(np.arctan2(way[1], way[0]))
    poses = np.stack([lying_at(start + s * way, yaw, 0.043) for s in np.linspace(0, 1, 7)])
    arm = rig.arm("left")
    return plan(
        {"left": ToolPath(np.arange(7) / 6, poses)}, rig, {"left": default_limits(rig, arm)},
        tools={"left": tools["left"], "right": tools["right"]},
        q_start={a.name: a.home for a in rig.arms}, fps=6.0,
    )  # fmt: skip
