"""A simulated rig, running: one emulated controller per arm and one world, owned and joined by one object."""

import contextlib
import random
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hardware.cameras.sim import SimCamera
from hardware.mounting import default_tools
from hardware.rig import ArmConfig, Rig, load_rig
from hardware.robots.emulator.config import MODELS
from hardware.robots.emulator.process import EmulatorProcess
from hardware.types import Tool
from hardware.world.process import WorldProcess


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def _on_free_address(arm: ArmConfig) -> ArmConfig:
    """Return the arm as it is, or at another loopback address where its own is taken: by a second window, say."""
    port = MODELS[arm.model].port
    if not arm.emulated or _is_free(arm.address, port):
        return arm
    others = (f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{n}" for n in range(2, 250))
    return replace(arm, address=next((address for address in others if _is_free(address, port)), arm.address))


def _start_emulators(rig: Rig, started: contextlib.ExitStack) -> dict[str, EmulatorProcess]:
    """Start the controllers side by side; every one that came up is in `started`, whatever another one raised."""
    arms = [arm for arm in rig.arms if arm.emulated]
    with ThreadPoolExecutor(max(len(arms), 1)) as pool:
        starting = {
            arm.name: pool.submit(EmulatorProcess, arm.address, model=arm.model, q_start=arm.home) for arm in arms
        }
    for future in starting.values():
        if future.exception() is None:
            started.enter_context(future.result())
    return {name: future.result() for name, future in starting.items()}


class SimulatedRig:
    """Starts every part on construction; ends all with `close` or a with statement.

    Every process also ends by itself when this one is gone. tools by role: what the arms carry (None: the default
    grippers); size of all pictures (None: each camera's own). `rig` says where the emulated arms really are. Raises
    what its parts raise, leaving nothing behind.
    """

    def __init__(
        self,
        rig: Rig | None = None,
        *,
        tools: Mapping[str, Tool] | None = None,
        task: str = "rotation",
        seed: int = 6,
        size: tuple[int, int] | None = None,
        largest_fps: float = 15.0,
    ) -> None:
        asked = rig or load_rig("sim")
        self.rig = replace(asked, arms=tuple(_on_free_address(arm) for arm in asked.arms))
        self._cameras: dict[str, SimCamera] = {}
        self._parts = contextlib.ExitStack()
        with contextlib.ExitStack() as started:
            self.emulators = _start_emulators(self.rig, started)
            self.world = WorldProcess(
                self.rig,
                joints={name: emulator.joints_shm for name, emulator in self.emulators.items()},
                tools=default_tools(self.rig) if tools is None else tools,
                task=task,
                seed=seed,
                size=size,
                largest_fps=largest_fps,
            )
            started.enter_context(self.world)
            for name in self.world.cameras:
                camera = self.world.camera(name)
                camera.connect()
                started.callback(camera.disconnect)
                self._cameras[name] = camera
            self._parts = started.pop_all()

    def camera(self, name: str) -> SimCamera:
        """Return the connected camera of that name; KeyError lists the cameras there are."""
        if name not in self._cameras:
            raise KeyError(f"the simulated rig has no camera {name!r}; it has {list(self._cameras)}")
        return self._cameras[name]

    def close(self) -> None:
        """End every process and free their memory; safe to call twice."""
        self._parts.close()

    def __enter__(self) -> "SimulatedRig":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
