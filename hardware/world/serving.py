"""Inside the world process: step, draw, publish, answer, until the parent's end of the pipe closes."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.joints_shm import read_joints
from hardware.world.fisheye import Lens
from hardware.world.frame_memory import FrameMemory
from hardware.world.held_memory import HeldMemory, HeldSample
from hardware.world.live import LiveWorld, WorldTruth
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
from hardware.world.render import SceneRenderer

# pictures give way to the servo processes and the window
NICENESS = 10
# after a pause (a reset, a suspended machine) the world does not rush through what it missed
LONGEST_STEP = 0.25


def serve(settings: Settings, pipe: Connection) -> None:
    """Run until the pipe closes; the first word is the truth at the start, or the exception that prevented it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    try:
        server = _Server(settings)
    except Exception as error:
        with contextlib.suppress(OSError):
            pipe.send(error)
        return
    try:
        pipe.send(server.truth())
        while server.turn(pipe):
            pass
    except (EOFError, OSError):
        pass  # the parent has gone or hung up: that is the end
    finally:
        server.close()


class _Server:
    def __init__(self, settings: Settings) -> None:
        self._settings, self._tools = settings, settings.tools
        self._memories = {c.name: FrameMemory(c.name, c.size, settings.memories[c.name]) for c in settings.cameras}
        self._joints = {name: SharedMemory(block) for name, block in settings.joints.items()}
        self._held = HeldMemory(settings.held_memory)
        self._lenses = {c.name: Lens(c) for c in settings.cameras if c.model == "fisheye"}
        self._faults: dict[str, CameraFault] = {}
        self._indices = dict.fromkeys(self._memories, 0)
        self._chance = np.random.default_rng(settings.seed)
        self._renderers: dict[tuple[int, int], SceneRenderer] = {}
        self._started = time.monotonic()
        self._load = 0.0
        self._lay(settings.task, settings.seed, settings.held_out)
        self._draw_all()

    def truth(self) -> WorldTruth:
        return self._world.truth(self._now)

    def turn(self, pipe: Connection) -> bool:
        """One round: answer, move on to now, draw every camera; False when told to end by a closed pipe."""
        begun = time.monotonic()
        while pipe.poll():
            self._answer(pipe)
        for name in self._memories:
            self._catch_up()
            self._draw(name)
        spare = begun + 1.0 / self._settings.largest_fps - time.monotonic()
        if spare > 0:
            pipe.poll(spare)
        return True

    def close(self) -> None:
        for renderer in self._renderers.values():
            renderer.close()
        for memory in self._memories.values():
            memory.close()
        for block in self._joints.values():
            block.close()
        self._held.close()

    def _answer(self, pipe: Connection) -> None:
        request = pipe.recv()
        try:
            self._do(request)
            reply: object = self.truth()
        except Exception as error:
            reply = error
        pipe.send(reply)

    def _do(self, request: object) -> None:
        if isinstance(request, ResetRequest):
            self._tools = self._tools if request.tools is None else request.tools
            self._lay(request.task, request.seed, request.held_out)
            self._draw_all()
        elif isinstance(request, ShowRequest):
            laid = self._world.layout
            same = (laid.task, laid.held_out) == (request.task, request.held_out)
            if request.fresh or not same:
                self._lay(request.task, request.seed, request.held_out)
                self._draw_all()
            self._world.person.show(request.seed)
            self._now = time.monotonic()
        elif isinstance(request, HoldRequest):
            self._catch_up()
            self._world.person.hold(request.T_world_tool, request.opening)
        elif isinstance(request, BoardRequest):
            self._catch_up()
            if request.arm and request.T_board is not None:
                self._world.board.carry(request.arm, request.T_board)
            else:
                self._world.board.hold(request.T_board)
        elif isinstance(request, LoadRequest):
            self._load = request.force
        elif isinstance(request, PlaceRequest):
            self._world.place(request.name, request.T_world_object)
        elif isinstance(request, FaultRequest):
            if request.fault.camera not in self._memories:
                raise KeyError(f"fault: no camera {request.fault.camera!r}; there are {list(self._memories)}")
            self._faults[request.fault.camera] = request.fault
        elif isinstance(request, TruthRequest):
            self._catch_up()
        else:
            raise ValueError(f"world: {type(request).__name__} is not a request that it knows")

    def _lay(self, task: str, seed: int, held_out: bool) -> None:
        world = LiveWorld(self._settings.rig, self._settings.cameras, self._tools, task, seed, held_out)
        for renderer in self._renderers.values():
            renderer.close()
        sizes = {self._drawn_size(camera.name, camera.size) for camera in self._settings.cameras}
        self._world = world
        self._renderers = {size: SceneRenderer(world.model, size) for size in sizes}
        world.jump(self._angles())
        self._now = time.monotonic()

    def _angles(self) -> Mapping[str, Array]:
        """Where the emulators say the arms are; one that has not spoken yet, or died speaking, is where it was."""
        angles = {}
        for name, block in self._joints.items():
            with contextlib.suppress(TimeoutError):
                sample = read_joints(block)
                if sample.t_host > 0:
                    angles[name] = sample.q
        return angles

    def _catch_up(self) -> None:
        now = time.monotonic()
        self._world.advance(min(now - self._now, LONGEST_STEP), self._angles())
        self._now = now
        self._publish_held()

    def _publish_held(self) -> None:
        """Hand on the samples of the steps just made, with the host times at which they were so."""
        person = self._world.person
        while person.samples:
            m = person.samples.popleft()
            there = {role: T for role, T in m.T_world_tool.items() if np.isfinite(T).all()}
            t_host = self._now - (self._world.time - m.t)
            grip = m.grip + self._load
            self._held.write(HeldSample(self._held.written, t_host, there, m.opening, grip, person.showing))

    def _drawn_size(self, name: str, size: tuple[int, int]) -> tuple[int, int]:
        return self._lenses[name].size if name in self._lenses else size

    def _draw_all(self) -> None:
        for name in self._memories:
            self._draw(name)

    def _draw(self, name: str) -> None:
        fault = self._faults.get(name)
        if fault is not None and fault.kind == "freeze":
            return
        index = self._indices[name]
        self._indices[name] += 1
        if fault is not None and fault.kind == "drop" and self._chance.random() < fault.fraction:
            return
        memory = self._memories[name]
        rgb = self._renderers[self._drawn_size(name, memory.size)].rgb(self._world.data, name)
        if name in self._lenses:
            rgb = self._lenses[name].picture(rgb)
        memory.write(index, self._now, self._now - self._started, rgb)
