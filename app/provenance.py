"""What the ledger is told of dreams, tracks, plans and runs, and under which ids."""

import hashlib
from pathlib import Path

from app.ledger import Ledger
from app.track_shelf import track_sha256
from hardware.types import Plan
from models.types import Dream, Track


def record_dream(ledger: Ledger, dream: Dream, folder: Path) -> str:
    """Add a dream under the sha256 of what it consists of: a copy of the folder is the same dream."""
    files = [folder / "dream.toml", folder / "calibration.json", *sorted((folder / "views").glob("*.mp4"))]
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
    record = {
        "folder": str(folder),
        "placement": dream.placement,
        "tools": {role: tool.name for role, tool in dream.tools.items()},
        "provenance": dict(dream.provenance),
    }
    return ledger.add("dream", dream.name, record, id=f"dream-{digest[:32]}")


def record_track(ledger: Ledger, track: Track, folder: Path, dream_id: str) -> str:
    """Add a track under the sha256 of its poses and of its dream."""
    digest = hashlib.sha256(f"{dream_id} {track_sha256(track)}".encode()).hexdigest()
    found = {role: int(tool.found.sum()) for role, tool in track.tools.items()}
    corrected = [{"tool": h.tool, "view": h.view, "t": h.t, "box": list(h.box)} for h in track.hints]
    record = {
        "folder": str(folder),
        "tracker": track.tracker,
        "seconds": track.seconds,
        "found": found,
        "hints": corrected,
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
        "violations": [check.rule for check in plan.violations],
    }
    parents = [parent] if parent else []
    return ledger.add("plan", plan.dream, record, parents=parents, id=f"plan-{plan.sha256[:32]}")
