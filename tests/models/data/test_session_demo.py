"""An episode as a demo: the same pictures, times and values as recorded, cut and labelled as a person said."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.geometry import rotation_from_vector, transform
from hardware.recording.encoder import GOP, Decoder
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import NOTE, EpisodeFileError
from hardware.rig_devices import ON_GRIPPER, SensorConfig, sensor_details
from models.data.annotations import (
    ANNOTATION,
    AS_RECORDED,
    Mark,
    labelled,
    marked,
    split,
    trimmed,
    write_annotation,
)
from models.data.demo import Demo, DemoLabels
from models.data.episode_track import TRACK, read_episode_track, write_episode_track
from models.data.errors import DreamFileError
from models.data.session_demo import open_session_demos
from tests.models.data.sessions import PLACED, RATE, SIZE, STREAMS, a_track, new_session, write_episode

COUNT = 60


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_session(tmp_path_factory.mktemp("session"), count=COUNT)


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """An episode's folder in a session of its own."""
    return new_session(tmp_path / "session", count=30) / "episodes" / "000001"


def _one(session: Path) -> Demo:
    (demo,) = open_session_demos(session)
    return demo


def test_a_demo_says_what_was_recorded(session: Path) -> None:
    demo = _one(session)
    kinds = {name: stream.kind for name, stream in demo.streams.items()}
    assert kinds == {
        "top": "camera", "side": "camera", "t265": "pose", "force": "force", "grip": "opening",
        "left_arm": "arm", "left_arm_commanded": "action",
    }  # fmt: skip
    assert demo.labels == DemoLabels("rotation", "turn it")
    assert demo.duration_s == pytest.approx((COUNT - 1) / RATE + 0.005, abs=1e-5)
    assert demo.streams["top"].size == demo.streams["side"].size == SIZE
    camera = demo.camera("top")
    assert camera is not None
    np.testing.assert_array_equal(camera.K, PLACED.K)
    assert demo.camera("side") is None
    assert demo.source["sha256"] == "0" * 64
    for name, stream in demo.streams.items():
        if stream.kind != "camera":
            assert demo.values(name).shape == (len(demo.times(name)), len(stream.columns))


def test_any_pictures_in_any_order_are_those_that_were_recorded(session: Path) -> None:
    demo = _one(session)
    with open_episode(session / "episodes" / "000001") as reader:
        recorded = [frame.rgb for frame in reader.frames("side")]
    indices = [41, 0, 59, 7, 8, 9, 41, -1]
    np.testing.assert_array_equal(demo.pictures("side", indices), np.stack([recorded[k] for k in indices]))
    assert demo.pictures("side", []).shape == (0, SIZE[1], SIZE[0], 3)
    with pytest.raises(IndexError):
        demo.pictures("side", [COUNT])


def test_values_have_their_units_and_are_nan_where_a_sensor_did_not_see(session: Path) -> None:
    demo = _one(session)
    force, pose, arm = demo.values("force"), demo.values("t265"), demo.values("left_arm")
    np.testing.assert_allclose(np.delete(force[:, 0], 3), np.delete(0.1 * np.arange(COUNT), 3))
    assert np.isnan(force[3]).all()
    np.testing.assert_allclose(pose[7], [0.007, 0.1, 0.2, 0, 0, 0, 1], atol=1e-12)
    assert np.isnan(pose[4]).all()
    columns = demo.streams["left_arm"].columns
    assert arm[5, columns.index("q1")] == pytest.approx(-1 + 0.005)
    assert arm[5, columns.index("y")] == pytest.approx(0.005)
    assert arm[5, columns.index("opening")] == 0.5
    told = demo.values("left_arm_commanded")
    assert told[0, 0] == pytest.approx(-1 + 0.010 + 0.01)
    assert demo.times("left_arm_commanded")[0] == pytest.approx(10 / RATE + 0.004)


def test_poses_are_the_grippers_where_the_sensor_on_it_was_calibrated(episode: Path) -> None:
    T = transform(rotation_from_vector(np.array([0.0, 0.0, np.pi / 2])), [0.1, 0.0, 0.03])
    details = sensor_details(SensorConfig("t265", "t265", "pose", T_sensor_gripper=T))
    told = [replace(one, details=details) if one.kind == "pose" else one for one in STREAMS]
    (episode / MCAP).unlink()
    write_episode(episode, streams=told)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        _one(episode.parents[1]).values("t265")[7], [0.107, 0.1, 0.23, 0, 0, half, half], atol=1e-9
    )
    broken = [replace(one, details={ON_GRIPPER: "[[1, 2]]"}) if one.kind == "pose" else one for one in STREAMS]
    (episode / MCAP).unlink()
    write_episode(episode, streams=broken)
    with pytest.raises(DreamFileError, match=r"stream t265.*not a rigid transform"):
        _one(episode.parents[1]).values("t265")


def test_a_trimmed_demo_begins_at_its_start_with_true_times_and_the_right_pictures(session: Path) -> None:
    whole = _one(session)
    folder = session / "episodes" / "000001"
    write_annotation(folder, trimmed(AS_RECORDED, 1, 0.51, 1.27))
    try:
        demo = _one(session)
        assert demo.id == whole.id
        assert demo.duration_s == pytest.approx(0.76)
        times = demo.times("top")
        assert times[0] == pytest.approx(16 / RATE - 0.51)
        assert 0 <= times.min() <= times.max() < 0.76
        np.testing.assert_array_equal(demo.pictures("top", [0, 5]), whole.pictures("top", [16, 21]))
        np.testing.assert_array_equal(demo.values("force"), whole.values("force")[16:39])
    finally:
        (folder / ANNOTATION).unlink()


