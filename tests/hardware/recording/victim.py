"""A program that records for ever, to be killed: says what it saved only after it was saved."""

import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from hardware.recording.capture import Capture
from hardware.recording.mcap_log import MCAP
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session
from tests.hardware.recording.sources import Source, Witness, force_source, info, picture, pose_source


def main(folder: Path, witness: Path, seed: int) -> None:
    rng = random.Random(seed)
    told = Witness(witness)
    capture = Capture(
        [lambda: Source(info("top"), told(lambda k, t: [picture("top", k, t)])), pose_source, force_source]
    )
    session = Session(folder)
    session.lock()
    print("ready", flush=True)
    while True:
        part, note = session.begin(EpisodeNote("", 0, "victim"))
        capture.start(part / MCAP, {})
        print(f"start {time.monotonic()!r}", flush=True)
        time.sleep(rng.uniform(0.05, 1.6))
        ended = capture.stop()
        note = replace(note, state="recorded", mcap_sha256=ended.sha256, mcap_bytes=ended.bytes)
        session.write_note(part, note)
        if rng.random() < 0.3:
            session.discard(part)
            print(f"discarded {note.number}", flush=True)
        else:
            session.keep(part, note)
            print(f"saved {note.number} {ended.sha256}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
