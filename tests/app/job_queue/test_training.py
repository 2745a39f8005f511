"""A training as a job: paused, killed, resumed, and known to the ledger."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs.jobs import Jobs
from app.jobs.kinds import KINDS
from app.jobs.types import JobRecord, JobSpec
from app.ledger import Ledger
from app.settings import ledger_file
from app.verbs.options import closing
from app.workspace import Workspace
from models.training.config import TrainConfig, config_text
from tests.app.job_queue.waiting import ended, settled, until
from tests.models.data.sessions import new_session
from tests.models.training.tiny import tiny

STEPS = 40


def _config(steps: int) -> TrainConfig:
    base = tiny(steps=steps, accumulation=1, ema=0.0)
    return replace(base, vae=replace(base.vae, steps=0), save=replace(base.save, every=5))


@pytest.mark.slow
def test_a_training_is_paused_killed_and_resumed_and_the_ledger_knows_its_checkpoint(
    workspace: Workspace, tmp_path: Path
) -> None:
    new_session(tmp_path / "session", 2, 24)
    (tmp_path / "tiny.toml").write_text(config_text(_config(STEPS)))
    jobs, out = Jobs(workspace), tmp_path / "run"
    arguments = {"config_file": str(tmp_path / "tiny.toml"), "data": str(tmp_path / "session"), "out": str(out)}
    id = jobs.submit(JobSpec("train", "Tiny", arguments))

    def stepped(more: int) -> JobRecord:
        before = jobs.record(id).values.get("step", 0)
        return until(jobs, id, lambda record: record.values.get("step", 0) > before + more or ended(record))

    running = stepped(5)
    assert running.left_s is not None
    assert "loss" in running.values
    jobs.pause(id)
    paused = until(jobs, id, ended)
    assert paused.state == "paused"
    jobs.resume(id)
    again = stepped(8)
    assert again.pid is not None
    assert again.values["step"] > paused.values["step"]
    os.kill(again.pid, signal.SIGKILL)
    assert until(jobs, id, settled).state == "interrupted"
    jobs.resume(id)
    done = until(jobs, id, ended)
    assert (done.state, done.attempt, done.result["step"]) == ("done", 3, STEPS)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == STEPS
    with closing(Ledger(ledger_file(workspace))) as ledger:
        (newest, *_) = ledger.entries("checkpoint")
        assert newest.record["folder"] == done.result["checkpoint"]
        assert [entry.kind for entry in ledger.chain(newest.id)] == ["checkpoint", "dataset"]
    refused = jobs.submit(jobs.clone(id))
    assert "there is a run already" in until(jobs, refused, ended).problem


def test_the_arguments_of_a_training_are_looked_at_when_it_is_queued(tmp_path: Path) -> None:
    spec = JobSpec("train", "Tiny", {"data": str(tmp_path), "out": str(tmp_path / "run"), "config": {"seed": 1}})
    KINDS["train"].check(spec)
    with pytest.raises(ValueError, match=r"arguments\.data: .* is not there; valid: the demos"):
        KINDS["train"].check(replace(spec, arguments={**spec.arguments, "data": str(tmp_path / "gone")}))
