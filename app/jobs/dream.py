"""The job that dreams many dreams: of one scene, or of many tables of the simulated rig. A pause waits for the end
of the dream it is at."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.dreams.dream_job import dream_scene
from app.dreams.dreaming import DreamOrder
from app.dreams.ordering import Wish, make_order
from app.jobs.context import JobContext, stop_if_wanted
from app.jobs.made import tell_of_dream
from app.worker import Report
from hardware.rig import Rig, built_in_rigs, load_rig
from models.data.dream_folder import is_dream_folder
from models.video.sample_options import SampleOptions


def run(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Dream (app/jobs/kinds.py has the arguments); dreams that are there already are left as they are.

    A table's dreams lie in OUT/table-0003/seed-7, those of photos in OUT/seed-7. Raises Paused, Cancel,
    DreamFileError, ValueError.
    """
    seeds = range(arguments.get("seed", 0), arguments.get("seed", 0) + arguments.get("candidates", 1))
    scenes = list(_scenes(arguments))
    count, done, made = len(scenes) * len(seeds), 0, 0
    for wish in scenes:
        order: DreamOrder | None = None
        for seed in seeds:
            stop_if_wanted(job)
            folder = wish.out / f"seed-{seed}"
            if not is_dream_folder(folder):
                order = order or make_order(replace(wish, out=folder), job.workspace.root, _say)
                one = replace(order, out=folder, options=replace(order.options, seed=seed))
                dream_scene(one, _share(job, done, count), job.cancelled)
                tell_of_dream(job.workspace, folder)
                made += 1
            done += 1
            job.report(done / count)
    return {"dreamt": made, "were there": count - made}


def _scenes(arguments: Mapping[str, Any]) -> Iterator[Wish]:
    """Yield what is dreamt, each with its folder as `out`."""
    steps, chunk = arguments.get("steps"), arguments.get("decode_chunk")
    options = SampleOptions(guidance=(arguments.get("guidance", 1.0),) * 2)
    options = replace(options, steps=steps or options.steps, decode_chunk=chunk or options.decode_chunk)
    rig = arguments.get("rig", "" if "photos" in arguments else "sim")
    out = Path(arguments["out"])
    wish = Wish(
        Path(arguments["model"]),
        out,
        rig=_rig(rig) if rig else None,
        photos=tuple(map(Path, arguments.get("photos", ()))),
        calibration=Path(arguments["calibration"]) if "calibration" in arguments else None,
        task=arguments.get("task", ""),
        tools=arguments.get("tools", {}),
        text=arguments.get("text", ""),
        options=options,
        device=arguments.get("device", ""),
        precision=arguments.get("precision"),
    )
    if "photos" in arguments:
        yield wish
        return
    if wish.rig is None or not wish.rig.simulated:
        raise ValueError(f"rig: {rig!r} is not simulated; valid: photos, or a simulated rig")
    first = arguments.get("first_table", 0)
    for table in range(first, first + arguments.get("tables", 1)):
        yield replace(wish, table=table, out=out / f"table-{table:04d}")


def _rig(name: str) -> Rig:
    try:
        return load_rig(name)
    except FileNotFoundError as error:
        valid = f"a rig.toml, or {', '.join(built_in_rigs())}"
        raise ValueError(f"rig: {name}: there is no such file; valid: {valid}") from error


def _share(job: JobContext, done: int, count: int) -> Report:
    def report(fraction: float, text: str) -> None:
        job.report((done + fraction) / count, f"dream {done + 1} of {count}: {text}")

    return report


def _say(text: str) -> None:
    print(text, flush=True)
