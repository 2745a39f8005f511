"""Calibrations go to other programs' files and come back the same; a fisheye is never called plumb_bob."""

import contextlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calibration.formats import kalibr_text, opencv_text, read_cameras, ros_text
from app.calibration.plain_yaml import YamlError, read_yaml
from hardware.geometry import rotation_from_vector, transform
from hardware.types import Camera
from models.data.errors import DreamFileError

K = np.array([[612.25, 0.0, 322.4], [0.0, 610.5, 236.125], [0.0, 0.0, 1.0]])
PINHOLE = Camera("left", K, (640, 480), np.array([0.1, -0.2, 0.001, -0.0005, 0.03]))
FISHEYE = Camera("gripper", K, (640, 480), np.array([0.02, -0.01, 0.003, -0.001]), "fisheye")
RATIONAL = Camera("far", K, (640, 480), np.arange(1.0, 9.0) / 100)


def same(a: Camera, b: Camera) -> None:
    assert (a.name, a.size, a.model) == (b.name, b.size, b.model)
    np.testing.assert_array_equal(a.K, b.K)
    np.testing.assert_array_equal(a.distortion, b.distortion)


def read(folder: Path, text: str) -> Camera:
    path = folder / "camera.yaml"
    path.write_text(text)
    (camera,) = read_cameras(path).cameras
    return camera


@pytest.mark.parametrize("camera", [PINHOLE, FISHEYE, RATIONAL])
def test_ros_camera_info_comes_back_the_same(tmp_path: Path, camera: Camera) -> None:
    text = ros_text(camera)
    same(read(tmp_path, text), camera)
    word = {"left": "plumb_bob", "gripper": "equidistant", "far": "rational_polynomial"}[camera.name]
    assert f"distortion_model: {word}\n" in text


@pytest.mark.parametrize("camera", [PINHOLE, FISHEYE, RATIONAL])
def test_opencv_yaml_comes_back_the_same_here_and_in_opencv(tmp_path: Path, camera: Camera) -> None:
    text = opencv_text(camera)
    same(read(tmp_path, text), camera)
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    np.testing.assert_array_equal(storage.getNode("camera_matrix").mat(), camera.K)
    np.testing.assert_array_equal(storage.getNode("distortion_coefficients").mat().ravel(), camera.distortion)
    assert storage.getNode("image_width").real() == 640


def test_what_opencv_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "theirs.yml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([[0.1, -0.2, 0.001, -0.0005, 0.03]]))
    storage.release()
    (camera,) = read_cameras(path).cameras
    assert camera.name == "theirs"
    np.testing.assert_allclose(camera.K, K)
    np.testing.assert_allclose(camera.distortion, PINHOLE.distortion)


def test_a_kalibr_camchain_comes_back_with_its_places(tmp_path: Path) -> None:
    left = Camera("left", K, (640, 480), np.array([0.1, -0.2, 0.001, -0.0005]))
    places = {
        "left": np.eye(4),
        "gripper": transform(rotation_from_vector(np.array([0.1, 0.5, 0.0])), [0.3, 0.0, 0.1]),
        "top": transform(rotation_from_vector(np.array([-0.4, 0.0, 0.2])), [0.1, 0.4, 0.0]),
    }
    cameras = (left, FISHEYE, Camera("top", K, (640, 480), np.zeros(4)))
    path = tmp_path / "camchain.yaml"
    path.write_text(kalibr_text(cameras, places))
    found = read_cameras(path)
    for one, other in zip(found.cameras, cameras, strict=True):
        same(one, other)
    for name, T in places.items():
        np.testing.assert_allclose(found.T_view1_cam[name], T, atol=1e-12)
    text = path.read_text()
    assert "distortion_model: equidistant" in text
    assert "plumb_bob" not in text


def test_a_camchain_as_kalibr_writes_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "camchain-x.yaml"
    path.write_text(
        "cam0:\n  cam_overlaps: [1]\n  camera_model: pinhole\n  distortion_coeffs: [-0.01, 0.02, -0.03, 0.01]\n"
        "  distortion_model: equidistant\n  intrinsics: [461.1, 460.2, 365.0, 240.5]\n  resolution: [752, 480]\n"
        "  rostopic: /cam0/image_raw\n"
        "cam1:\n  T_cn_cnm1:\n  - [1.0, 0.0, 0.0, -0.11]\n  - [0.0, 1.0, 0.0, 0.0]\n  - [0.0, 0.0, 1.0, 0.0]\n"
        "  - [0.0, 0.0, 0.0, 1.0]\n  cam_overlaps: [0]\n  camera_model: pinhole\n"
        "  distortion_coeffs: [0.1, 0.02,\n    0.0, 0.0]\n  distortion_model: radtan\n"
        "  intrinsics: [457.0, 456.0, 370.0, 250.0]\n  resolution: [752, 480]\n  rostopic: /cam1/image_raw\n"
    )
    found = read_cameras(path)
    assert [camera.model for camera in found.cameras] == ["fisheye", "pinhole"]
    assert found.T_view1_cam["cam1"][0, 3] == pytest.approx(0.11)


def test_kalibr_refuses_a_lens_that_it_cannot_say() -> None:
    with pytest.raises(ValueError, match="camera left: 5 distortion terms"):
        kalibr_text([PINHOLE], {})


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ("distortion_model: equidistant", "distortion_model: kb4", "distortion_model: 'kb4'"),
        ("distortion_model: equidistant", "distortion_model: plumb_bob\nx: 1", None),
        ("image_width: 640", "image_width: -3", "image_width"),
        ("camera_name: gripper", "camera_name: ../up", "camera_name"),
        ("612.25", ".nan", "camera_matrix"),
        ("rows: 1", "rows 1", "syntax: line"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, was: str, now: str, named: str | None) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(ros_text(FISHEYE).replace(was, now, 1))
    if named is None:  # four numbers are a plumb_bob's too: taken as it says
        assert read_cameras(path).cameras[0].model == "pinhole"
        return
    with pytest.raises(DreamFileError) as error:
        read_cameras(path)
    assert named in str(error.value)


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="ab: -[]{}\n#'\"1.,%!&*\t", max_size=60))
def test_hostile_yaml_is_read_or_refused_never_a_crash(text: str) -> None:
    with contextlib.suppress(YamlError):
        read_yaml(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(YamlError, match="nested deeper"):
        read_yaml("a: " + "[" * 5000 + "]" * 5000)
    deep = "".join(" " * k + f"k{k}:\n" for k in range(500)) + " " * 500 + "x: 1\n"
    with pytest.raises(YamlError, match="nested deeper"):
        read_yaml(deep)
