"""The cameras and sensors of a rig.toml: by driver and serial number, with roles and their order in the room."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from hardware.geometry import Array, is_transform
from hardware.rig_table import RigTable, checked, unique
from hardware.stream import StreamKind
from hardware.types import Camera, require

# what a camera's `serial` and `path` name, by driver; "": it has none
CAMERA_DRIVERS: Mapping[str, str] = {
    "sim": "",
    "realsense": "serial",
    "basler": "serial",
    "webcam": "serial",
    "file": "path",
    "replay": "path",
}
SENSOR_DRIVERS: Mapping[str, tuple[StreamKind, ...]] = {
    "sim": ("pose", "opening", "force"),
    "t265": ("pose",),
    "aruco": ("opening",),
    "force": ("force",),
    "replay": ("pose", "opening", "force"),
}
KINDS: tuple[StreamKind, ...] = get_args(StreamKind)
MODELS = ("pinhole", "fisheye")
MARKERS = 50  # of DICT_4X4_50
LARGEST_PX, LARGEST_HZ = 8192, 1000.0
CALIBRATED = "calibrated"  # key in StreamInfo.details: ISO date of the calibration
MOUNTED, ON_FLANGE = "mounted on", "T_flange_cam"  # keys there: which arm carries a camera, and where
GRIPPER = "gripper"  # what a camera is mounted on, where that is the handheld gripper
ON_GRIPPER = "T_sensor_gripper"  # key in StreamInfo.details: where the gripper is on a pose's sensor
NEWTON_PER_COUNT = "newton per count"  # key in StreamInfo.details: the scale by which a force is told


@dataclass(frozen=True, eq=False)
class CameraConfig:
    """A camera of the rig and the driver that serves it.

    camera: nominal intrinsics where not `calibrated`, T_world_cam None where the file gives no place; serial: the
    maker's number, of a webcam the system's; path: file or episode to play; role: what it sees, such as "left" or
    "gripper"; exposure_s, white_balance_k [K]: None for automatic; hold_exposure: automatic until it settled;
    calibration: which kept one counts, "" for the newest, "none", or its id; calibrated_on: ISO date of what was
    put in from there; mounted_on: the arm on whose flange it rides, "gripper" for the handheld one, "" where it
    stands; T_mount_cam (4, 4): its place there, None while nobody knows.
    """

    camera: Camera
    driver: str
    serial: str = ""
    role: str = ""
    rate_hz: float = 30.0
    exposure_s: float | None = None
    white_balance_k: float | None = None
    hold_exposure: bool = False
    path: str = ""
    stream: str = ""
    calibrated: bool = True
    calibration: str = ""
    calibrated_on: str = ""
    mounted_on: str = ""
    T_mount_cam: Array | None = None

    @property
    def on_arm(self) -> bool:
        """Whether an arm carries it, so that it has no place in the world."""
        return self.mounted_on not in ("", GRIPPER)


@dataclass(frozen=True, eq=False)
class ArucoConfig:
    """How far a gripper is open, from markers that a camera sees.

    camera: its name; markers: one or two ids of DICT_4X4_50; marker_size [m]; closed, opened: what is measured
    between two markers, or sideways of one [m], at opening 0 and at `travel` [m].
    """

    camera: str
    markers: tuple[int, ...]
    marker_size: float
    closed: float
    opened: float
    travel: float


@dataclass(frozen=True, eq=False)
class ForceConfig:
    """A force sensor on a serial port, "" for a simulated one. newton_per_count: its scale, negative where it is
    mounted the other way round; baud; limit [N]: of the sensor, beyond it nothing that it says is valid."""

    port: str
    newton_per_count: float
    baud: int = 115200
    limit: float = 100.0


@dataclass(frozen=True, eq=False)
class SensorConfig:
    """A sensor of the rig; what its driver needs besides is in the config of that driver. python: of the T265's own
    interpreter, "" to look for one; emulate: the T265's bridge plays a path, no device; T_sensor_gripper (4, 4):
    where the gripper is on what tells its pose, None while nobody knows."""

    name: str
    driver: str
    kind: StreamKind
    serial: str = ""
    role: str = ""
    rate_hz: float = 30.0
    python: str = ""
    emulate: bool = False
    path: str = ""
    stream: str = ""
    aruco: ArucoConfig | None = None
    force: ForceConfig | None = None
    T_sensor_gripper: Array | None = None


def parse_camera(table: RigTable) -> CameraConfig:
    """Read one [[cameras]]. Raises ValueError with file, line, field, value and what is valid."""
    driver = table.one_of("driver", list(CAMERA_DRIVERS))
    size = _size(table)
    calibrated = table.has("K")
    model = table.one_of("model", MODELS, "pinhole")
    mounted_on, T_mount_cam = _mount(table, driver)
    if not calibrated:
        checked(table, "K", driver != "sim", "is missing; valid: 3 x 3 numbers, as the camera is drawn with it")
        _refuse(table, "distortion", "K is not given; valid: both or neither")
    try:
        camera = Camera(
            name=_name(table),
            K=table.array("K", (3, 3)) if calibrated else nominal_K(size, model),
            size=size,
            distortion=table.array("distortion", (-1,)) if table.has("distortion") else np.zeros(0),
            model="fisheye" if model == "fisheye" else "pinhole",
            T_world_cam=_place(table, driver, mounted_on),
        )
    except ValueError as error:
        raise error if str(table.file) in str(error) else table.error("", str(error)) from error
    exposure = table.positive("exposure_ms") / 1e3 if table.has("exposure_ms") else None
    hold = table.get("hold_exposure", bool, False)
    checked(table, "hold_exposure", not (hold and exposure), "true; valid: false, as exposure_ms fixes it already")
    return CameraConfig(
        camera,
        driver,
        serial=_serial(table, CAMERA_DRIVERS[driver] == "serial", driver),
        role=table.get("role", str, ""),
        rate_hz=_rate(table),
        exposure_s=exposure,
        white_balance_k=table.positive("white_balance_k") if table.has("white_balance_k") else None,
        hold_exposure=hold,
        path=_path(table, CAMERA_DRIVERS[driver] == "path", driver),
        stream=_stream(table, driver),
        calibrated=calibrated,
        calibration=_calibration(table),
        mounted_on=mounted_on,
        T_mount_cam=T_mount_cam,
    )


def parse_sensor(table: RigTable, cameras: Sequence[str]) -> SensorConfig:
    """Read one [[sensors]]; cameras: names of those of the rig. Raises ValueError as parse_camera does."""
    driver = table.one_of("driver", list(SENSOR_DRIVERS))
    kinds = SENSOR_DRIVERS[driver]
    kind = table.one_of("kind", kinds, kinds[0] if len(kinds) == 1 else None)
    marked = driver == "aruco" or (driver == "sim" and kind == "opening" and table.has("markers"))
    scaled = driver == "force" or (driver == "sim" and kind == "force" and table.has("newton_per_count"))
    return SensorConfig(
        name=_name(table),
        driver=driver,
        kind=next(k for k in KINDS if k == kind),
        serial=_serial(table, driver == "t265", driver),
        role=table.get("role", str, ""),
        rate_hz=_rate(table),
        python=table.get("python", str, "") if driver == "t265" else "",
        emulate=table.get("emulate", bool, False) if driver == "t265" else False,
        path=_path(table, driver == "replay", driver),
        stream=_stream(table, driver),
        aruco=_aruco(table, cameras) if marked else None,
        force=_force(table, driver) if scaled else None,
    )


def sensor_details(config: SensorConfig) -> dict[str, str]:
    """What a sensor's stream says of its calibration, for StreamInfo.details."""
    found = {}
    if config.force is not None:
        found[NEWTON_PER_COUNT] = f"{config.force.newton_per_count:.9g}"
    if config.T_sensor_gripper is not None:
        found[ON_GRIPPER] = json.dumps(config.T_sensor_gripper.tolist())
    return found


