"""What the driver asks a UR beside ur-rtde: who it is, how it is configured, and its dashboard. Own, short links.

Every one has a deadline of its own: ur-rtde has none where a controller goes silent.
"""

import secrets
import socket
import struct
import time
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.identity import CHALLENGE_BYTES, answers
from hardware.robots.emulator.ur_frames import CONTROLLER_VERSION, IDENTITY, PROTOCOL_VERSION, decode, encode

DASHBOARD_PORT, PRIMARY_PORT, RTDE_PORT = 29999, 30001, 30004
TIMEOUT = 1.0
ROBOT_STATE, CONFIGURATION = 16, 6
LARGEST_MESSAGE = 1 << 16
JOINTS = 6


class Witness:
    """A connection to the data exchange port that stays open beside ur-rtde's.

    While it lives, the process that answered the challenge still holds the port: ur-rtde, which connects after it
    and cannot challenge anybody, has reached the same one. Raises OSError where the controller is not there or does
    not answer.
    """

    def __init__(self, address: str, port: int) -> None:
        self._link = socket.create_connection((address, port), TIMEOUT)
        try:
            self._ask(PROTOCOL_VERSION, struct.pack(">H", 2))
            self.version = struct.unpack(">4I", self._ask(CONTROLLER_VERSION, b""))
        except BaseException:
            self.close()
            raise

    def proves(self, nonce: bytes) -> bool:
        """Whether the other end is the emulator that was started with this nonce."""
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        try:
            return answers(nonce, challenge, self._ask(IDENTITY, challenge))
        except OSError:
            return False

    @property
    def alive(self) -> bool:
        """Whether the connection still stands."""
        try:
            self._link.setblocking(False)
            return self._link.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        self._link.close()

    def _ask(self, command: int, payload: bytes) -> bytes:
        self._link.settimeout(TIMEOUT)
        self._link.sendall(encode(command, payload))
        received = b""
        while True:
            data = self._link.recv(4096)
            if not data:
                raise ConnectionError("it closed the connection")
            try:
                frames, received = decode(received + data)
            except ValueError as error:
                raise ConnectionError(f"it speaks another protocol ({error})") from error
            for found, answer in frames:
                if found == command:
                    return answer


def dashboard(address: str, command: str, timeout: float = TIMEOUT) -> str:
    """Return the dashboard's answer to one command. Raises OSError where there is none in time [s]."""
    with socket.create_connection((address, DASHBOARD_PORT), timeout) as link:
        deadline = time.monotonic() + timeout
        _line(link, deadline)
        link.sendall(f"{command}\n".encode())
        return _line(link, deadline)


def _line(link: socket.socket, deadline: float) -> str:
    received = b""
    while b"\n" not in received:
        link.settimeout(max(deadline - time.monotonic(), 1e-3))
        data = link.recv(1024)
        if not data:
            raise ConnectionError("the dashboard closed the connection")
        received += data
    return received.split(b"\n", 1)[0].decode("utf-8", "replace").strip()


@dataclass(frozen=True, eq=False)
class Configuration:
    """What a controller says of its arm. ranges (6, 2) [rad]; dq_max (6,) [rad/s]; ddq_max (6,) [rad/s^2];
    dh (4, 6): a [m], d [m], alpha [rad], theta [rad], standard Denavit-Hartenberg as the vendor has it."""

    ranges: Array
    dq_max: Array
    ddq_max: Array
    dh: Array
    robot_type: int


def read_configuration(address: str) -> Configuration | None:
    """Return the arm's configuration from the primary port; None where it does not tell it."""
    deadline = time.monotonic() + TIMEOUT
    try:
        with socket.create_connection((address, PRIMARY_PORT), TIMEOUT) as link:
            while True:
                found = _configuration_in(_message(link, deadline))
                if found is not None:
                    return found
    except (OSError, struct.error, ValueError):
        return None


def _message(link: socket.socket, deadline: float) -> bytes:
    """Return one message of the primary port, type first."""
    size = struct.unpack(">I", _exactly(link, 4, deadline))[0]
    if not 5 <= size <= LARGEST_MESSAGE:
        raise ValueError(f"a message of {size} bytes")
    return _exactly(link, size - 4, deadline)


def _exactly(link: socket.socket, count: int, deadline: float) -> bytes:
    received = b""
    while len(received) < count:
        link.settimeout(max(deadline - time.monotonic(), 1e-3))
        data = link.recv(count - len(received))
        if not data:
            raise ConnectionError("it closed the connection")
        received += data
    return received


def _configuration_in(message: bytes) -> Configuration | None:
    if not message or message[0] != ROBOT_STATE:
        return None
    rest = message[1:]
    while len(rest) >= 5:
        size, kind = struct.unpack_from(">IB", rest)
        if size < 5:
            return None
        if kind == CONFIGURATION:
            return _configuration(rest[5:size])
        rest = rest[size:]
    return None


def _configuration(data: bytes) -> Configuration:
    numbers = np.array(struct.unpack_from(">53d", data))
    _, _, robot_type, _ = struct.unpack_from(">4i", data, 53 * 8)
    speeds = numbers[12:24].reshape(JOINTS, 2)
    return Configuration(
        ranges=numbers[:12].reshape(JOINTS, 2),
        dq_max=speeds[:, 0],
        ddq_max=speeds[:, 1],
        dh=numbers[29:].reshape(4, JOINTS),
        robot_type=robot_type,
    )
