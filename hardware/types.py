"""The nouns of the hardware side: cameras, meshes, tools, arms and their states. Frozen, validated, SI units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, is_transform

Image = NDArray[np.uint8]


def require(condition: bool, message: str) -> None:
    """Raise ValueError(message) unless condition holds."""
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera.

    K (3, 3) [px]; distortion (N,) in OpenCV order, empty for none; size (width, height) [px];
    T_world_cam (4, 4) or None while its place in the world is unknown.
    """

    name: str
    K: Array
    size: tuple[int, int]
    distortion: Array = field(default_factory=lambda: np.zeros(0))
    model: Literal["pinhole", "fisheye"] = "pinhole"
    T_world_cam: Array | None = None

    def __post_init__(self) -> None:
        require(self.K.shape == (3, 3), f"camera {self.name}: K has shape {self.K.shape}, not (3, 3)")
        require(bool(np.isfinite(self.K).all()), f"camera {self.name}: K holds nan or inf")
        require(self.K[0, 0] > 0 and self.K[1, 1] > 0, f"camera {self.name}: K has a focal length <= 0")
        require(min(self.size) > 0, f"camera {self.name}: size {self.size} is not positive")
        if self.T_world_cam is not None:
            require(is_transform(self.T_world_cam), f"camera {self.name}: T_world_cam is not a rigid transform")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture. rgb (H, W, 3) uint8; t_host [s] host monotonic; t_device [s] the camera's own clock."""

    camera: str
    index: int
    t_host: float
    t_device: float
    rgb: Image


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh. vertices (V, 3) [m]; faces (F, 3) indices, outward by the right-hand rule.

    Appearance, best first: `uv` (F, 3, 2) into `texture` (H, W, 3) uint8, v up as in OBJ; `face_rgb` (F, 3)
    uint8; neither: plain.
    """

    vertices: Array
    faces: NDArray[np.int32]
    uv: NDArray[np.float32] | None = None
    texture: Image | None = None
    face_rgb: Image | None = None

    def __post_init__(self) -> None:
        require(self.vertices.ndim == 2 and self.vertices.shape[1] == 3, "mesh: vertices are not (V, 3)")
        require(self.faces.ndim == 2 and self.faces.shape[1] == 3, "mesh: faces are not (F, 3)")
        require(len(self.faces) > 0, "mesh: it has no faces")
        require(bool(np.isfinite(self.vertices).all()), "mesh: a vertex is nan or inf")
        require(
            self.faces.min() >= 0 and self.faces.max() < len(self.vertices),
            "mesh: a face index is out of range",
        )
        require((self.uv is None) == (self.texture is None), "mesh: uv and texture come together")
        if self.uv is not None:
            require(self.uv.shape == (len(self.faces), 3, 2), f"mesh: uv has shape {self.uv.shape}")
        if self.face_rgb is not None:
            require(self.face_rgb.shape == (len(self.faces), 3), f"mesh: face_rgb has shape {self.face_rgb.shape}")

    @property
    def textured(self) -> bool:
        return self.texture is not None or self.face_rgb is not None


@dataclass(frozen=True)
class SymmetryAxis:
    """An axis through the tool's origin about which it looks the same: axis (3,) unit vector in the tool frame;
    order: after how many equal turns once round, 0 for every angle."""

    axis: tuple[float, float, float]
    order: int

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.axis))
        require(abs(length - 1) < 1e-6, f"symmetry: axis {self.axis} has length {length:.6g}; valid: 1")
        require(
            self.order == 0 or 2 <= self.order <= 36, f"symmetry: order {self.order}; valid: 0 (every angle), 2..36"
        )


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool with known CAD.

    mesh in the tool frame; T_flange_tool (4, 4) how it is mounted on an arm's flange; tip (3,) [m] in the tool
    frame, the point whose height and speed are limited; trackable (F,) bool, the faces that a tracker may use
    (None: all); symmetry: rotations (S, 3, 3) that leave it looking the same (empty: none), those of symmetry_axis
    where that is known; mass [kg]; centre_of_mass (3,) [m] in the tool frame, None where nobody knows it;
    min_tip_height [m] above the table that its task asks for; version: of its folder in the library, "" outside.
    """

    name: str
    mesh: Mesh
    T_flange_tool: Array
    tip: Array
    trackable: NDArray[np.bool_] | None = None
    symmetry: Array = field(default_factory=lambda: np.zeros((0, 3, 3)))
    mass: float = 0.2
    centre_of_mass: Array | None = None
    min_tip_height: float | None = None
    symmetry_axis: SymmetryAxis | None = None
    version: str = ""

    def __post_init__(self) -> None:
        require(is_transform(self.T_flange_tool), f"tool {self.name}: T_flange_tool is not a rigid transform")
        require(self.tip.shape == (3,), f"tool {self.name}: tip has shape {self.tip.shape}, not (3,)")
        require(self.mass >= 0, f"tool {self.name}: mass {self.mass} kg is negative")
        centre = self.centre_of_mass
        fine = centre is None or (centre.shape == (3,) and bool(np.isfinite(centre).all()))
        require(fine, f"tool {self.name}: centre_of_mass {centre} is not three finite numbers")
        height = self.min_tip_height
        fine = height is None or 0 <= height <= 0.5
        require(fine, f"tool {self.name}: min_tip_height {height} m; valid: 0 to 0.5")

    @property
    def tip_flange(self) -> Array:
        """The tip (3,) [m] in the flange frame."""
        return np.asarray(apply(self.T_flange_tool, self.tip[None])[0])


