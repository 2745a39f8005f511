"""The process that holds ur-rtde, and nothing else of this program: `python -c "...; serve(fd)"`.

ur-rtde's constructors hold the interpreter's lock, a command may spin for seconds, and a link that breaks while
idle can end the process by a segmentation fault. In here that costs a connection; whoever asked sees an answer
that does not come, or the end of the pipe, and goes on. Only the standard library and ur-rtde are imported.

Requests are (number, name, arguments), answers (number, whether it was done, value or words).
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection as Pipe
from typing import Any

from hardware.robots.realtime import schedule

# what one needs of the controller's variables: all of them would be packed 500 times a second
VARIABLES = [
    *("timestamp", "actual_q", "actual_qd", "actual_TCP_pose", "actual_TCP_force", "robot_mode", "safety_mode"),
    *("safety_status_bits", "robot_status_bits", "runtime_state"),
]
PLAYING = 2
STALE_S = 0.2
PROGRAM_S = 2.0
KICK_S, IDLE_S = 0.05, 0.1
STOP_DECELERATION = 5.0
PAUSE_S = 0.002
# two cycles of a CB3, in its own time: what was written has arrived
CYCLES_S = 0.016

State = tuple[Any, ...]


class NotDone(Exception):
    """The controller did not do it; the words say what."""


class Link:
    """ur-rtde's two connections to one controller."""

    def __init__(self) -> None:
        self._receive: Any = None
        self._control: Any = None
        self._watched = False
        self._written = 0.0
        self._timestamp, self._changed = -1.0, 0.0
        self._free = ""
        self._streaming = False

    def connect(self, address: str) -> None:
        """Connect; nothing is uploaded yet."""
        try:
            from rtde_control import RTDEControlInterface
            from rtde_receive import RTDEReceiveInterface
        except (ImportError, OSError) as error:
            raise NotDone(f"load ur-rtde ({error}); install it: {sys.executable} -m pip install ur_rtde") from error

        self._receive = RTDEReceiveInterface(address, -1.0, VARIABLES)
        # without waiting: a stopped arm could not start the program, and the constructor would give up
        self._control = RTDEControlInterface(address, -1.0, RTDEControlInterface.FLAG_NO_WAIT)
        self._changed = time.monotonic()

    def state(self) -> State:
        """Return q, dq, tool pose, force, robot mode, safety mode, runtime state; keeps the watchdog quiet."""
        self._fresh()
        self._kick()
        r = self._receive
        return (
            *(r.getActualQ(), r.getActualQd(), r.getActualTCPPose(), r.getActualTCPForce()),
            *(r.getRobotMode(), r.getSafetyMode(), r.getRuntimeState()),
        )

    def idle(self) -> None:
        """Keep the watchdog quiet between requests, but never while the arm is streamed to: then it is meant."""
        if not self._streaming:
            with contextlib.suppress(NotDone):
                self._fresh()
                self._kick()

    def begin(self, watchdog: float, tool: list[float] | None, mass: float, centre: list[float]) -> None:
        """Have the control program run, with its watchdog [Hz] armed and the tool set."""
        self._fresh()
        self._streaming = False
        self._let_go()
        self._upload()
        if (
            tool is not None
            and max(abs(a - b) for a, b in zip(self._control.getTCPOffset(), tool, strict=True)) > 1e-6
        ):
            self._must("take the tool's offset", self._control.setTcp, tool)
        if tool is not None:
            self._must("take the tool's offset", self._control.setTcp, tool)
            self._must("take the tool's load", self._control.setPayload, mass, centre)
        if not self._watched:
            self._must("arm its watchdog", self._control.setWatchdog, watchdog)
            self._watched, self._written = True, time.monotonic()
        # from now on until it ends: a stop must not wait for a busy computer
        schedule(True)

    def tool(self) -> list[float]:
        """Return the tool's offset that the controller applies (6,) [m, rad]."""
        return list(self._control.getTCPOffset())

    def servo(self, q: list[float], seconds: float, lookahead: float, gain: float) -> bool:
        """Stream joint positions; False where the program does not run any more."""
        self._fresh()
        if self._receive.getRuntimeState() != PLAYING or not self._control.isConnected():
            return False
        self._written, self._streaming = time.monotonic(), True
        return bool(self._control.servoJ(q, 0.0, 0.0, seconds, lookahead, gain))

    def stop(self) -> bool:
        """Stop; True once the arm stands, or no program runs that could move it."""
        self._fresh()
        self._streaming = False
        self._let_go()
        if self._receive.getRuntimeState() != PLAYING:
            return True
        self._written = time.monotonic()
        return bool(self._control.servoStop(STOP_DECELERATION)) or self._receive.getRuntimeState() != PLAYING

    def force_mode(
        self, frame: list[float], selection: list[int], wrench: list[float], limits: list[float]
    ) -> None:
        """Give way along the selected axes of a frame, pushing with a wrench [N, Nm], within limits."""
        self._fresh()
        self._must("enter force mode", self._control.forceMode, frame, selection, wrench, 2, limits)
        self._free = "force"

    def free_drive(self) -> None:
        """Let the arm be moved by hand."""
        self._fresh()
        self._must("be freed", self._control.teachMode)
        self._free = "teach"

    def hold(self) -> None:
        """End force mode and free drive."""
        self._fresh()
        self._let_go()

    def zero_force(self) -> None:
        """Take the force of now for none."""
        self._fresh()
        self._must("zero its force sensor", self._control.zeroFtSensor)

    def close(self) -> None:
        """End the program on the controller, so that nobody finds it running."""
        with contextlib.suppress(Exception):
            self._fresh()
            if self._receive.getRuntimeState() == PLAYING:
                self._control.stopScript()

    def _upload(self) -> None:
        if self._receive.getRuntimeState() == PLAYING and self._watched:
            return
        self._watched = False
        self._forget_command()
        if not self._control.reuploadScript():
            raise NotDone("take the control program")
        deadline = time.monotonic() + PROGRAM_S
        while not (self._receive.getRuntimeState() == PLAYING and self._control.isProgramRunning()):
            if time.monotonic() > deadline:
                raise NotDone("run the control program; is it in remote control?")
            time.sleep(PAUSE_S)

    def _forget_command(self) -> None:
        """Clear the command register: a program that starts would obey what an earlier one was told last.

        A kick writes the empty command whether a program runs or not.
        """
        self._control.kickWatchdog()
        before, deadline = self._receive.getTimestamp(), time.monotonic() + STALE_S
        while self._receive.getTimestamp() - before < CYCLES_S:
            if time.monotonic() > deadline:
                raise NotDone("be reached: it is connected but has gone silent; restart it")
            time.sleep(PAUSE_S)

    def _let_go(self) -> None:
        free, self._free = self._free, ""
        if free and self._receive.getRuntimeState() == PLAYING:
            end = self._control.endTeachMode if free == "teach" else self._control.forceModeStop
            self._must("hold again", end)

    def _kick(self) -> None:
        running = self._receive.getRuntimeState() == PLAYING
        if self._watched and running and time.monotonic() - self._written > KICK_S:
            self._control.kickWatchdog()
            self._written = time.monotonic()

    def _must(self, what: str, call: Callable[..., bool], *arguments: Any) -> None:
        self._written = time.monotonic()
        if not call(*arguments):
            raise NotDone(what)

    def _fresh(self) -> None:
        """Raise NotDone where the controller has not told its state for a while, or the link has gone."""
        if self._receive is None:
            raise NotDone("be reached: it is not connected")
        if not (self._receive.isConnected() and self._control.isConnected()):
            raise NotDone("be reached: the link was lost; check cable and power, then connect")
        timestamp, now = self._receive.getTimestamp(), time.monotonic()
        if timestamp != self._timestamp:
            self._timestamp, self._changed = timestamp, now
        elif now - self._changed > STALE_S:
            raise NotDone("be reached: it is connected but has gone silent; restart it")


REQUESTS: Mapping[str, Callable[..., Any]] = {
    name: getattr(Link, name)
    for name in (
        *("connect", "state", "begin", "tool", "servo", "stop", "force_mode", "free_drive", "hold"),
        *("zero_force", "close"),
    )
}


def serve(descriptor: int) -> None:
    """Answer until told to close, or until the other end is gone: then stop the arm first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe: Pipe[Any, Any] = Pipe(descriptor)
    link = Link()
    try:
        while True:
            while not pipe.poll(IDLE_S):
                link.idle()
            number, name, arguments = pipe.recv()
            try:
                reply = (number, True, REQUESTS[name](link, *arguments))
            except Exception as error:  # ur-rtde raises several kinds, from C++; the words are all that matters
                reply = (number, False, str(error))
            pipe.send(reply)
            if name == "close":
                break
    except (EOFError, OSError):
        with contextlib.suppress(Exception):
            link.stop()
        with contextlib.suppress(Exception):
            link.close()
    # ur-rtde aborts where a robot that is gone is said goodbye to: do not
    os._exit(0)
