"""`record`: episodes from a rig's devices, or from the simulated world as fast as it goes."""

import argparse
import itertools
import multiprocessing
import os
import re
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from app.calibration.calibrated_rig import with_calibrations
from app.calibration.moved_cameras import CameraWatch
from app.calibration.store import CalibrationStore
from app.recording.plan import Choice
from app.recording.session import RecordingSession
from app.recording.simulated import TASKS, open_stage, record_table
from app.verbs.options import Verb, add_rig, closing, read_rig
from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.devices import RigDevices
from hardware.recording.capture_process import CaptureProcess
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session, SessionBusy
from hardware.rig import Rig, built_in_rigs, load_rig
from hardware.world.tasks.table import tasks_for

OPEN_S, SAVE_S = 30.0, 120.0
MOST, MOST_EMPTY = 100_000, 20


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "record",
        parents=[shared],
        help="record demonstrations",
        description="Record episodes into a dataset folder. With a simulated rig a scripted person shows the task "
        "as fast as this computer draws it, on a virtual clock; with a real rig each take is begun and ended with "
        "Enter, or lasts --seconds. Ctrl+C ends: what is saved stays, a take that runs can be recovered.",
    )
    add_rig(p)
    p.add_argument("--task", required=True, metavar="TASK", help=f"simulated: {', '.join(TASKS)}; else any name")
    p.add_argument("--episodes", type=int, required=True, metavar="N", help="how many to record")
    p.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="folder; episodes are added to it")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="simulated: of the first episode (default: 0)")
    p.add_argument(
        "--size", default="192x128", metavar="WxH", help="simulated: of the pictures (default: %(default)s)"
    )
    p.add_argument("--seconds", type=float, metavar="S", help="real rig: length of a take, instead of Enter")
    p.add_argument("--instruction", default="", metavar="TEXT", help="what the take shows, in words")
    p.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="GATE=REASON",
        help="real rig: pass a closed gate (streams, calibration, disk, scene); the reason goes into the episode",
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    rig = read_rig(arguments.rig)
    if not 1 <= arguments.episodes <= MOST:
        raise Refused(f"--episodes: {arguments.episodes}; valid: 1 to {MOST}")
    if not arguments.task.strip():
        raise Refused("--task: is empty; valid: a name")
    session = Session(arguments.dataset)
    if rig.simulated:
        size = _size(arguments.size)
        if arguments.task not in TASKS:
            raise Refused(f"--task: {arguments.task!r}; valid: {', '.join(TASKS)}")
        if arguments.task not in tasks_for(rig):
            raise Refused(_other_rig(arguments.task, rig))
        with closing(session):
            _lock(session)
            return _simulated(arguments, rig, size, session, output)
    if arguments.seconds is not None and not 0.5 <= arguments.seconds <= 3600:
        raise Refused(f"--seconds: {arguments.seconds:g}; valid: 0.5 to 3600")
    return _real(arguments, rig, workspace, output)


def _other_rig(task: str, rig: Rig) -> str:
    fit = [n for n in built_in_rigs() if (other := load_rig(n)).simulated and task in tasks_for(other)]
    return f"--rig: {rig.name} cannot show {task}; valid for that task: --rig {' or '.join(fit)}"


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(16 <= v <= 4096 and v % 2 == 0 for v in size):
        raise Refused(f"--size: {text!r}; valid: width x height, even, 16 to 4096, such as 192x128")
    return size


def _lock(session: Session) -> None:
    try:
        session.lock()
    except SessionBusy as error:
        raise Refused(f"--dataset: {error}") from error


# simulated


def _simulated(
    arguments: argparse.Namespace, rig: Rig, size: tuple[int, int], session: Session, output: Output
) -> int:
    began = time.monotonic()
    done: list[EpisodeNote] = []
    for folder, note in _made(arguments, rig, size, session):
        if len(done) < arguments.episodes:
            done.append(session.adopt(folder, note))
            output.progress(f"{len(done)} of {arguments.episodes} saved")
        else:  # the last table gave more than were asked for
            shutil.rmtree(folder)
    seconds = time.monotonic() - began
    values = {
        "dataset": str(arguments.dataset),
        "episodes": [note.number for note in done],
        "pictures": sum(
            note.samples.get(name, 0) for note in done for name in (c.camera.name for c in rig.cameras)
        ),
        "clock": "virtual",
        "seconds": seconds,
        "per_second": len(done) / seconds,
        "succeeded": sum(note.success is True for note in done),
        "marked": sum(bool(note.verdicts) for note in done),
    }
    output.result(values, [f"{len(done)} episodes in {arguments.dataset}, {len(done) / seconds:.1f} a second"])
    return DONE


