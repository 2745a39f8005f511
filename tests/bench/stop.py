"""How fast Stop stops: from ArmGroup.stop() to the stop on the wire of both arms, and to their standstill.

Two emulated arms on their way, the vendor's SDK, every core busy with something else. Emulators and wire taps,
which stand for other computers, run at real-time priority where that is granted. The way from a key press to
ArmGroup.stop() is the window's and is measured there.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.robots.arm_group import ArmGroup
from hardware.robots.base import ArmError
from hardware.robots.emulator.process import EmulatorProcess
from hardware.safety import ApprovalError
from hardware.tools import BUILT_IN_TOOLS, load_tool
from tests.hardware.robots.servo_rig import ARMS, ServoRig, own_address, two_arm_rig
from tests.hardware.robots.wire_tap import WireTap

SECONDS, SWING = 5.0, 0.38
WANTED, BUDGET_S = 1_000, 150.0


class RunEnded(RuntimeError):
    """A run ended before Stop was pressed."""


@dataclass(frozen=True)
class Stop:
    """One stop: to_wire [s] of the slower arm; standstill [s]; distance [m] of the tip that went further after the
    call; tip_speed [m/s] of the faster tip at the call."""

    to_wire: float
    standstill: float
    distance: float
    tip_speed: float


def _burn() -> None:
    """What another program does with a core."""
    x = np.random.default_rng(0).normal(size=(200, 200))
    while True:
        x = np.tanh(x @ x.T / 200)


@contextmanager
def load(cores: int) -> Iterator[None]:
    """Keep every core busy."""
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=_burn, daemon=True) for _ in range(cores)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.join()


@contextmanager
def tapped() -> Iterator[tuple[ServoRig, Mapping[str, WireTap]]]:
    """Two connected arms with a tap on each wire."""
    rig = two_arm_rig()
    tools = {arm: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm}"]) for arm in ARMS}
    with ExitStack() as stack:
        emulators, taps = {}, {}
        for arm in rig.arms:
            emulators[arm.name] = stack.enter_context(EmulatorProcess(own_address(), q_start=arm.home))
            taps[arm.name] = stack.enter_context(WireTap(arm.address, emulators[arm.name].address, hurry=True))
        nonces = {name: emulator.nonce for name, emulator in emulators.items()}
        group = stack.enter_context(ArmGroup(rig, tools, nonces=nonces))
        group.connect()
        yield ServoRig(rig, tools, emulators, group), taps


def tips(rig: ServoRig) -> Array:
    """(arms, 3) [m] where the tips are, by the emulators."""
    arm7 = ArmKinematics.load("xarm7")
    found = []
    for arm, emulator in rig.emulators.items():
        tool = rig.tools[arm]
        T = arm7.flange_pose(emulator.joints().q) @ tool.T_flange_tool
        found.append(T[:3, :3] @ tool.tip + T[:3, 3])
    return np.array(found)


def one_stop(rig: ServoRig, taps: Mapping[str, WireTap], after: float) -> Stop:
    """Run a plan and stop it `after` seconds of it."""
    rig.reset()
    _until_seen_at_home(rig)
    rig.run(rig.plan(SECONDS, SWING))
    rig.until(lambda progress: progress.plan_time > after or progress.state == "ended")
    before, t_before = tips(rig), time.monotonic()
    time.sleep(0.005)
    rig.group.heartbeat()
    place, t_stop = tips(rig), time.monotonic()
    rig.group.stop()
    _wait(lambda: rig.speed() < 1e-3)
    standstill = time.monotonic() - t_stop
    ended = rig.until_ended()
    if ended.end != "stopped":
        raise RunEnded(ended.message)
    wire = [min(s.t for s in tap.take() if s.is_stop and s.t > t_stop) for tap in taps.values()]
    distance = np.linalg.norm(tips(rig) - place, axis=1).max()
    speed = np.linalg.norm(place - before, axis=1).max() / (t_stop - t_before)
    return Stop(max(wire) - t_stop, standstill, float(distance), float(speed))


def _until_seen_at_home(rig: ServoRig) -> None:
    _wait(lambda: all(np.abs(s.q - rig.rig.arm(a).home).max() < 1e-3 for a, s in rig.group.states().items()))


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not done():
        if time.monotonic() > deadline:
            raise RunEnded("an arm does not do what it should within 5 s")
        time.sleep(0.001)


def figures(stops: list[Stop]) -> dict[str, object]:
    """p50, p99 and maximum, milliseconds and millimetres."""
    if not stops:
        return {"stops": 0}
    found: dict[str, object] = {"stops": len(stops)}
    for name, unit in (("to_wire", "ms"), ("standstill", "ms"), ("distance", "mm")):
        values = np.array([getattr(stop, name) for stop in stops]) * 1e3
        p50, p99 = np.percentile(values, [50, 99])
        found[name] = {f"p50_{unit}": float(p50), f"p99_{unit}": float(p99), f"max_{unit}": float(values.max())}
    found["tip_speed_at_stop_m_s"] = float(np.median([stop.tip_speed for stop in stops]))
    return found


def run(wanted: int = WANTED, budget_s: float = BUDGET_S) -> dict[str, object]:
    """Stop as often as wanted, or as often as the time allows."""
    rng, stops = np.random.default_rng(0), []
    cores, broken = os.cpu_count() or 1, []
    with tapped() as (rig, taps), load(cores):
        end = time.monotonic() + budget_s
        while len(stops) < wanted and time.monotonic() < end:
            try:
                stops.append(one_stop(rig, taps, float(rng.uniform(0.8, 2.0))))
            except (ArmError, ApprovalError, RunEnded) as error:
                # a computer this busy may break a run before Stop is pressed: counted, and started anew
                broken.append(str(error))
                rig.group.connect()
    return {
        **figures(stops),
        "busy_processes": cores,
        "wanted": wanted,
        "broken_before": len(broken),
        "why": broken,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=WANTED)
    parser.add_argument("--seconds", type=float, default=BUDGET_S)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.stops, arguments.seconds), indent=1))


if __name__ == "__main__":
    main()
