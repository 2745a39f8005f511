"""The rig: cameras, arms, table and safety numbers from one hand-editable rig.toml that fails loudly."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hardware.geometry import Array, transform
from hardware.kinematics import ArmKinematics
from hardware.rig_devices import GRIPPER, CameraConfig, SensorConfig, in_order, parse_camera, parse_sensor
from hardware.rig_table import RigTable, checked, line_numbers, unique
from hardware.types import Box

SIM_RIG = Path(__file__).parent.parent / "assets" / "rigs" / "sim.toml"
TOOLS = SIM_RIG.parent.parent / "tools"
# whose controllers a driver speaks to
DRIVER_MODELS: Mapping[str, tuple[str, ...]] = {"xarm": ("xarm7",), "ur": ("ur5", "ur5e")}
# which grippers this program drives on the arms of a driver
DRIVER_GRIPPERS: Mapping[str, tuple[str, ...]] = {"xarm": ("xarm",), "ur": ()}


@dataclass(frozen=True, eq=False)
class ArmConfig:
    """An arm of the rig. T_world_base (4, 4); home (J,) [rad]; role: the dream's tool that it carries by its role;
    tool: what it carries while no dream says otherwise, "" for the rotation gripper of its role; park (J,) [rad]:
    where it rests out of the way, None where the rig says nothing; gripper: what this program drives at its wrist,
    "" for none; table_height [m]: the highest place of the table under its workspace in world, never under the
    drawn one's 0; table_measured: when a person touched it with this arm, "" for never."""

    name: str
    driver: str
    model: str
    address: str
    emulated: bool
    role: str
    T_world_base: Array
    home: Array
    command_rate_hz: float
    tool: str = ""
    park: Array | None = None
    gripper: str = ""
    table_height: float = 0.0
    table_measured: str = ""


@dataclass(frozen=True, eq=False)
class SafetyConfig:
    """The rig's own limits; an arm's controller may be stricter. SI units; workspace (2, 3) in world."""

    workspace: Array
    tip_speed: float
    first_run_tip_speed: float
    tip_acceleration: float
    min_tip_height: float
    min_singularity: float
    max_jump_rad: float
    following_error_rad: float
    max_force: float


