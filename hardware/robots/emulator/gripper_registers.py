"""What hangs on the tool's serial line: the gripper, by Modbus frames in register 124, and the line itself.

Addresses and layout: xarm-python-sdk 1.18.4, core/wrapper/uxbus_cmd.py, gripper_modbus_*; values are big-endian.
"""

import struct

from hardware.robots.emulator.frames import Frame
from hardware.robots.emulator.gripper import CLOSED, OPEN, SPEED_RANGE
from hardware.robots.emulator.payloads import Handlers, Refused, Session

HOST, GRIPPER = 9, 8
READ, WRITE = 0x03, 0x10
STATUS, ERROR, ENABLE, MODE, SPEED, RESET = 0x0000, 0x000F, 0x0100, 0x0101, 0x0303, 0x0109
TARGET, POSITION, VERSION = 0x0700, 0x0702, (0x0801, 0x0802, 0x0803)
NO_ANSWER = 19
BAUD_RATE = 0x0A0B
TWO_MEGABAUD = 11


def serial_line(s: Session, f: Frame) -> bytes:
    """A Modbus frame for a device of the tool's line; an absent one makes the controller fail."""
    host, device, function, address, count = struct.unpack_from(">BBBHH", f.payload)
    if device != GRIPPER or not s.controller.gripper.fitted:
        s.controller.fail(NO_ANSWER)
        raise Refused
    head = bytes([host, device, function])
    if function == READ:
        value = _read(s, address, count)
        return head + bytes([len(value)]) + value
    if function != WRITE:
        raise Refused
    _write(s, address, f.payload[8 : 8 + 2 * count])
    return head + struct.pack(">HH", address, count)


def line_setting(_: Session, f: Frame) -> bytes:
    """The line's own settings: its speed is the gripper's."""
    (_, address) = struct.unpack_from(">BH", f.payload)
    return struct.pack(">i", TWO_MEGABAUD if address == BAUD_RATE else 0)


def _read(s: Session, address: int, count: int) -> bytes:
    gripper = s.controller.gripper
    if address == POSITION and count == 2:
        return struct.pack(">i", round(gripper.position))
    words = {STATUS: int(gripper.moving), ERROR: gripper.error, **dict(zip(VERSION, (3, 4, 3), strict=True))}
    if address not in words or count != 1:
        raise Refused
    return struct.pack(">H", words[address])


def _write(s: Session, address: int, value: bytes) -> None:
    gripper = s.controller.gripper
    if address == TARGET:
        gripper.target = float(min(max(struct.unpack(">i", value)[0], CLOSED), OPEN))
        return
    (word,) = struct.unpack(">H", value)
    if address == ENABLE:
        gripper.enabled = bool(word)
    elif address == SPEED:
        gripper.speed = min(max(word, SPEED_RANGE[0]), SPEED_RANGE[1])
    elif address == RESET:
        gripper.error = 0
    elif address != MODE:
        raise Refused


GRIPPERS: Handlers = {124: serial_line, 128: line_setting}
