"""What a UR's safety and robot modes mean, and what to do.

Universal Robots, "Real-Time Data Exchange (RTDE) Guide" (numbers), user manuals (what to do). A safety mode is its
own error code; a robot mode other than running is 100 more than its number.
"""

from collections.abc import Mapping

RUNNING, IDLE, POWER_OFF = 7, 5, 3
PROTECTIVE_STOP = 3
NO_ERROR = (1, 2)
_MODE = 100

SAFETY: Mapping[int, tuple[str, str]] = {
    3: (
        "protective stop: the arm was hit, or asked for what it cannot do",
        "look why, then clear the error",
    ),
    4: ("recovery mode: a joint is outside its safety limits", "move the arm back by hand on the teach pendant"),
    5: ("safeguard stop: a gate or a light curtain is open", "close it, then clear the error"),
    6: ("emergency stop of the cell is pressed", "release it, then clear the error"),
    7: ("emergency stop of the arm is pressed", "release it, then clear the error"),
    8: ("a safety limit was violated", "restart safety on the teach pendant"),
    9: ("the safety system has failed", "restart the control box; if it stays, ask the vendor"),
    11: ("the three-position switch does not allow motion", "hold it in the middle, or leave manual mode"),
}
MODES: Mapping[int, tuple[str, str]] = {
    -1: ("it has no controller", "check the control box"),
    0: ("it is disconnected", "switch the control box on"),
    1: ("a person has to confirm the safety configuration", "confirm it on the teach pendant"),
    2: ("it is starting", "wait and connect again"),
    3: ("its motors are off", "clear the error: that switches them on"),
    4: ("its motors are being switched on", "wait and try again"),
    5: ("its brakes are closed", "clear the error: that opens them"),
    6: ("it is in back-drive", "leave it on the teach pendant"),
    8: ("its firmware is being updated", "wait until that is done"),
}


def code_of(robot_mode: int, safety_mode: int) -> int:
    """Return the error code; 0 where the arm may move."""
    if safety_mode not in NO_ERROR:
        return safety_mode
    return 0 if robot_mode == RUNNING else _MODE + robot_mode


def error_in_words(code: int) -> str:
    """Return "error 3: what it means; what to do"."""
    table, number = (SAFETY, code) if code < _MODE - 1 else (MODES, code - _MODE)
    what, todo = table.get(number, ("not in this program's table", "look it up on the teach pendant"))
    return f"error {code}: {what}; {todo}"
