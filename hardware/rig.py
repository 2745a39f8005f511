"""The rig: cameras, arms, table and safety numbers from one hand-editable rig.toml that fails loudly."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Box, Camera, require

SIM_RIG = Path(__file__).parent.parent / "assets" / "rigs" / "sim.toml"


@dataclass(frozen=True, eq=False)
class CameraConfig:
    """A camera of the rig and the driver that serves it."""

    camera: Camera
    driver: str
    serial: str = ""


@dataclass(frozen=True, eq=False)
class ArmConfig:
    """An arm of the rig. T_world_base (4, 4); home (J,) [rad]; role: the dream's tool that it carries."""

    name: str
    driver: str
    model: str
    address: str
    emulated: bool
    role: str
    T_world_base: Array
    home: Array
    command_rate_hz: float


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
    """Everything that stands around the table. sha256 is that of the file's text."""

    name: str
    simulated: bool
    table_size: Array
    cameras: tuple[CameraConfig, ...]
    arms: tuple[ArmConfig, ...]
    safety: SafetyConfig
    keep_out: tuple[Box, ...]
    sha256: str

    def arm(self, name: str) -> ArmConfig:
        """Return the arm of that name; KeyError lists the names there are."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"rig {self.name} has no arm {name!r}; it has {[arm.name for arm in self.arms]}")


class _Table:
    """A TOML table that knows its place in the file, so that every mistake is named."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self._where = values, where

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        value = self._values.get(key, default)
        require(value is not None, f"{self._where}: {key} is missing")
        fits = (
            isinstance(value, (int, float)) and not isinstance(value, bool)
            if kind is float
            else isinstance(value, kind)
        )
        require(fits, f"{self._where}.{key}: {value!r} is not a {kind.__name__}")
        return float(value) if kind is float else value

    def positive(self, key: str, default: float | None = None) -> float:
        value = float(self.get(key, float, default))
        require(value > 0, f"{self._where}.{key}: {value} is not positive")
        return value

    def array(self, key: str, shape: tuple[int, ...]) -> Array:
        try:
            value = np.array(self.get(key, list), dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self._where}.{key}: not an array of numbers ({error})") from error
        wanted = tuple(n if w < 0 else w for n, w in zip(value.shape, shape, strict=False))
        require(value.shape == wanted, f"{self._where}.{key}: shape {value.shape}, expected {shape} (-1: any)")
        require(bool(np.isfinite(value).all()), f"{self._where}.{key}: holds nan or inf")
        return value

    def pose(self) -> Array:
        """T from position [m] and rpy_deg: Rz(yaw) Ry(pitch) Rx(roll)."""
        roll, pitch, yaw = np.radians(self.array("rpy_deg", (3,)))
        turns = rotation_from_vector(np.array([[0, 0, yaw], [0, pitch, 0], [roll, 0, 0]]))
        return transform(turns[0] @ turns[1] @ turns[2], self.array("position", (3,)))


def load_rig(path: Path | str = "sim") -> Rig:
    """Read a rig.toml; "sim" is the built-in one.

    Raises ValueError naming file, table and field; FileNotFoundError where there is no such file.
    """
    file = SIM_RIG if str(path) == "sim" else Path(path)
    text = file.read_text(encoding="utf-8")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from error
    return _parse(values, str(file), hashlib.sha256(text.encode()).hexdigest())


def _parse(values: Mapping[str, Any], where: str, sha256: str) -> Rig:
    top = _Table(values, where)
    cameras = tuple(
        _camera(_Table(v, f"{where}: cameras[{i}]")) for i, v in enumerate(top.get("cameras", list, []))
    )
    arms = tuple(_arm(_Table(v, f"{where}: arms[{i}]")) for i, v in enumerate(top.get("arms", list, [])))
    for kind, names in (("camera", [c.camera.name for c in cameras]), ("arm", [a.name for a in arms])):
        require(len(set(names)) == len(names), f"{where}: two {kind}s share a name: {names}")
    return Rig(
        name=top.get("name", str),
        simulated=top.get("simulated", bool, False),
        table_size=_Table(top.get("table", dict), f"{where}: table").array("size", (2,)),
        cameras=cameras,
        arms=arms,
        safety=_safety(_Table(top.get("safety", dict), f"{where}: safety")),
        keep_out=tuple(
            _keep_out(_Table(v, f"{where}: keep_out[{i}]")) for i, v in enumerate(top.get("keep_out", list, []))
        ),
        sha256=sha256,
    )


def _camera(table: _Table) -> CameraConfig:
    width, height = (int(v) for v in table.array("size", (2,)))
    camera = Camera(
        name=table.get("name", str),
        K=table.array("K", (3, 3)),
        size=(width, height),
        T_world_cam=table.pose(),
    )
    return CameraConfig(camera, driver=table.get("driver", str), serial=table.get("serial", str, ""))


def _arm(table: _Table) -> ArmConfig:
    return ArmConfig(
        name=table.get("name", str),
        driver=table.get("driver", str),
        model=table.get("model", str),
        address=table.get("address", str),
        emulated=table.get("emulated", bool, False),
        role=table.get("role", str),
        T_world_base=table.pose(),
        home=np.radians(table.array("home_deg", (-1,))),
        command_rate_hz=table.positive("command_rate_hz", 100.0),
    )


def _safety(table: _Table) -> SafetyConfig:
    numbers = {name: table.positive(name) for name in SafetyConfig.__dataclass_fields__ if name != "workspace"}
    return SafetyConfig(workspace=table.array("workspace", (2, 3)), **numbers)


def _keep_out(table: _Table) -> Box:
    return Box(table.get("name", str), transform(np.eye(3), table.array("center", (3,))), table.array("size", (3,)))