def camera_details(config: CameraConfig) -> dict[str, str]:
    """What a camera's stream says of its calibration, for StreamInfo.details."""
    found = {"intrinsics": "calibrated", CALIBRATED: config.calibrated_on} if config.calibrated_on else {}
    if config.on_arm and config.T_mount_cam is not None:
        found |= {MOUNTED: config.mounted_on, ON_FLANGE: json.dumps(config.T_mount_cam.tolist())}
    return found


def gripper_on_sensor(details: Mapping[str, str]) -> Array | None:
    """Return T_sensor_gripper (4, 4) of a stream of poses by its details; None where it was never calibrated.

    Raises ValueError where what is said is no pose.
    """
    if ON_GRIPPER not in details:
        return None
    try:
        T = np.array(json.loads(details[ON_GRIPPER]), float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{ON_GRIPPER}: {details[ON_GRIPPER][:60]!r}; valid: 4 x 4 numbers") from error
    require(is_transform(T), f"{ON_GRIPPER}: is not a rigid transform (4, 4)")
    return T


def in_order(tables: Sequence[RigTable]) -> list[int]:
    """Return the places of the tables by their physical order from the left, the file's where they say none."""
    given = {i: _whole(table, "order", 0, 99) for i, table in enumerate(tables) if table.has("order")}
    unique([tables[i] for i in given], "order", [f"{order:g}" for order in given.values()])
    for i, table in enumerate(tables):
        fine = not given or i in given
        checked(table, "order", fine, "is missing, others have one; valid: one for each of them, or for none")
    return sorted(range(len(tables)), key=lambda i: given.get(i, i))


def nominal_K(size: tuple[int, int], model: str) -> Array:
    """Return intrinsics (3, 3) [px] for a camera that nobody calibrated: 69 degrees wide (a D435's colour picture),
    a fisheye's 180 degrees across its width."""
    width, height = size
    f = width / np.pi if model == "fisheye" else width / 2 / np.tan(np.radians(69.0) / 2)
    return np.array([[f, 0.0, width / 2], [0.0, f, height / 2], [0.0, 0.0, 1.0]])


def _name(table: RigTable) -> str:
    name = table.get("name", str)
    # names become topics of a recording and names of files
    fine = name and len(name) <= 40 and all(c.isalnum() or c in "-_ " for c in name) and name == name.strip()
    checked(table, "name", bool(fine), f"{name!r}; valid: up to 40 letters, digits, - and _")
    return str(name)


def _size(table: RigTable) -> tuple[int, int]:
    size = table.array("size", (2,))
    even = bool((size == np.floor(size)).all()) and not (size % 2).any()
    valid = f"valid: two even numbers, 16 to {LARGEST_PX}"
    checked(table, "size", even and size.min() >= 16 and size.max() <= LARGEST_PX, f"{size.tolist()}; {valid}")
    return int(size[0]), int(size[1])


def _rate(table: RigTable) -> float:
    rate = table.positive("rate_hz", 30.0)
    checked(table, "rate_hz", rate <= LARGEST_HZ, f"{rate:g}; valid: up to {LARGEST_HZ:g}")
    return rate


def _place(table: RigTable, driver: str, mounted_on: str) -> Array | None:
    if mounted_on not in ("", GRIPPER):
        for key in ("position", "rpy_deg"):
            _refuse(table, key, f"it rides on {mounted_on}; valid: mounted_position and mounted_rpy_deg")
        return None
    if driver == "sim" or table.has("position") or table.has("rpy_deg"):
        return table.pose()
    return None


def _mount(table: RigTable, driver: str) -> tuple[str, Array | None]:
    mounted_on = str(table.get("mounted_on", str, ""))
    given = table.has("mounted_position") or table.has("mounted_rpy_deg")
    known = bool(mounted_on) or not given
    checked(table, "mounted_on", known, "is missing; valid: what carries the camera, an arm or gripper")
    drawn = driver == "sim" and mounted_on not in ("", GRIPPER)
    return mounted_on, table.pose("mounted_") if given or drawn else None


def _serial(table: RigTable, used: bool, driver: str) -> str:
    serial = str(table.get("serial", str, ""))
    checked(
        table, "serial", used or not serial, f"{serial!r}; valid: none, as driver {driver} needs no serial number"
    )
    fine = driver != "webcam" or not serial or serial.isdecimal()
    checked(table, "serial", fine, f'{serial!r}; valid: the number of the webcam in quotes, like "0"')
    return serial


def _path(table: RigTable, used: bool, driver: str) -> str:
    if not used:
        _refuse(table, "path", f"driver {driver} plays no file; valid: no path")
        return ""
    return str(table.get("path", str))


def _stream(table: RigTable, driver: str) -> str:
    if driver != "replay":
        _refuse(table, "stream", f"driver {driver} has one stream; valid: no stream")
        return ""
    return str(table.get("stream", str, table.get("name", str)))


def _calibration(table: RigTable) -> str:
    value = str(table.get("calibration", str, ""))
    fine = value in ("", "newest", "none") or all(c.isalnum() or c in "-_" for c in value)
    checked(table, "calibration", fine, f"{value!r}; valid: newest, none, or the name of a kept calibration")
    return value


def _refuse(table: RigTable, key: str, problem: str) -> None:
    checked(table, key, not table.has(key), problem)


def _aruco(table: RigTable, cameras: Sequence[str]) -> ArucoConfig:
    markers = table.array("markers", (-1,))
    valid = f"valid: one or two different whole numbers from 0 to {MARKERS - 1}"
    fine = len(markers) in (1, 2) and len(set(markers)) == len(markers)
    fine = fine and bool(((markers == np.floor(markers)) & (markers >= 0) & (markers < MARKERS)).all())
    checked(table, "markers", fine, f"{markers.tolist()}; {valid}")
    closed, opened = (float(v) for v in table.array("measured", (2,)))
    checked(
        table, "measured", abs(opened - closed) > 1e-3, f"{[closed, opened]}; valid: closed, open, over 1 mm apart"
    )
    return ArucoConfig(
        camera=table.one_of("camera", cameras),
        markers=tuple(int(m) for m in markers),
        marker_size=table.positive("marker_size"),
        closed=closed,
        opened=opened,
        travel=table.positive("travel"),
    )


def _force(table: RigTable, driver: str) -> ForceConfig:
    scale = table.get("newton_per_count", float)
    checked(
        table, "newton_per_count", bool(scale) and np.isfinite(scale), f"{scale}; valid: a number that is not 0"
    )
    return ForceConfig(
        port="" if driver == "sim" else table.get("port", str),
        newton_per_count=scale,
        baud=int(_whole(table, "baud", 1200, 4_000_000, 115200)),
        limit=table.positive("limit", 100.0),
    )


def _whole(table: RigTable, key: str, lowest: int, highest: int, default: int | None = None) -> float:
    value = float(table.get(key, float, default))
    fine = value == int(value) and lowest <= value <= highest
    checked(table, key, fine, f"{value:g}; valid: a whole number from {lowest} to {highest}")
    return value
