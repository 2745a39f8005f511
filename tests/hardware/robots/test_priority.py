"""Hurrying while arms move, and being as others again."""

import os
import subprocess
import sys
import threading

import pytest

from hardware.robots.priority import Haste
from hardware.robots.realtime import OFF

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
LOOK = "import os; print(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))"


def _policy(thread: int = 0) -> int:
    return os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK


def test_the_window_goes_before_others_and_whatever_it_starts_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OFF, raising=False)
    haste, over = Haste(realtime=True), threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        haste.begin()
        if _policy() != os.SCHED_RR:
            pytest.skip("this user may not ask for real-time priority")
        assert _policy(other.native_id or 0) == os.SCHED_RR
        child = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
        assert child.stdout.split()[0] == str(os.SCHED_OTHER)
    finally:
        haste.end()
        over.set()
        other.join()
    assert _policy() == os.SCHED_OTHER


def test_without_real_time_priority_a_better_nice_value_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OFF, "1")
    before, haste = os.getpriority(os.PRIO_PROCESS, 0), Haste(realtime=True)
    haste.begin()
    try:
        if not haste.on:
            pytest.skip("this user may not ask for a better nice value")
        assert _policy() == os.SCHED_OTHER
        assert os.getpriority(os.PRIO_PROCESS, 0) < 0
    finally:
        haste.end()
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
