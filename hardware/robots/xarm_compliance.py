"""The xArm's force-torque sensor: what it lets the arm do, and the vendor's calls for it.

xarm-python-sdk 1.18.4, set_ft_sensor_*: admittance where a spring is asked for, force control elsewhere. Both work
in position mode only: while a plan is streamed the sensor only measures (hardware/giving_way.py).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from hardware.robots.compliance import Compliance, Yielding

OFF, ADMITTANCE, FORCE_CONTROL = 0, 1, 2
# mass [kg] and inertia [kg m^2] that the vendor's examples set; gains in the middle of what its client accepts
MASS, INERTIA = 0.05, 0.0005
GAINS = ([0.005] * 6, [0.00005] * 6, [0.0] * 6)
STIFFEST = np.array([2000.0] * 3 + [20.0] * 3)

Do = Callable[..., None]


def statement(arm: Any, fitted: bool) -> Compliance:
    """Return what the arm of an SDK connection has; fitted: whether the controller knows of a sensor.

    The same whether the sensor is on or off: it stands in the limits that a person approves.
    """
    collision = f"Stops at a collision by its motor currents (sensitivity {int(arm.collision_sensitivity)} of 5)"
    if not fitted:
        return Compliance("none", False, f"{collision}; no force-torque sensor: it cannot feel or limit a force.")
    return Compliance(
        "on demand",
        True,
        f"{collision}; a force-torque sensor at its wrist is switched on for a plan that gives way. Any other "
        "plan it follows stiffly.",
    )


def start(arm: Any, wanted: Yielding, do: Do) -> None:
    """Switch the sensor on, tell the task, and enter it. do: makes one call of the SDK or raises ArmError.

    Raises ValueError for what an xArm cannot do.
    """
    frame, axes = (1 if wanted.frame == "tool" else 0), list(wanted.axes)
    pushes = bool(np.abs(wanted.push).max() > 0)
    if pushes and wanted.stiffness.any():
        raise ValueError("an xArm can press or be a spring, not both; leave push or stiffness at zero")
    if (wanted.stiffness > STIFFEST).any():
        raise ValueError(f"stiffness {wanted.stiffness.tolist()} is over what an xArm takes: {STIFFEST.tolist()}")
    do("switch its force-torque sensor on", arm.set_ft_sensor_enable, 1)
    do("zero its force-torque sensor", arm.set_ft_sensor_zero, good=(0, 9))
    if pushes or not wanted.stiffness.any():
        # millimetres and degrees a second
        speed = np.concatenate([wanted.speed[:3] * 1e3, np.degrees(wanted.speed[3:])]).tolist()
        do(
            *("take the force to press with", arm.set_ft_sensor_force_parameters),
            *(frame, axes, wanted.push.tolist(), [0.0] * 6, *GAINS, speed),
        )
    else:
        mass = [MASS] * 3 + [INERTIA] * 3
        do(
            *("take its stiffness", arm.set_ft_sensor_admittance_parameters),
            *(frame, axes, mass, wanted.stiffness.tolist(), [0.0] * 6),
        )
    task = ADMITTANCE if wanted.stiffness.any() else FORCE_CONTROL
    do("give way", arm.set_ft_sensor_mode, task)
    do("get ready", arm.set_state, 0)
