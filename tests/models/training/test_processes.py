"""Runs that are killed at any point: a real process outright, and one at each kind of touch of the disk."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.training.checkpoint import checkpoints_in
from models.training.run_folder import read_metrics
from tests.models.training.tiny import Killed, killed, run, same, tiny

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys
from pathlib import Path
from tests.models.training.tiny import run, tiny
run(tiny(), Path(sys.argv[1]), Path(sys.argv[2]), resume=True)
"""


@pytest.mark.slow
def test_a_process_killed_outright_goes_on_as_if_nothing_had_been(
    undisturbed: Path, demos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-c", SCRIPT, str(demos), str(out)]
    process = subprocess.Popen(command, cwd=ROOT)
    until = time.monotonic() + 120
    while len(read_metrics(out)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()  # at whatever it is doing after its second step
    process.wait()
    subprocess.run(command, cwd=ROOT, check=True)
    assert same(checkpoints_in(out / "checkpoints")[-1], checkpoints_in(undisturbed / "checkpoints")[-1])


class Disk:
    """Counts how often a folder is touched, and is dead from a touch on: no tidying up reaches the disk then."""

    def __init__(self) -> None:
        self.folder, self.touched, self.dies_at = "", 0, sys.maxsize
        sys.addaudithook(self._touch)

    def watch(self, folder: Path | None, dies_at: int = sys.maxsize) -> None:
        self.folder, self.touched, self.dies_at = str(folder or ""), 0, dies_at

    def _touch(self, event: str, given: tuple[object, ...]) -> None:
        if not self.folder or not event.startswith(("open", "os.")) or not given:
            return
        if isinstance(given[0], str | os.PathLike) and os.fspath(given[0]).startswith(self.folder):
            self.touched += 1
            if self.touched >= self.dies_at:
                raise Killed


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_killed_at_any_touch_of_the_disk_goes_on_as_if_nothing_had_been(
    undisturbed: Path, demos: Path, tmp_path: Path
) -> None:
    disk, places = Disk(), 8
    disk.watch(tmp_path / "whole")
    run(tiny(), demos, tmp_path / "whole" / "run")
    touches = disk.touched
    for k in range(places):
        out = tmp_path / f"killed-{k}" / "run"
        disk.watch(out.parent, 1 + k * (touches - 1) // places)
        killed(lambda out=out: run(tiny(), demos, out))  # type: ignore[misc]
        disk.watch(None)
        run(tiny(), demos, out, resume=True)
        assert same(checkpoints_in(out / "checkpoints")[-1], checkpoints_in(undisturbed / "checkpoints")[-1])
        assert [row["step"] for row in read_metrics(out)] == [row["step"] for row in read_metrics(undisturbed)]
