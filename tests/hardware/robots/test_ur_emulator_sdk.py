"""The unmodified ur-rtde against the emulated UR: what a stranger's program would see, for both generations."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.hardware.robots.conftest import own_address
from tests.hardware.robots.makes import MAKES

pytestmark = pytest.mark.alone

SESSION = Path(__file__).parent / "ur_sdk_session.py"


@pytest.fixture(scope="module", params=["ur5", "ur5e"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def seen(model: str) -> Iterator[dict[str, Any]]:
    """What one session of the SDK saw; it is run once for all tests."""
    with MAKES[model].emulator(own_address()) as emulator:
        command = [sys.executable, str(SESSION), emulator.address, str(1.0 / MAKES[model].rate)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120.0, check=False)
        lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT ")]
        assert lines, result.stdout + result.stderr
        yield json.loads(lines[0].removeprefix("RESULT "))


def test_it_is_running_and_safe(seen: dict[str, Any]) -> None:
    assert seen["mode"] == [7, 1]


@pytest.mark.parametrize("move", ["moveJ", "moveL", "path", "script"])
def test_a_move_ends_where_it_was_sent(seen: dict[str, Any], move: str) -> None:
    assert seen[move] is not False
    assert seen[move] < 1e-3


def test_a_move_takes_its_time(seen: dict[str, Any]) -> None:
    # 0.2 rad at 1 rad/s and 2 rad/s^2 take 0.63 s
    assert seen["moveJ takes"] > 0.6


def test_its_kinematics_agree_with_themselves(seen: dict[str, Any]) -> None:
    assert seen["inverse"] < 1e-2
    assert seen["forward"] < 1e-3


def test_a_stream_is_followed_at_the_generations_own_rate(seen: dict[str, Any]) -> None:
    assert seen["servoJ"] < 2e-3


def test_a_speed_goes_on_until_it_is_stopped(seen: dict[str, Any]) -> None:
    assert seen["speedL"] == pytest.approx(0.05, abs=0.01)
    assert seen["after speedStop"] < 0.01


def test_a_move_can_be_stopped_half_way(seen: dict[str, Any]) -> None:
    assert seen["async"] >= 0
    assert 0.001 < seen["stopped at"] < 0.9
    assert seen["steady"]


def test_tool_and_load_are_read_back(seen: dict[str, Any]) -> None:
    assert seen["setTcp"]
    assert seen["setPayload"]
    np.testing.assert_allclose(seen["tcp"], [0.0, 0.0, 0.1, 0.0, 0.0, 0.0], atol=1e-9)
    assert seen["payload"] == pytest.approx(1.2)


def test_force_mode_presses_along_its_axis_only(seen: dict[str, Any]) -> None:
    assert seen["force mode"][2] == pytest.approx(0.05, abs=0.01)
    np.testing.assert_allclose(seen["force mode"][:2], 0.0, atol=5e-3)
    assert seen["teach"] == [True, True, True]


def test_joints_out_of_range_are_not_called_safe(seen: dict[str, Any]) -> None:
    assert seen["safe"] == [True, False]


def test_a_second_controller_is_refused(seen: dict[str, Any]) -> None:
    assert "already in use" in seen["second"]


def test_a_client_that_goes_quiet_loses_its_program(seen: dict[str, Any]) -> None:
    assert not seen["after watchdog"]
    assert seen["again"]
    assert seen["running again"]


def test_the_dashboard_tells_what_it_is(seen: dict[str, Any], model: str) -> None:
    version, robot_mode, safety_mode, name, running = seen["dashboard"]
    assert version.startswith({"ur5": "3.", "ur5e": "5."}[model])
    assert (robot_mode, safety_mode, name, running) == ("Robotmode: RUNNING", "Safetymode: NORMAL", "UR5", True)


def test_a_protective_stop_holds_until_it_may_be_unlocked(seen: dict[str, Any]) -> None:
    assert seen["protective"] == [True, False, 3]
    assert seen["moves then"] is False
    assert "5s" in seen["too soon"]
    assert seen["unlocked"]
