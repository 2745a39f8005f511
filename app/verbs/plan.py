"""`plan`: a dream's track becomes the timed motion of all arms, with every check."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from app.calibration.measured_tables import with_measured_tables
from app.dreams.plan_making import plan_dream
from app.dreams.session import DreamSession
from app.ledger import Ledger
from app.provenance import record_plan, record_track
from app.settings import ledger_file
from app.verbs.options import Verb, add_rig, closing, read_rig, writable
from app.verbs.output import DONE, Output, Refused
from app.workspace import Workspace
from hardware.plan_file import save_plan
from hardware.types import Plan
from models.data.poses_file import read_poses
from models.types import Dream, Track


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "plan",
        parents=[shared],
        help="plan the arms' motion from a tracked dream",
        description="Plan approach, work and retreat of all arms from the track stored in the dream, hold every "
        "rule of motion against it and write plan.json. One with violations is written too, but not approvable.",
    )
    p.add_argument("dream", type=Path, metavar="DREAM", help="dream folder, tracked before")
    add_rig(p)
    p.add_argument("--out", type=Path, required=True, metavar="plan.json", help="where to write the plan")
    p.add_argument("--track", type=Path, metavar="FILE", help="a poses.json instead of the track in the dream")
    p.add_argument("--trim", nargs=2, type=int, metavar=("FIRST", "LAST"), help="frames to use, both included")
    p.add_argument(
        "--speed-scale", type=float, default=1.0, help="at most this share of the clip's speed (default: 1)"
    )
    p.add_argument(
        "--not-first-run", action="store_true", help="allow the rig's usual tool speed, not the slow first one"
    )
    p.add_argument(
        "--carry",
        nargs="+",
        default=[],
        metavar="TOOL=ARM",
        help="which arm carries which tool of the dream (default: by role, else the free arm nearest to the work)",
    )
    p.add_argument(
        "--give-way",
        type=float,
        metavar="N",
        help="give way to more than this force at the tool (default: arms are stiff); 5 to the rig's largest force",
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    writable(arguments.out, "--out")
    rig = with_measured_tables(read_rig(arguments.rig), workspace.root)
    with closing(Ledger(ledger_file(workspace))) as ledger, closing(DreamSession(workspace, ledger)) as session:
        session.open(arguments.dream)
        dream, folder = session.dream, session.folder
        if dream is None or folder is None:
            raise RuntimeError("no dream is open")
        track = _track(arguments, dream, session.track)
        track_id = session.track_id
        if arguments.track is not None and session.dream_id:
            track_id = record_track(ledger, track, arguments.track.absolute(), session.dream_id)
        trim = _trim(arguments.trim, session)
        output.progress("planning")
        plan = plan_dream(
            dream,
            track,
            trim,
            rig,
            speed_scale=arguments.speed_scale,
            first_run=not arguments.not_first_run,
            wanted=_carriers(arguments.carry),
            give_way=arguments.give_way,
        )
        plan = save_plan(plan, arguments.out)
        _add_origin(arguments.out, folder)
        plan_id = record_plan(ledger, plan, arguments.out.absolute(), track_id)
    output.result(_values(plan, arguments.out, plan_id), _text(plan, arguments.out))
    return DONE


def _carriers(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    bad = [text for text, (tool, _, arm) in zip(given, pairs, strict=True) if not tool or not arm]
    if bad:
        raise Refused(f"--carry: {bad[0]}; valid: TOOL=ARM, as in left=right")
    return {tool: arm for tool, _, arm in pairs}


def _track(arguments: argparse.Namespace, dream: Dream, stored: Track | None) -> Track:
    if arguments.track is None:
        if stored is None:
            raise Refused(f"{arguments.dream}: track.json: is missing; run `track {arguments.dream}` first")
        return stored
    track = read_poses(arguments.track)
    unknown = sorted(set(track.tools) - set(dream.tools))
    if unknown:
        raise Refused(f"{arguments.track}: poses: tools {unknown} are unknown; valid: {sorted(dream.tools)}")
    if any(len(tool) > len(dream) for tool in track.tools.values()):
        raise Refused(f"{arguments.track}: frames: more than the dream's {len(dream)}; valid: at most {len(dream)}")
    return track


def _trim(wanted: list[int] | None, session: DreamSession) -> tuple[int, int]:
    if wanted is None:
        return session.trim
    first, last = wanted
    frames = len(session.dream) if session.dream else 0
    if not 0 <= first < last < frames:
        raise Refused(f"--trim: {first} {last}; valid: two frames of 0 to {frames - 1}, the first before the last")
    return first, last


def _add_origin(path: Path, folder: Path) -> None:
    """Say in plan.json which dream it is for, so that its tools are found again; the sha256 does not cover it."""
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "origin": {"dream_folder": str(folder)}}), encoding="utf-8")


def _values(plan: Plan, path: Path, plan_id: str) -> dict[str, object]:
    return {
        "out": str(path),
        "id": plan_id,
        "sha256": plan.sha256,
        "dream": plan.dream,
        "duration_s": plan.duration,
        "speed_scale": plan.speed_scale,
        "arms": [arm.arm for arm in plan.arms],
        "emulated_only": plan.emulated_only,
        "approvable": not plan.violations,
        "checks": [asdict(check) for check in plan.checks],
        "clamps": [asdict(clamp) for clamp in plan.clamps],
    }


def _text(plan: Plan, path: Path) -> list[str]:
    marks = {"ok": "ok ", "warning": "!  ", "violation": "NO "}
    lines = [
        f"{path}: {plan.duration:.1f} s for {', '.join(arm.arm for arm in plan.arms)}, sha256 {plan.sha256[:12]}"
    ]
    for check in plan.checks:
        lines.append(
            f"  {marks[check.status]} {check.arm or 'all'}: {check.text}"
            + (f". {check.hint}" if check.hint else "")
        )
    lines += [f"  clamped {clamp.arm}: {clamp.text}" for clamp in plan.clamps]
    lines.append(
        f"{len(plan.violations)} violations: it cannot be approved"
        if plan.violations
        else "no violation: it can be approved"
    )
    return lines


VERB: Verb = add
