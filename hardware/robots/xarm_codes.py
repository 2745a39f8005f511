"""Codes of the xArm controller and its SDK in words: meaning and what to do (UFactory user manual, appendix)."""

# code -> (what it means, what to do)
ERRORS: dict[int, tuple[str, str]] = {
    1: ("the emergency stop on the control box is pressed", "release the button, then clear the error"),
    2: ("the emergency stop input of the control box is open", "close the EI circuit, then clear the error"),
    3: ("the emergency stop of the three-position switch is pressed", "release it, then clear the error"),
    10: ("a servo motor reports an error", "switch the control box off and on; call the vendor if it stays"),
    18: ("the force-torque sensor does not answer", "check its cable, or disable the sensor"),
    19: ("the end effector does not answer", "check its cable and baud rate"),
    21: ("the inverse kinematics has no solution", "change the path; it leaves the reach of the arm"),
    22: ("the arm would collide with itself", "change the path; move the joints apart by hand if it stays"),
    23: ("a joint is at its limit", "change the path; move the joint back inside its range"),
    24: ("a joint speed is over its limit", "make the plan slower"),
    25: ("the controller could not plan the motion", "change the path or make it slower"),
    26: ("the controller missed its real-time deadline", "restart the control box"),
    27: ("the controller could not answer a command", "try again; restart the control box if it stays"),
    30: ("a measured joint speed is over its limit", "call the vendor"),
    31: (
        "the motor currents say that something was hit",
        "free the arm, check load and sensitivity, clear the error",
    ),
    33: ("the control box's inputs and outputs fail", "switch the control box off and on"),
    35: (
        "the tool is at the safety boundary",
        "change the path, or move the boundary in the controller's settings",
    ),
    37: ("the arm moved by itself in manual mode", "check load and mounting direction"),
    38: ("a joint angle is not plausible", "press the emergency stop and call the vendor"),
    40: ("no joint trajectory without errors was found", "change the path"),
    50: ("the force-torque sensor cannot be read", "check its cable"),
    51: ("the force-torque sensor refuses its mode", "switch the sensor off and on"),
    52: ("the force-torque sensor cannot be set to zero", "unload the tool and try again"),
    53: ("the force-torque sensor is overloaded", "unload the tool, then clear the error"),
    60: ("the tool is faster than servo mode allows", "make the plan slower"),
    110: ("the arm's base board does not answer", "call the vendor"),
    111: ("a device on the control box's serial line does not answer", "check its cable"),
}
for _joint in range(1, 8):
    ERRORS[10 + _joint] = (f"the servo motor of joint {_joint} reports an error", ERRORS[10][1])

WARNINGS: dict[int, str] = {
    11: "the controller's command queue is full",
    12: "a command had a wrong parameter",
    13: "the controller does not know a command",
    14: "a command has no solution",
}

# what a call to the SDK returned -> (what it means, what to do)
RETURNS: dict[int, tuple[str, str]] = {
    -8: ("the command is outside the joint ranges", "change the path"),
    -2: ("the motors are not enabled", "start again"),
    -1: ("the connection is lost", "check cable and power, then connect again"),
    1: ("the controller has an error", "clear the error"),
    2: ("the controller has a warning", "clear the warning"),
    3: ("the controller does not answer", "check cable and control box, then connect again"),
    4: ("the controller's answer has a wrong length", "connect again"),
    6: ("the controller's answer has a wrong protocol", "connect again"),
    7: ("the controller answered another command", "connect again"),
    8: ("the command could not be sent", "check cable and power, then connect again"),
    9: ("the controller is not ready to move", "clear errors, then start again"),
    10: ("the controller found no valid result", "change the command"),
    11: ("the controller refused the command", "check its settings"),
    12: ("the controller found a parameter wrong", "change the command"),
    22: (
        "the tool's serial line has another speed than the gripper",
        "set 2000000 baud in the controller's settings",
    ),
    102: ("it reports an error of its own", "check that nothing blocks it, then connect again"),
    103: ("it is not enabled", "connect again"),
}


def error_in_words(code: int) -> str:
    """Return "error 31: what it means; what to do"."""
    what, todo = ERRORS.get(code, ("not in this program's table", "look it up in the controller's manual"))
    return f"error {code}: {what}; {todo}"


def return_in_words(code: int) -> str:
    """Return what a return code of the SDK means and what to do."""
    what, todo = RETURNS.get(code, ("unknown", "look it up in the SDK's manual"))
    return f"{what} (code {code}); {todo}"
