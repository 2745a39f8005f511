"""Calibrations are kept dated, compared, chosen by the rig.toml, and never half written."""

import datetime
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibration.calibrated_rig import EXTRINSICS, with_calibrations
from app.calibration.store import Calibration, CalibrationStore, Kind, changes
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse, rotation_from_vector, transform
from hardware.rig import Rig, load_rig
from hardware.rig_devices import ON_FLANGE, camera_details, gripper_on_sensor, sensor_details
from hardware.types import Camera
from models.data.errors import DreamFileError

DAY = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def rig() -> Rig:
    return load_rig("sim")


def lens(name: str = "top", f: float = 570.0, made: datetime.datetime = DAY) -> Calibration:
    K = np.array([[f, 0.0, 380.0], [0.0, f, 225.0], [0.0, 0.0, 1.0]])
    camera = Camera(name, K, (768, 448), np.array([0.01, -0.02, 1e-4, 2e-4]))
    return Calibration(
        "intrinsics", "sim", name, made, "good", 'Good: "20" views.', (camera,), sigma={"fx_px": 0.2}
    )


def places(T: Array, made: datetime.datetime = DAY) -> Calibration:
    poses = {"T_view1_top": np.eye(4), "T_view1_side": T}
    return Calibration("extrinsics", "sim", EXTRINSICS, made, "usable", "Usable.", poses=poses, rms_px=0.31)


