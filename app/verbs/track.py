"""`track`: find the tools of a dream in 3-D."""

import argparse
from pathlib import Path

import numpy as np

from app.dreams.session import DreamSession
from app.ledger import Ledger
from app.settings import ledger_file
from app.verbs import track_compare
from app.verbs.options import Verb, closing, writable
from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from models.data.poses_file import write_poses
from models.tracking.trackers import BUILT_IN, TRACKERS, TrackerChoice
from models.types import Hint, ToolTrack, Track

LONGEST_S = 1800.0
DEVICES = sorted({device for row in TRACKERS.values() for device in row.devices})


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "track",
        parents=[shared],
        help="track the tools of a dream in 3-D",
        description="Track all tools of a dream folder from its pictures and their CAD, keep the track in the "
        "folder and write it as poses.json (first view's camera frame, metres; lost frames are null).",
    )
    p.add_argument("dream", type=Path, metavar="DREAM", help="dream folder")
    p.add_argument("--tracker", choices=list(TRACKERS), help=_trackers())
    p.add_argument("--device", choices=DEVICES, help="where it computes (default: what the tracker usually takes)")
    p.add_argument("--out", type=Path, metavar="poses.json", help="where to write the poses as well")
    p.add_argument(
        "--hint",
        action="append",
        default=[],
        metavar="TOOL:VIEW:T:X0,Y0,X1,Y1",
        help="a box around a tool in one picture, in pixels; it holds hard; may be given often",
    )
    p.add_argument(
        "--compare",
        nargs="+",
        choices=list(TRACKERS),
        metavar="TRACKER",
        help="track with each of these instead and say how far they differ, from the first one and from labels; "
        "nothing in the folder changes; --out takes the numbers as JSON",
    )
    p.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="with --compare: poses to hold all against, as poses.json (default: labels.json of the folder)",
    )
    p.set_defaults(run=run)


def _trackers() -> str:
    rows = "; ".join(f"{row.name}: {row.about}" for row in TRACKERS.values())
    return f"which tracker (default: the one chosen for this dream, at first {BUILT_IN}). {rows}"


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if arguments.out is not None:
        writable(arguments.out, "--out")
    TrackerChoice(arguments.tracker or BUILT_IN, arguments.device or "")  # refuse a device before any work
    hints = [_hint(text) for text in arguments.hint]
    with closing(Ledger(ledger_file(workspace))) as ledger, closing(DreamSession(workspace, ledger)) as session:
        session.open(arguments.dream)
        if arguments.compare is not None:
            _only_compares(arguments)
            return track_compare.run(arguments, workspace, output, session)
        session.device = arguments.device or ""
        if arguments.tracker is not None:
            session.use_tracker(arguments.tracker)
        for hint in hints:
            session.add_hint(hint)
        track = track_now(session, output)
        dream = session.dream
        if dream is None:
            raise RuntimeError("no dream is open")
        if arguments.out is not None:
            write_poses(arguments.out, track, dream)
        output.result(_values(session, track, arguments), _text(track))
    return DONE


def track_now(session: DreamSession, output: Output) -> Track:
    """Track, say how far it is, and return the track. Raises Refused where it failed."""
    before = session.track

    def say(topic: str) -> None:
        if topic == "progress" and session.progress is not None:
            left = f", {session.progress.left_s:.0f} s left" if session.progress.left_s is not None else ""
            output.progress(f"tracking {session.progress.fraction:4.0%} {session.progress.text}{left}")

    forget = session.on_change(say)
    try:
        session.retrack()
        if not session.wait(LONGEST_S):
            raise Refused(f"tracking took over {LONGEST_S:.0f} s and was given up")
    except KeyboardInterrupt as error:
        raise StoppedByPerson("tracking was stopped; the track before it is kept") from error
    finally:
        forget()
    if session.track is None or session.track is before or session.message:
        raise Refused(session.message or "tracking gave nothing")
    return session.track


def _only_compares(arguments: argparse.Namespace) -> None:
    for option, given in (("--tracker", arguments.tracker), ("--hint", arguments.hint)):
        if given:
            raise Refused(f"{option}: not with --compare, which takes the dream's boxes as they are")


def _hint(text: str) -> Hint:
    try:
        tool, view, t, box = text.split(":")
        x0, y0, x1, y1 = (float(v) for v in box.split(","))
        return Hint(tool, view, int(t), (x0, y0, x1, y1))
    except ValueError as error:
        raise Refused(f"--hint: {text!r}: {error}; valid: left:top:4:120,80,260,190") from error


def _values(session: DreamSession, track: Track, arguments: argparse.Namespace) -> dict[str, object]:
    return {
        "dream": track.dream,
        "folder": str(session.folder),
        "out": str(arguments.out) if arguments.out else None,
        "id": session.track_id,
        "tracker": track.tracker,
        "seconds": track.seconds,
        "tools": {role: _tool(tool) for role, tool in track.tools.items()},
    }


def _tool(tool: ToolTrack) -> dict[str, object]:
    return {
        "frames": len(tool),
        "found": int(tool.found.sum()),
        "lost": np.flatnonzero(~tool.found).tolist(),
        "confidence": tool.frame_confidence.tolist(),
        "stereo_disagreement_px": tool.stereo_disagreement_px.tolist(),
    }


def _text(track: Track) -> list[str]:
    lines = [f"{track.dream}: tracked by {track.tracker} in {track.seconds:.1f} s"]
    for role, tool in track.tools.items():
        disagreement = np.abs(tool.stereo_disagreement_px[np.isfinite(tool.stereo_disagreement_px)])
        slack = f"{np.median(disagreement):.1f} px" if len(disagreement) else "unknown"
        worst = float(tool.frame_confidence[tool.found].min()) if tool.found.any() else 0.0
        lines.append(
            f"  {role}: {int(tool.found.sum())} of {len(tool)} frames, worst confidence {worst:.2f}, "
            f"median stereo disagreement {slack}"
        )
    return lines


VERB: Verb = add
