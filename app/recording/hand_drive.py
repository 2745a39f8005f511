"""A person's own hand at a simulated table: what mouse, wheel, keys and sticks ask of the held tools."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

from app.recording.hand_pose import HandPose, Wish, gripper_pose, lowest_height, moved, pointed, tool_pose
from hardware.geometry import Array
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera

GRIPPER = "gripper"
OPEN, CLOSED = 0.08, 0.0  # [m] between a gripper's pads
SPEED, LIFT, TURN = 0.25, 0.12, 1.5  # [m/s], [m/s], [rad/s] of a key or a stick held fully
START_ABOVE, GRIPPER_ABOVE = 0.006, 0.1  # [m] over its lowest that a tool comes in at
GRIPPER_LOWEST = 0.012  # [m] of the point between its finger tips
APART = 0.4  # [m] between two tools that come in, facing each other
Hold = Callable[[Mapping[str, Array | None], float | None], None]
Turned = Literal["z", "yaw", "pitch", "roll"]
WHEEL: Mapping[Turned, float] = {"z": 0.01, "yaw": 0.12, "pitch": 0.1, "roll": 0.1}  # [m], [rad] of a notch


class HandDrive:
    """Owned by one thread. Tools come onto the table when they are first moved; `leave` takes them off it.

    Of two tools, pointing says which is moved; wheel, keys and sticks go on with that one.
    """

    def __init__(self, tools: Mapping[str, str], hold: Hold) -> None:
        """tools: role -> built-in tool or "gripper"; hold: moves held tools, see WorldProcess.hold."""
        self._tools, self._hold = dict(tools), hold
        self._roles = tuple(tools)
        self._last = self._roles[0] if self._roles else ""
        self._opening = OPEN
        self._asked: dict[str, HandPose] = {}
        self._changed = False

    @property
    def gripper(self) -> bool:
        """Whether the tool is the handheld gripper."""
        return GRIPPER in self._tools.values()

    @property
    def hint(self) -> str:
        """How it is done, in a line; "" where there is nothing to hold."""
        if not self._roles:
            return ""
        if self.gripper:
            return "Drag or arrows move, right button grips, wheel lifts, Q and E turn"
        second = "right button moves the other, " if len(self._roles) > 1 else ""
        return f"Drag or arrows move, {second}wheel lifts, Q and E turn, Ctrl+wheel tilts"

    def point(self, camera: Camera, share: tuple[float, float], other: bool = False) -> None:
        """Go to the place on the table that a picture shows there."""
        if self._roles:
            self._last = self._roles[-1 if other else 0]
            self._put(pointed(self._hand(), camera, share))

    def wheel(self, what: Turned, notches: float) -> None:
        """Raise, turn or tilt the tool that was moved last."""
        if self._roles:
            self._put(moved(self._hand(), {what: WHEEL[what] * notches}))

    def squeeze(self) -> None:
        """Close an open gripper, open a closed one."""
        self._opening = CLOSED if self._opening == OPEN else OPEN
        self._changed = True

    def swap(self) -> None:
        """Let wheel, keys and sticks move the other tool."""
        if self._roles:
            self._last = self._roles[(self._roles.index(self._last) + 1) % len(self._roles)]

    def tick(self, wish: Wish, seconds: float) -> None:
        """Go on with what keys or sticks ask for, and tell the world what is new."""
        if any(wish) and self._roles:
            x, y, z, turn = (value * seconds for value in wish)
            self._put(moved(self._hand(), {"x": SPEED * x, "y": SPEED * y, "z": LIFT * z, "yaw": TURN * turn}))
        if self._changed and self._asked:
            poses: dict[str, Array | None] = {role: self._pose(role) for role in self._asked}
            self._hold(poses, self._opening if self.gripper else None)
            self._changed = False

    def leave(self) -> None:
        """Let go, and take off the table what was brought onto it."""
        if self._asked:
            self._hold(dict.fromkeys(self._asked), OPEN if self.gripper else None)
        self._asked.clear()
        self._changed = False

    def _hand(self) -> HandPose:
        return self._asked.get(self._last) or self._start(self._last)

    def _start(self, role: str) -> HandPose:
        tool = self._tools[role]
        lowest = GRIPPER_LOWEST if tool == GRIPPER else lowest_height(load_tool(BUILT_IN_TOOLS[tool]).mesh.vertices)
        z = lowest + (GRIPPER_ABOVE if tool == GRIPPER else START_ABOVE)
        if len(self._roles) == 1:
            return HandPose(z=z, lowest=lowest)
        first = role == self._roles[0]
        return HandPose(-APART / 2 if first else APART / 2, z=z, yaw=0.0 if first else math.pi, lowest=lowest)

    def _put(self, hand: HandPose) -> None:
        if hand != self._asked.get(self._last):
            self._asked[self._last] = hand
            self._changed = True

    def _pose(self, role: str) -> Array:
        make = gripper_pose if self._tools[role] == GRIPPER else tool_pose
        return make(self._asked[role])