@dataclass(frozen=True, eq=False)
class ArmState:
    """What an arm says of itself at one instant.

    t_host [s] host monotonic; q (J,) [rad]; dq (J,) [rad/s]; T_base_tool (4, 4) the controller's own tool pose;
    wrench (6,) [N, Nm] external, None where the arm has no estimate; error: what error_code means, in words, from
    the driver ("" on a state that came through shared memory).
    """

    t_host: float
    q: Array
    dq: Array
    T_base_tool: Array
    mode: str
    error_code: int = 0
    warning_code: int = 0
    moving: bool = False
    wrench: Array | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Box:
    """An oriented box: T_world_box (4, 4) at its centre, size (3,) full lengths [m]."""

    name: str
    T_world_box: Array
    size: Array

    def __post_init__(self) -> None:
        require(is_transform(self.T_world_box), f"box {self.name}: T_world_box is not a rigid transform")
        require(bool((self.size > 0).all()), f"box {self.name}: size {self.size} is not positive")


@dataclass(frozen=True, eq=False)
class ArmLimits:
    """Limits of one arm, as read back from its controller where it has them, else from the rig.

    q_lower, q_upper (J,) [rad]; dq_max (J,) [rad/s]; ddq_max (J,) [rad/s^2]; tip_speed [m/s];
    tip_acceleration [m/s^2]; workspace (2, 3) lower and upper corner of the tool tip in world [m];
    min_tip_height [m] above the table; max_jump_rad between the first command and the measured pose;
    following_error_rad; max_force [N]; give_way_force [N]: a plan gives way to more than this at the tool (inf: to
    nothing, the arm is stiff; hardware/giving_way.py).
    """

    q_lower: Array
    q_upper: Array
    dq_max: Array
    ddq_max: Array
    tip_speed: float = 0.25
    tip_acceleration: float = 2.0
    workspace: Array = field(default_factory=lambda: np.array([[-0.5, -0.5, 0.0], [0.5, 0.5, 0.6]]))
    min_tip_height: float = 0.005
    min_singularity: float = 0.02
    max_jump_rad: float = 0.03
    following_error_rad: float = 0.15
    max_force: float = 60.0
    # stiff plans are written as they were before there were others: their sha256 stays
    give_way_force: float = field(default=np.inf, metadata={"unless": np.inf})
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.q_lower)
        for name in ("q_upper", "dq_max", "ddq_max"):
            require(getattr(self, name).shape == (n,), f"limits: {name} does not have {n} joints")
        require(bool((self.q_lower < self.q_upper).all()), "limits: q_lower is not below q_upper")
        require(self.workspace.shape == (2, 3), "limits: workspace is not (2, 3)")
        require(bool((self.workspace[0] < self.workspace[1]).all()), "limits: workspace is empty")
        force = self.give_way_force
        require(force > 0, f"limits: give_way_force {force} N is not positive; inf is for an arm that stays stiff")


CheckStatus = Literal["ok", "warning", "violation"]


@dataclass(frozen=True)
class Check:
    """One rule of motion held against a plan.

    text says what was found with its amount; spans are the plan times (start, end) [s] that it speaks of; value
    and limit in `unit`; hint says what a person can do about a violation.
    """

    rule: str
    status: CheckStatus
    text: str
    arm: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    spans: tuple[tuple[float, float], ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Clamp:
    """A place where the planner moved the tool off the track: span in plan time [s], largest amount [m]."""

    arm: str
    span: tuple[float, float]
    amount: float
    text: str


@dataclass(frozen=True)
class Phase:
    """A named part of a plan, start to end in plan time [s]: approach, work or retreat."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class ArmPlan:
    """One arm's part of a plan, sampled at Plan.t.

    q (N, J) [rad]; T_base_tool (N, 4, 4) by forward kinematics of q; target_T_base_tool (N, 4, 4) what was asked
    for after clamping, nan outside the work phase.
    """

    arm: str
    model: str
    tool: str
    q: Array
    T_base_tool: Array
    target_T_base_tool: Array


@dataclass(frozen=True, eq=False)
class Plan:
    """Timed joint trajectories of all arms on one clock, with every check.

    t (N,) plan time [s], evenly spaced; clip_frame (N,) the dream's frame shown at each time, nan outside the
    work phase; speed_scale: of the work on average, 1 is the clip's own speed; dream, track_sha256, rig_sha256:
    what it was made from; limits by arm; sha256 over everything else (hardware/plan_file.py).
    """

    t: Array
    arms: tuple[ArmPlan, ...]
    phases: tuple[Phase, ...]
    clip_frame: Array
    speed_scale: float
    limits: Mapping[str, ArmLimits]
    checks: tuple[Check, ...]
    clamps: tuple[Clamp, ...]
    dream: str
    track_sha256: str
    rig_sha256: str
    emulated_only: bool
    sha256: str = ""

    def __post_init__(self) -> None:
        require(len(self.arms) > 0, "plan: it has no arms")
        for arm in self.arms:
            require(
                arm.q.shape[0] == len(self.t),
                f"plan: arm {arm.arm} has {len(arm.q)} samples, not {len(self.t)}",
            )

    @property
    def duration(self) -> float:
        """[s]"""
        return float(self.t[-1] - self.t[0])

    @property
    def violations(self) -> tuple[Check, ...]:
        """The checks that forbid approval."""
        return tuple(check for check in self.checks if check.status == "violation")
