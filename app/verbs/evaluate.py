"""`evaluate`: how good a policy is at held-out tables of the simulated rig, beside references."""

import argparse
from collections.abc import Callable
from pathlib import Path

from app.evaluation.published import PUBLISHED_RIGS
from app.evaluation.trials import POLICIES
from app.verbs.options import Verb, read_rig
from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.rig import built_in_rigs
from models.tracking.trackers import BUILT_IN, TRACKERS, TrackerChoice
from models.video.sample_options import SampleOptions


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    usual = SampleOptions()
    p = verbs.add_parser(
        "evaluate",
        parents=[shared],
        help="how good a policy is, beside nothing and a demonstrator",
        description="Lay held-out tables of a task in a simulated rig, let each policy work at the same ones, and "
        "score them by the published rules. `nothing` and `demonstrator` are always among them. Ctrl+C ends it; "
        "the same command goes on with the trials that are missing.",
    )
    p.add_argument("--policy", nargs="+", required=True, choices=list(POLICIES), metavar="NAME", help=_policies())
    p.add_argument("--task", required=True, choices=list(PUBLISHED_RIGS), help="what is to be done")
    p.add_argument("--trials", type=int, required=True, metavar="N", help="how many tables")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="trials, dreams, plans, summary")
    p.add_argument("--model", type=Path, metavar="DIR", help="of dreamitate; an oracle's video is cropped for it")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="of the first table (default: 0)")
    p.add_argument(
        "--rig",
        metavar="FILE|sim",
        help=f"a simulated rig: a file, or of {', '.join(built_in_rigs())} (default: {_rigs()})",
    )
    p.add_argument("--size", metavar="WxH", help="of the cameras' pictures [px] (default: each camera's own)")
    p.add_argument(
        "--candidates", type=int, default=1, metavar="N", help="dreams a step; the best is taken (default: 1)"
    )
    p.add_argument(
        "--steps", type=int, default=usual.steps, metavar="N", help="of denoising (default: %(default)s)"
    )
    p.add_argument("--guidance", type=float, default=1.0, metavar="G", help="1 is none (default: 1)")
    p.add_argument("--device", choices=["cpu", "cuda"], help="where it dreams (default: a GPU where there is one)")
    p.add_argument("--tracker", choices=list(TRACKERS), default=BUILT_IN, help="default: %(default)s")
    p.add_argument(
        "--real-time",
        action="store_true",
        help="run plans on emulated controllers, as `execute`; else on a virtual clock",
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    # here, not above: what draws and plans takes seconds to import
    from app.evaluation.evaluating import Wish, evaluate
    from app.evaluation.summarising import write_summary
    from app.evaluation.worker_call import JobFailed

    if arguments.model is None and "dreamitate" in arguments.policy:
        raise Refused("--model: is missing; valid: the folder of the model that dreamitate dreams with")
    guidance = (arguments.guidance, arguments.guidance)
    wish = Wish(
        policies=tuple(arguments.policy),
        task=arguments.task,
        trials=arguments.trials,
        out=arguments.out,
        rig=read_rig(arguments.rig or PUBLISHED_RIGS[arguments.task]),
        model=arguments.model,
        seed=arguments.seed,
        size=_size(arguments.size) if arguments.size else None,
        options=SampleOptions(steps=arguments.steps, candidates=arguments.candidates, guidance=guidance),
        device=arguments.device or "",
        tracker=TrackerChoice(arguments.tracker),
        real_time=arguments.real_time,
    )
    try:
        trials = evaluate(wish, workspace, _teller(output))
    except JobFailed as error:
        raise Refused(str(error)) from error
    except KeyboardInterrupt as error:
        raise StoppedByPerson(
            f"the evaluation was stopped; whole trials are in {arguments.out}, the same command goes on with them"
        ) from error
    values, lines = write_summary(arguments.out, wish, trials)
    output.result({"out": str(arguments.out.absolute()), **values}, lines)
    return DONE


def _teller(output: Output) -> Callable[[float, str], None]:
    return lambda share, text: output.progress(f"evaluating {share:4.0%} {text}")


def _policies() -> str:
    return "; ".join(f"{name}: {about}" for name, about in POLICIES.items())


def _rigs() -> str:
    return ", ".join(f"{task}: {rig}" for task, rig in PUBLISHED_RIGS.items())


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise Refused(f"--size: {text!r}; valid: WxH in pixels, such as 384x224")
    return int(width), int(height)


VERB: Verb = add
