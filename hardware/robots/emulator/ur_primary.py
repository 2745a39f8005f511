"""The primary port 30001: messages about the robot's state; of those, how the arm is configured.

Universal Robots, "Remote control via TCP/IP" (client interface), message type 16, sub-package 6.
"""

import struct

import numpy as np

from hardware.robots.emulator.plant import DDQ_MAX, DQ_MAX
from hardware.robots.emulator.ur_controller import URController

PRIMARY_PORT = 30001
ROBOT_STATE, CONFIGURATION = 16, 6
UR5_TYPE = 1
_REACH = 0.85
_DEFAULTS = (1.05, 1.4, 0.25, 1.2, _REACH)


def configuration_message(controller: URController) -> bytes:
    """Return the message that a client gets when it connects."""
    c, kinematics = controller, controller.arm.kinematics
    limits = np.stack([c.arm.q_lower, c.arm.q_upper], axis=1).ravel()
    speeds = np.tile([DQ_MAX, DDQ_MAX], 6)
    # the vendor's table is standard Denavit-Hartenberg: a and alpha of a joint stand in our next row
    alpha, a = np.append(kinematics.dh[1:, 0], 0.0), np.append(kinematics.dh[1:, 1], 0.0)
    table = np.concatenate([a, kinematics.dh[:, 2], alpha, kinematics.dh[:, 3]])
    numbers = np.concatenate([limits, speeds, _DEFAULTS, table])
    generation = 2 if c.generation.series == "CB3" else 5
    part = struct.pack(f">{len(numbers)}d4i", *numbers, generation, generation, UR5_TYPE, 1)
    part = struct.pack(">IB", len(part) + 5, CONFIGURATION) + part
    return struct.pack(">IB", len(part) + 5, ROBOT_STATE) + part
