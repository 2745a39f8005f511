"""kill -9 at a random moment: what was saved is there to the byte, what was not loses under a second."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeFileError
from hardware.recording.session import Session

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[3]
LOST_S = 1.0
KILLS = 200


def kill_once(root: Path, seed: int) -> float:
    """Run the victim, kill it, and hold what it left to what it had said; return what an unfinished episode
    lost [s], 0 where there is none."""
    session, witness = root / "session", root / "witness"
    said = _run_and_kill(session, witness, seed)
    left = Session(session)
    left.lock()  # the lock died with it
    try:
        kept = {int(e.folder.name): e for e in left.kept()}
        for number, sha256 in (line.split()[1:] for line in said if line.startswith("saved")):
            file = kept[int(number)].folder / MCAP
            assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
        numbers = [int(e.folder.name[:6]) for e in (*left.kept(), *left.unfinished(), *left.discarded())]
        assert len(numbers) == len(set(numbers))
        assert len(left.unfinished()) <= 1
        lost = sum(_lost(left, entry.folder, said, witness) for entry in left.unfinished())
        assert lost < LOST_S, f"the unfinished episode lost {lost:.2f} s"
        return lost
    finally:
        left.close()


def _run_and_kill(session: Path, witness: Path, seed: int) -> list[str]:
    command = [sys.executable, "-m", "tests.hardware.recording.victim", str(session), str(witness), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == "ready"
        time.sleep(random.Random(seed).uniform(0.1, 5.0))
        victim.kill()
        return victim.stdout.read().splitlines()


def _lost(session: Session, part: Path, said: list[str], witness: Path) -> float:
    """From the last picture that is left of an unfinished episode to the last that was taken [s]."""
    started = [float(line.split()[1]) for line in said if line.startswith("start")]
    if not started or len(started) < int(part.name[:6]):
        return 0.0  # it was killed before the recording had begun
    last = float(np.frombuffer(witness.read_bytes()[: witness.stat().st_size // 8 * 8], np.float64)[-1])
    reached = started[-1]
    try:
        session.recover(part)
        with open_episode(part) as reader:
            times = reader.times("top").t_host
            assert len(list(reader.frames("top"))) == len(times)
            reached = max(reached, float(times[-1])) if len(times) else reached
            assert reader.path.stat().st_size > 0
    except EpisodeFileError:
        return last - reached  # one that ran for long must have left something
    note = next(e.note for e in session.unfinished())
    return last - reached if note is not None and note.recovered else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_killed_while_recording_saving_or_discarding_nothing_saved_is_lost(tmp_path: Path, seed: int) -> None:
    kill_once(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_two_hundred_times_nothing_saved_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """About 10 minutes; SOAK_SEED begins elsewhere."""
    first, lost, failed = int(os.environ.get("SOAK_SEED", "1000")), [0.0], []
    for seed in range(first, first + KILLS):
        (tmp_path / str(seed)).mkdir()
        try:
            lost.append(kill_once(tmp_path / str(seed), seed))
        except AssertionError as error:
            failed.append(f"seed {seed}: {error}")
    told = f"{KILLS} kills, {sum(s > 0 for s in lost)} unfinished episodes, {max(lost):.2f} s lost at most"
    with capsys.disabled():
        print(f"\n{told}, {len(failed)} failed")
    assert not failed
