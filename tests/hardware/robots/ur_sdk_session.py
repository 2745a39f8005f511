"""A stranger's program over the unmodified ur-rtde, in its own process; prints JSON: `python FILE ADDRESS PERIOD`.

ur-rtde can end its process where a link breaks, so no test loads it itself.
"""

import json
import math
import sys
import time
from typing import Any

import dashboard_client
import rtde_control
import rtde_receive


def furthest(a: list[float], b: list[float]) -> float:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def moves(c: Any, r: Any) -> dict[str, Any]:
    """Blocking moves, in joints, along a line, along a path, by a script."""
    start, found = list(r.getActualQ()), {}
    goal = [start[0] + 0.2, *start[1:]]
    began = time.monotonic()
    found["moveJ"] = c.moveJ(goal, 1.0, 2.0) and furthest(goal, r.getActualQ())
    found["moveJ takes"] = time.monotonic() - began
    up = list(r.getActualTCPPose())
    up[2] += 0.03
    found["moveL"] = c.moveL(up, 0.2, 0.8) and furthest(up, r.getActualTCPPose())
    found["inverse"] = furthest(c.getInverseKinematics(up), r.getActualQ())
    bare = c.getForwardKinematics(start, [0.0, 0.0, 0.0, 0.0, 0.0, 1e-9])
    c.moveJ(start, 1.0, 2.0)
    found["forward"] = furthest(bare[:3], r.getActualTCPPose()[:3])
    path = [[*start, 1.0, 2.0, 0.0], [*goal, 1.0, 2.0, 0.0]]
    found["path"] = c.moveJ(path) and furthest(goal, r.getActualQ())
    script = f"movej([{','.join(map(str, start))}],a=2,v=1)\n"
    found["script"] = c.sendCustomScriptFunction("HOME", script) and furthest(start, r.getActualQ())
    return found


def streams(c: Any, r: Any, period: float) -> dict[str, Any]:
    """Servoing every period [s], speeds, and a move that is stopped half way."""
    start, found = list(r.getActualQ()), {}
    for k in range(round(0.5 / period)):
        cycle = c.initPeriod()
        c.servoJ([start[0] + 0.05 * (1 - math.cos(2 * math.pi * k * period)), *start[1:]], 0, 0, period, 0.05, 500)
        c.waitPeriod(cycle)
    target = start[0] + 0.05 * (1 - math.cos(math.pi))
    c.servoJ([target, *start[1:]], 0, 0, period, 0.05, 500)
    deadline = time.monotonic() + 20.0
    while furthest([target, *start[1:]], r.getActualQ()) > 1e-3 and time.monotonic() < deadline:
        time.sleep(0.01)
    found["servoJ"] = furthest([target, *start[1:]], r.getActualQ())
    c.servoStop()
    c.speedL([0.0, 0.0, 0.05, 0.0, 0.0, 0.0], 1.0, 0.05)
    time.sleep(0.3)
    # its time is over long since: it moves until it is stopped
    found["speedL"] = r.getActualTCPSpeed()[2]
    c.speedStop()
    found["after speedStop"] = furthest(r.getActualQd(), [0.0] * 6)
    c.moveJ([start[0] + 1.0, *start[1:]], 0.5, 1.0, True)
    time.sleep(0.3)
    found["async"] = c.getAsyncOperationProgress()
    c.stopJ(3.0)
    found["stopped at"] = r.getActualQ()[0] - start[0]
    found["steady"] = c.isSteady()
    return found


def settings(c: Any, r: Any) -> dict[str, Any]:
    """Tool, load, force mode, teach mode."""
    found: dict[str, Any] = {"setTcp": c.setTcp([0.0, 0.0, 0.1, 0.0, 0.0, 0.0]), "tcp": list(c.getTCPOffset())}
    found["setPayload"] = c.setPayload(1.2, [0.0, 0.0, 0.05])
    time.sleep(0.1)
    found["payload"] = r.getPayload()
    c.setTcp([0.0] * 6)
    c.forceMode([0.0] * 6, [0, 0, 1, 0, 0, 0], [0.0, 0.0, 10.0, 0.0, 0.0, 0.0], 2, [0.1] * 6)
    time.sleep(0.4)
    found["force mode"] = list(r.getActualTCPSpeed()[:3])
    c.forceModeStop()
    found["teach"] = [c.teachMode(), c.endTeachMode(), c.zeroFtSensor()]
    found["safe"] = [c.isJointsWithinSafetyLimits([0.0] * 6), c.isJointsWithinSafetyLimits([7.0] * 6)]
    return found


def stops(c: Any, r: Any, address: str) -> dict[str, Any]:
    """A second controller, the watchdog, a protective stop and the way out of it."""
    found: dict[str, Any] = {}
    try:
        rtde_control.RTDEControlInterface(address)
        found["second"] = "was let in"
    except RuntimeError as error:
        found["second"] = str(error)
    c.setWatchdog(10.0)
    time.sleep(0.4)
    found["after watchdog"] = c.isProgramRunning()
    found["again"] = c.reuploadScript()
    time.sleep(0.3)
    found["running again"] = c.isProgramRunning()
    d = dashboard_client.DashboardClient(address)
    d.connect()
    found["dashboard"] = [d.polyscopeVersion(), d.robotmode(), d.safetymode(), d.getRobotModel(), d.running()]
    c.triggerProtectiveStop()
    time.sleep(0.1)
    found["protective"] = [r.isProtectiveStopped(), r.isEmergencyStopped(), r.getSafetyMode()]
    found["moves then"] = c.moveJ([0.0] * 6, 1.0, 1.0)
    deadline = time.monotonic() + 20.0
    while r.isProtectiveStopped() and time.monotonic() < deadline:
        try:
            d.unlockProtectiveStop()
        except Exception as error:  # its kind comes from C++
            found["too soon"] = str(error)
        time.sleep(0.05)
    found["unlocked"] = not r.isProtectiveStopped()
    d.stop()
    return found


def main() -> None:
    address = sys.argv[1]
    r = rtde_receive.RTDEReceiveInterface(address)
    # the check of remote control is made for addresses other than localhost: the dashboard answers it
    c = rtde_control.RTDEControlInterface(address)
    found = {"mode": [r.getRobotMode(), r.getSafetyMode()]}
    for part in (moves(c, r), streams(c, r, float(sys.argv[2])), settings(c, r), stops(c, r, address)):
        found |= part
    c.disconnect()
    r.disconnect()
    sys.stdout.write("\nRESULT " + json.dumps(found) + "\n")


main()
