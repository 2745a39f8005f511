"""What processes share without waiting for each other."""

import multiprocessing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hardware.robots.run_memory import ArmMemory
from hardware.types import ArmState


class _AsleepError(Exception):
    """Stands for a writer that is put to sleep in the middle."""


class _HalfWritten(np.ndarray):
    def tolist(self) -> Any:
        raise _AsleepError


def _state(value: float) -> ArmState:
    return ArmState(
        t_host=value,
        q=np.full(7, value),
        dq=np.zeros(7),
        T_base_tool=np.eye(4),
        mode="servo",
        error_code=0,
        warning_code=0,
        moving=False,
    )


def test_a_reader_finds_a_whole_state_while_the_writer_sleeps_in_the_middle_of_the_next() -> None:
    memory = ArmMemory(multiprocessing.get_context("spawn"))
    assert memory.state() is None
    memory.publish(_state(1.0))
    with pytest.raises(_AsleepError):
        memory.publish(replace(_state(2.0), dq=np.zeros(7).view(_HalfWritten)))
    found = memory.state()
    assert found is not None
    assert found.t_host == 1.0
    np.testing.assert_array_equal(found.q, np.full(7, 1.0))
    memory.publish(_state(3.0))
    newest = memory.state()
    assert newest is not None
    assert newest.t_host == 3.0