def _made(
    arguments: argparse.Namespace, rig: Rig, size: tuple[int, int], session: Session
) -> Iterator[tuple[Path, EpisodeNote]]:
    """Yield finished episodes in the order of their seeds until there are enough; some tables are under way."""
    workers = min(os.cpu_count() or 1, arguments.episodes, 8)
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn, initializer=open_stage, initargs=(rig, size))
    waiting: deque[Future[list[tuple[Path, EpisodeNote]]]] = deque()
    given, seeds, empty = 0, itertools.count(arguments.seed), 0
    try:
        while given < arguments.episodes or waiting:
            while given + len(waiting) < arguments.episodes and len(waiting) <= 2 * workers:
                seed = next(seeds)
                aside = session.aside(str(seed))
                waiting.append(pool.submit(record_table, arguments.task, seed, aside, arguments.instruction))
            made = waiting.popleft().result()
            empty = 0 if made else empty + 1
            if empty > MOST_EMPTY:
                raise Refused(
                    f"--task: {arguments.task}: {empty} tables in a row could not be shown; try another --seed"
                )
            given += len(made)
            yield from made
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# real


def _real(arguments: argparse.Namespace, rig: Rig, workspace: Workspace, output: Output) -> int:
    store = CalibrationStore(workspace.root, rig.name)
    calibrated, watch = with_calibrations(rig, store), CameraWatch(rig, store)
    for problem in calibrated.problems:
        output.progress(problem)
    output.progress(f"opening the devices of {rig.name}")
    with closing(CaptureProcess(RigDevices(calibrated.rig).makers)) as capture:
        remembered = workspace.root / "recording.json"
        details = {"rig": rig.name, "rig_sha256": rig.sha256}
        taking = RecordingSession(capture, arguments.dataset, remembered, details=details, moved=watch.look)
        with closing(taking) as session:
            if session.read_only:
                raise Refused(f"--dataset: {session.read_only}")
            session.choose(Choice(arguments.task, instruction=arguments.instruction))
            saved = [_take(session, arguments, k, output) for k in range(arguments.episodes)]
    values = {"dataset": str(arguments.dataset), "episodes": saved, "clock": "host"}
    output.result(values, [f"{len(saved)} episodes in {arguments.dataset}"])
    return DONE


def _take(session: RecordingSession, arguments: argparse.Namespace, k: int, output: Output) -> int:
    """Record one take and keep it; return its number."""
    _ask(arguments, f"take {k + 1}: clear the scene, then Enter")
    session.take_scene()
    _until(session, "armed")
    for text in arguments.override:
        gate, _, reason = text.partition("=")
        if any(g.name == gate and not g.open for g in session.gates):
            session.override(gate, reason)
    _ask(arguments, "Enter starts")
    session.start()
    _until(session, "recording")
    output.progress(f"recording take {k + 1}")
    if arguments.seconds is None:
        _ask(arguments, "Enter stops")
    else:
        end = time.monotonic() + arguments.seconds
        while time.monotonic() < end and session.state == "recording":
            session.pump()
            time.sleep(0.02)
    if session.state == "recording":
        session.stop()
    _until(session, "review")
    if session.take is None:
        raise OSError(session.message or "the take is gone")
    for verdict in session.take.note.verdicts:
        output.progress(f"{verdict.level}: {verdict.text}")
    number = session.take.note.number
    session.keep()
    _until(session, "idle")
    output.progress(f"saved as episode {number}")
    return number


def _until(session: RecordingSession, state: str) -> None:
    reached = session.wait(SAVE_S)
    if not reached or session.state != state:
        raise OSError(session.message or f"the recording is {session.state}, not {state}")


def _ask(arguments: argparse.Namespace, text: str) -> None:
    if arguments.seconds is not None:
        return
    print(f"{text}: ", end="", file=sys.stderr, flush=True)
    if not sys.stdin.readline():
        raise StoppedByPerson("the input ended; what is saved stays")


VERB: Verb = add
