"""URScript as far as clients of the script port send it: ur-rtde's control program, its paths, and lists of moves.

It is no interpreter: a program is a list of calls with numbers, without conditions and loops. One with a call that
it does not know is not run, as one with a syntax error on the controller. Blends are not done: every move ends
standing.
"""

import re
from collections.abc import Iterator

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.motion import JointMove, LineMove, Motion
from hardware.robots.emulator.plant import BRAKE_DDQ
from hardware.robots.emulator.ur_controller import Program, URController
from hardware.robots.emulator.ur_program import ControlProgram
from hardware.robots.ur_units import T_from_pose

CONTROL_PROGRAM = "def rtde_control():"
_PATH = re.compile(r"# inject move path\n(.*?)^\s*end$", re.DOTALL | re.MULTILINE)
_CALL = re.compile(r"(\w+)\((.*)\)$")
_LIST = re.compile(r"(p?)\[([^\]]*)\]")
_NAMED = re.compile(r"(\w+)\s*=\s*([-+.\deE]+)")
_IGNORED = frozenset({"textmsg", "sync", "popup"})
KNOWN = _IGNORED | {
    *("movej", "movel", "movep", "stopj", "stopl", "sleep", "signal_async_progress", "set_tcp", "protective_stop"),
    *("write_output_integer_register", "write_output_float_register"),
}
SPEED, ACCELERATION = {"movej": 1.05, "movel": 0.25}, {"movej": 1.4, "movel": 1.2}


def programs(text: str) -> tuple[list[str], str]:
    """Return the whole programs in what came in, each from "def" to "end", or one line; and what is left over."""
    found, rest = [], text
    while "\n" in rest:
        line, after = rest.split("\n", 1)
        if not line.strip():
            rest = after
        elif line.startswith(("def ", "sec ")):
            end = re.search(r"^end\r?$\n?", rest, re.MULTILINE)
            if end is None:
                break
            found.append(rest[: end.end()])
            rest = rest[end.end() :]
        else:
            found.append(line)
            rest = after
    return found, rest


def program_of(controller: URController, script: str) -> Program | None:
    """Return what a script makes the controller do; None for one that it does not understand: nothing changes."""
    if CONTROL_PROGRAM in script:
        path = _PATH.search(script)
        lines = _statements(path[1]) if path else []
        return ControlProgram(controller, script, lambda program: _run(controller, lines, program))
    body = script.splitlines()[1:-1] if script.startswith(("def ", "sec ")) else [script]
    lines = _statements("\n".join(body))
    calls = [_CALL.match(line) for line in lines]
    return Moves(controller, lines) if all(call and call[1] in KNOWN for call in calls) else None


class Moves:
    """A program that is a list of calls."""

    def __init__(self, controller: URController, lines: list[str]) -> None:
        self._steps = _run(controller, lines, None)

    def turn(self) -> bool:
        return next(self._steps, self) is not self

    def let_go(self) -> None:
        self._steps = iter(())


def _statements(text: str) -> list[str]:
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _run(c: URController, lines: list[str], loop: ControlProgram | None) -> Iterator[None]:
    for line in lines:
        call = _CALL.match(line)
        if call is None:
            return
        name, arguments = call[1], call[2]
        if name in _IGNORED:
            continue
        numbers = [float(v) for v in re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", arguments)]
        if name in ("movej", "movel", "movep"):
            motion = _motion(c, "movej" if name == "movej" else "movel", arguments)
            c.start(motion)
            while c.motion is motion:
                yield
        elif name in ("stopj", "stopl"):
            c.halt(numbers[0] if numbers else BRAKE_DDQ)
            while not c.standing:
                yield
        elif name == "sleep":
            until = c.time + numbers[0]
            while c.time < until:
                yield
        elif name == "signal_async_progress" and loop is not None:
            loop.progress(int(numbers[0]))
        elif name == "write_output_integer_register":
            c.output_int[int(sum(numbers[:-1]))] = int(numbers[-1])
        elif name == "write_output_float_register":
            c.output_double[int(sum(numbers[:-1]))] = numbers[-1]
        elif name == "set_tcp":
            c.arm.T_flange_tool = T_from_pose(_vector(arguments)[1])
        elif name == "protective_stop":
            c.protective_stop()
        else:
            return
        yield


def _vector(arguments: str) -> tuple[bool, Array]:
    """Whether the first list is a pose, and its six numbers."""
    found = _LIST.search(arguments)
    if found is None:
        raise ValueError(f"no list in {arguments!r}")
    return found[1] == "p", np.array([float(v) for v in found[2].split(",")])


def _motion(c: URController, name: str, arguments: str) -> Motion:
    named = {key: float(value) for key, value in _NAMED.findall(arguments)}
    speed = max(named.get("v", SPEED[name]), 1e-3)
    acceleration = max(named.get("a", ACCELERATION[name]), 1e-2)
    is_pose, values = _vector(arguments)
    if name == "movel":
        T = T_from_pose(values) if is_pose else c.arm.tool_pose(values)
        return LineMove(c.arm, c.plant.q, T, speed, acceleration)
    q = c.arm.solve(T_from_pose(values), c.plant.q) if is_pose else values
    if q is None:
        raise ValueError("no kinematic solution")
    return JointMove(c.plant.q, q, speed, acceleration)
