"""The UR's dashboard, port 29999: one line in, one line out.

Commands and replies: Universal Robots, "Dashboard Server e-Series" and "Dashboard Server CB-Series".
"""

from collections.abc import Callable, Mapping

from hardware.robots.emulator.ur_controller import (
    EMERGENCY_STOP,
    IDLE,
    NORMAL,
    PAUSED,
    PLAYING,
    POWER_OFF,
    PROTECTIVE_STOP,
    RUNNING,
    URController,
)

BANNER = "Connected: Universal Robots Dashboard Server"
LONGEST_LINE = 1000
ROBOT_MODES = {POWER_OFF: "POWER_OFF", 4: "BOOTING", IDLE: "IDLE", RUNNING: "RUNNING"}
SAFETY_MODES = {
    NORMAL: "NORMAL",
    PROTECTIVE_STOP: "PROTECTIVE_STOP",
    EMERGENCY_STOP: "ROBOT_EMERGENCY_STOP",
}
_TOO_SOON = (
    "Cannot unlock protective stop until 5s after occurrence. "
    "Always inspect cause of protective stop before unlocking"
)
Reply = Callable[[URController], str]


def _version(c: URController) -> str:
    major, minor, patch, build = c.generation.version
    return f"URSoftware {major}.{minor}.{patch}.{build} (Emulated)"


def _stop(c: URController) -> str:
    c.end_program()
    return "Stopped"


def _play(c: URController) -> str:
    return "Starting program" if c.resume() else "Failed to execute: play"


def _pause(c: URController) -> str:
    if not c.program_running:
        return "Failed to execute: pause"
    c.runtime_state = PAUSED
    c.halt()
    return "Pausing program"


def _power(mode: int, words: str) -> Reply:
    def reply(c: URController) -> str:
        c.power(mode)
        return words

    return reply


def _unlock(c: URController) -> str:
    return "Protective stop releasing" if c.unlock() else _TOO_SOON


def _program_state(c: URController) -> str:
    names = {PLAYING: "PLAYING", PAUSED: "PAUSED"}
    return f"{names.get(c.runtime_state, 'STOPPED')} <unnamed>"


REPLIES: Mapping[str, Reply] = {
    "polyscopeversion": _version,
    "version": lambda c: ".".join(map(str, c.generation.version[:3])),
    "get serial number": lambda c: c.generation.serial,
    "get robot model": lambda c: c.model.removesuffix("e").upper(),
    "is in remote control": lambda c: "true",
    "get operational mode": lambda c: "NONE",
    "stop": _stop,
    "play": _play,
    "pause": _pause,
    "power on": _power(IDLE, "Powering on"),
    "power off": _power(POWER_OFF, "Powering off"),
    "brake release": _power(RUNNING, "Brake releasing"),
    "unlock protective stop": _unlock,
    "close safety popup": lambda c: "closing safety popup",
    "close popup": lambda c: "closing popup",
    "restart safety": lambda c: "Restarting safety",
    "robotmode": lambda c: f"Robotmode: {ROBOT_MODES[c.robot_mode]}",
    "safetymode": lambda c: f"Safetymode: {SAFETY_MODES[c.safety_mode]}",
    "safetystatus": lambda c: f"Safetystatus: {SAFETY_MODES[c.safety_mode]}",
    "programstate": _program_state,
    "running": lambda c: f"Program running: {str(c.program_running).lower()}",
    "isprogramsaved": lambda c: "true <unnamed>",
    "get loaded program": lambda c: "No program loaded",
    "quit": lambda c: "Disconnected",
    "shutdown": lambda c: "Shutting down",
}
_WITH_WORDS = {"popup ": "showing popup", "addtolog ": "Added log message", "setuserrole ": "Setting user role: "}


def reply_to(controller: URController, line: str) -> str:
    """Return the answer to one line. Commands that begin a sentence take the rest as words."""
    command = line.strip()
    lower = command.lower()
    if lower in REPLIES:
        return REPLIES[lower](controller)
    for start, reply in _WITH_WORDS.items():
        if lower.startswith(start):
            return reply
    if lower.startswith("load "):
        return f"File not found: {command[5:]}"
    return f"could not understand: '{command}'"
