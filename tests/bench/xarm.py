"""Figures of the xArm driver against the emulated controller: the vendor's SDK over real sockets on the loopback.

Times and distances to standstill are those of the emulator's drives (hardware/robots/emulator/plant.py), not of a
real arm; they are what the rest of the program can be timed against.
"""

import time
from collections.abc import Callable

import numpy as np

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, load_rig
from hardware.robots.emulator.process import EmulatorProcess
from hardware.robots.xarm import XArmDriver
from tests.bench.run import show

ADDRESS = "127.0.0.61"
RATES = (100.0, 250.0)
TIP_SPEEDS = (0.1, 0.25)
STREAM_SECONDS = 4.0
STOPS = 20
KINEMATICS = ArmKinematics.load("xarm7")
# the tip is 0.40 m from the base's axis and 0.19 m high, as over the table
REACH = np.radians([0.0, 20.0, 0.0, 60.0, 0.0, 90.0, 0.0])


def run() -> dict[str, object]:
    """Stream at both rates, stop at both speeds; figures in milliseconds and millimetres."""
    rig = load_rig("sim")
    arm = ArmConfig(**{**vars(rig.arms[0]), "address": ADDRESS})
    with EmulatorProcess(ADDRESS, q_start=arm.home) as emulator:
        driver = XArmDriver(arm, rig.safety, emulator_nonce=emulator.nonce)
        began = time.perf_counter()
        driver.connect()
        figures: dict[str, object] = {"connect_ms": 1000 * (time.perf_counter() - began)}
        try:
            for rate in RATES:
                figures[f"stream_{rate:.0f}_hz"] = _stream(driver, emulator, rate)
            for speed in TIP_SPEEDS:
                figures[f"stop_at_{speed}_m_s"] = _stops(driver, emulator, speed)
        finally:
            driver.disconnect()
    return figures


def _stream(driver: XArmDriver, emulator: EmulatorProcess, rate: float) -> dict[str, object]:
    """Send a slow swing and read the state in every cycle, as a servo process does."""
    driver.start_servo()
    start, calls, reads, behind = driver.read_state().q, [], [], []
    first = time.perf_counter()
    for k in range(int(STREAM_SECONDS * rate)):
        q = start + 0.1 * (1 - np.cos(2 * np.pi * 0.25 * k / rate)) * np.eye(7)[0]
        calls.append(_timed(lambda q=q: driver.send_joints(q)))  # type: ignore[misc]
        reads.append(_timed(driver.read_state))
        behind.append(float(np.abs(emulator.joints().q - q).max()))
        time.sleep(max(0.0, first + (k + 1) / rate - time.perf_counter()))
    driver.stop()
    return {
        "achieved_hz": len(calls) / (time.perf_counter() - first),
        **_summary("servo_j", calls),
        **_summary("read_state", reads),
        "following_error_max_mrad": 1000 * max(behind),
    }


def _stops(driver: XArmDriver, emulator: EmulatorProcess, speed: float) -> dict[str, object]:
    """Turn joint 1 so that the tip has a speed, stop, and wait for standstill; STOPS times."""
    calls, times, distances = [], [], []
    for _ in range(STOPS):
        emulator.place(REACH)
        driver.start_servo()
        rate = speed / float(np.linalg.norm(KINEMATICS.jacobian(REACH)[:3, 0]))
        first = time.perf_counter()
        for k in range(40):
            driver.send_joints(REACH + rate * k / 100.0 * np.eye(7)[0])
            time.sleep(max(0.0, first + (k + 1) / 100.0 - time.perf_counter()))
        tip, at_call = _tip(emulator.joints().q), time.monotonic()
        calls.append(_timed(driver.stop))
        sample = emulator.joints()
        while np.abs(sample.dq).max() > 0:
            time.sleep(0.0005)
            sample = emulator.joints()
        times.append(sample.t_host - at_call)
        distances.append(float(np.linalg.norm(_tip(sample.q) - tip)))
    return {
        **_summary("call", calls),
        "standstill_mean_ms": 1000 * float(np.mean(times)),
        "standstill_max_ms": 1000 * max(times),
        "distance_mean_mm": 1000 * float(np.mean(distances)),
        "distance_max_mm": 1000 * max(distances),
    }


def _tip(q: Array) -> Array:
    return np.asarray(KINEMATICS.flange_pose(q)[:3, 3])


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _summary(name: str, seconds: list[float]) -> dict[str, float]:
    values = 1000 * np.array(seconds)
    return {
        f"{name}_mean_ms": float(values.mean()),
        f"{name}_p99_ms": float(np.percentile(values, 99)),
        f"{name}_max_ms": float(values.max()),
    }


def main() -> None:
    """Print the figures."""
    show(run())


if __name__ == "__main__":
    main()
