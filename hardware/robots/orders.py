"""What the window's process says to a servo process, and how the answer comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, Literal

from hardware.rig import Rig
from hardware.safety import Approval, MotionGrant
from hardware.types import Plan, Tool

HeldBy = Literal["jog", "hand", "grip"]


@dataclass(frozen=True, eq=False)
class Setup:
    """What a servo process is started with."""

    rig: Rig
    arm: str
    tools: Mapping[str, Tool]
    nonce: bytes | None
    control_port: int | None
    session_key: bytes


@dataclass(frozen=True)
class Connect:
    """Connect the arm; the answer is its Connection."""


@dataclass(frozen=True, eq=False)
class Prepare:
    """Verify a plan and get ready to run it. stops: the count of stops when it was asked for; a later one voids."""

    plan: Plan
    approval: Approval
    scene: str
    stops: int


@dataclass(frozen=True)
class Start:
    """Run what was prepared, from `at` [s, host monotonic]. There is no answer: the run shows."""

    at: float


@dataclass(frozen=True, eq=False)
class Hold:
    """Move while a person holds a control: hold number `serial` of the HoldLine. by: "jog", "hand", or "grip": only
    the gripper, to `opening`, 0 closed to 1 open.

    The answer comes once the arm is ready to follow; then the servo process is busy until the hold is over.
    """

    serial: int
    grant: MotionGrant
    by: HeldBy
    stops: int
    opening: float = 0.0


@dataclass(frozen=True)
class Enable:
    """Switch the arm's motors on; it does not move."""


@dataclass(frozen=True)
class ClearError:
    """Clear the arm's error."""


@dataclass(frozen=True)
class Close:
    """Stop, disconnect and end."""


Order = Connect | Prepare | Start | Hold | Enable | ClearError | Close


def answer(pipe: Pipe, timeout: float) -> Any:
    """Wait for an answer [s]; raises what the servo process raised, TimeoutError, or EOFError where it ended."""
    if not pipe.poll(timeout):
        raise TimeoutError
    reply = pipe.recv()
    if isinstance(reply, BaseException):
        raise reply
    return reply
