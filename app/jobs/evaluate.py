"""The job that evaluates policies at held-out tables. A pause ends the trial it is at, which begins anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.evaluation.evaluating import Wish, evaluate
from app.evaluation.published import PUBLISHED_RIGS
from app.evaluation.summarising import write_summary
from app.jobs.context import JobContext, stop_if_wanted
from hardware.rig import built_in_rigs, load_rig
from models.video.sample_options import SampleOptions


def run(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Evaluate (app/jobs/kinds.py has the arguments); trials that are there already are left as they are.

    Raises Paused, Cancel, DreamFileError, ValueError.
    """
    task, out = arguments["task"], Path(arguments["out"])
    usual = SampleOptions()
    rig = arguments.get("rig") or PUBLISHED_RIGS.get(task, "sim")
    try:
        loaded = load_rig(rig)
    except FileNotFoundError as error:
        valid = f"a rig.toml, or {', '.join(built_in_rigs())}"
        raise ValueError(f"rig: {rig}: there is no such file; valid: {valid}") from error
    wish = Wish(
        policies=tuple(arguments["policies"]),
        task=task,
        trials=arguments["trials"],
        out=out,
        rig=loaded,
        model=Path(arguments["model"]) if "model" in arguments else None,
        seed=arguments.get("seed", 0),
        options=SampleOptions(
            steps=arguments.get("steps", usual.steps), candidates=arguments.get("candidates", usual.candidates)
        ),
        device=arguments.get("device", ""),
    )
    trials = evaluate(wish, job.workspace, job.report, lambda: stop_if_wanted(job))
    _, lines = write_summary(out, wish, trials)
    print(*lines, sep="\n", flush=True)
    return {"trials": len(trials), "out": str(out)}
