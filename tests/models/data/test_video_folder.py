"""Plain videos as demos without actions, and videos at random access."""

from pathlib import Path

import av
import numpy as np
import pytest

from app.datasets.exchange import import_demos
from hardware.recording.encoder import Encoder
from models.data.errors import DreamFileError
from models.data.exchange_video import VideoFile, VideoWriter
from models.data.video_folder import has_videos, read_video_folder
from tests.hardware.recording.sources import picture
from tests.models.data.recorded import demos
from tests.models.data.spoilt import spoil


def h264(path: Path, count: int = 40) -> Path:
    encoder = Encoder((96, 64), 30)
    coded = [encoder.encode(picture("a", k, 0.0)) for k in range(count)]
    writer = VideoWriter(path, 30, coded[0].data)
    for one in coded:
        writer.add(one.data, one.key)
    writer.close()
    return path


def with_b_frames(path: Path, count: int = 30) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"x264-params": "bframes=2:b-adapt=0:scenecut=0"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(picture("a", k, 0.0).pixels, format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def test_each_video_is_a_demo_and_a_folder_of_them_its_cameras(tmp_path: Path) -> None:
    h264(tmp_path / "one.mp4")
    (tmp_path / "one.txt").write_text("wipe the table\n")
    (tmp_path / "two").mkdir()
    for name in ("left", "right"):
        h264(tmp_path / "two" / f"{name}.mp4", 20)
    (tmp_path / "notes.md").write_text("no video")
    assert has_videos(tmp_path)
    one, two = read_video_folder(tmp_path)
    assert (one.labels.instruction, list(one.streams)) == ("wipe the table", ["camera"])
    assert list(two.streams) == ["left", "right"]
    assert one.streams["camera"].rate_hz == pytest.approx(30)
    np.testing.assert_allclose(one.times("camera"), np.arange(40) / 30, atol=1e-4)
    done = import_demos([one, two], tmp_path / "session")
    assert done.episodes == (1, 2)
    first, _ = demos(tmp_path / "session")
    assert [p.data for p in first.coded("camera")] == [p.data for p in one.coded("camera")]
    assert first.labels == one.labels


def test_pictures_come_in_any_order_and_the_same_each_time(tmp_path: Path) -> None:
    for path in (h264(tmp_path / "plain.mp4"), with_b_frames(tmp_path / "b.mp4")):
        file = VideoFile(path)
        count = len(file.times)
        every = file.pictures(range(count))
        order = np.random.default_rng(1).permutation(count).tolist()
        np.testing.assert_array_equal(file.pictures([*order, 3, 3]), every[[*order, 3, 3]])
        tell = np.abs(every.astype(int) - np.stack([picture("a", k, 0.0).pixels for k in range(count)])).mean()
        assert tell < 25
        file.close()
        np.testing.assert_array_equal(file.pictures([5]), every[[5]])
        file.close()


def test_only_what_can_be_copied_is_copied(tmp_path: Path) -> None:
    plain, reordered = VideoFile(h264(tmp_path / "plain.mp4")), VideoFile(with_b_frames(tmp_path / "b.mp4"))
    assert plain.copyable
    assert [key for _, key in plain.coded(15, 31)] == [True, *[False] * 14, True]
    assert list(plain.coded(3, 30)) == []
    assert list(reordered.coded(0, 30)) == []
    plain.close()
    reordered.close()


def test_a_video_that_is_none_or_another_file_is_refused(tmp_path: Path) -> None:
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.mp4\n")
    with pytest.raises(DreamFileError, match=r"list\.mp4"):
        VideoFile(playlist)
    with pytest.raises(DreamFileError, match="suffix"):
        VideoFile(tmp_path / "noending")
    with pytest.raises(DreamFileError, match="none is there"):
        read_video_folder(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_spoilt_videos_are_refused_by_name(tmp_path: Path) -> None:
    path = h264(tmp_path / "a.mp4", 20)

    def read() -> None:
        file = VideoFile(path)
        file.pictures(range(len(file.times)))
        list(file.coded(0, len(file.times)))
        file.close()

    spoil(path, read, 25, 4)
