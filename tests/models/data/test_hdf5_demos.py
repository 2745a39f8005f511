"""robomimic, RoboCasa and LIBERO files: read as they are, and never further than the file itself."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.data.errors import DreamFileError
from models.data.hdf5_demos import read_hdf5
from tests.models.data.spoilt import spoil

QUATERNION = np.array([0.0, 0.0, np.sin(0.2), np.cos(0.2)])


def write(path: Path, demos: int = 2, rows: int = 6, size: tuple[int, int] = (32, 24)) -> Path:
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["total"] = demos * rows
        data.attrs["env_args"] = json.dumps({"env_name": "Lift", "env_kwargs": {"control_freq": 10}})
        for k in range(demos):
            demo = data.create_group(f"demo_{k}")
            demo.attrs["num_samples"] = rows
            demo.attrs["ep_meta"] = json.dumps({"lang": f"open drawer {k}"})
            demo["actions"] = rng.normal(size=(rows, 7))
            demo["states"] = rng.normal(size=(rows, 12))
            demo["rewards"] = np.arange(rows)
            demo["obs/agentview_image"] = rng.integers(0, 255, (rows, size[1], size[0], 3), np.uint8)
            demo["obs/robot0_eef_pos"] = rng.normal(size=(rows, 3))
            demo["obs/robot0_eef_quat"] = np.tile(-QUATERNION, (rows, 1))
        file["mask/train"] = np.array([b"demo_0"])
        file["mask/few"] = np.array([b"demo_0", b"demo_1"])
    return path


def test_demos_have_actions_observations_masks_and_words(tmp_path: Path) -> None:
    path = write(tmp_path / "lift.hdf5", 11)
    demos = read_hdf5(path)
    assert [demo.source["episode"] for demo in demos] == [f"demo_{k}" for k in range(11)]
    first = demos[0]
    assert (first.labels.instruction, first.labels.tags) == ("open drawer 0", ("few", "train"))
    assert demos[1].labels.tags == ("few",)
    assert first.streams["agentview_image"].size == (32, 24)
    assert {n: s.kind for n, s in first.streams.items()} == {
        "actions": "action", "states": "arm", "rewards": "arm", "agentview_image": "camera",
        "robot0_eef_pos": "arm", "robot0_eef_quat": "arm", "robot0_eef": "pose",
    }  # fmt: skip
    np.testing.assert_allclose(first.times("actions"), np.arange(6) / 10)
    np.testing.assert_allclose(first.values("robot0_eef")[:, 3:], np.tile(QUATERNION, (6, 1)), atol=1e-12)
    with h5py.File(path) as file:
        actions, pictures = file["data/demo_0/actions"][()], file["data/demo_0/obs/agentview_image"][()]
    np.testing.assert_array_equal(first.values("actions"), actions)
    np.testing.assert_array_equal(first.pictures("agentview_image", [5, 0]), pictures[[5, 0]])
    assert list(first.coded("agentview_image")) == []
    with pytest.raises(KeyError, match="it has"):
        first.values("nothing")


def test_libero_words_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "libero.hdf5", 1)
    with h5py.File(path, "a") as file:
        del file["data/demo_0"].attrs["ep_meta"]
        file["data"].attrs["problem_info"] = json.dumps({"language_instruction": "put the bowl on the plate"})
    assert read_hdf5(path)[0].labels.instruction == "put the bowl on the plate"


@pytest.mark.parametrize("trick", ["external link", "external data", "virtual", "soft link"])
def test_other_files_are_not_read_through_it(tmp_path: Path, trick: str) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"x" * 480)
    path = write(tmp_path / "demo.hdf5", 1)
    with h5py.File(path, "a") as file:
        obs = file["data/demo_0/obs"]
        if trick == "external link":
            obs["more"] = h5py.ExternalLink("/etc/hostname", "/x")
        elif trick == "soft link":
            obs["more"] = h5py.SoftLink("/data/demo_0/actions")
        elif trick == "external data":
            obs.create_dataset("more", (6, 10), "f8", external=[(str(secret), 0, 480)])
        else:
            layout = h5py.VirtualLayout((6, 2), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "x", (6, 2))
            obs.create_virtual_dataset("more", layout)
    with pytest.raises(DreamFileError, match="more"):
        read_hdf5(path)


def test_what_is_claimed_but_not_there_takes_no_room(tmp_path: Path) -> None:
    path = write(tmp_path / "demo.hdf5", 1)
    with h5py.File(path, "a") as file:
        file.create_dataset("data/demo_0/obs/huge", (6, 10**12), "f8", chunks=(1, 10**8))
    with pytest.raises(DreamFileError, match="huge"):
        read_hdf5(path)


def test_a_file_without_demos_says_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / "empty.hdf5"
    with h5py.File(path, "w") as file:
        file.create_group("data")
    with pytest.raises(DreamFileError, match="demo_0"):
        read_hdf5(path)
    path.write_bytes(b"no HDF5 at all")
    with pytest.raises(DreamFileError, match="damaged"):
        read_hdf5(path)


def test_spoilt_files_are_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "demo.hdf5", 2)

    def read() -> None:
        for demo in read_hdf5(path):
            for name, stream in demo.streams.items():
                if stream.kind == "camera":
                    demo.pictures(name, [0])
                else:
                    demo.values(name)

    spoil(path, read, 40, 7, reach=20_000)
