"""The cache of decoded pictures: it gives back what was decoded, notices damage, and stays in its bounds."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from models.data.clips_pictures import FittedPictures, fit_middle
from models.data.frame_cache import FrameCache, frames_key
from tests.models.data.memory_demo import MemoryDemo, number

FIT = fit_middle((32, 20), (32, 20), "crop")
KEY = "ab" * 32


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.frames"))


def test_a_picture_is_decoded_once_and_comes_back_the_same(tmp_path: Path) -> None:
    demo, pictures = MemoryDemo(), FittedPictures(FrameCache(tmp_path, 2**20))
    first = pictures.get(demo, "top", FIT, [3, 9, 9, 3])
    assert demo.decoded == 2
    assert np.array_equal(pictures.get(demo, "top", FIT, [9, 3]), first[[1, 0]])
    assert np.array_equal(FittedPictures(FrameCache(tmp_path, 2**20)).get(demo, "top", FIT, [3, 9]), first[:2])
    assert demo.decoded == 2
    assert [number(p) for p in pictures.get(demo, "top", FIT, [8, 9, 10])] == [8, 9, 10]
    assert demo.decoded == 4


def test_another_piece_form_or_content_has_a_name_of_its_own() -> None:
    demo = MemoryDemo()
    trimmed = MemoryDemo(t=demo.t[5:] - demo.t[5])
    names = {
        frames_key(demo, "top", "a"),
        frames_key(demo, "side", "a"),
        frames_key(demo, "top", "b"),
        frames_key(trimmed, "top", "a"),
        frames_key(MemoryDemo(sha256="11"), "top", "a"),
        frames_key(MemoryDemo(sha256=""), "top", "a"),
    }
    assert len(names) == 6
    assert frames_key(demo, "top", "a") == frames_key(MemoryDemo(), "top", "a")


@pytest.mark.expects_warnings
@pytest.mark.parametrize("damage", ["picture", "table", "cut", "header", "empty"])
def test_damage_is_noticed_and_decoded_again(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    demo, pictures = MemoryDemo(), FittedPictures(FrameCache(tmp_path, 2**20))
    before = pictures.get(demo, "top", FIT, range(20))
    (path,) = shards(tmp_path)
    raw = bytearray(path.read_bytes())
    if damage == "picture":
        raw[4096 + 5] ^= 1
    if damage == "table":
        raw[60] ^= 1
    if damage == "header":
        raw[3] ^= 1
    path.write_bytes(raw[: {"cut": 4096 + 7 * 1920 + 11, "empty": 0}.get(damage, len(raw))])
    assert np.array_equal(pictures.get(demo, "top", FIT, range(20)), before)
    assert caplog.records
    assert demo.decoded > 20
    decoded = demo.decoded
    assert np.array_equal(pictures.get(demo, "top", FIT, range(20)), before)
    assert demo.decoded == decoded  # and mended


def test_it_stays_in_its_bound_and_gives_up_what_was_not_used_for_longest(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path, 300_000)
    pictures = FittedPictures(cache)
    demos = [MemoryDemo(sha256=f"{k:02}") for k in range(12)]
    for k, demo in enumerate(demos):
        pictures.get(demo, "top", FIT, range(30))
        for path in shards(tmp_path):
            if path.stem == frames_key(demo, "top", repr(FIT)):
                os.utime(path, (1000 + k, 1000 + k))
    assert cache.used_bytes() < 400_000
    assert cache.trim() + 1 > 0
    assert cache.used_bytes() <= 300_000
    kept = {path.stem for path in shards(tmp_path)}
    assert frames_key(demos[-1], "top", repr(FIT)) in kept
    assert frames_key(demos[0], "top", repr(FIT)) not in kept


@pytest.mark.expects_warnings
def test_a_folder_that_cannot_be_written_costs_the_cache_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    demo, pictures = MemoryDemo(), FittedPictures(FrameCache(tmp_path, 2**20))
    monkeypatch.setattr("models.data.frame_cache.os.pwrite", full)
    assert [number(p) for p in pictures.get(demo, "top", FIT, [1, 2])] == [1, 2]
    assert [number(p) for p in pictures.get(demo, "top", FIT, [1, 2])] == [1, 2]


def fill(folder: Path) -> None:
    pictures = FittedPictures(FrameCache(folder, 2**26))
    for k in range(10**6):
        pictures.get(
            MemoryDemo(sha256=f"{k % 50:02}", size=(320, 200)),
            "top",
            fit_middle((320, 200), (320, 200), "crop"),
            range(61),
        )


def test_a_writer_that_is_killed_leaves_only_whole_pictures(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    fit = fit_middle((320, 200), (320, 200), "crop")
    for more in (300_000, 5_000_000):
        before = sum(path.stat().st_size for path in shards(tmp_path))
        process = context.Process(target=fill, args=(tmp_path,))
        process.start()
        deadline = time.monotonic() + 60
        while sum(path.stat().st_size for path in shards(tmp_path)) < before + more and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    found = 0
    cache = FrameCache(tmp_path, 2**26)
    for k in range(50):
        demo = MemoryDemo(sha256=f"{k:02}", size=(320, 200))
        with cache.open(frames_key(demo, "top", repr(fit)), 62, (320, 200)) as shard:
            out = np.empty((200, 320, 3), np.uint8)
            for slot in range(61):
                if shard.read(slot, out):
                    found += 1
                    assert np.array_equal(out, demo.picture(0, slot))
    assert found > 0


def test_two_processes_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fill, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    time.sleep(0.4)
    for process in processes:
        process.kill()
        process.join()
    demo = MemoryDemo(sha256="00", size=(320, 200))
    fit = fit_middle((320, 200), (320, 200), "crop")
    found = FittedPictures(FrameCache(tmp_path, 2**26)).get(demo, "top", fit, range(61))
    assert [number(p) for p in found] == list(range(61))
