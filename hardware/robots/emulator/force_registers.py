"""Requests of the force-torque sensor: its data, what it gives way to, and how. Registers 200 to 212."""

import struct

from hardware.robots.emulator.frames import Frame, floats, from_floats
from hardware.robots.emulator.payloads import Handlers, Refused, Session, at_most, finite, take
from hardware.robots.emulator.settings import ForceTask

SENSOR_ERROR = 50
_TASK = 7


def data(s: Session, _: Frame) -> bytes:
    return from_floats(s.controller.force)


def enable(s: Session, f: Frame) -> bytes:
    """An arm without a sensor has an error instead."""
    if f.payload[0] and not s.controller.has_force_sensor:
        s.controller.fail(SENSOR_ERROR)
        raise Refused
    s.controller.settings.force_sensor_on = bool(f.payload[0])
    s.controller.zero_force()
    return b""


def set_mode(s: Session, f: Frame) -> bytes:
    """0 off, 1 admittance, 2 force control; the sensor has to be on."""
    mode = at_most(f, 2)
    if mode and not s.controller.settings.force_sensor_on:
        raise Refused
    s.controller.settings.force_sensor_mode = mode
    s.controller.give_way_anew()
    return b""


def get_mode(s: Session, _: Frame) -> bytes:
    return bytes([s.controller.settings.force_sensor_mode])


def zero(s: Session, _: Frame) -> bytes:
    s.controller.zero_force()
    return b""


def set_admittance(s: Session, f: Frame) -> bytes:
    """Task, then mass, stiffness, damping of six axes each."""
    s.controller.settings.admittance = _task(f)
    s.controller.settings.admittance_mkb = floats(f.payload, 18, _TASK)
    return b""


def set_admittance_task(s: Session, f: Frame) -> bytes:
    s.controller.settings.admittance = _task(f)
    return b""


def set_admittance_mkb(s: Session, f: Frame) -> bytes:
    s.controller.settings.admittance_mkb = finite(f, 18).tolist()
    return b""


def set_force_control(s: Session, f: Frame) -> bytes:
    """Task, then the force to apply and limits of six axes each."""
    s.controller.settings.force_control = _task(f)
    s.controller.settings.force_reference = floats(f.payload, 6, _TASK)
    return b""


def set_force_gains(s: Session, f: Frame) -> bytes:
    """Three gains and the largest speed [mm/s, deg/s] of six axes each."""
    values = finite(f, 24).tolist()
    s.controller.settings.force_gains, s.controller.settings.force_speed = values[:18], values[18:]
    return b""


def config(s: Session, _: Frame) -> bytes:
    """All of it, as the vendor's client unpacks it (uxbus_cmd.py, ft_sensor_get_config)."""
    c = s.controller.settings
    head = struct.pack(">BBBBH", c.force_sensor_mode, c.force_sensor_on, int(s.controller.has_force_sensor), 0, 200)
    load = from_floats([0.0] * 5 + [float(v) for v in s.controller.force_zero])
    admittance = bytes([c.admittance.frame, *c.admittance.axes]) + from_floats(c.admittance_mkb)
    control = bytes([c.force_control.frame, *c.force_control.axes]) + from_floats(c.force_reference)
    return head + load + admittance + control + from_floats([0.0] * 6 + c.force_gains + c.force_speed)


def _task(f: Frame) -> ForceTask:
    if len(f.payload) < _TASK or max(f.payload[:_TASK]) > 1:
        raise Refused
    return ForceTask(f.payload[0], tuple(f.payload[1:_TASK]))


FORCE: Handlers = {
    200: data,
    201: enable,
    202: set_mode,
    203: get_mode,
    205: take,  # load of the sensor
    206: zero,
    207: set_admittance,
    208: set_force_gains,
    209: set_force_control,
    210: set_admittance_mkb,
    211: set_admittance_task,
    212: config,
}