@dataclass(frozen=True, eq=False)
class Rig:
    """Everything that stands around the table; cameras and sensors in their physical order from the left. sha256 is
    that of the file's text; held: what a person shows tasks with, role -> built-in tool."""

    name: str
    simulated: bool
    table_size: Array
    cameras: tuple[CameraConfig, ...]
    arms: tuple[ArmConfig, ...]
    safety: SafetyConfig
    keep_out: tuple[Box, ...]
    sha256: str
    sensors: tuple[SensorConfig, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)

    def arm(self, name: str) -> ArmConfig:
        """Return the arm of that name; KeyError lists the names there are."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"rig {self.name} has no arm {name!r}; it has {[arm.name for arm in self.arms]}")


def built_in_rigs() -> dict[str, Path]:
    """Return the rigs that come with the program: name -> file. `--rig` takes a name as it takes a file."""
    return {file.stem: file for file in sorted(SIM_RIG.parent.glob("*.toml"))}


def load_rig(path: Path | str = "sim") -> Rig:
    """Read a rig.toml, or a built-in one by its name ("sim").

    Raises ValueError naming file, line, field, value and what is valid; FileNotFoundError where there is no such
    file.
    """
    file = built_in_rigs().get(str(path), Path(path))
    text = _text(file)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {_syntax(str(error), text)}") from error
    top = RigTable(values, file, line_numbers(text))
    return _parse(top, hashlib.sha256(text.encode()).hexdigest())


def _text(file: Path) -> str:
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{file}: line {line}: byte {raw[error.start]:#04x}; valid: text in UTF-8") from error


def _syntax(message: str, text: str) -> str:
    """Say a mistake of TOML with its line first, and that line."""
    place = re.search(r" \((?:at line (\d+), column (\d+)|at end of document)\)$", message)
    what = message[: place.start()] if place else message
    lines = text.splitlines() or [""]
    number = int(place.group(1)) if place and place.group(1) else len(lines)
    shown = lines[min(number, len(lines)) - 1].strip()
    return f'line {number}: {what}: {shown!r}; valid: TOML, like `name = "left"` or `size = [1.8, 1.2]`'


def _parse(top: RigTable, sha256: str) -> Rig:
    cameras, arms, keep_out = top.tables("cameras"), top.tables("arms"), top.tables("keep_out")
    simulated = top.get("simulated", bool, False)
    made, sensors = _devices(cameras, top.tables("sensors"), simulated)
    workers = tuple(_arm(table) for table in arms)
    for key in ("name", "role"):
        unique(arms, key, [getattr(arm, key) for arm in workers])
    for table in cameras:
        mounts = ["", GRIPPER, *(arm.name for arm in workers)]
        table.one_of("mounted_on", mounts, "")
    boxes = tuple(_keep_out(table) for table in keep_out)
    unique(keep_out, "name", [box.name for box in boxes])
    size, safety = top.table("table"), top.table("safety")
    rig = Rig(
        name=top.get("name", str),
        simulated=simulated,
        table_size=size.array("size", (2,)),
        cameras=made,
        arms=workers,
        safety=_safety(safety),
        keep_out=boxes,
        sha256=sha256,
        sensors=sensors,
        held=_held(top),
    )
    checked(size, "size", bool((rig.table_size > 0).all()), f"{rig.table_size.tolist()}; valid: lengths over 0")
    for table in (*cameras, *arms, *keep_out, size, safety, top):
        table.done()
    for table, arm in zip(arms, workers, strict=True):
        checked(table, "emulated", arm.emulated or not rig.simulated, "false; valid: true, as the rig is simulated")
    return rig


def _devices(
    cameras: list[RigTable], sensors: list[RigTable], simulated: bool
) -> tuple[tuple[CameraConfig, ...], tuple[SensorConfig, ...]]:
    made = [parse_camera(table) for table in cameras]
    names = [config.camera.name for config in made]
    drawn = {config.camera.name for config in made if config.driver == "sim"}
    # the window sees a simulated rig's pictures; a real one's sensors cannot look through a drawn camera
    seeing = [name for name in names if simulated or name not in drawn]
    felt = [parse_sensor(table, seeing) for table in sensors]
    unique([*cameras, *sensors], "name", [*names, *(config.name for config in felt)])
    orders = in_order(cameras), in_order(sensors)
    for table in sensors:
        table.done()
    return tuple(made[i] for i in orders[0]), tuple(felt[i] for i in orders[1])


def _arm(table: RigTable) -> ArmConfig:
    driver = table.one_of("driver", list(DRIVER_MODELS))
    model = table.one_of("model", DRIVER_MODELS[driver])
    arm = ArmConfig(
        name=table.get("name", str),
        driver=driver,
        model=model,
        address=table.get("address", str),
        emulated=table.get("emulated", bool, False),
        role=table.get("role", str),
        T_world_base=table.pose(),
        home=np.radians(table.array("home_deg", (-1,))),
        command_rate_hz=table.positive("command_rate_hz", 100.0),
        park=np.radians(table.array("park_deg", (-1,))) if table.has("park_deg") else None,
        gripper=_gripper(table, driver),
        tool=table.one_of("tool", ["", *sorted(file.stem for file in TOOLS.glob("*.toml"))], ""),
    )
    _joints(table, "home_deg", arm.home, model)
    if arm.park is not None:
        _joints(table, "park_deg", arm.park, model)
    loopback = arm.address.startswith("127.")
    problem = f"{arm.address!r}; valid: 127.x.y.z, as the arm is emulated"
    checked(table, "address", loopback or not arm.emulated, problem)
    return arm


def _held(top: RigTable) -> dict[str, str]:
    """Read [held]: role = "tool"."""
    if not top.has("held"):
        return {}
    table = top.table("held")
    return {role: table.one_of(role, sorted(file.stem for file in TOOLS.glob("*.toml"))) for role in table.values}


def _joints(table: RigTable, key: str, q: Array, model: str) -> None:
    """Refuse joints (J,) [rad] that an arm of that model cannot take."""
    limits = ArmKinematics.load(model)
    n = limits.n_joints
    checked(table, key, len(q) == n, f"it has {len(q)} angles; valid: {n}, a {model} has {n}")
    out = np.flatnonzero((q < limits.q_lower) | (q > limits.q_upper))
    if len(out):
        low, high = np.degrees([limits.q_lower[out[0]], limits.q_upper[out[0]]])
        problem = f"joint {out[0] + 1} at {np.degrees(q[out[0]]):g}; valid: {low:.0f} to {high:.0f}"
        raise table.error(key, problem)


def _gripper(table: RigTable, driver: str) -> str:
    known, value = DRIVER_GRIPPERS[driver], table.get("gripper", str, "")
    some = ", ".join(known) if known else f"no gripper: this program drives none on an arm of driver {driver}"
    checked(table, "gripper", value in ("", *known), f"{value!r}; valid: {some}")
    return str(value)


def _safety(table: RigTable) -> SafetyConfig:
    numbers = {name: table.positive(name) for name in SafetyConfig.__dataclass_fields__ if name != "workspace"}
    workspace = table.array("workspace", (2, 3))
    ordered = bool((workspace[0] < workspace[1]).all())
    checked(table, "workspace", ordered, f"{workspace.tolist()}; valid: lower corner, then upper corner")
    return SafetyConfig(workspace=workspace, **numbers)


def _keep_out(table: RigTable) -> Box:
    parts = (table.get("name", str), table.array("center", (3,)), table.array("size", (3,)))
    checked(table, "size", bool((parts[2] > 0).all()), f"{parts[2].tolist()}; valid: lengths over 0")
    return Box(parts[0], transform(np.eye(3), parts[1]), parts[2])
