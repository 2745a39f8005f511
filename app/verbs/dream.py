"""`dream`: a model dreams how a task would go in a scene. `dream import` is app/verbs/dream_import.py."""

import argparse
import math
from pathlib import Path

from app.dreams.dreaming import JOB, DreamOrder, Dreamt, memory_told
from app.dreams.goals import GoalPose
from app.dreams.ordering import Wish, make_order
from app.ledger import Ledger
from app.provenance import record_dream
from app.settings import ledger_file
from app.verbs import dream_import
from app.verbs.options import Verb, closing, read_rig, tools_by_role, writable
from app.verbs.output import DONE, USAGE, Output, Refused, StoppedByPerson
from app.worker import Callbacks, Worker
from app.workspace import Workspace
from models.data.dream_folder import load_dream
from models.video.sample_options import PRECISIONS, SampleOptions

POLL_S = 0.2


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "dream",
        parents=[shared],
        help="dream how a task would go in a scene, or import a dream",
        description="Let a video model dream from the scene in front of a rig's cameras, or from photos of one, "
        "and write each candidate as a dream folder as soon as it is there. Ctrl+C ends it; what is written stays.",
    )
    inner = p.add_subparsers(dest="what", metavar="[import]")
    dream_import.add(inner, shared)
    p.add_argument("--model", type=Path, metavar="DIR", help="folder of the video model")
    p.add_argument("--out", type=Path, metavar="DIR", help="the dream folder; of several candidates, their folder")
    _add_scene(p)
    _add_sampling(p)
    p.set_defaults(run=run, usage=p.format_usage())


def _add_scene(p: argparse.ArgumentParser) -> None:
    p.add_argument("--scene", nargs="+", type=Path, metavar="VIEW.png", help="a photo for each view of the model")
    p.add_argument("--rig", metavar="FILE|sim", help="whose cameras look at the scene, or took the photos")
    p.add_argument("--task", default="", metavar="TASK", help="what is to be done: tools, and the simulated table")
    p.add_argument("--table", type=int, default=0, metavar="N", help="simulated: which table is laid (default: 0)")
    _add_goal(p)
    p.add_argument("--calibration", type=Path, metavar="FILE", help="of the photos' cameras, see docs/cli.md")
    p.add_argument(
        "--tools",
        nargs="+",
        default=[],
        metavar="ROLE=NAME",
        help="tools of the library or files (default: the task's)",
    )
    p.add_argument(
        "--text",
        default="",
        metavar="T",
        help="what is to be done, in words (default: of a simulated table, its own)",
    )
    p.add_argument("--override", default="", metavar="REASON", help="why a hand or an arm may be in the scene")


def _add_goal(p: argparse.ArgumentParser) -> None:
    goal = p.add_mutually_exclusive_group()
    goal.add_argument(
        "--goal",
        type=Path,
        metavar="MASK.png",
        help="push-shape: a picture as large as the first view's photo, white where the object is to go "
        "(default: a simulated table's own goal)",
    )
    goal.add_argument(
        "--goal-pose",
        nargs=3,
        type=float,
        metavar=("X", "Y", "DEGREES"),
        help="push-shape: where on the table [m] the object's middle is to go, and by how much it is to turn "
        "counterclockwise, seen from above",
    )


def _goal(arguments: argparse.Namespace) -> GoalPose | Path | None:
    if arguments.goal_pose is not None:
        x, y, degrees = arguments.goal_pose
        return GoalPose(x, y, math.radians(degrees))
    file: Path | None = arguments.goal
    return file