def test_coded_pictures_begin_with_a_key_frame_before_the_start_and_decode_to_the_same(session: Path) -> None:
    folder = session / "episodes" / "000001"
    write_annotation(folder, trimmed(AS_RECORDED, 1, 0.75, 1.2))
    try:
        demo = _one(session)
        coded = list(demo.coded("top"))
        decoder = Decoder()
        pictures = [picture for c in coded for picture in decoder.decode(c.data)]
        before = sum(c.t < 0 for c in coded)
        assert [c.key for c in coded] == [(k + GOP) % GOP == 0 for k in range(len(coded))]
        assert before == 23 - GOP
        np.testing.assert_allclose([c.t for c in coded[before:]], demo.times("top"))
        wanted = range(len(coded) - before)
        np.testing.assert_array_equal(np.stack(pictures[before:]), demo.pictures("top", wanted))
    finally:
        (folder / ANNOTATION).unlink()


def test_the_pieces_of_an_episode_share_no_sample_and_lose_none(episode: Path) -> None:
    session = episode.parents[1]
    cut = labelled(split(AS_RECORDED, 1, 0.5), 2, DemoLabels("rotation", "turn it back", success=False))
    write_annotation(episode, marked(cut, [Mark(0.1), Mark(0.7, "back")]))
    first, second = open_session_demos(session)
    assert second.id == f"{first.id}.2"
    assert (first.labels.instruction, second.labels.instruction) == ("turn it", "turn it back")
    assert len(first.times("force")) + len(second.times("force")) == 30
    assert second.times("force")[0] == pytest.approx(0.0, abs=1e-9)
    assert [m.t for m in second.steps] == [pytest.approx(0.2)]  # type: ignore[attr-defined]


def test_tracked_tools_are_streams_in_the_world(episode: Path) -> None:
    track, dream = a_track()
    times = 0.05 + np.arange(20) * 0.04
    write_episode_track(episode, track, dream, times)
    read = read_episode_track(episode)
    assert read is not None
    assert read.views == ("top",)
    demo = _one(episode.parents[1])
    stream = demo.streams["track_left"]
    assert (stream.kind, stream.frame) == ("track", "world")
    assert stream.rate_hz == pytest.approx(25.0)
    np.testing.assert_allclose(demo.times("track_left"), times)
    values = demo.values("track_left")
    np.testing.assert_allclose(values[5, :3], [0.05, 0.0, 0.2], atol=1e-9)
    assert np.isnan(values[3]).all()
    assert (values[np.isfinite(values[:, 6]), 6] >= 0).all()


def test_a_track_of_another_length_than_its_times_is_refused(episode: Path) -> None:
    track, dream = a_track()
    with pytest.raises(ValueError, match="times"):
        write_episode_track(episode, track, dream, np.arange(5.0))
    write_episode_track(episode, track, dream, np.arange(20) * 0.04)
    values = json.loads((episode / TRACK).read_text())
    (episode / TRACK).write_text(json.dumps({**values, "times": [0.0]}))
    with pytest.raises(DreamFileError, match="times"):
        _one(episode.parents[1]).streams  # noqa: B018
    (episode / TRACK).write_text(json.dumps({**values, "views": ["attic"]}))
    with pytest.raises(DreamFileError, match="attic"):
        _one(episode.parents[1]).streams  # noqa: B018


def test_streams_that_there_are_not_are_named(session: Path) -> None:
    demo = _one(session)
    with pytest.raises(KeyError, match=r"attic.*top"):
        demo.pictures("attic", [0])
    with pytest.raises(KeyError, match="force"):
        demo.camera("force")
    with pytest.raises(KeyError, match="top"):
        demo.values("top")


@pytest.mark.expects_warnings
def test_a_damaged_episode_is_left_out_and_named_while_the_others_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = new_session(tmp_path / "s", episodes=3, count=4)
    (session / "episodes" / "000001" / NOTE).write_text("{")
    (session / "episodes" / "000002" / ANNOTATION).write_text("[]")
    (demo,) = open_session_demos(session)
    assert demo.source["path"].endswith("000003")
    assert "000001" in caplog.text
    assert ANNOTATION in caplog.text
    with pytest.raises(EpisodeFileError, match="no session"):
        open_session_demos(tmp_path / "nowhere")


def test_a_damaged_recording_is_told_when_it_is_read_not_before(episode: Path) -> None:
    whole = (episode / MCAP).read_bytes()
    (episode / MCAP).write_bytes(whole[: len(whole) // 2])
    demo = _one(episode.parents[1])
    with pytest.raises(EpisodeFileError, match="recover"):
        demo.pictures("top", [0])


def test_demos_are_asked_from_several_threads_at_once(session: Path) -> None:
    demo, found = _one(session), {}

    def ask(k: int) -> None:
        found[k] = demo.pictures("top", [k, 59 - k])

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_array_equal(found[k], demo.pictures("top", [k, 59 - k]))
