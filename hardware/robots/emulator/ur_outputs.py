"""The variables that a client may ask the UR's controller for, and the inputs that it may write.

Names and types: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". What an emulated arm has not (currents,
temperatures, digital inputs) reads as zero.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hardware.robots.emulator.ur_controller import REGISTERS, URController

Value = Callable[[URController], Iterable[Any]]


def _zeros(count: int) -> Value:
    return lambda _: (0,) * count


def _constant(*values: Any) -> Value:
    return lambda _: values


_VARIABLES: Mapping[str, tuple[str, Value]] = {
    "timestamp": ("DOUBLE", lambda c: (c.time,)),
    "target_q": ("VECTOR6D", lambda c: c.target_q),
    "target_qd": ("VECTOR6D", lambda c: c.target_qd),
    "target_qdd": ("VECTOR6D", _zeros(6)),
    "target_current": ("VECTOR6D", _zeros(6)),
    "target_moment": ("VECTOR6D", _zeros(6)),
    "actual_q": ("VECTOR6D", lambda c: c.plant.q),
    "actual_qd": ("VECTOR6D", lambda c: c.plant.dq),
    "actual_current": ("VECTOR6D", _zeros(6)),
    "joint_control_output": ("VECTOR6D", _zeros(6)),
    "actual_TCP_pose": ("VECTOR6D", lambda c: c.tool_pose),
    "actual_TCP_speed": ("VECTOR6D", lambda c: c.tool_speed),
    "actual_TCP_force": ("VECTOR6D", lambda c: c.force),
    "target_TCP_pose": ("VECTOR6D", lambda c: c.target_tool_pose),
    "target_TCP_speed": ("VECTOR6D", lambda c: c.tool_speed),
    "actual_digital_input_bits": ("UINT64", _zeros(1)),
    "joint_temperatures": ("VECTOR6D", _constant(*(25.0,) * 6)),
    "actual_execution_time": ("DOUBLE", _zeros(1)),
    "robot_mode": ("INT32", lambda c: (c.robot_mode,)),
    "joint_mode": ("VECTOR6INT32", lambda c: (c.joint_mode,) * 6),
    "safety_mode": ("INT32", lambda c: (c.safety_mode,)),
    "actual_tool_accelerometer": ("VECTOR3D", _zeros(3)),
    "speed_scaling": ("DOUBLE", lambda c: (c.speed_scaling,)),
    "target_speed_fraction": ("DOUBLE", lambda c: (c.speed_slider,)),
    "actual_momentum": ("DOUBLE", _zeros(1)),
    "actual_main_voltage": ("DOUBLE", _constant(48.0)),
    "actual_robot_voltage": ("DOUBLE", _constant(48.0)),
    "actual_robot_current": ("DOUBLE", _zeros(1)),
    "actual_joint_voltage": ("VECTOR6D", _constant(*(48.0,) * 6)),
    "actual_digital_output_bits": ("UINT64", lambda c: (c.digital_outputs,)),
    "runtime_state": ("UINT32", lambda c: (c.runtime_state,)),
    "robot_status_bits": ("UINT32", lambda c: (c.robot_status,)),
    "safety_status_bits": ("UINT32", lambda c: (c.safety_status,)),
    "standard_analog_input0": ("DOUBLE", _zeros(1)),
    "standard_analog_input1": ("DOUBLE", _zeros(1)),
    "standard_analog_output0": ("DOUBLE", _zeros(1)),
    "standard_analog_output1": ("DOUBLE", _zeros(1)),
    "payload": ("DOUBLE", lambda c: (c.payload,)),
    "payload_cog": ("VECTOR3D", lambda c: c.payload_cog),
    "payload_inertia": ("VECTOR6D", _zeros(6)),
}
_FORCE_SENSOR: Mapping[str, tuple[str, Value]] = {"ft_raw_wrench": ("VECTOR6D", lambda c: c.raw_wrench)}
_BITS = ("input_bit_registers0_to_31", "output_bit_registers0_to_31", "output_bit_registers32_to_63")
_REGISTER = re.compile(r"(input|output)_(int|double)_register_(\d+)")

INPUTS: Mapping[str, str] = {
    **{f"input_int_register_{i}": "INT32" for i in range(REGISTERS)},
    **{f"input_double_register_{i}": "DOUBLE" for i in range(REGISTERS)},
    "speed_slider_mask": "UINT32",
    "speed_slider_fraction": "DOUBLE",
    "standard_digital_output_mask": "UINT8",
    "standard_digital_output": "UINT8",
    "configurable_digital_output_mask": "UINT8",
    "configurable_digital_output": "UINT8",
    "tool_digital_output_mask": "UINT8",
    "tool_digital_output": "UINT8",
    "standard_analog_output_mask": "UINT8",
    "standard_analog_output_type": "UINT8",
    "standard_analog_output_0": "DOUBLE",
    "standard_analog_output_1": "DOUBLE",
    "external_force_torque": "VECTOR6D",
    **dict.fromkeys(_BITS[:1], "UINT32"),
}


def output(name: str, controller: URController) -> tuple[str, Value] | None:
    """Return a variable's type and how to read it; None where this generation does not have it."""
    if name in _VARIABLES:
        return _VARIABLES[name]
    if name in _BITS:
        return "UINT32", _zeros(1)
    if name in _FORCE_SENSOR and controller.generation.force_sensor:
        return _FORCE_SENSOR[name]
    found = _REGISTER.fullmatch(name)
    if found is None or int(found[3]) >= REGISTERS:
        return None
    table, index, kind = f"{found[1]}_{found[2]}", int(found[3]), "INT32" if found[2] == "int" else "DOUBLE"
    return kind, lambda c: (getattr(c, table)[index],)
