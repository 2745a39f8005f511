"""A disk that is really full, and a file that may really not grow: told at once, and saved up to its last sync."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ME = [sys.executable, "-m", "tests.hardware.recording.small_disk"]
# in a namespace of its own this process may mount what nobody else sees
ALONE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
SMALL = 'mount -t tmpfs -o size=1600k none "$0" && exec "$@"'


def run(*command: str) -> dict[str, object]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def must_be_saved(told: dict[str, object], reason: str) -> None:
    assert reason in str(told["said"])
    assert told["finished"] is False
    assert told["unfinished"] == ["recording"]
    assert told["kept"] == "000001"
    assert int(str(told["frames"])) > 5
    # what had reached the disk, but for the last stretch between two syncs
    assert float(str(told["seconds"])) - float(str(told["recovered_s"])) < 1.0


def test_a_file_that_may_not_grow_is_told_and_saved_up_to_there(tmp_path: Path) -> None:
    must_be_saved(run(*ME, str(tmp_path), "300000"), "File too large")


def test_a_disk_that_is_full_is_told_and_after_room_was_made_the_take_is_saved(tmp_path: Path) -> None:
    mounts = [*ALONE, SMALL, str(tmp_path), "true"]
    if shutil.which("unshare") is None or subprocess.run(mounts, check=False).returncode:
        pytest.skip("this computer lets nobody mount a small disk")
    told = run(*ALONE, SMALL, str(tmp_path), *ME, str(tmp_path))
    must_be_saved(told, "No space left")
    assert "No space left" in str(told["refused"])
