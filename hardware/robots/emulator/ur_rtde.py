"""One client's session on the RTDE port: what it asked to hear, and what it may write."""

import struct
from collections.abc import Callable, MutableMapping, Sequence
from itertools import chain
from typing import Any

from hardware.robots.emulator.identity import answer
from hardware.robots.emulator.server import ClientGone
from hardware.robots.emulator.ur_controller import URController
from hardware.robots.emulator.ur_frames import (
    CONTROLLER_VERSION,
    DATA,
    IDENTITY,
    IN_USE,
    NOT_FOUND,
    PAUSE,
    PROTOCOL_VERSION,
    SETUP_INPUTS,
    SETUP_OUTPUTS,
    START,
    FrameError,
    count_of,
    decode,
    encode,
    layout,
)
from hardware.robots.emulator.ur_outputs import INPUTS, Value, output

Owners = MutableMapping[str, "RtdeSession"]


class Recipe:
    """Inputs in the order in which a client sends them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, types = names, [INPUTS[name] for name in names]
        self._counts = [count_of(kind) for kind in types]
        self._layout = layout(types)

    def read(self, data: bytes) -> dict[str, Sequence[Any]]:
        """Return the values by name. More bytes than the recipe holds are left alone, as the controller does."""
        found: dict[str, Sequence[Any]] = {}
        values, at = self._layout.unpack_from(data), 0
        for name, count in zip(self._names, self._counts, strict=True):
            found[name] = values[at : at + count]
            at += count
        return found


class RtdeSession:
    """Answers frames; `report` sends the outputs when they are due.

    owners: who writes which input, shared by all sessions: an input belongs to the client that set it up first.
    """

    def __init__(
        self, controller: URController, send: Callable[[bytes], None], owners: Owners, nonce: bytes | None = None
    ) -> None:
        self._controller, self._send, self._owners, self._nonce = controller, send, owners, nonce
        self._received = b""
        self._inputs: list[Recipe] = []
        self._outputs: list[Value] = []
        self._layout = struct.Struct(">")
        self._every, self._cycle, self._started = 1, 0, False

    def take(self, data: bytes) -> None:
        """Take bytes from the client. Raises ClientGone where they are no frames."""
        try:
            frames, self._received = decode(self._received + data)
            for command, payload in frames:
                self._obey(command, payload)
        except (FrameError, struct.error, UnicodeDecodeError) as error:
            raise ClientGone from error

    def report(self) -> None:
        """Send the outputs, in the cycles that the client asked for."""
        self._cycle += 1
        if self._started and self._outputs and self._cycle % self._every == 0:
            c = self._controller
            self._send(encode(DATA, b"\1" + self._layout.pack(*chain.from_iterable(v(c) for v in self._outputs))))

    def leave(self) -> None:
        """The client has gone: its inputs are free again."""
        for name in [name for name, owner in self._owners.items() if owner is self]:
            del self._owners[name]

    def _obey(self, command: int, payload: bytes) -> None:
        if command == DATA:
            self._write(payload)
        elif command == PROTOCOL_VERSION:
            self._send(encode(command, bytes([struct.unpack_from(">H", payload)[0] in (1, 2)])))
        elif command == CONTROLLER_VERSION:
            self._send(encode(command, struct.pack(">4I", *self._controller.generation.version)))
        elif command == SETUP_OUTPUTS:
            self._send(encode(command, self._set_up_outputs(payload)))
        elif command == SETUP_INPUTS:
            self._send(encode(command, self._set_up_inputs(payload)))
        elif command in (START, PAUSE):
            self._started = command == START
            self._send(encode(command, b"\1"))
        elif command == IDENTITY and self._nonce is not None:
            self._send(encode(command, answer(self._nonce, payload)))

    def _set_up_outputs(self, payload: bytes) -> bytes:
        (frequency,) = struct.unpack_from(">d", payload)
        found = [output(name, self._controller) for name in _names(payload[8:])]
        types = [NOT_FOUND if entry is None else entry[0] for entry in found]
        self._outputs = [entry[1] for entry in found if entry is not None]
        whole = len(self._outputs) == len(found) and frequency > 0
        if not whole:
            self._outputs = []
        self._layout = layout([entry[0] for entry in found if entry is not None])
        self._every = max(1, round(self._controller.generation.frequency / frequency)) if whole else 1
        return bytes([whole]) + ",".join(types).encode()

    def _set_up_inputs(self, payload: bytes) -> bytes:
        names = _names(payload)
        types = [self._type_of_input(name) for name in names]
        if {NOT_FOUND, IN_USE} & set(types):
            return b"\0" + ",".join(types).encode()
        self._owners.update(dict.fromkeys(names, self))
        self._inputs.append(Recipe(names))
        return bytes([len(self._inputs)]) + ",".join(types).encode()

    def _type_of_input(self, name: str) -> str:
        if name not in INPUTS:
            return NOT_FOUND
        return INPUTS[name] if self._owners.get(name, self) is self else IN_USE

    def _write(self, payload: bytes) -> None:
        number = payload[0] if payload else 0
        if 0 < number <= len(self._inputs):
            self._controller.write(self._inputs[number - 1].read(payload[1:]))


def _names(payload: bytes) -> list[str]:
    return [name for name in payload.decode("ascii").split(",") if name]
