"""One emulated arm controller in a process of its own, started and ended by this program."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.config import MODELS, EmulatorConfig
from hardware.robots.emulator.faults import Fault
from hardware.robots.emulator.identity import new_nonce
from hardware.robots.emulator.joints_shm import JointSample, create_joints, read_joints
from hardware.robots.emulator.server import ControllerServer
from hardware.robots.emulator.ur_server import URServer
from hardware.robots.emulator.xarm_server import XArmServer
from hardware.robots.realtime import realtime

__all__ = ["EmulatorConfig", "EmulatorProcess", "Fault", "JointSample", "read_joints", "run_standalone"]

SERVERS: Mapping[str, Callable[[EmulatorConfig, bytes | None, SharedMemory | None], ControllerServer]] = {
    "xarm": XArmServer,
    "ur": URServer,
}
START_TIMEOUT = 60.0
REPLY_TIMEOUT = 5.0


class EmulatorProcess:
    """A running emulator. It ends with `close`, or by itself when the process that started it is gone.

    A daemonic process (in multiprocessing's sense) cannot start one. Raises OSError where the ports are taken,
    TimeoutError where it does not come up.
    """

    def __init__(
        self,
        address: str = "127.0.0.11",
        *,
        control_port: int = 0,
        model: str = "xarm7",
        q_start: Sequence[float] | Array | None = None,
        kinematics_error_mm: float = 0.0,
        unlock_after_s: float = 5.0,
        force_sensor: bool = True,
        gripper: bool = True,
    ) -> None:
        start = () if q_start is None else tuple(float(v) for v in q_start)
        self.config = EmulatorConfig(
            address, control_port, model, start, kinematics_error_mm, unlock_after_s, force_sensor, gripper
        )
        self.nonce = new_nonce()
        self._lock = threading.Lock()
        self._shm: SharedMemory = create_joints(len(self.config.q_start))
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_child,
            args=(self.config, self.nonce, self._shm.name, theirs),
            name=f"emulator {address}",
            daemon=True,
        )
        try:
            self._process.start()
            theirs.close()
            self._expect(START_TIMEOUT)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        return self.config.address

    @property
    def control_port(self) -> int:
        return self.config.control_port

    @property
    def joints_shm(self) -> str:
        """Name of the shared memory block that `read_joints` reads."""
        return self._shm.name

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def joints(self) -> JointSample:
        """Return where the arm is now."""
        return read_joints(self._shm)

    def inject(self, fault: Fault) -> None:
        """Bring about a fault; it holds when this returns."""
        self._ask(fault)

    def place(self, q: Sequence[float] | Array) -> None:
        """Put the arm at joint positions (J,) [rad] at once, at rest, without errors: for resets of the world."""
        self._ask(np.asarray(q, float).reshape(len(self.config.q_start)))

    def close(self) -> None:
        """End the process and free its memory; safe to call twice."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        if self._process.pid is not None:
            self._process.join(3.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._shm.close()
        with contextlib.suppress(FileNotFoundError):
            self._shm.unlink()

    def __enter__(self) -> "EmulatorProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, message: Fault | Array) -> None:
        with self._lock:
            self._pipe.send(message)
            self._expect(REPLY_TIMEOUT)

    def _expect(self, timeout: float) -> None:
        """Wait for the child's word: None is good, an exception is raised here."""
        if not self._pipe.poll(timeout):
            raise TimeoutError(f"emulator {self.address}: no word from its process in {timeout} s")
        try:
            reply = self._pipe.recv()
        except EOFError as error:
            raise ConnectionError(f"emulator {self.address}: its process has gone") from error
        if isinstance(reply, BaseException):
            raise reply


def run_standalone(host: str = "127.0.0.1", port: int = 0, model: str = "xarm7") -> int:
    """Serve one emulated controller in this process until SIGINT or SIGTERM; print "ready"; return 0.

    port 0: the model's own. It knows no nonce, so no program takes it for an emulator that it started itself (rule
    of motion 7).
    Raises ValueError for another model or an address off the loopback, OSError where a port is taken.
    """
    stop = threading.Event()
    with _serve(EmulatorConfig(host, port, model)) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        print("ready", flush=True)
        while not stop.is_set():
            server.turn()
    return 0


def _serve(
    config: EmulatorConfig, nonce: bytes | None = None, joints: SharedMemory | None = None
) -> ControllerServer:
    return SERVERS[MODELS[config.model].vendor](config, nonce, joints)


def _child(config: EmulatorConfig, nonce: bytes, shm_name: str, pipe: Connection) -> None:
    """The emulator's process: serve until the parent's end of the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    shm = SharedMemory(shm_name)
    try:
        with _serve(config, nonce, shm) as server:
            pipe.send(None)
            server.watch(pipe)
            # it stands for a controller with a computer of its own, which never waits for this one's load
            with realtime():
                while server.turn():
                    pass
    except OSError as error:
        with contextlib.suppress(OSError):
            pipe.send(error)
    finally:
        shm.close()
