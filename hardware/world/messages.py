"""What is said to the world process, over a pipe between processes of this program only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import Camera, Tool, require


@dataclass(frozen=True, eq=False)
class Settings:
    """What a world starts with; memories and joints are names of shared memory by camera and by arm."""

    rig: Rig
    cameras: tuple[Camera, ...]
    memories: Mapping[str, str]
    joints: Mapping[str, str]
    tools: Mapping[str, Tool]
    task: str
    seed: int
    largest_fps: float
    held_memory: str
    held_out: bool = False


@dataclass(frozen=True)
class CameraFault:
    """A camera that misbehaves. freeze: no new frames; drop: loses this fraction of them (indices skip);
    none: healthy again."""

    camera: str
    kind: Literal["none", "freeze", "drop"]
    fraction: float = 0.5

    def __post_init__(self) -> None:
        require(self.kind in ("none", "freeze", "drop"), f"fault: kind {self.kind!r} is not none, freeze or drop")
        require(0 <= self.fraction <= 1, f"fault: fraction {self.fraction} is not in 0..1")


@dataclass(frozen=True)
class ResetRequest:
    task: str
    seed: int
    tools: Mapping[str, Tool] | None
    held_out: bool = False


@dataclass(frozen=True)
class ShowRequest:
    """Show the task; fresh: on its table laid anew, else on the table as it is. seed: of the table and the
    person."""

    task: str
    seed: int
    held_out: bool = False
    fresh: bool = True


@dataclass(frozen=True, eq=False)
class HoldRequest:
    """Drive held tools by hand; see hardware.world.person."""

    T_world_tool: Mapping[str, Array | None]
    opening: float | None = None


@dataclass(frozen=True, eq=False)
class BoardRequest:
    """Hold the calibration board towards a pose, None: take it away; with an arm the pose is T_flange_board, and it
    is fixed there. See hardware.world.held_board."""

    T_board: Array | None
    arm: str = ""


@dataclass(frozen=True)
class LoadRequest:
    """Let a known force [N] pull at the gripper's force sensor, besides what its pads press with."""

    force: float

    def __post_init__(self) -> None:
        require(abs(self.force) < 1e4, f"load: {self.force} N is not a force of a weight")


@dataclass(frozen=True)
class TruthRequest:
    pass


@dataclass(frozen=True, eq=False)
class PlaceRequest:
    name: str
    T_world_object: Array


@dataclass(frozen=True)
class FaultRequest:
    fault: CameraFault
