"""`track --compare`: several trackers on one dream, side by side."""

import argparse

import numpy as np

from app.dreams.comparison import Comparison, Trial
from app.dreams.comparison_run import ComparisonRun
from app.dreams.session import DreamSession
from app.verbs.options import closing
from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.geometry import Array
from models.data.text_files import to_json
from models.evaluation.tracks import Difference, middle, worst
from models.types import ToolTrack

LONGEST_S = 3600.0


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output, session: DreamSession) -> int:
    """Compare on the open dream; nothing in its folder changes."""
    if session.folder is None:
        raise RuntimeError("no dream is open")
    with closing(ComparisonRun(workspace)) as run:
        device = arguments.device or ""
        run.start(session.folder, arguments.compare, hints=session.boxes, device=device, labels=arguments.labels)
        result = _result(run, output)
    values = _values(result) | {"folder": str(session.folder)}
    if arguments.out is not None:
        arguments.out.write_text(to_json(values), encoding="utf-8")
    output.result(values, _text(result))
    return DONE


def _result(run: ComparisonRun, output: Output) -> Comparison:
    def say(_topic: str) -> None:
        if run.progress is not None:
            output.progress(f"comparing {run.progress[0]:4.0%} {run.progress[1]}")

    forget = run.on_change(say)
    try:
        if not run.wait(LONGEST_S):
            raise Refused(f"comparing took over {LONGEST_S:.0f} s and was given up")
    except KeyboardInterrupt as error:
        raise StoppedByPerson("comparing was stopped") from error
    finally:
        forget()
    if run.result is None:
        raise Refused(run.message or "comparing gave nothing")
    if not run.result.reference:
        raise Refused("no tracker made a track: " + "; ".join(trial.problem for trial in run.result.trials))
    return run.result


def _values(result: Comparison) -> dict[str, object]:
    return {
        "dream": result.dream,
        "reference": result.reference,
        "labels": bool(result.from_labels),
        "trackers": {trial.tracker: _trial(result, trial) for trial in result.trials},
    }


def _trial(result: Comparison, trial: Trial) -> dict[str, object]:
    if trial.track is None:
        return {"problem": trial.problem}
    tools = {role: _tool(result, trial, role, tool) for role, tool in trial.track.tools.items()}
    return {"seconds": trial.track.seconds, "tools": tools}


def _tool(result: Comparison, trial: Trial, role: str, tool: ToolTrack) -> dict[str, object]:
    at = (trial.tracker, role)
    return {
        "frames": len(tool),
        "found": int(tool.found.sum()),
        "confidence": tool.frame_confidence.tolist(),
        "outline_iou": _by_view(result, trial.outline[role]),
        "from_reference": _apart(result, result.from_reference.get(at)),
        "from_labels": _apart(result, result.from_labels.get(at)),
    }


def _apart(result: Comparison, apart: Difference | None) -> dict[str, object] | None:
    if apart is None:
        return None
    return {"mm": apart.mm.tolist(), "deg": apart.deg.tolist(), "px": _by_view(result, apart.px)}


def _by_view(result: Comparison, values: Array) -> dict[str, object]:
    return {view: values[:, v].tolist() for v, view in enumerate(result.views)}


def _text(result: Comparison) -> list[str]:
    lines = [f"{result.dream}: {len(result.trials)} trackers; medians, 90% in brackets"]
    for trial in result.trials:
        if trial.track is None:
            lines.append(f"  {trial.tracker}: no track: {trial.problem}")
            continue
        lines.append(f"  {trial.tracker}: {trial.track.seconds:.1f} s")
        lines += [f"    {role}: {_line(result, trial, role, tool)}" for role, tool in trial.track.tools.items()]
    return lines


def _line(result: Comparison, trial: Trial, role: str, tool: ToolTrack) -> str:
    at = (trial.tracker, role)
    sure = tool.frame_confidence[tool.found]
    outline = ", ".join(f"{view} {middle(trial.outline[role][:, v]):.2f}" for v, view in enumerate(result.views))
    parts = [
        f"{int(tool.found.sum())} of {len(tool)} frames",
        f"confidence {np.median(sure) if len(sure) else 0:.2f}",
        f"outline IoU {outline}",
    ]
    for name, differences in ((result.reference, result.from_reference), ("labels", result.from_labels)):
        if at in differences:
            parts.append(_words(result, name, differences[at]))
    return "; ".join(parts)


def _words(result: Comparison, name: str, apart: Difference) -> str:
    px = ", ".join(f"{view} {middle(apart.px[:, v]):.1f}" for v, view in enumerate(result.views))
    mm, deg = apart.mm, apart.deg
    return f"from {name} {middle(mm):.1f} ({worst(mm):.1f}) mm, {middle(deg):.1f} ({worst(deg):.1f}) deg, {px} px"
