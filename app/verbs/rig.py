"""`rig check`: open every device of a rig and print how it does. `rig found`: what is plugged in."""

import argparse
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from app.calibration.calibrated_rig import with_calibrations
from app.calibration.measured_tables import with_measured_tables
from app.calibration.store import CalibrationStore
from app.execution.connection_checks import connection_checks
from app.execution.rig_link import default_rig_tools, open_rig
from app.recording.device_check import Watched, budget, open_devices, strip, strip_line, watch
from app.recording.live_devices import WorldDevices, start_world
from app.verbs.options import Verb, add_rig, closing, read_rig
from app.verbs.output import DEVICE, DONE, Output, Refused
from app.workspace import Workspace
from hardware.devices import DeviceMaker, RigDevices, found_devices
from hardware.rig import Rig
from hardware.stream import Device
from hardware.types import ArmState, Check


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    rig = verbs.add_parser("rig", help="check a rig", description="The rig: check its devices.")
    inner = rig.add_subparsers(dest="what", required=True, metavar="check|found")
    p = inner.add_parser(
        "check",
        parents=[shared],
        help="open every device and print the health strip",
        description="Open every camera, sensor and arm of the rig (nothing moves), watch them for a while, print "
        "a line for each. Exit 4 where one does not answer or its checks fail.",
    )
    add_rig(p)
    p.add_argument(
        "--seconds", type=float, default=3.0, metavar="S", help="how long to watch (default: %(default)g)"
    )
    p.set_defaults(run=run)
    f = inner.add_parser(
        "found",
        parents=[shared],
        help="list the cameras and serial ports that are plugged in",
        description="List what is plugged in as a rig.toml names it, and the pip line of each missing SDK.",
    )
    f.set_defaults(run=found)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if not 0 < arguments.seconds <= 3600:
        raise Refused(f"--seconds: {arguments.seconds:g}; valid: over 0, at most 3600")
    rig = with_measured_tables(read_rig(arguments.rig), workspace.root)
    output.progress(f"starting rig {rig.name}")
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(closing(open_rig(rig, default_rig_tools(rig)))) if rig.arms else None
        simulated: list[Callable[[], Device]] = []
        if link is not None:
            simulated = [partial(_same, camera) for camera in link.cameras.values()]
        elif rig.simulated:
            world = stack.enter_context(closing(start_world(rig)))
            simulated = [partial(_made, maker, stack) for maker in WorldDevices(rig, world).makers]
        devices = RigDevices(with_calibrations(rig, CalibrationStore(workspace.root, rig.name)).rig)
        stack.callback(devices.disconnect)
        opened, missing = open_devices([*simulated, *devices.makers])
        watch(opened, arguments.seconds, link.group.heartbeat if link else lambda: None)
        output.progress(f"watched for {arguments.seconds:g} s")
        states = link.group.states() if link else {}
        checks = connection_checks(link.group.connections, rig) if link else []
    return _told(rig, opened, missing, states, checks, output)


def found(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    """Say what is plugged in."""
    devices, unknown = found_devices()
    values = {"devices": [vars(device) for device in devices], "unknown": unknown}
    lines = [
        f'  driver = "{d.driver}", {"port" if d.driver == "force" else "serial"} = "{d.serial}": {d.what}'
        for d in devices
    ]
    output.result(values, [*(lines or ["nothing is plugged in"]), *(f"  {why}" for why in unknown.values())])
    return DONE


def _told(
    rig: Rig,
    opened: Sequence[Watched],
    missing: Mapping[str, str],
    states: Mapping[str, ArmState],
    checks: Sequence[Check],
    output: Output,
) -> int:
    group = next((w.times for w in opened if w.info.kind == "camera"), [])
    strips = {w.info.name: strip(w, group) for w in opened}
    buses = budget(opened)
    healthy = (
        not missing
        and all(values["frames"] and not values["problem"] for values in strips.values())
        and not any(check.status == "violation" for check in checks)
        and not any(state.error_code for state in states.values())
        and not any(bus.verdict == "too much" for bus in buses)
    )
    values = {
        "rig": rig.name,
        "simulated": rig.simulated,
        "healthy": healthy,
        "cameras": {name: s for name, s in strips.items() if s["kind"] == "camera"},
        "sensors": {name: s for name, s in strips.items() if s["kind"] != "camera"},
        "missing": dict(missing),
        "usb": [vars(bus) for bus in buses],
        "arms": {name: _arm(state) for name, state in states.items()},
        "checks": [{"arm": c.arm, "rule": c.rule, "status": c.status, "text": c.text} for c in checks],
    }
    lines = [f"rig {rig.name}" + (" (simulated)" if rig.simulated else "")]
    lines += [strip_line(name, s) for name, s in strips.items()]
    lines += [f"  NO  {why}" for why in missing.values()]
    lines += [f"  {'NO ' if bus.verdict == 'too much' else 'ok '} {bus.text}" for bus in buses]
    lines += [_arm_line(name, rig, state) for name, state in states.items()]
    lines += [f"  {'ok ' if c.status == 'ok' else 'NO '} {c.arm}: {c.text}" for c in checks]
    output.result({**values, "ok": healthy}, lines)
    return DONE if healthy else DEVICE


def _same(device: Device) -> Device:
    return device


def _made(maker: DeviceMaker, stack: contextlib.ExitStack) -> Device:
    device = maker()
    stack.callback(device.disconnect)
    return device


def _arm(state: ArmState) -> dict[str, object]:
    return {
        "mode": state.mode,
        "error_code": state.error_code,
        "warning_code": state.warning_code,
        "q_rad": state.q.tolist(),
        "age_s": time.monotonic() - state.t_host,
    }


def _arm_line(name: str, rig: Rig, state: ArmState) -> str:
    mark = "NO " if state.error_code else "ok "
    kind = "emulated" if rig.arm(name).emulated else rig.arm(name).address
    error = f", error {state.error_code}" if state.error_code else ""
    return f"  {mark} arm {name}: {rig.arm(name).model}, {kind}, {state.mode}{error}"


VERB: Verb = add
