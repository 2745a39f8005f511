"""Listens in between the vendor's SDK and an emulated controller: what really went over the wire, and when."""

import contextlib
import multiprocessing
import socket
import struct
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Self

from hardware.robots.emulator.config import CONTROL_PORT
from hardware.robots.emulator.frames import decode
from hardware.robots.emulator.reports import RATES
from hardware.robots.realtime import realtime

SERVO_J, SET_STATE, STOP_STATE = 29, 12, 4


@dataclass(frozen=True)
class Seen:
    """One request on its way to the controller: t [s, host monotonic]."""

    t: float
    register: int
    payload: bytes

    @property
    def joints(self) -> tuple[float, ...]:
        """Joints [rad] of a servo command, float32."""
        return struct.unpack_from("<7f", self.payload)

    @property
    def is_stop(self) -> bool:
        return self.register == SET_STATE and self.payload[:1] == bytes([STOP_STATE])


class WireTap:
    """A process that passes everything on between `address` and the emulator at `target` and keeps the requests.

    hurry: at real-time priority, so that its times are not those of its own waiting for a core.
    """

    def __init__(self, address: str, target: str, *, hurry: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(address, target, theirs, hurry), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(20.0):
            raise TimeoutError("the wire tap did not start")
        self._pipe.recv()

    def take(self) -> list[Seen]:
        """Return the requests since the last call."""
        self._pipe.send("take")
        taken: list[Seen] = self._pipe.recv()
        return taken

    def close(self) -> None:
        self._pipe.close()
        self._process.join(3.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(address: str, target: str, pipe: Pipe, hurry: bool) -> None:
    seen: list[Seen] = []
    with realtime() if hurry else contextlib.nullcontext():
        _listen(address, target, pipe, seen)


def _listen(address: str, target: str, pipe: Pipe, seen: list[Seen]) -> None:
    for port in (CONTROL_PORT, *RATES):
        server = socket.create_server((address, port))
        threading.Thread(target=_accept, args=(server, target, port, seen), daemon=True).start()
    pipe.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while pipe.recv():
            taken = seen[:]
            del seen[: len(taken)]
            pipe.send(taken)


def _accept(server: socket.socket, target: str, port: int, seen: list[Seen]) -> None:
    while True:
        client, _ = server.accept()
        with contextlib.suppress(OSError):
            controller = socket.create_connection((target, port), 2.0)
            controller.settimeout(None)
            for end in (client, controller):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            kept = seen if port == CONTROL_PORT else None
            threading.Thread(target=_pass_on, args=(client, controller, kept), daemon=True).start()
            threading.Thread(target=_pass_on, args=(controller, client, None), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, seen: list[Seen] | None) -> None:
    rest = b""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            t = time.monotonic()
            sink.sendall(chunk)
            if seen is not None:
                frames, rest = decode(rest + chunk)
                seen.extend(Seen(t, frame.register, frame.payload) for frame in frames)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
