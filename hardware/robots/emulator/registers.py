"""The requests of the xArm control port: one table of registers, gathered from those of each part.

Numbers and payloads: xarm-python-sdk 1.18.4, core/config/x_config.py and core/wrapper/uxbus_cmd.py.
"""

import struct
from collections import ChainMap

from hardware.robots.emulator.force_registers import FORCE
from hardware.robots.emulator.frames import STATUS_INVALID, Frame, encode_reply
from hardware.robots.emulator.gripper_registers import GRIPPERS
from hardware.robots.emulator.motion_registers import MOTION
from hardware.robots.emulator.payloads import Handlers, Refused, Session
from hardware.robots.emulator.settings_registers import SETTINGS
from hardware.robots.emulator.state_registers import STATE

HANDLERS: Handlers = ChainMap(dict(STATE), dict(MOTION), dict(SETTINGS), dict(FORCE), dict(GRIPPERS))
ILLEGAL_FUNCTION = 1


def reply_to(session: Session, frame: Frame) -> bytes:
    """Return the reply to a request. What cannot be read, or is not known, is answered as invalid; never raises."""
    if frame.protocol == 0:
        return _standard_modbus(frame)
    handler = HANDLERS.get(frame.register)
    try:
        if handler is None:
            raise Refused
        payload, invalid = handler(session, frame), 0
    except Refused as refused:
        payload, invalid = refused.payload, STATUS_INVALID
    except (struct.error, ValueError, IndexError, OverflowError):
        payload, invalid = b"", STATUS_INVALID
    return encode_reply(frame, session.controller.status | invalid, payload)


def _standard_modbus(frame: Frame) -> bytes:
    """The vendor's standard Modbus TCP is not emulated: every function is answered as an illegal one."""
    function = (frame.payload[0] if frame.payload else 0) | 0x80
    return struct.pack(">HHHBBB", frame.transaction, 0, 3, frame.register, function, ILLEGAL_FUNCTION)
