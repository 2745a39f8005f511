"""pylon's emulated cameras under the tests of this folder, in a process that is made for them.

They are asked for by a variable that is read when pypylon is loaded, and time themselves by a handler of SIGALRM:
pytest-timeout takes it away after each test, and the process dies of the next signal.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import sys
import pytest
sys.exit(pytest.main(["-q", "-p", "no:timeout", "-p", "no:cacheprovider", "-k", "basler", sys.argv[1]]))
"""


@pytest.mark.skipif("PYLON_CAMEMU" in os.environ, reason="this is that process")
def test_basler_cameras_pass_the_tests_of_every_camera() -> None:
    folder = Path(__file__).parent
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)],
        cwd=folder.parents[2],
        env={**os.environ, "PYLON_CAMEMU": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stdout[-6000:]
    assert "8 passed" in child.stdout
