"""The rig as it was calibrated: lenses, places and dates of its cameras, and its sensors, from the workspace's
store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.calibration.store import Calibration, CalibrationStore, Kind
from hardware.geometry import Array, inverse
from hardware.rig import Rig
from hardware.rig_devices import CameraConfig, SensorConfig
from hardware.types import Camera

EXTRINSICS = "cameras"  # the subject of where all cameras of a rig stand to each other
OPENING_NUMBERS = ("closed_m", "opened_m", "travel_m")
_SENSOR_KINDS: Mapping[str, Kind] = {"pose": "tracker", "opening": "opening", "force": "force"}


@dataclass(frozen=True, eq=False)
class CalibratedRig:
    """rig: with everything that was calibrated put in; used: ids by camera; problems: what could not be used, in
    words."""

    rig: Rig
    used: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]


def with_calibrations(rig: Rig, store: CalibrationStore) -> CalibratedRig:
    """Return the rig with the calibration of each camera that its rig.toml chose, else the newest, and the newest
    of each sensor.

    A simulated camera goes on being drawn with the rig file's numbers; use the result for what is *said* of it.
    Raises DreamFileError where the rig.toml names a calibration that is not there or broken.
    """
    problems: list[str] = []
    used: dict[str, tuple[str, ...]] = {}
    places = _places(rig, store, problems)
    cameras = []
    for config in rig.cameras:
        name = config.camera.name
        lens = store.chosen("intrinsics", name, config.calibration)
        made, ids = config, []
        if lens is not None:
            made, problem = _with_lens(config, lens)
            problems += [problem] if problem else []
            ids += [] if problem else [lens.id]
        by_wrist = store.newest("hand_eye", name) if config.on_arm and config.calibration != "none" else None
        if by_wrist is not None and "T_flange_cam" in by_wrist.poses:
            made = replace(made, T_mount_cam=by_wrist.poses["T_flange_cam"], calibrated_on=_older(made, by_wrist))
            ids.append(by_wrist.id)
        if name in places and config.calibration != "none":
            T, source = places[name]
            made = replace(made, camera=replace(made.camera, T_world_cam=T), calibrated_on=_older(made, source))
            ids.append(source.id)
        used[name] = tuple(ids)
        cameras.append(made)
    sensors = []
    for sensor in rig.sensors:
        felt, id = _with_sensor(sensor, store)
        used[sensor.name] = (id,) if id else ()
        sensors.append(felt)
    _, broken = store.all()
    return CalibratedRig(replace(rig, cameras=tuple(cameras), sensors=tuple(sensors)), used, (*problems, *broken))


def _with_sensor(config: SensorConfig, store: CalibrationStore) -> tuple[SensorConfig, str]:
    """A sensor with its newest calibration, and the id of that, "" for none."""
    kind = _SENSOR_KINDS.get(config.kind)
    newest = store.newest(kind, config.name) if kind is not None else None
    if newest is None:
        return config, ""
    numbers = newest.numbers
    if config.kind == "pose" and "T_gripper_sensor" in newest.poses:
        return replace(config, T_sensor_gripper=inverse(newest.poses["T_gripper_sensor"])), newest.id
    closed, opened, travel = (numbers.get(key, 0.0) for key in OPENING_NUMBERS)
    if config.aruco is not None and closed != opened and travel > 0:
        return replace(config, aruco=replace(config.aruco, closed=closed, opened=opened, travel=travel)), newest.id
    if config.force is not None and numbers.get("newton_per_count"):
        force = replace(config.force, newton_per_count=numbers["newton_per_count"])
        return replace(config, force=force), newest.id
    return config, ""


def _with_lens(config: CameraConfig, lens: Calibration) -> tuple[CameraConfig, str]:
    found = next((camera for camera in lens.cameras if camera.name == config.camera.name), None)
    name = config.camera.name
    if found is None:
        return config, f"{lens.id}: it says nothing of camera {name}"
    if found.size != config.camera.size or found.model != config.camera.model:
        was, now = _words(found), _words(config.camera)
        return config, f"{name}: calibrated as {was}, the rig has {now}; calibrate it again"
    camera = replace(config.camera, K=found.K, distortion=found.distortion)
    return replace(config, camera=camera, calibrated=True, calibrated_on=lens.date), ""


def _words(camera: Camera) -> str:
    return f"{camera.model} {camera.size[0]}x{camera.size[1]}"


def _older(config: CameraConfig, source: Calibration) -> str:
    """A camera is as old as the older of its lens and its place."""
    return min(filter(None, (config.calibrated_on, source.date)))


def _places(rig: Rig, store: CalibrationStore, problems: list[str]) -> dict[str, tuple[Array, Calibration]]:
    """T_world_cam by camera, and what says so: from an arm that a camera was calibrated with, else from the rig
    file's place of the first camera, the others by how they stand to it."""
    found: dict[str, tuple[Array, Calibration]] = {}
    for config in rig.cameras:
        by_arm = store.newest("hand_eye", config.camera.name)
        T = None if by_arm is None else by_arm.poses.get("T_world_cam")
        if by_arm is not None and T is not None:
            found[config.camera.name] = T, by_arm
    among = store.newest("extrinsics", EXTRINSICS)
    if among is None:
        return found
    T_view1_cam = {name.removeprefix("T_view1_"): T for name, T in among.poses.items()}
    anchors = {c.camera.name: c.camera.T_world_cam for c in rig.cameras if c.camera.T_world_cam is not None}
    anchors |= {name: T for name, (T, _) in found.items()}
    anchor = next((name for name in (*found, *anchors) if name in T_view1_cam), None)
    if anchor is None:
        problems.append(f"{among.id}: none of its cameras has a place in the world; give one of them a position")
        return found
    T_world_view1 = anchors[anchor] @ inverse(T_view1_cam[anchor])
    for name, T in T_view1_cam.items():
        if name not in found and any(c.camera.name == name for c in rig.cameras):
            found[name] = T_world_view1 @ T, among
    return found
