"""`train`: train a video model on demos, or let a run go on."""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from app.jobs.made import tell_of_training
from app.verbs.options import Verb, closing
from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.worker import Callbacks, Worker
from app.workspace import Workspace
from models.training.config import read_config

JOB = "models.training.job:train_job"
GRACE_S = 600.0  # a step is finished and a checkpoint saved before it ends
TOLD_EVERY_S = 2.0


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "train",
        parents=[shared],
        help="train a video model on demos",
        description="Train a video model (and, where the config says so, its picture coder) on demos of any format "
        "that can be read. Ctrl+C saves a checkpoint and ends; --resume goes on as if nothing had been. On several "
        "GPUs: torchrun --standalone --nproc-per-node=4 main.py train ...",
    )
    p.add_argument("config", type=Path, metavar="CONFIG.toml", help="what to train, such as assets/configs/*.toml")
    demos = "the demos: a session, a folder of them, or a data set that `dataset import` reads"
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help=demos)
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run's folder")
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="change a field of the config, such as train.steps=2000; may be given often",
    )  # fmt: skip
    p.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint in --out")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    """Train in a process of its own. Ctrl+C saves and ends with exit 5."""
    read_config(arguments.config, arguments.overrides)  # refuse it before torch is loaded
    order = (arguments.config, list(arguments.overrides), arguments.data, arguments.out, arguments.resume)
    with closing(_Training(output)) as training:
        training.start(*order, workspace.root / "cache")
        values = training.wait()
    if values["problem"]:
        raise Refused(str(values["problem"]))
    first = int(os.environ.get("RANK", "0")) == 0  # of several processes one tells
    if first and values["checkpoint"] is not None:
        tell_of_training(
            workspace, arguments.out.absolute(), Path(values["checkpoint"]).absolute(), output.progress
        )
    if values["state"] != "done":
        raise StoppedByPerson(f"{values['text']}; go on with --resume")
    if first:
        text = [f"{arguments.out}: {values['text']}", str(values["checkpoint"])]
        output.result({"out": str(arguments.out), **values}, text)
    return DONE


class _Training:
    """The worker that trains."""

    def __init__(self, output: Output) -> None:
        self._output, self._worker = output, Worker(cancel_grace_s=GRACE_S)
        self._values: dict[str, Any] = {}
        self._told, self._about = 0.0, ""

    def start(self, *order: object) -> None:
        self._worker.submit(JOB, *order, callbacks=Callbacks(self._done, self._failed, self._progress))

    def wait(self) -> dict[str, Any]:
        """Return what came out; at the first Ctrl+C it is asked to save and end, at the second it is ended."""
        try:
            self._pump()
        except KeyboardInterrupt:
            self._output.progress("saving, then stopping; once more to stop at once")
            self._worker.cancel()
            self._pump()
        return self._values

    def close(self) -> None:
        self._worker.close()

    def _pump(self) -> None:
        while self._worker.busy:
            self._worker.wait(0.2)
            self._worker.pump()

    def _done(self, values: dict[str, Any]) -> None:
        self._values = values

    def _failed(self, message: str) -> None:
        self._values = {"problem": message}

    def _progress(self, fraction: float, text: str) -> None:
        about, now = text.partition(",")[0], time.monotonic()
        if about != self._about or now - self._told >= TOLD_EVERY_S:
            self._about, self._told = about, now
            self._output.progress(f"{fraction:4.0%} {text}")


VERB: Verb = add
