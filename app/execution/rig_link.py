"""A started rig: its arms, and its cameras where it has drivers for them; simulated where the rig says so."""

import contextlib
import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hardware.mounting import carriers, default_tools, mounted
from hardware.recording.encoder import to_rgb
from hardware.rig import Rig
from hardware.robots.arm_group import ArmGroup
from hardware.robots.base import ArmError
from hardware.stream import Device, Picture
from hardware.types import Frame, Tool
from hardware.world.simulated_rig import SimulatedRig

USUAL_TABLE = ("rotation", 6)  # what the built-in example was dreamt of


@dataclass(eq=False)
class RigLink:
    """What runs. table says what was laid on it, runs counts the executions since: each may have changed it.

    world: the simulation behind it, None for a real rig.
    """

    rig: Rig
    tools: Mapping[str, Tool]
    group: ArmGroup
    cameras: Mapping[str, Device]
    close_all: Callable[[], None]
    table: str = ""
    world: SimulatedRig | None = None
    runs: int = field(default=0)

    @property
    def scene(self) -> str:
        """In words, what stands on the table: another scene voids an approval."""
        return f"{self.table} after {self.runs} runs"

    def lay(self, task: str, seed: int) -> None:
        """Lay another simulated table; the arms stay where they are. Takes a moment: not for the window's thread.

        Raises ValueError naming the tasks, or for a rig that is not simulated.
        """
        if self.world is None:
            raise ValueError(f"rig {self.rig.name}: its table is real: lay it by hand")
        self.world.world.reset(seed, task)
        self.table, self.runs = f"{task} {seed}", 0

    def frames(self) -> dict[str, Frame]:
        """Return each camera's newest picture; a camera that has none is left out."""
        found = {}
        for name, camera in self.cameras.items():
            picture = camera.ring.newest()
            if isinstance(picture, Picture):
                found[name] = Frame(name, picture.index, picture.t_host, picture.t_device, to_rgb(picture))
        return found

    def close(self) -> None:
        """Stop the arms, end every process. Safe to call twice."""
        self.close_all()


def open_rig(
    rig: Rig, tools: Mapping[str, Tool], *, task: str = USUAL_TABLE[0], seed: int = USUAL_TABLE[1]
) -> RigLink:
    """Start everything and connect the arms. tools by role: what the arms carry; task, seed: the simulated table.

    A tool whose role no arm has goes to a free one (hardware/mounting.py), an arm without a tool carries its usual.
    Raises ArmError, DeviceError, OSError, TimeoutError; nothing is left running then. ValueError: too many tools.
    """
    tools = mounted(rig, tools, carriers(rig, tools))
    by_arm = {arm.name: tools[arm.role] for arm in rig.arms if arm.role in tools}
    with contextlib.ExitStack() as started:
        if not rig.simulated:
            group = ArmGroup(rig, by_arm)
            started.callback(group.close)
            group.connect()
            return RigLink(rig, by_arm, group, {}, started.pop_all().close)
        world = started.enter_context(_start_world(rig, tools, task, seed))
        group = ArmGroup(
            world.rig,
            by_arm,
            nonces={name: emulator.nonce for name, emulator in world.emulators.items()},
            control_ports={name: emulator.control_port for name, emulator in world.emulators.items()},
        )
        started.callback(group.close)
        group.connect()
        cameras = {name: world.camera(name) for name in world.world.cameras}
        return RigLink(world.rig, by_arm, group, cameras, started.pop_all().close, f"{task} {seed}", world)


def _start_world(rig: Rig, tools: Mapping[str, Tool], task: str, seed: int) -> SimulatedRig:
    try:
        return SimulatedRig(rig, tools=tools, task=task, seed=seed)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        places = ", ".join(arm.address for arm in rig.arms if arm.emulated)
        what = "close it, or give the rig's arms other loopback addresses"
        raise ArmError(f"rig {rig.name}: an emulated arm runs already at one of {places}: {what}") from error


def default_rig_tools(rig: Rig) -> Mapping[str, Tool]:
    """Return by role what the arms carry while no dream says otherwise."""
    return default_tools(rig)
