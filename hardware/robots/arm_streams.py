"""The states of a rig's arms as streams, for a recorder."""

import threading
import time
from collections.abc import Mapping

from hardware.arm_in_view import covered
from hardware.rig import Rig
from hardware.robots.arm_group import ArmGroup
from hardware.stream import ArmSample, Ring, StreamInfo
from hardware.types import Camera

RATE_HZ = 50.0  # what an arm says at rest; every cycle of a run is in its record
RING_S = 2.0


class ArmStreams:
    """Looks at the newest states from construction to `close`, in one thread; waits for no arm.

    streams: "NAME_arm" -> what it is, and its ring.
    """

    def __init__(self, group: ArmGroup, rig: Rig) -> None:
        self._group, self._rig = group, rig
        self._T_world_base = {arm.name: arm.T_world_base for arm in rig.arms}
        self._told: dict[str, float] = {}
        self.streams: Mapping[str, tuple[StreamInfo, Ring]] = {
            stream_of(arm.name): (
                StreamInfo(stream_of(arm.name), "arm", RATE_HZ, details={"arm": arm.name, "model": arm.model}),
                Ring(round(RING_S * RATE_HZ)),
            )
            for arm in rig.arms
        }
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm streams")
        self._thread.start()

    def covered(self, camera: Camera) -> dict[str, float]:
        """Return by arm which fraction of a camera's picture its moving parts cover now; empty for a camera whose
        place nobody knows."""
        return covered(self._rig, {name: state.q for name, state in self._group.states().items()}, camera)

    def close(self) -> None:
        """Safe to call twice."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            self._look()
            due = max(due + 1.0 / RATE_HZ, time.monotonic())

    def _look(self) -> None:
        states, openings = self._group.states(), self._group.openings()
        commands, now = self._group.commands(), time.monotonic()
        for name, state in states.items():
            if state.t_host == self._told.get(name):
                continue
            self._told[name] = state.t_host
            stream = stream_of(name)
            ring = self.streams[stream][1]
            # the servo process stamps each state with the clock that all processes of this computer share
            ring.put(
                ArmSample(
                    stream,
                    ring.count,
                    state.t_host,
                    state.t_host,
                    state.q,
                    state.dq,
                    self._T_world_base[name] @ state.T_base_tool,
                    commands.get(name),
                    now,
                    openings.get(name),
                    state.mode,
                )
            )


def stream_of(arm: str) -> str:
    """Return the name of an arm's stream; a camera may have the arm's own."""
    return f"{arm}_arm"
