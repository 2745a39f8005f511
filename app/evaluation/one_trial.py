"""One trial: a policy at one table, step by step, and what it made of it."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.evaluation.bench import LONG, Look, TrialBench
from app.evaluation.policies import STEPS, Desk
from app.evaluation.trials import Policy, Step, Trial
from app.evaluation.watch import Watch
from app.worker import Report
from hardware.world.tasks.layout import Moment
from hardware.world.tasks.push_shape import MOST_PUSHES
from models.data.photo import write_photo


def run_trial(name: Policy, number: int, seed: int, look: Look, task: str, desk: Desk, out: Path) -> Trial:
    """Make one trial; its dreams, plans and pictures go to OUT/trials/NAME-0003/step-1 ..

    number: of the trial; seed: of its table. A task of several steps goes on until nothing is left to do, or there
    were as many as the paper takes; the best counts.
    """
    began, folder = time.monotonic(), out / "trials" / f"{name}-{number:04d}"
    shutil.rmtree(folder, ignore_errors=True)  # of a trial that was ended half way
    steps: list[Step] = []
    ends: list[Sequence[Moment]] = []
    most = MOST_PUSHES if task in LONG else 1
    with TrialBench(look, task, seed) as bench:
        while len(steps) < most:
            desk.check()
            at = replace(desk, say=_within(desk.say, len(steps), most))
            at.say(0.0, "looking")
            made = _step(name, at, bench, folder / f"step-{len(steps) + 1}", len(steps))
            if made is None:
                break
            steps.append(made[0])
            ends.append(made[1])
        verdict = bench.judged(ends or [(bench.moment(),)])
        objects = bench.layout.objects
    seconds = round(time.monotonic() - began, 2)
    return Trial(
        name, number, seed, objects, verdict.success, verdict.measures, verdict.text, tuple(steps), seconds
    )


def _step(
    name: Policy, desk: Desk, bench: TrialBench, folder: Path, number: int
) -> tuple[Step, Sequence[Moment]] | None:
    """Make a step; return it and what was so, None where nothing is left to do."""
    watch = Watch()
    moved = STEPS[name](desk, bench, folder, number, watch)
    if moved.over:
        return None
    moments = moved.moments or (bench.moment(),)
    verdict = bench.judged([moments])
    if moved.moments and folder.is_dir():
        write_photo(folder / "after.png", bench.photos()[0])
    step = Step(verdict.success, verdict.measures, moved.lost, moved.reason, watch.seconds, moved.facts)
    return step, moments


def _within(say: Report, step: int, most: int) -> Report:
    """Stages of a step begin at 0 each: only steps count."""
    return lambda _share, text: say(step / most, f"step {step + 1}: {text}")