def _add_sampling(p: argparse.ArgumentParser) -> None:
    usual = SampleOptions()
    p.add_argument("--candidates", type=int, default=1, metavar="N", help="how many dreams (default: 1)")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="of the first; the next has S + 1 (default: 0)")
    p.add_argument(
        "--steps", type=int, default=usual.steps, metavar="N", help="of denoising (default: %(default)s)"
    )
    p.add_argument(
        "--guidance",
        nargs="+",
        type=float,
        default=[1.0],
        metavar="G",
        help="for all frames, or first and last (1: none)",
    )
    p.add_argument(
        "--decode-chunk", type=int, default=usual.decode_chunk, metavar="N",
        help="frames decoded together; fewer take less memory (default: %(default)s)",
    )  # fmt: skip
    p.add_argument(
        "--device", choices=["cpu", "cuda"], help="where it computes (default: a GPU where there is one)"
    )
    p.add_argument("--precision", choices=PRECISIONS, help="default: float16 on a GPU, else float32")
    p.add_argument("--compile", action="store_true", help="compile the network first: pays off over many dreams")
    p.add_argument("--preview", type=Path, metavar="FILE.png", help="a picture that shows each step as it is done")


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    missing = [f"--{name}" for name in ("model", "out") if getattr(arguments, name) is None]
    if missing:
        output.error(USAGE, f"dream: {' and '.join(missing)} missing\n{arguments.usage}")
        return USAGE
    order = make_order(_wish(arguments), workspace.root, output.progress)
    try:
        dreamt = dream_now(order, output)
    finally:
        ids = _recorded(order, workspace)
    output.result(_values(order, dreamt, ids), _text(order, dreamt))
    return DONE


def dream_now(order: DreamOrder, output: Output) -> tuple[Dreamt, ...]:
    """Dream in the worker process and say how far it is. Raises Refused where it failed, StoppedByPerson."""
    done: list[tuple[Dreamt, ...]] = []
    failed: list[str] = []

    def say(fraction: float, text: str) -> None:
        output.progress(f"dreaming {fraction:4.0%} {text}")

    with closing(Worker()) as worker:
        worker.submit(JOB, order, callbacks=Callbacks(done.append, failed.append, say))
        try:
            _finish(worker)
        except KeyboardInterrupt as error:
            worker.cancel()
            _finish(worker)
            kept = ", ".join(map(str, order.finished)) or "nothing"
            raise StoppedByPerson(f"dreaming was stopped; written: {kept}") from error
    if not done:
        raise Refused(memory_told(failed[0] if failed else "dreaming gave nothing"))
    return done[0]


def _finish(worker: Worker) -> None:
    while worker.busy:
        worker.wait(POLL_S)
        worker.pump()


def _wish(arguments: argparse.Namespace) -> Wish:
    if len(arguments.guidance) > 2:
        raise Refused(f"--guidance: {arguments.guidance}; valid: one number, or two")
    if arguments.preview is not None:
        writable(arguments.preview, "--preview")
    options = SampleOptions(
        steps=arguments.steps,
        candidates=arguments.candidates,
        seed=arguments.seed,
        guidance=(arguments.guidance[0], arguments.guidance[-1]),
        decode_chunk=arguments.decode_chunk,
    )
    rig = read_rig(arguments.rig or "sim") if arguments.rig or not arguments.scene else None
    if rig is not None and rig.simulated and not arguments.scene and not arguments.task:
        raise Refused("--task: is missing; valid with a simulated rig: the task whose table is laid")
    return Wish(
        model=arguments.model,
        out=arguments.out,
        rig=rig,
        photos=tuple(arguments.scene or ()),
        calibration=arguments.calibration,
        task=arguments.task,
        table=arguments.table,
        goal=_goal(arguments),
        tools=tools_by_role(arguments.tools),
        text=arguments.text,
        override=arguments.override,
        options=options,
        device=arguments.device or "",
        precision=arguments.precision,
        compiled=arguments.compile,
        preview=arguments.preview,
    )


def _recorded(order: DreamOrder, workspace: Workspace) -> list[str]:
    """Tell the ledger of what was written, also where more was asked for."""
    with closing(Ledger(ledger_file(workspace))) as ledger:
        return [record_dream(ledger, load_dream(folder), folder.absolute()) for folder in order.finished]


def _values(order: DreamOrder, dreamt: tuple[Dreamt, ...], ids: list[str]) -> dict[str, object]:
    return {
        "out": str(order.out.absolute()),
        "model": str(order.model.absolute()),
        "steps": order.options.steps,
        "placement": order.scene.placement,
        "tools": {role: tool.name for role, tool in order.scene.tools.items()},
        "dreams": [
            {"folder": str(one.folder.absolute()), "id": found, "seed": one.seed, "seconds": dict(one.seconds)}
            for one, found in zip(dreamt, ids, strict=True)
        ],
    }


def _text(order: DreamOrder, dreamt: tuple[Dreamt, ...]) -> list[str]:
    steps = order.options.steps
    return [f"{one.folder}: seed {one.seed}, {steps} steps, {sum(one.seconds.values()):.1f} s" for one in dreamt]


VERB: Verb = add
