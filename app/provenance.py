"""What the ledger is told of dreams, tracks, plans and runs, and under which ids."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.dreams.track_shelf import track_sha256
from app.execution.run_folder import RunFolder
from app.ledger import Ledger
from hardware.safety import PlanApproval
from hardware.types import Plan, Tool
from models.types import Dream, Track


def record_dream(ledger: Ledger, dream: Dream, folder: Path) -> str:
    """Add a dream under the sha256 of what it consists of: a copy of the folder is the same dream.

    It comes from the checkpoint whose weights it names, where the ledger knows that one (app/jobs/made.py).
    """
    files = [folder / "dream.toml", folder / "calibration.json", *sorted((folder / "views").glob("*.mp4"))]
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
    record = {
        "folder": str(folder),
        "placement": dream.placement,
        "tools": {role: tool.name for role, tool in dream.tools.items()},
        "tool_versions": {role: version_of(tool) for role, tool in dream.tools.items()},
        "provenance": dict(dream.provenance),
    }
    weights = dream.provenance.get("weights_sha256")
    parents = _known(ledger, f"checkpoint-{weights[:32]}") if isinstance(weights, str) else []
    return ledger.add("dream", dream.name, record, parents=parents, id=f"dream-{digest[:32]}")


def _known(ledger: Ledger, id: str) -> list[str]:
    try:
        return [ledger.get(id).id]
    except KeyError:
        return []


def record_track(ledger: Ledger, track: Track, folder: Path, dream_id: str) -> str:
    """Add a track under the sha256 of its poses, of who corrected what, and of its dream."""
    by_hand = "".join(f" {correction}" for correction in track.corrections)
    digest = hashlib.sha256(f"{dream_id} {track_sha256(track)}{by_hand}".encode()).hexdigest()
    found = {role: int(tool.found.sum()) for role, tool in track.tools.items()}
    corrected = [{"tool": h.tool, "view": h.view, "t": h.t, "box": list(h.box)} for h in track.hints]
    record = {
        "folder": str(folder),
        "tracker": track.tracker,
        "seconds": track.seconds,
        "found": found,
        "hints": corrected,
        "cuts": [{"kind": c.kind, "tool": c.tool, "t": c.t} for c in track.cuts],
        "corrections": [vars(correction) for correction in track.corrections],
        "track_sha256": track_sha256(track),
    }
    return ledger.add("track", track.dream, record, parents=[dream_id], id=f"track-{digest[:32]}")


def record_plan(ledger: Ledger, plan: Plan, file: Path, parent: str) -> str:
    """Add a plan under its sha256; parent: the track's id, "" where it is not known."""
    record = {
        "file": str(file),
        "sha256": plan.sha256,
        "dream": plan.dream,
        "track_sha256": plan.track_sha256,
        "rig_sha256": plan.rig_sha256,
        "duration_s": plan.duration,
        "speed_scale": plan.speed_scale,
        "emulated_only": plan.emulated_only,
        "gives_way_over_N": {
            arm: limits.give_way_force for arm, limits in plan.limits.items() if limits.give_way_force < math.inf
        },
        "violations": [check.rule for check in plan.violations],
    }
    parents = [parent] if parent else []
    return ledger.add("plan", plan.dream, record, parents=parents, id=f"plan-{plan.sha256[:32]}")


def version_of(tool: Tool) -> str:
    """Return which very tool it is, 16 hexadecimal digits: its version in the library, else over mesh and mount.

    A tool that was changed under its old name has another one.
    """
    if tool.version:
        return tool.version
    numbers = (
        tool.mesh.vertices,
        tool.mesh.faces,
        tool.T_flange_tool,
        tool.tip,
        tool.symmetry,
        np.array(tool.mass),
    )
    digest = hashlib.sha256(tool.name.encode())
    for array in (*numbers, *(part for part in (tool.trackable, tool.centre_of_mass) if part is not None)):
        digest.update(f"{array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def record_run(
    ledger: Ledger,
    plan: Plan,
    approval: PlanApproval,
    folder: RunFolder,
    plan_parent: str,
    emulated: bool,
    tools: Mapping[str, Tool],
) -> str:
    """Add the plan, its approval and the execution that is about to start; return the execution's id.

    emulated: every arm that moves is one of this program's own emulators; tools: what each arm carries.
    """
    plan_id = record_plan(ledger, plan, folder.plan, plan_parent)
    given = {
        "kind": "plan",
        "person": approval.person or "nobody (emulated arms)",
        "plan_sha256": approval.plan_sha256,
        "arms": list(approval.arms),
        "rig_sha256": approval.rig_sha256,
        "limits_sha256": dict(approval.limits_sha256),
        "scene": approval.scene,
        "valid_s": approval.expires_at - approval.approved_at,
    }
    approval_id = ledger.add("approval", plan.dream, given, parents=[plan_id], id=f"approval-{approval.id}")
    arms = [arm.arm for arm in plan.arms]
    carried = {arm: {"name": tools[arm].name, "version": version_of(tools[arm])} for arm in arms if arm in tools}
    record = {"folder": str(folder.path), "arms": arms, "emulated": emulated, "tools": carried}
    execution_id = ledger.add("execution", plan.dream, record, parents=[plan_id, approval_id])
    folder.write(execution=execution_id, approval=approval_id, plan=plan_id, person=given["person"])
    return execution_id


def record_end(ledger: Ledger, execution_id: str, end: str, message: str, plan_time: float) -> None:
    """Say how an execution ended."""
    ledger.amend(execution_id, {"ended": end, "message": message, "plan_time_s": plan_time})


def record_outcome(
    ledger: Ledger, folder: RunFolder, execution_id: str, success: bool, tags: tuple[str, ...], note: str
) -> str:
    """Add a person's judgement: into the run's folder first, so that it survives a ledger that is locked."""
    outcome: dict[str, object] = {"success": success, "tags": list(tags), "note": note}
    folder.write(outcome=outcome)
    return ledger.add("outcome", ledger.get(execution_id).name, outcome, parents=[execution_id])
