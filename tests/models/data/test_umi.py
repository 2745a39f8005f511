"""UMI's zarr.zip: both ways, for its own reader too, and hostile files cost nothing."""

import io
import json
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.datasets.exchange import ExportOptions, export_demos
from models.data.errors import DreamFileError
from models.data.exchange_pictures import psnr_db
from models.data.umi import NAME, read_umi
from models.data.umi_store import ZarrZip, jpeg_xl_size
from tests.models.data.recorded import demos, record
from tests.models.data.spoilt import problem_of, spoil


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "session", seconds=0.4)


@pytest.fixture(scope="module")
def exported(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "umi"
    report = export_demos(demos(session), out, "umi", ExportOptions())
    assert report["robots"] == (("t265", "opening"),)
    assert report["left_out"] == ("force", "left_arm", "left_arm_commanded")
    return out / NAME


def test_what_is_written_reads_back(session: Path, exported: Path) -> None:
    for demo, again in zip(demos(session), read_umi(exported), strict=True):
        assert again.labels == demo.labels
        assert set(again.streams) == {"camera0_rgb", "camera1_rgb", "robot0_eef", "robot0_gripper_width"}
        np.testing.assert_allclose(again.times("camera0_rgb"), demo.times("top"), atol=1e-9)
        near = np.abs(demo.times("t265")[:, None] - demo.times("top")).argmin(axis=0)
        np.testing.assert_allclose(again.values("robot0_eef"), demo.values("t265")[near], atol=1e-6)
        np.testing.assert_allclose(again.values("robot0_gripper_width"), demo.values("opening"), atol=1e-6)
        for a, b in zip(again.pictures("camera0_rgb", [3, 0]), demo.pictures("top", [3, 0]), strict=True):
            assert psnr_db(a, b) >= 38


def test_the_layout_is_umis(exported: Path) -> None:
    with zipfile.ZipFile(exported) as file:
        names = set(file.namelist())
        told = json.loads(file.read("data/camera0_rgb/.zarray"))
        picture = file.read("data/camera0_rgb/0.0.0.0")
    assert (told["zarr_format"], told["chunks"], told["dtype"]) == (2, [1, 64, 96, 3], "|u1")
    assert told["compressor"]["id"] == "imagecodecs_jpegxl"
    assert jpeg_xl_size(picture) in (None, (96, 64))
    wanted = {"eef_pos", "eef_rot_axis_angle", "gripper_width", "demo_start_pose", "demo_end_pose"}
    assert {f"data/robot0_{name}/.zarray" for name in wanted} | {"meta/episode_ends/.zarray", ".zgroup"} <= names


WITH_ZARR = """
import json, sys
import zarr
from imagecodecs.numcodecs import register_codecs

register_codecs(verbose=False)
root = zarr.open_group(zarr.storage.ZipStore(sys.argv[1], mode="r"), mode="r", zarr_format=2)
ends, places = root["meta/episode_ends"][:].tolist(), root["data/robot0_eef_pos"].shape
print(json.dumps([ends, places, int(root["data/camera0_rgb"][14].sum())]))
"""


def test_the_real_zarr_library_reads_it(exported: Path) -> None:
    # in a process of its own: the library leaves threads behind
    done = subprocess.run(
        [sys.executable, "-c", WITH_ZARR, str(exported)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ends, shape, total = json.loads(done.stdout)
    assert (ends, shape) == ([12, 24], [24, 3])
    assert total == int(read_umi(exported)[1].pictures("camera0_rgb", [2]).sum())


def _rewritten(source: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = changes.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name in changes.keys() - set(old.namelist()):
            new.writestr(name, changes[name] or b"")
    return target


def _described(**changes: object) -> bytes:
    told = {"zarr_format": 2, "shape": [24, 3], "chunks": [24, 3], "dtype": "<f4", "compressor": {"id": "zlib"},
            "fill_value": 0, "order": "C", "filters": None}  # fmt: skip
    return json.dumps({**told, **changes}).encode()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("data/robot0_eef_pos/.zarray", _described(compressor={"id": "pickle"}), "coded with pickle"),
        ("data/robot0_eef_pos/.zarray", _described(filters=[{"id": "json2"}]), "filters"),
        ("data/robot0_eef_pos/.zarray", _described(chunks=[10**9, 3]), "chunks"),
        ("data/robot0_eef_pos/.zarray", _described(dtype="|O"), "eef_pos"),
        ("data/robot0_eef_pos/.zarray", _described(shape=[24, 10**12]), "at most"),
        ("data/robot0_eef_pos/.zarray", _described(shape=[24, 10**6], chunks=[24, 1]), "chunks a row"),
        ("data/robot0_eef_pos/.zarray", _described(shape=[23, 3]), "rows"),
        ("data/robot0_eef_pos/.zarray", b"[" * 100_000, "damaged"),
        ("data/robot0_eef_pos/0.0", zlib.compress(b"\0" * 2_000_000), "cannot be decoded"),
        ("data/robot0_eef_pos/0.0", b"\0" * 20_000_000, "at most"),
        ("meta/episode_ends/.zarray", None, "episode_ends"),
        ("meta/episode_ends/0", zlib.compress(struct.pack("<2q", 24, 12)), "episode_ends"),
        ("meta/episode_ends/0", zlib.compress(struct.pack("<2q", 12, 2**60)), "episode_ends"),
    ],
)
def test_hostile_files_are_refused(
    exported: Path, tmp_path: Path, name: str, data: bytes | None, words: str
) -> None:
    path = _rewritten(exported, tmp_path / "bad.zarr.zip", {name: data})
    assert words in problem_of(lambda: [demo.values("robot0_eef") for demo in read_umi(path)])


def test_a_zip_of_something_else_says_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("../../etc/passwd", "x")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(DreamFileError, match="episode_ends"):
        ZarrZip(path)
    path.write_bytes(b"PK no zip")
    with pytest.raises(DreamFileError, match="damaged"):
        ZarrZip(path)


def test_spoilt_files_are_refused_by_name(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "spoilt.zarr.zip"
    shutil.copy(exported, path)

    def read() -> None:
        for demo in read_umi(path):
            demo.values("robot0_eef")
            demo.pictures("camera0_rgb", [0, 11])

    spoil(path, read, 20, 2)


def test_an_export_without_a_pose_throughout_is_refused(tmp_path: Path) -> None:
    session = record(tmp_path / "s", 1, 0.4)
    (demo,) = demos(session)
    bare = replace(demo)
    object.__setattr__(bare.recording, "streams", {k: v for k, v in demo.streams.items() if v.kind == "camera"})
    with pytest.raises(DreamFileError, match="pose"):
        export_demos([bare], tmp_path / "out", "umi", ExportOptions())
    assert not list(tmp_path.glob("out*"))
