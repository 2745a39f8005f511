"""Requests that change or read settings. Most are one value in one field: rows of a table."""

import struct

from hardware.robots.emulator.frames import Frame, floats, from_floats
from hardware.robots.emulator.payloads import Handler, Handlers, Session, at_most, finite, number, positive, take

S16 = 32767


def number_in(field: str) -> Handler:
    """Return a handler that stores one float over zero."""

    def store(s: Session, f: Frame) -> bytes:
        setattr(s.controller.settings, field, positive(number(f)))
        return b""

    return store


def switch(field: str) -> Handler:
    """Return a handler that stores on or off."""

    def store(s: Session, f: Frame) -> bytes:
        setattr(s.controller.settings, field, bool(f.payload[0]))
        return b""

    return store


def upper_of(field: str) -> Handler:
    """Return a handler that stores the upper end of a (lower, upper) field."""

    def store(s: Session, f: Frame) -> bytes:
        lower, _ = getattr(s.controller.settings, field)
        setattr(s.controller.settings, field, (lower, positive(number(f))))
        return b""

    return store


def halting_floats(field: str, count: int) -> Handler:
    """Return a handler that stores floats and waits for set_state(0) afterwards."""

    def store(s: Session, f: Frame) -> bytes:
        setattr(s.controller.settings, field, finite(f, count).tolist())
        s.controller.changed()
        return b""

    return store


def halting_level(field: str) -> Handler:
    """Return a handler that stores a level of 0..5 and waits for set_state(0) afterwards."""

    def store(s: Session, f: Frame) -> bytes:
        setattr(s.controller.settings, field, at_most(f, 5))
        s.controller.changed()
        return b""

    return store


def set_tool(s: Session, f: Frame) -> bytes:
    s.controller.set_tool(finite(f, 6).tolist())
    return b""


def set_world(s: Session, f: Frame) -> bytes:
    s.controller.set_world(finite(f, 6).tolist())
    return b""


def set_boundary(s: Session, f: Frame) -> bytes:
    """Six s32 [mm]; the reports carry them as s16."""
    s.controller.settings.boundary = [max(-S16, min(S16, v)) for v in struct.unpack_from("<6i", f.payload)]
    return b""


def set_ranges(s: Session, f: Frame) -> bytes:
    s.controller.settings.reduced_ranges = finite(f, 14).tolist()
    return b""


def get_reduced(s: Session, _: Frame) -> bytes:
    return bytes([s.controller.settings.reduced_on])


def get_reduced_states(s: Session, _: Frame) -> bytes:
    settings = s.controller.settings
    numbers = [settings.reduced_tcp_speed, settings.reduced_joint_speed, *settings.reduced_ranges]
    head = bytes([settings.reduced_on]) + struct.pack(">6h", *settings.boundary)
    return head + from_floats(numbers) + bytes([settings.fence_on, settings.rebound_on])


def set_tool_model(s: Session, f: Frame) -> bytes:
    """Parameters, if any, then the number of the model of self-collision."""
    values = floats(f.payload, (len(f.payload) - 1) // 4)
    s.controller.settings.tool_model = f.payload[-1]
    s.controller.settings.tool_model_params = [*values, *[0.0] * 6][:6]
    return b""


def set_feedback(s: Session, f: Frame) -> bytes:
    s.controller.settings.feedback = f.payload[0]
    return b""


SETTINGS: Handlers = {
    31: number_in("tcp_jerk"),
    32: upper_of("tcp_acceleration"),
    33: number_in("joint_jerk"),
    34: upper_of("joint_acceleration"),
    35: set_tool,
    36: halting_floats("load", 4),
    37: halting_level("collision_sensitivity"),
    38: halting_level("teach_sensitivity"),
    39: take,  # forget saved settings
    40: take,  # save settings
    47: number_in("reduced_tcp_speed"),
    48: number_in("reduced_joint_speed"),
    49: get_reduced,
    50: switch("reduced_on"),
    51: halting_floats("gravity", 3),
    52: set_boundary,
    53: get_reduced_states,
    56: take,  # safety level
    58: set_ranges,
    59: switch("fence_on"),
    60: switch("rebound_on"),
    66: take,  # approximate motion
    70: take,  # report torque or current
    73: set_world,
    74: take,  # counter
    75: take,
    77: switch("self_collision_on"),
    78: set_tool_model,
    80: take,  # continuous cartesian velocity
    254: set_feedback,
}
