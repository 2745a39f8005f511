"""The sockets and the clock of an emulated controller: one thread that serves clients and lets time go by."""

import contextlib
import selectors
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Protocol, Self

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.faults import Fault
from hardware.robots.emulator.joints_shm import write_joints
from hardware.robots.emulator.plant import Plant

MAX_CATCH_UP = 0.2
MAX_UNSENT = 1 << 18


class Controller(Protocol):
    """What the server asks of a make's controller, which has no sockets and no clock of its own."""

    plant: Plant
    wrench: Array

    def step(self, dt: float) -> None: ...

    def place(self, q: Array) -> None: ...

    def disturb(self, fault: Fault) -> None:
        """Bring about a fault of the arm itself: an error, a stop; "none" ends what lasts."""
        ...


class ClientGone(Exception):
    """The client said something that ends its connection."""


class Client:
    """A connection to one port, and what could not be sent yet. take: what to do with bytes that come in."""

    def __init__(self, link: socket.socket, port: int) -> None:
        self.link, self.port = link, port
        self.unsent = b""
        self.take: Callable[[bytes], None] = lambda _: None
        self.leave: Callable[[], None] = lambda: None

    def send(self, data: bytes) -> None:
        """Send or keep for later. Raises OSError where the client has gone or does not read."""
        self.unsent += data
        with contextlib.suppress(BlockingIOError):
            self.unsent = self.unsent[self.link.send(self.unsent) :]
        if len(self.unsent) > MAX_UNSENT:
            raise OSError("the client does not read")


class ControllerServer(ABC):
    """Call `turn` for ever. Raises OSError at construction where an address or port cannot be had.

    cycle [s]: the controller's own; read_at_once [bytes]: small, so that a client that floods its connection does
    not hold up the clock.
    """

    cycle = 0.004
    read_at_once = 1024

    def __init__(
        self,
        controller: Controller,
        config: EmulatorConfig,
        ports: Iterable[int],
        joints: SharedMemory | None = None,
    ) -> None:
        self._controller, self._config, self._joints = controller, config, joints
        self._ports = tuple(ports)
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[int, socket.socket] = {}
        self.clients: list[Client] = []
        self._ended = self.silent = self.frozen = False
        try:
            self._listen()
        except BaseException:
            self.close()
            raise
        self.now = time.monotonic()
        self._publish()

    @abstractmethod
    def welcome(self, client: Client) -> None:
        """A client has connected: set what it takes, send it a greeting."""

    @abstractmethod
    def report(self) -> None:
        """Send what is due to those who listen, after every cycle."""

    def __enter__(self) -> Self:
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
        wait = self.now + self.cycle - time.monotonic()
        for key, _ in self._selector.select(max(wait, 0.0)):
            key.data()
        now = time.monotonic()
        if now - self.now > MAX_CATCH_UP:
            self.now = now - MAX_CATCH_UP
        while now - self.now >= self.cycle:
            self.now += self.cycle
            self._cycle()
        return not self._ended

    def send(self, client: Client, data: bytes) -> None:
        """Send, or drop a client that does not read."""
        if client in self.clients:
            try:
                client.send(data)
            except OSError:
                self._drop(client)

    def is_mute(self, client: Client) -> bool:
        """Whether a silent controller ignores this client."""
        return self.silent

    def _cycle(self) -> None:
        if self.frozen:
            self._controller.plant.brake(self.cycle)
        else:
            self._controller.step(self.cycle)
            self.report()
        self._publish()

    def _publish(self) -> None:
        if self._joints is not None:
            write_joints(self._joints, self.now, self._controller.plant.q, self._controller.plant.dq)

    def _listen(self) -> None:
        for port in self._ports:
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
        if self.frozen:
            time.sleep(0.001)
            return
        try:
            link, _ = listener.accept()
        except OSError:
            return
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(link, port)
        self.clients.append(client)
        self._selector.register(link, selectors.EVENT_READ, partial(self._received, client))
        self.welcome(client)

    def _received(self, client: Client) -> None:
        try:
            data = client.link.recv(self.read_at_once)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        if self.frozen or self.is_mute(client):
            return
        try:
            client.take(data)
        except ClientGone:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)
            client.leave()
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(client.link)
        client.link.close()

    def _drop_clients(self) -> None:
        for client in list(self.clients):
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
            self._controller.place(np.asarray(order, float))
        with contextlib.suppress(OSError):
            pipe.send(None)

    def _inject(self, fault: Fault) -> None:
        if fault.kind == "external_force":
            self._controller.wrench = np.array(fault.wrench, float)
        elif fault.kind == "drop_link":
            self._drop_clients()
        elif fault.kind == "refuse":
            self._stop_listening()
            self._drop_clients()
        elif fault.kind == "silent":
            self.silent = True
        elif fault.kind == "freeze":
            self.frozen = True
            self._controller.plant.start_brake()
        else:
            self._controller.disturb(fault)
        if fault.kind == "none":
            self.silent = self.frozen = False
            self._controller.wrench = np.zeros(6)
            self._listen()
