"""The emulated controller's sockets and clock: one thread that serves clients and lets time go by in 4 ms steps."""

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.faults import Fault
from hardware.robots.emulator.frames import FrameError, decode
from hardware.robots.emulator.joints_shm import write_joints
from hardware.robots.emulator.payloads import Session
from hardware.robots.emulator.registers import reply_to
from hardware.robots.emulator.reports import RATES, report
from hardware.robots.emulator.xarm_controller import XArmController

CYCLE = 0.004
MAX_CATCH_UP = 0.2
MAX_UNSENT = 1 << 18
# small, so that a client that floods its connection does not hold up the clock
READ_AT_ONCE = 1024


class Client:
    """A connection: what came in and is no whole frame yet, and what could not be sent yet."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.received, self.unsent = b"", b""

    def send(self, data: bytes) -> None:
        """Send or keep for later. Raises OSError where the client has gone or does not read."""
        self.unsent += data
        with contextlib.suppress(BlockingIOError):
            self.unsent = self.unsent[self.link.send(self.unsent) :]
        if len(self.unsent) > MAX_UNSENT:
            raise OSError("the client does not read")


class EmulatorServer:
    """Call `turn` for ever. Raises OSError at construction where an address or port cannot be had."""

    def __init__(
        self, config: EmulatorConfig, nonce: bytes | None = None, joints: SharedMemory | None = None
    ) -> None:
        self.controller = XArmController(config)
        self._config, self._nonce, self._joints = config, nonce, joints
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[int, socket.socket] = {}
        self._clients: dict[Client, int] = {}
        self._ended = self._silent = self._frozen = False
        try:
            self._listen()
        except BaseException:
            self.close()
            raise
        self._cycle_at = time.monotonic()
        self._report_at = dict.fromkeys(RATES, self._cycle_at)
        self._publish()

    def __enter__(self) -> "EmulatorServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every socket."""
        self._drop_clients()
        self._stop_listening()
        self._selector.close()

    def watch(self, pipe: Connection) -> None:
        """Take faults and placements from the parent; its end is ours."""
        self._selector.register(pipe, selectors.EVENT_READ, partial(self._ordered, pipe))

    def turn(self) -> bool:
        """Serve what is there, let one cycle go by when it is due; return False once the parent has gone."""
        wait = self._cycle_at + CYCLE - time.monotonic()
        for key, _ in self._selector.select(max(wait, 0.0)):
            key.data()
        now = time.monotonic()
        if now - self._cycle_at > MAX_CATCH_UP:
            self._cycle_at = now - MAX_CATCH_UP
        while now - self._cycle_at >= CYCLE:
            self._cycle_at += CYCLE
            self._cycle()
        return not self._ended

    def _cycle(self) -> None:
        c = self.controller
        if self._frozen:
            c.plant.brake(CYCLE)
        else:
            c.step(CYCLE)
            self._report(self._cycle_at)
        self._publish()

    def _publish(self) -> None:
        if self._joints is not None:
            write_joints(self._joints, self._cycle_at, self.controller.plant.q, self.controller.plant.dq)

    def _report(self, now: float) -> None:
        for port, due in self._report_at.items():
            if now >= due:
                self._report_at[port] = max(due + 1.0 / RATES[port], now)
                readers = [client for client, at in self._clients.items() if at == port and not client.unsent]
                frame = report(port, self.controller) if readers else b""
                for client in readers:
                    self._send(client, frame)

    def _listen(self) -> None:
        for port in (self._config.control_port, *RATES):
            if port in self._listeners:
                continue
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._listeners[port] = listener
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self._config.address, port))
            except OSError as error:
                raise OSError(
                    error.errno, f"emulator: {self._config.address}:{port} cannot be had ({error.strerror})"
                ) from error
            listener.listen(16)
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener, port))

    def _stop_listening(self) -> None:
        for listener in self._listeners.values():
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(listener)
            listener.close()
        self._listeners.clear()

    def _accept(self, listener: socket.socket, port: int) -> None:
        if self._frozen:
            time.sleep(0.001)
            return
        try:
            link, _ = listener.accept()
        except OSError:
            return
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(link)
        self._clients[client] = port
        session = Session(self.controller, partial(self._send, client), self._nonce)
        on_data: Callable[[], None] = partial(self._received, client, session)
        self._selector.register(link, selectors.EVENT_READ, on_data)

    def _received(self, client: Client, session: Session) -> None:
        try:
            data = client.link.recv(READ_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        if self._silent or self._frozen or self._clients.get(client) != self._config.control_port:
            return
        try:
            frames, client.received = decode(client.received + data)
        except FrameError:
            self._drop(client)
            return
        for frame in frames:
            self._send(client, reply_to(session, frame))

    def _send(self, client: Client, data: bytes) -> None:
        if self._silent and self._clients.get(client) == self._config.control_port:
            return
        if client in self._clients:
            try:
                client.send(data)
            except OSError:
                self._drop(client)

    def _drop(self, client: Client) -> None:
        self._clients.pop(client, None)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(client.link)
        client.link.close()

    def _drop_clients(self) -> None:
        for client in list(self._clients):
            self._drop(client)

    def _ordered(self, pipe: Connection) -> None:
        try:
            order = pipe.recv()
        except (EOFError, OSError):
            self._ended = True
            return
        if isinstance(order, Fault):
            self._inject(order)
        else:
            self.controller.place(np.asarray(order, float))
        with contextlib.suppress(OSError):
            pipe.send(None)

    def _inject(self, fault: Fault) -> None:
        if fault.kind == "error":
            self.controller.fail(fault.code)
        elif fault.kind == "warning":
            self.controller.warning = fault.code
        elif fault.kind == "external_force":
            self.controller.wrench = np.array(fault.wrench, float)
        elif fault.kind == "drop_link":
            self._drop_clients()
        elif fault.kind == "refuse":
            self._stop_listening()
            self._drop_clients()
        elif fault.kind == "silent":
            self._silent = True
        elif fault.kind == "freeze":
            self._frozen = True
            self.controller.plant.start_brake()
        else:
            self._silent = self._frozen = False
            self.controller.wrench = np.zeros(6)
            self._listen()