def test_what_is_kept_is_read_back_exactly(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    kept = store.save(lens())
    read = store.read(kept.id)
    assert (read.kind, read.subject, read.made, read.verdict, read.words) == (
        "intrinsics", "top", DAY, "good", 'Good: "20" views.',
    )  # fmt: skip
    np.testing.assert_array_equal(read.cameras[0].K, lens().cameras[0].K)
    np.testing.assert_array_equal(read.cameras[0].distortion, lens().cameras[0].distortion)
    assert read.sigma == {"fx_px": 0.2}
    T = transform(rotation_from_vector(np.array([0.1, 0.7, 0.2])), [0.6, 0.0, 0.1])
    np.testing.assert_array_equal(store.read(store.save(places(T)).id).poses["T_view1_side"], T)


def test_none_is_ever_written_over_and_the_newest_counts(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    first, second = store.save(lens(f=570.0)), store.save(lens(f=571.0))
    assert first.id != second.id
    newest = store.newest("intrinsics", "top")
    assert newest is not None
    assert newest.id == second.id
    assert len(store.ids()) == 2


def test_a_change_is_told_in_pixels_millimetres_and_degrees(tmp_path: Path) -> None:
    T = transform(np.eye(3), [0.6, 0.0, 0.1])
    pushed = T @ transform(rotation_from_vector(np.array([0.0, np.radians(0.5), 0.0])), [0.004, 0.0, 0.0])
    moved = {one.what: one for one in changes(places(T), places(pushed))}
    assert moved["T_view1_side"].words == "T_view1_side moved by 4.0 mm and 0.50 degrees"
    (bent,) = changes(lens(f=570.0), lens(f=575.0))
    assert 1.0 < bent.pixels < 5.0


def test_a_broken_file_is_told_and_the_others_are_used(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    kept = store.save(lens())
    (store.folder / "20270101T000000Z-intrinsics-top.toml").write_text("kind = 'intrinsics'\nmade = 'soon'\n")
    found, wrong = store.all("intrinsics", "top")
    assert [one.id for one in found] == [kept.id]
    assert len(wrong) == 1
    assert "20270101T000000Z-intrinsics-top.toml: made: 'soon'; valid" in wrong[0]
    assert with_calibrations(rig(), store).problems == tuple(wrong)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('kind = "lens"', "kind: 'lens'"),
        ('verdict = "fine"', "verdict: 'fine'"),
        ("cameras = 3", "cameras"),
        ("words = 3", "words"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_valid(tmp_path: Path, line: str, named: str) -> None:
    store = CalibrationStore(tmp_path, "sim")
    kept = store.save(replace(lens(), cameras=(), sigma={}))
    path = store.folder / f"{kept.id}.toml"
    key = line.split(" ", maxsplit=1)[0]
    rest = [old for old in path.read_text().splitlines() if not old.startswith(f"{key} =")]
    path.write_text("\n".join([line, *rest]))
    with pytest.raises(DreamFileError, match=named):
        store.read(kept.id)


def test_the_rig_gets_lens_place_and_the_older_date(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    T = transform(rotation_from_vector(np.array([0.0, 0.6, 0.0])), [0.5, 0.1, 0.0])
    store.save(lens("side", f=580.0, made=DAY))
    store.save(places(T, made=DAY + datetime.timedelta(days=9)))
    used = with_calibrations(rig(), store)
    top, side = (config for config in used.rig.cameras)
    assert side.camera.K[0, 0] == 580.0
    assert (top.calibrated_on, side.calibrated_on) == ("2026-03-10", "2026-03-01")
    drawn = rig().cameras[0].camera.T_world_cam
    assert drawn is not None
    assert side.camera.T_world_cam is not None
    assert pose_difference(drawn @ T, side.camera.T_world_cam)[0] < 1e-12
    assert not used.problems


def test_a_calibration_at_another_picture_size_is_not_used_and_told(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    one = lens()
    store.save(replace(one, cameras=(replace(one.cameras[0], size=(1280, 720)),)))
    used = with_calibrations(rig(), store)
    assert used.rig.cameras[0].calibrated_on == ""
    assert used.problems == (
        "top: calibrated as pinhole 1280x720, the rig has pinhole 768x448; calibrate it again",
    )


def test_the_rig_file_chooses_one_or_none(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim")
    old = store.save(lens(f=570.0))
    store.save(lens(f=575.0))
    some = rig()
    for choice, f in ((old.id, 570.0), ("newest", 575.0), ("none", 566.4)):
        cameras = tuple(replace(config, calibration=choice) for config in some.cameras)
        used = with_calibrations(replace(some, cameras=cameras[:1]), store)
        assert used.rig.cameras[0].camera.K[0, 0] == f
    cameras = tuple(replace(config, calibration="20200101T000000Z-intrinsics-top") for config in some.cameras)
    with pytest.raises(DreamFileError, match="20200101T000000Z-intrinsics-top"):
        with_calibrations(replace(some, cameras=cameras), store)


def test_a_picture_of_the_scene_is_kept_exactly(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path, "sim 2")
    assert store.scene("top") is None
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    store.keep_scene("top", picture)
    back = store.scene("top")
    assert back is not None
    np.testing.assert_array_equal(back, picture)


def kept_of(kind: Kind, subject: str, **found: object) -> Calibration:
    return replace(Calibration(kind, "sim-handheld", subject, DAY, "good", "Good."), **found)  # type: ignore[arg-type]


def test_sensors_are_told_by_what_was_calibrated(tmp_path: Path) -> None:
    handheld, store = load_rig("sim-handheld"), CalibrationStore(tmp_path, "sim-handheld")
    T_gripper_sensor = transform(rotation_from_vector(np.array([0.1, 0.2, 0.3])), [-0.13, 0.0, 0.05])
    store.save(kept_of("tracker", "pose", poses={"T_gripper_sensor": T_gripper_sensor}))
    store.save(kept_of("opening", "opening", numbers={"closed_m": 0.02, "opened_m": 0.11, "travel_m": 0.08}))
    store.save(kept_of("force", "force", numbers={"newton_per_count": -0.0007}))
    used = with_calibrations(handheld, store)
    pose, opening, force = used.rig.sensors
    told = gripper_on_sensor(sensor_details(pose))
    assert told is not None
    np.testing.assert_allclose(told, inverse(T_gripper_sensor), atol=1e-12)
    assert opening.aruco is not None
    assert (opening.aruco.closed, opening.aruco.opened, opening.aruco.travel) == (0.02, 0.11, 0.08)
    assert force.force is not None
    assert force.force.newton_per_count == -0.0007
    assert all(used.used[name] for name in ("pose", "opening", "force"))
    assert gripper_on_sensor(sensor_details(handheld.sensors[0])) is None


def test_a_camera_on_the_wrist_says_where_it_rides_once_that_was_found(tmp_path: Path) -> None:
    rides, store = load_rig("sim-wrist"), CalibrationStore(tmp_path, "sim-wrist")
    T = transform(rotation_from_vector(np.array([0.0, 0.1, 0.0])), [0.07, 0.0, 0.04])
    store.save(kept_of("hand_eye", "wrist", poses={"T_flange_cam": T}))
    config = next(c for c in with_calibrations(rides, store).rig.cameras if c.camera.name == "wrist")
    np.testing.assert_array_equal(config.T_mount_cam, T)
    assert config.calibrated_on == "2026-03-01"
    assert json.loads(camera_details(config)[ON_FLANGE]) == T.tolist()
    assert config.camera.T_world_cam is None
