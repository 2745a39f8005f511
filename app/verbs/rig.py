"""`rig check`: open every device of a rig and print how it does."""

import argparse
import time

import numpy as np

from app.connection_checks import connection_checks
from app.measured_tables import with_measured_tables
from app.rig_link import RigLink, default_rig_tools, open_rig
from app.verbs.options import Verb, add_rig, closing, read_rig
from app.verbs.output import DEVICE, DONE, Output, Refused
from app.workspace import Workspace
from hardware.rig import Rig
from hardware.types import ArmState

POLL_S = 0.005


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    rig = verbs.add_parser("rig", help="check a rig", description="The rig: check its devices.")
    inner = rig.add_subparsers(dest="what", required=True, metavar="check")
    p = inner.add_parser(
        "check",
        parents=[shared],
        help="open every device and print the health strip",
        description="Open every camera and arm of the rig (nothing moves), watch them for a while, and print one "
        "line each. Exit 4 where one does not answer or its checks fail.",
    )
    add_rig(p)
    p.add_argument(
        "--seconds", type=float, default=3.0, metavar="S", help="how long to watch (default: %(default)g)"
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if not 0 < arguments.seconds <= 3600:
        raise Refused(f"--seconds: {arguments.seconds:g}; valid: over 0, at most 3600")
    rig = with_measured_tables(read_rig(arguments.rig), workspace.root)
    output.progress(f"starting rig {rig.name}")
    with closing(open_rig(rig, default_rig_tools(rig))) as link:
        cameras = _watch(link, arguments.seconds, output)
        states = link.group.states()
        checks = connection_checks(link.group.connections, rig)
    bad = [check for check in checks if check.status == "violation"]
    missing = [c.camera.name for c in rig.cameras if not cameras.get(c.camera.name, {}).get("frames")]
    arms = {name: _arm(state) for name, state in states.items()}
    faulty = [name for name, state in states.items() if state.error_code]
    healthy = not bad and not missing and not faulty
    values = {
        "rig": rig.name,
        "simulated": rig.simulated,
        "healthy": healthy,
        "cameras": cameras,
        "arms": arms,
        "checks": [{"arm": c.arm, "rule": c.rule, "status": c.status, "text": c.text} for c in checks],
    }
    lines = [f"rig {rig.name}" + (" (simulated)" if rig.simulated else "")]
    lines += [_camera_line(c.camera.name, cameras.get(c.camera.name)) for c in rig.cameras]
    lines += [_arm_line(name, rig, state) for name, state in states.items()]
    lines += [f"  {'ok ' if c.status == 'ok' else 'NO '} {c.arm}: {c.text}" for c in checks]
    output.result({**values, "ok": healthy}, lines)
    return DONE if healthy else DEVICE


def _watch(link: RigLink, seconds: float, output: Output) -> dict[str, dict[str, float]]:
    """Return per camera: frames seen, fps, the longest gap, skew against the first camera [s]."""
    times: dict[str, list[float]] = {name: [] for name in link.cameras}
    last: dict[str, int] = {}
    drops = dict.fromkeys(link.cameras, 0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, frame in link.frames().items():
            if frame.index != last.get(name):
                drops[name] += max(0, frame.index - last[name] - 1) if name in last else 0
                last[name] = frame.index
                times[name].append(frame.t_host)
        link.group.heartbeat()
        time.sleep(POLL_S)
    output.progress(f"watched for {seconds:g} s")
    first = next(iter(times.values()), [])
    return {name: _camera(seen, first, drops[name]) for name, seen in times.items()}


def _camera(seen: list[float], first: list[float], drops: int) -> dict[str, float]:
    span = seen[-1] - seen[0] if len(seen) > 1 else 0.0
    nearest = [min(abs(t - other) for other in first) for t in seen] if first else []
    return {
        "frames": float(len(seen)),
        "fps": (len(seen) - 1) / span if span > 0 else 0.0,
        "longest_gap_s": float(np.diff(seen).max()) if len(seen) > 1 else 0.0,
        "skew_s": float(np.median(nearest)) if nearest else 0.0,
        "drops": float(drops),
    }


def _camera_line(name: str, seen: dict[str, float] | None) -> str:
    if not seen or not seen["frames"]:
        return f"  NO  camera {name}: no picture"
    return (
        f"  ok  camera {name}: {seen['fps']:.1f} fps, longest gap {seen['longest_gap_s'] * 1e3:.0f} ms, "
        f"skew {seen['skew_s'] * 1e3:.0f} ms, {seen['drops']:.0f} dropped"
    )


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
