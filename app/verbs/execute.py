"""`execute`: ask a person on the terminal, then run an approved plan on the rig's arms."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np

from app.execution.rehearsal import Curves
from app.execution.session import ExecutionSession
from app.ledger import Ledger
from app.provenance import record_plan
from app.settings import ledger_file
from app.verbs.options import Verb, add_rig, closing, read_rig
from app.verbs.output import DEVICE, DONE, STOPPED, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.plan_file import load_plan
from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Plan, Tool
from models.data.dream_folder import is_dream_folder, load_dream

CONNECT_S = 120.0
MARGIN_S = 120.0


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "execute",
        parents=[shared],
        help="run a plan on the arms, after a person approved it",
        description="Connect the arms, show their limits and every check, ask on the terminal, then run the plan "
        "on all arms at once. Ctrl+C stops all arms. The run, its curves and the cameras' video are kept.",
    )
    p.add_argument("plan", type=Path, metavar="plan.json", help="a plan written by `plan`")
    add_rig(p)
    p.add_argument("--approve-as", required=True, metavar="NAME", help="who approves; asked on the terminal")
    p.add_argument("--yes", action="store_true", help="do not ask; accepted for emulated arms only")
    p.add_argument(
        "--dream", type=Path, metavar="DIR", help="dream folder of the plan, for its tools (default: as planned)"
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if not arguments.approve_as.strip():
        raise Refused("--approve-as: is empty; valid: the name of a person")
    rig, plan = read_rig(arguments.rig), _plan(arguments.plan)
    _refuse_early(plan, rig, arguments.yes)
    tools = _tools(arguments, plan, rig)
    with (
        closing(Ledger(ledger_file(workspace))) as ledger,
        closing(ExecutionSession(rig, workspace, ledger)) as session,
    ):
        with _stops(session):
            _connect(session, tools, output)
            # a plan made in this workspace is in the ledger with its track; the chain of any other starts here
            record_plan(ledger, plan, arguments.plan.absolute(), "")
            session.set_plan(plan)
            reasons = session.forbidden()
            if reasons:
                raise Refused(f"{arguments.plan}: " + "; ".join(reasons))
            _ask(session, plan, arguments, output)
            session.approve(None if arguments.yes else arguments.approve_as)
            session.execute()
            _follow(session, plan, output)
        return _report(session, plan, output)


def _plan(path: Path) -> Plan:
    try:
        return load_plan(path)
    except FileNotFoundError as error:
        raise Refused(f"{path}: there is no such file; valid: a plan.json") from error
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_early(plan: Plan, rig: Rig, yes: bool) -> None:
    """Say before anything is started what cannot work."""
    known = {arm.name: arm for arm in rig.arms}
    strange = [arm.arm for arm in plan.arms if arm.arm not in known]
    if strange:
        raise Refused(f"plan: arms {strange} are not in rig {rig.name}; valid: {sorted(known)}")
    if plan.rig_sha256 != rig.sha256:
        raise Refused(f"plan: rig_sha256: made for another rig file than {rig.name}; plan again with this rig")
    real = [arm.arm for arm in plan.arms if not known[arm.arm].emulated]
    if real and plan.emulated_only:
        raise Refused(f"plan: emulated_only: the dream's place is assumed, and {real} are no emulated arms")
    if real and yes:
        raise Refused(f"--yes: {real} are no emulated arms; a person must approve on the terminal")


def _tools(arguments: argparse.Namespace, plan: Plan, rig: Rig) -> dict[str, Tool]:
    """Return the tools by the role of the arm that carries them: the dream's, else the program's own."""
    folder: Path | None = arguments.dream or _origin(arguments.plan)
    if folder is not None and (arguments.dream is not None or is_dream_folder(folder)):
        known = {tool.name: tool for tool in load_dream(folder).tools.values()}
    else:
        names = {arm.tool for arm in plan.arms}
        known = {name: load_tool(BUILT_IN_TOOLS[name]) for name in names if name in BUILT_IN_TOOLS}
    for arm in plan.arms:
        if arm.tool not in known:
            raise Refused(
                f"plan: {arm.arm}: tool {arm.tool!r} is not known here; valid: --dream DIR with that tool"
            )
    return {rig.arm(arm.arm).role: known[arm.tool] for arm in plan.arms}


def _origin(path: Path) -> Path | None:
    values = json.loads(path.read_text(encoding="utf-8"))
    origin = values.get("origin")
    folder = origin.get("dream_folder") if isinstance(origin, dict) else None
    return Path(folder) if isinstance(folder, str) and folder else None


@contextmanager
def _stops(session: ExecutionSession) -> Iterator[None]:
    """Ctrl+C and a polite kill stop the arms at once, from inside the signal."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        session.stop("a person pressed Ctrl+C")
        if session.state != "running":
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _connect(session: ExecutionSession, tools: Mapping[str, Tool], output: Output) -> None:
    output.progress("starting and connecting the arms")
    session.connect(tools)
    if session.wait(CONNECT_S) != "ready":
        raise ArmError(session.message or f"the arms did not connect in {CONNECT_S:.0f} s")


def _ask(session: ExecutionSession, plan: Plan, arguments: argparse.Namespace, output: Output) -> None:
    for arm, limits in session.limits.items():
        planned = plan.limits[arm].tip_speed if arm in plan.limits else limits.tip_speed
        output.progress(f"{arm}: tool speed at most {planned:.2f} of {limits.tip_speed:.2f} m/s")
    for check in (*session.checks, *plan.checks):
        if check.status != "ok":
            output.progress(f"{check.status}: {check.arm} {check.text}")
    output.progress(f"plan {plan.sha256[:12]}: {plan.duration:.1f} s for {', '.join(a.arm for a in plan.arms)}")
    if arguments.yes:
        return
    print(f"Approve and run it as {arguments.approve_as}? Type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise StoppedByPerson("it was not approved; nothing moved")


def _follow(session: ExecutionSession, plan: Plan, output: Output) -> None:
    def say(topic: str) -> None:
        if topic == "progress" and session.progress is not None:
            where = session.progress
            output.progress(f"{where.phase} {where.plan_time:.0f} of {where.duration:.0f} s")

    session.on_change(say)
    session.wait(plan.duration + MARGIN_S)


def _report(session: ExecutionSession, plan: Plan, output: Output) -> int:
    state, curves = session.state, session.curves()
    values = {
        "state": state,
        "message": session.message,
        "execution": session.run_id,
        "run_folder": str(session.run_folder) if session.run_folder else None,
        "plan_sha256": plan.sha256,
        "plan_time_s": session.progress.plan_time if session.progress else 0.0,
        "duration_s": plan.duration,
        "following_error_rad": _errors(curves),
    }
    status = {"done": DONE, "stopped": STOPPED, "paused": STOPPED, "ready": 3}.get(state, DEVICE)
    if status != DONE:
        where = {"run_folder": str(session.run_folder or ""), "execution": session.run_id}
        output.error(status, f"the run ended as {state}: {session.message}", state=state, **where)
    else:
        output.result(values, [f"done: {plan.duration:.1f} s, recorded in {session.run_folder}"])
    return status


def _errors(curves: Curves) -> dict[str, float]:
    """Return the largest measured joint error by arm [rad]."""
    return {
        arm: float(np.abs(curves.commanded[arm] - curves.measured[arm]).max())
        for arm in curves.t
        if len(curves.t[arm])
    }


VERB: Verb = add
