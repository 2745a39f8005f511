"""An episode's file: what went in comes out, for our reader and for an independent one, and damage is told."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import NonSeekingReader, make_reader
from mcap_protobuf.decoder import DecoderFactory

from hardware.recording.coded_pictures import is_key
from hardware.recording.encoder import GOP, Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter, clock_now
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, Override, Verdict, read_note
from hardware.recording.quality import quality
from hardware.recording.recover import recover
from hardware.recording.session import Session, SessionBusy, open_session
from hardware.stream import PixelFormat, Reading, StreamInfo
from hardware.types import Camera
from tests.hardware.recording.sources import arm, info, picture, pose

FISHEYE = Camera("fish", np.diag([90.0, 91.0, 1.0]), (96, 64), np.array([0.1, 0.02, 0.0, 0.001]), "fisheye")
STREAMS = (info("top"), StreamInfo("fish", "camera", 30.0, FISHEYE), info("t265", "pose"), info("force", "force"))


def write(folder: Path, count: int = 20, clock: Clock | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    writer = EpisodeWriter(Files().create(folder / MCAP), STREAMS, clock or Clock(5.0, 1.7e9), {"task": "test"})
    coders = {name: Encoder((96, 64), 30) for name in ("top", "fish")}
    for k in range(count):
        t = 10.0 + k / 30
        for name, coder in coders.items():
            seen = picture(name, k, t)
            writer.video(seen, coder.encode(seen))
            if k % GOP == 0:
                writer.picture_state(seen, quality(seen))
        writer.pose(pose("t265", k, t, confidence=k % 4))
        writer.reading(Reading("force", k, t, 100 + k / 30, k * 0.1, valid=k != 3))
        if k % 6 == 5:
            writer.sync()
    writer.finish()
    return folder


def test_what_was_recorded_is_read_back_with_its_true_times(tmp_path: Path) -> None:
    with open_episode(write(tmp_path)) as reader:
        assert reader.cameras == ("top", "fish")
        assert reader.facts["task"] == "test"
        frames = list(reader.frames("top"))
        assert [f.index for f in frames] == list(range(20))
        assert frames[7].t_host == pytest.approx(10 + 7 / 30, abs=1e-9)
        assert frames[7].t_device == pytest.approx(100 + 7 / 30, abs=1e-9)
        assert np.abs(frames[7].rgb.astype(int) - picture("top", 7, 0.0).pixels).mean() < 25
        np.testing.assert_allclose(
            reader.poses("t265")[5].T_ref_sensor, pose("t265", 5, 0.0).T_ref_sensor, atol=1e-12
        )
        assert [p.confidence for p in reader.poses("t265")][:5] == [0, 1, 2, 3, 0]
        assert [r.valid for r in reader.readings("force")][:5] == [True, True, True, False, True]
        top, fish = reader.calibration("top"), reader.calibration("fish")
        assert top is not None
        assert top.T_world_cam is not None
        assert fish is not None
        assert fish.model == "fisheye"
        assert fish.T_world_cam is None
        np.testing.assert_array_equal(fish.distortion, FISHEYE.distortion)
        assert reader.span == (10.0, pytest.approx(10 + 19 / 30))
        with pytest.raises(KeyError, match="it has"):
            reader.times("side")


def test_an_arm_is_read_back_with_the_commands_at_their_own_times(tmp_path: Path) -> None:
    streams = (StreamInfo("left_arm", "arm", 50.0), StreamInfo("right_arm", "arm", 50.0))
    writer = EpisodeWriter(Files().create(tmp_path / MCAP), streams, clock_now())
    given = [
        arm("left_arm", k, 10 + k / 50, commanded=k % 3 > 0, opening=None if k > 5 else 0.1 * k) for k in range(9)
    ]
    for sample in given:
        writer.arm(sample)
    writer.finish()
    with open_episode(tmp_path) as reader:
        assert reader.arm_samples("right_arm") == ()
        found = reader.arm_samples("left_arm")
        assert len(found) == len(reader.times("left_arm").t_host) == 9
        for was, sample in zip(given, found, strict=True):
            assert (was.index, was.opening, was.mode) == (sample.index, sample.opening, sample.mode)
            assert (sample.t_host, sample.t_commanded) == pytest.approx((was.t_host, was.t_commanded), abs=1e-8)
            assert (was.commanded is None) == (sample.commanded is None)
            for a, b in ((was.q, sample.q), (was.dq, sample.dq), (was.T_world_tool, sample.T_world_tool)):
                np.testing.assert_allclose(a, b, atol=1e-12)
            if was.commanded is not None:
                np.testing.assert_array_equal(was.commanded, sample.commanded)


def test_any_picture_is_found_by_its_time_in_any_order(tmp_path: Path) -> None:
    with open_episode(write(tmp_path, 40)) as reader:
        in_order = [f.rgb for f in reader.frames("top")]
        for k in (0, 39, 5, 6, 7, 20, 3, 31):
            frame = reader.frame_at("top", 10.0 + (k + 0.5) / 30)
            assert frame is not None
            assert frame.index == k
            np.testing.assert_array_equal(frame.rgb, in_order[k])
        assert reader.frame_at("top", 9.0) is None


def test_an_independent_reader_opens_it_with_pictures_and_poses(tmp_path: Path) -> None:
    write(tmp_path)
    with open(tmp_path / MCAP, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == sum(summary.statistics.channel_message_counts.values())
        decoder = av.CodecContext.create("h264", "r")
        found = {}
        pictures = 0
        for schema, channel, message, decoded in reader.iter_decoded_messages(["/camera/top/video", "/pose/t265"]):
            assert schema is not None
            found[channel.topic] = schema.name
            assert decoded.timestamp.seconds == (message.log_time + round((1.7e9 - 5.0) * 1e9)) // 10**9
            if channel.topic.endswith("video"):
                assert decoded.format == "h264"
                pictures += len(decoder.decode(av.Packet(decoded.data)))
        assert found == {"/camera/top/video": "foxglove.CompressedVideo", "/pose/t265": "foxglove.PoseInFrame"}
        assert pictures == 20
    with open(tmp_path / MCAP, "rb") as file:  # all checksums, from front to back
        assert len(list(NonSeekingReader(file, validate_crcs=True).iter_messages())) > 80


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuyv422", "nv12"])
def test_every_format_of_a_camera_is_coded_one_for_one_without_b_frames(pixel_format: PixelFormat) -> None:
    coder = Encoder((96, 64), 30)
    coded = [coder.encode(picture("top", k, 0.0, pixel_format=pixel_format)) for k in range(3 * GOP)]
    assert [k for k, c in enumerate(coded) if c.key] == [0, GOP, 2 * GOP]
    assert all(c.key == is_key(c.data) for c in coded)
    for start in (0, GOP):
        decoder = av.CodecContext.create("h264", "r")
        kinds = [int(f.pict_type) for c in coded[start : start + GOP] for f in decoder.decode(av.Packet(c.data))]
        kinds += [int(f.pict_type) for f in decoder.decode(None)]
        assert kinds == [int(PictureType.I)] + [int(PictureType.P)] * (GOP - 1)


def test_a_step_of_the_wall_clock_changes_no_time_in_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = clock_now()
    steps = iter(np.linspace(0, 3600, 10_000))
    monkeypatch.setattr(time, "time", lambda: 5e8 + float(next(steps)))
    with open_episode(write(tmp_path, clock=clock)) as reader:
        assert reader.clock == clock
        np.testing.assert_allclose(np.diff(reader.times("top").t_host), 1 / 30, atol=1e-8)


def test_a_file_that_was_cut_anywhere_recovers_to_its_last_sync(tmp_path: Path) -> None:
    whole = (write(tmp_path) / MCAP).read_bytes()
    with open_episode(tmp_path) as reader:
        coded = [c.data for c in reader.coded("top")]
    cut = tmp_path / "cut.mcap"
    reached = []
    for length in range(len(whole) // 2, len(whole), len(whole) // 17):
        cut.write_bytes(whole[:length])
        assert not recover(cut).was_whole
        with open_episode(cut) as reader:
            found = [c.data for c in reader.coded("top")]
            assert found == coded[: len(found)]
            assert len(list(reader.frames("top"))) == len(found)
            reached.append(len(found))
        assert recover(cut).was_whole
    assert reached == sorted(reached)
    assert reached[-1] == 20


def test_an_unfinished_file_says_how_to_mend_it(tmp_path: Path) -> None:
    whole = (write(tmp_path) / MCAP).read_bytes()
    (tmp_path / MCAP).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EpisodeFileError, match=r"unfinished or damaged .* recover"):
        open_episode(tmp_path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return (write(tmp_path_factory.mktemp("sound"), 8) / MCAP).read_bytes()


@pytest.mark.expects_warnings  # FFmpeg's own, over damaged pictures
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_in_words_and_never_crashes(
    data: st.DataObject, sound: bytes, tmp_path: Path
) -> None:
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=9))
        damaged[at : at + len(piece)] = piece
    keep = data.draw(st.integers(0, len(damaged)))
    file = tmp_path / "damaged.mcap"
    file.write_bytes(damaged[keep:] if data.draw(st.booleans()) else bytes(damaged))
    _read_all(file)
    with _refused_in_words(file):
        recover(file)
        _read_all(file)


@contextmanager
def _refused_in_words(file: Path) -> Iterator[None]:
    problem = ""
    try:
        yield
    except EpisodeFileError as error:
        problem = str(error)
    assert not problem or file.name in problem


def _read_all(file: Path) -> None:
    with _refused_in_words(file), open_episode(file) as reader:
        assert all(np.isfinite(v) for v in reader.span)
        for name, stream in reader.streams.items():
            if stream.kind == "camera":
                list(reader.frames(name))
                reader.calibration(name)
                reader.picture_states(name)
        [reader.poses(n) for n, s in reader.streams.items() if s.kind == "pose"]
        [reader.readings(n) for n, s in reader.streams.items() if s.kind == "force"]
        reader.flaws()


NOTE_FULL = EpisodeNote(
    "id", 7, "push-shape", "kept", "T", "dim", "push it", 3, "2026-01-01", 2.5, "virtual", True, ("top",),
    {"top": 30}, {"top": {"stalled": 2}}, (Verdict("drops", "mark", "two", "top", ((0.1, 0.2),)),),
    (Override("scene", "a fan"),), ("scene_top.png",), "ab", 12, False, {"rig": "sim"},
)  # fmt: skip


def test_a_note_comes_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(NOTE_FULL.text())
    assert read_note(tmp_path / NOTE) == NOTE_FULL


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(json.loads(NOTE_FULL.text()))), value=JSON)
def test_a_note_with_a_wrong_field_is_refused_by_name(key: str, value: object, tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(json.dumps({**json.loads(NOTE_FULL.text()), key: value}))
    with _refused_in_words(tmp_path / NOTE):
        note = read_note(tmp_path / NOTE)
        assert math.isfinite(note.duration_s)
        note.text()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=60))
def test_a_note_of_any_bytes_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / NOTE).write_bytes(raw)
    with pytest.raises(EpisodeFileError, match=NOTE):
        read_note(tmp_path / NOTE)


def test_a_session_with_a_broken_note_shows_it_and_gives_its_number_to_nobody(tmp_path: Path) -> None:
    session = Session(tmp_path / "session")
    session.lock()
    folder, _ = session.begin(EpisodeNote("", 0, "a"))
    (folder / NOTE).write_text("{")
    (entry,) = open_session(tmp_path / "session").unfinished()
    assert entry.note is None
    assert NOTE in entry.problem
    write(folder)
    assert session.recover(folder)[0].number == 1
    assert session.next_number() == 2
    session.close()


def test_nobody_writes_into_a_session_without_its_lock(tmp_path: Path) -> None:
    first, second = Session(tmp_path), Session(tmp_path)
    first.lock()
    with pytest.raises(SessionBusy, match="another Dreamdeck"):
        second.lock()
    with pytest.raises(SessionBusy, match="reading only"):
        second.begin(EpisodeNote("", 0, "a"))
    first.close()
    second.lock()
    second.close()


def test_an_episode_put_together_aside_is_adopted_whole_and_a_crashs_leftovers_go(tmp_path: Path) -> None:
    session = Session(tmp_path / "session")
    session.lock()
    aside = session.aside("7")
    write(aside)
    session.aside("8")
    assert session.kept() == session.unfinished() == ()
    assert session.adopt(aside, EpisodeNote("id", 0, "a")).number == 1
    assert [e.note.state for e in session.kept() if e.note] == ["kept"]
    session.close()
    session.lock()
    assert [f.name for f in session.episodes_folder.iterdir()] == ["000001"]
    session.close()
