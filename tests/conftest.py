"""What every test is held to: no thread, process or WARNING log is left behind."""

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as main.py does
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # likewise

# a busy computer is late with an example now and then
settings.register_profile("late", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("late")

SHARED_DREAMS = Path(__file__).parent.parent.parent / "shared" / "data" / "dreams"


@pytest.fixture(scope="session")
def real_dreams() -> Path:
    """The folder of real generated dreams, where this machine has it."""
    if not SHARED_DREAMS.is_dir():
        pytest.skip("the real dreams are not on this machine")
    return SHARED_DREAMS


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    threads = set(threading.enumerate())
    children = set(multiprocessing.active_children())
    yield
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        left = {thread for thread in threading.enumerate() if thread.is_alive()} - threads
        orphans = set(multiprocessing.active_children()) - children
        if not left and not orphans:
            return
        time.sleep(0.02)
    pytest.fail(f"left behind: threads {left}, processes {orphans}")


@pytest.fixture(autouse=True)
def _no_warning_logs(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Mark a test with @pytest.mark.expects_warnings when the warning is what it is about."""
    yield
    if request.node.get_closest_marker("expects_warnings"):
        return
    loud = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not loud, f"unexpected log: {[record.getMessage() for record in loud]}"
