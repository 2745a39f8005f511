"""Power cuts, full and read-only disks: what was called saved stays, what cannot be written is told."""

import errno
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeFileError, EpisodeNote
from hardware.recording.recorder import Recorder
from hardware.recording.recover import recover
from hardware.recording.session import Session
from hardware.stream import Ring
from tests.hardware.recording.disks import CuttableDisk, FullDisk, PowerCut
from tests.hardware.recording.sources import Source, camera_source, info, picture

STREAMS = (info("top"),)


def record_three(folder: Path, files: Files, saved: dict[int, str], synced: dict[int, int]) -> None:
    """Record, keep, discard and restore; tell of each only when the call has returned."""
    session = Session(folder, files)
    try:
        session.lock()
        for _ in range(3):
            part, note = session.begin(EpisodeNote("", 0, "cut"))
            writer = EpisodeWriter(files.create(part / MCAP), STREAMS, Clock(0.0, 1.7e9))
            encoder = Encoder((96, 64), 30)
            for k in range(12):
                seen = picture("top", k, k / 30)
                writer.video(seen, encoder.encode(seen))
                if k % 4 == 3:
                    writer.sync()
                    synced[note.number] = k
            note = replace(note, state="recorded", mcap_sha256=writer.finish())
            session.write_note(part, note)
            if note.number == 2:
                session.restore(session.discard(part))
            session.keep(part, note)
            saved[note.number] = note.mcap_sha256
    finally:
        session.close()


def test_after_a_power_cut_at_any_write_all_that_was_saved_is_there_and_the_rest_recovers(tmp_path: Path) -> None:
    whole = CuttableDisk(10_000)
    (tmp_path / "whole").mkdir()
    whole.sync_folder(tmp_path / "whole")
    record_three(tmp_path / "whole" / "session", whole, {}, {})
    for operations in range(1, whole.used + 1):
        _cut_after(tmp_path / str(operations), operations)


def _cut_after(root: Path, operations: int) -> None:
    (root / "before").mkdir(parents=True)
    disk = CuttableDisk(operations)
    saved: dict[int, str] = {}
    synced: dict[int, int] = {}
    try:
        disk.sync_folder(root / "before")
        record_three(root / "before" / "session", disk, saved, synced)
    except PowerCut:
        pass
    disk.survive(root / "before", root / "after")
    session = Session(root / "after" / "session")
    kept = {entry.folder.name: entry for entry in session.kept()}
    for number, sha256 in saved.items():
        entry = kept[f"{number:06d}"]
        assert entry.note is not None
        assert entry.note.mcap_sha256 == sha256
        found = recover(entry.folder / MCAP)
        assert (found.was_whole, found.sha256) == (True, sha256)
    for number in set(synced) - set(saved):
        (folder,) = [f for f in (root / "after").rglob(f"{number:06d}*") if f.is_dir()]
        recover(folder / MCAP)
        with open_episode(folder) as reader:
            assert reader.times("top").index[-1] >= synced[number], f"lost at operation {operations}"
            assert len(list(reader.frames("top"))) == len(reader.times("top").index)


@pytest.fixture
def source() -> Iterator[Source]:
    source = camera_source()
    source.connect()
    yield source
    source.disconnect()


@pytest.mark.expects_warnings
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_gives_up_while_recording_is_told_and_what_it_took_recovers(
    tmp_path: Path, source: Source, number: int
) -> None:
    recorder = Recorder(tmp_path / MCAP, {"top": (source.info, source.ring)}, files=FullDisk(100_000, number))
    deadline = time.monotonic() + 60
    while not recorder.progress.problem and time.monotonic() < deadline:
        time.sleep(0.02)
    ended = recorder.stop()
    assert not ended.finished
    assert "the recording stopped" in ended.problem
    found = recover(tmp_path / MCAP)
    assert found.messages > 5
    with open_episode(tmp_path) as reader:
        assert list(reader.frames("top"))


def test_a_recording_that_cannot_begin_raises_and_leaves_no_thread(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Read-only"):
        Recorder(tmp_path / MCAP, {"top": (info("top"), Ring(10))}, files=FullDisk(0, errno.EROFS))


@pytest.mark.expects_warnings
def test_a_disk_that_is_full_at_the_end_leaves_a_file_that_recovers(tmp_path: Path, source: Source) -> None:
    disk = FullDisk(10**9)
    recorder = Recorder(tmp_path / MCAP, {"top": (source.info, source.ring)}, files=disk)
    time.sleep(0.6)
    disk.room = 0
    assert not recorder.stop().finished
    assert recover(tmp_path / MCAP).messages > 5


def test_an_episode_that_cannot_be_saved_now_can_be_saved_later(tmp_path: Path) -> None:
    disk = FullDisk(10**9)
    session = Session(tmp_path / "session", disk)
    session.lock()
    part, note = session.begin(EpisodeNote("", 0, "full"))
    disk.refuses = True
    with pytest.raises(OSError, match="No space"):
        session.keep(part, note)
    assert [e.folder for e in session.unfinished()] == [part]
    disk.refuses = False
    session.keep(part, note)
    assert [e.note.state for e in session.kept() if e.note] == ["kept"]
    session.close()


def test_recovering_on_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, source: Source) -> None:
    recorder = Recorder(tmp_path / MCAP, {"top": (source.info, source.ring)})
    time.sleep(0.5)
    recorder.stop()
    cut = (tmp_path / MCAP).read_bytes()[:-200]
    (tmp_path / MCAP).write_bytes(cut)
    with pytest.raises(OSError, match="No space"):
        recover(tmp_path / MCAP, FullDisk(1000))
    assert (tmp_path / MCAP).read_bytes() == cut
    assert [f.name for f in tmp_path.iterdir()] == [MCAP]
    recover(tmp_path / MCAP)


def test_a_file_with_nothing_in_it_cannot_be_recovered_and_says_so(tmp_path: Path) -> None:
    (tmp_path / MCAP).write_bytes(b"")
    with pytest.raises(EpisodeFileError, match="nothing in it can be read"):
        recover(tmp_path / MCAP)
