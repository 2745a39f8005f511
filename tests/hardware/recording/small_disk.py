"""A program that records onto a disk until it is full, makes room, saves, and says how it went (JSON).

`small_disk.py FOLDER` on a small disk (its own file "ballast" is what makes room); `small_disk.py FOLDER BYTES`
where no file may grow beyond so many bytes.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from hardware.recording.capture import Capture
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session
from tests.hardware.recording.sources import camera_source

BALLAST = 1_000_000


def limit(size: int) -> None:
    """Let no file of this process grow beyond size [bytes]; -1 for any size."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if size < 0 else size, hard))


def main(folder: Path, most: int) -> None:
    ballast = folder / "ballast"
    if most < 0:
        ballast.write_bytes(b"\0" * BALLAST)
    session = Session(folder / "session")
    session.lock()
    part, note = session.begin(EpisodeNote("", 0, "full"))
    capture = Capture([lambda: camera_source(size=(320, 240))])
    if most >= 0:
        limit(most)
    said, refused = "", ""
    try:
        capture.start(part / MCAP, {})
        deadline = time.monotonic() + 30
        while not said and time.monotonic() < deadline:
            time.sleep(0.02)
            recording = capture.status().recording
            said = recording.problem if recording is not None else ""
        ended = capture.stop()
    finally:
        capture.close()
    if most < 0:
        try:  # a note of a page does not fit either, and leaves the one that is there whole
            session.write_note(part, replace(note, condition="x" * 2_000_000))
        except OSError as error:
            refused = error.strerror or ""
    ballast.unlink(missing_ok=True)
    limit(-1)
    found = [entry.note.state for entry in session.unfinished() if entry.note is not None]
    note, recovered = session.recover(part)
    kept = session.keep(part, note)
    with open_episode(kept) as reader:
        frames = len(list(reader.frames("top")))
    session.close()
    told = {
        "said": said, "finished": ended.finished, "refused": refused, "unfinished": found, "frames": frames,
        "seconds": ended.span[1] - ended.span[0], "recovered_s": recovered.seconds, "kept": kept.name,
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else -1)
