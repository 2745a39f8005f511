"""A real process that is killed outright."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.training.checkpoint import checkpoints_in
from models.training.run_folder import read_metrics
from tests.models.training.tiny import same

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
