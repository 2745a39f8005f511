"""The world process: a simulated table whose cameras are drawn continuously and whose arms follow emulators."""

import contextlib
import multiprocessing
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection

from hardware.cameras.sim import SimCamera
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import Camera, Tool, require
from hardware.world.frame_memory import FrameMemory
from hardware.world.held_memory import HeldMemory
from hardware.world.live import WorldTruth
from hardware.world.messages import (
    BoardRequest,
    CameraFault,
    FaultRequest,
    HoldRequest,
    LoadRequest,
    PlaceRequest,
    ResetRequest,
    Settings,
    ShowRequest,
    TruthRequest,
)
from hardware.world.scene import scaled_camera

__all__ = ["CameraFault", "WorldProcess", "WorldTruth"]

START_TIMEOUT, REPLY_TIMEOUT = 60.0, 30.0


class WorldProcess:
    """A running world. It ends with `close`, or by itself when the process that started it is gone.

    rig: whose cameras and arms; joints: arm name -> name of the shared memory that its emulator writes (an arm
    without one stands at home); tools by role; size (width, height) of all pictures, None: each camera's own;
    largest_fps per camera, so that a fast machine is not spent on pictures. Raises ValueError naming an unknown
    task or a rig without cameras, TimeoutError where it does not come up.
    """

    def __init__(
        self,
        rig: Rig,
        *,
        joints: Mapping[str, str] | None = None,
        tools: Mapping[str, Tool] | None = None,
        task: str = "rotation",
        seed: int = 0,
        size: tuple[int, int] | None = None,
        largest_fps: float = 15.0,
        held_out: bool = False,
    ) -> None:
        require(bool(rig.cameras), f"rig {rig.name}: it has no cameras")
        require(largest_fps > 0, f"largest_fps: {largest_fps} is not positive")
        served = (c.camera for c in rig.cameras)
        self.cameras: Mapping[str, Camera] = {c.name: scaled_camera(c, size or c.size) for c in served}
        self._lock = threading.Lock()
        self._memories = {name: FrameMemory(name, camera.size) for name, camera in self.cameras.items()}
        self._held = HeldMemory()
        settings = Settings(
            rig=rig,
            cameras=tuple(self.cameras.values()),
            memories={name: memory.name for name, memory in self._memories.items()},
            joints=dict(joints or {}),
            tools=dict(tools or {}),
            task=task,
            seed=seed,
            largest_fps=largest_fps,
            held_memory=self._held.name,
            held_out=held_out,
        )
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_child, args=(settings, theirs), name="world")
        try:
            self._process.start()
            theirs.close()
            self._reply(START_TIMEOUT)
        except BaseException:
            self.close()
            raise

    def camera(self, name: str) -> SimCamera:
        """Return a driver of that camera, not yet connected; KeyError lists the cameras there are."""
        if name not in self.cameras:
            raise KeyError(f"the world has no camera {name!r}; it has {list(self.cameras)}")
        return SimCamera(self.cameras[name], self._memories[name].name)

    def memory_name(self, name: str) -> str:
        """Return the name of that camera's shared memory, for a device in another process."""
        return self._memories[name].name

    def reset(
        self,
        seed: int,
        task: str = "rotation",
        tools: Mapping[str, Tool] | None = None,
        held_out: bool = False,
    ) -> None:
        """Lay the table anew, held_out: with objects that training never shows; the arms' tools by role
        replace those
        before unless None. The arms stay where they are, a person leaves."""
        self._ask(ResetRequest(task, seed, None if tools is None else dict(tools), held_out))

    def demonstrate(self, task: str, seed: int, *, held_out: bool = False, fresh: bool = True) -> WorldTruth:
        """Let the scripted person show a task in real time; truth().showing tells when it is over. fresh: the table
        is laid anew first, else it stays as it is. Returns what is so at the start. Raises ValueError for a
        task that
        nobody knows how to show."""
        return self._ask(ShowRequest(task, seed, held_out, fresh))

    def hold(self, T_world_tool: Mapping[str, Array | None], opening: float | None = None) -> WorldTruth:
        """Move held tools by hand towards poses by role, None: let go and leave; opening [m] of a gripper's
        fingers.

        Tools go at no more than 0.4 m/s and 2 rad/s and stay above the table. Raises ValueError naming an unknown
        role. Ends a demonstration that is under way.
        """
        return self._ask(HoldRequest(dict(T_world_tool), opening))

    def hold_board(self, T_world_board: Array | None) -> WorldTruth:
        """Move the calibration board (hardware/world/held_board.py) by hand towards a pose, None: take it away.

        Raises ValueError where that is no pose.
        """
        return self._ask(BoardRequest(T_world_board))

    def fix_board(self, arm: str, T_flange_board: Array) -> WorldTruth:
        """Fix the calibration board to an arm's flange, until it is held elsewhere. Raises ValueError as above."""
        return self._ask(BoardRequest(T_flange_board, arm))

    def hang(self, force: float) -> WorldTruth:
        """Let a known force [N] pull at the handheld gripper's force sensor until another does, 0: nothing more."""
        return self._ask(LoadRequest(force))

    @property
    def held(self) -> HeldMemory:
        """Where held tools really are, at 30 Hz with host times; another process attaches by its name."""
        return self._held

    def truth(self) -> WorldTruth:
        """What is really so now."""
        return self._ask(TruthRequest())

    def place(self, name: str, T_world_object: Array) -> None:
        """Put an object ("thing", "thing/0" ..) somewhere, at rest. KeyError names what there is."""
        self._ask(PlaceRequest(name, T_world_object))

    def inject(self, fault: CameraFault) -> None:
        """Bring about a camera fault; it holds when this returns, until another for that camera replaces it."""
        self._ask(FaultRequest(fault))

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def close(self) -> None:
        """End the process and free its memory; safe to call twice."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        if self._process.pid is not None:
            self._process.join(5.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        for memory in self._memories.values():
            memory.close()
        self._held.close()

    def __enter__(self) -> "WorldProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, message: object) -> WorldTruth:
        with self._lock:
            self._pipe.send(message)
            return self._reply(REPLY_TIMEOUT)

    def _reply(self, timeout: float) -> WorldTruth:
        """Every answer is the truth after the deed, or the exception that it ended in."""
        if not self._pipe.poll(timeout):
            raise TimeoutError(f"world: no word from its process in {timeout} s")
        try:
            reply = self._pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            raise ConnectionError("world: its process has gone; start it again") from error
        if isinstance(reply, BaseException):
            raise reply
        if not isinstance(reply, WorldTruth):
            raise ConnectionError(f"world: its process answered {type(reply).__name__}; start it again")
        return reply


def _child(settings: Settings, pipe: Connection) -> None:
    # here, not above: it binds PyOpenGL to EGL, which the window's process must never be
    from hardware.world.serving import serve

    serve(settings, pipe)
