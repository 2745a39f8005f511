"""Words of page Train."""

from pathlib import Path

import numpy as np
import pytest

from app.gui.binders.train_facts import (
    comparison,
    fields,
    job_facts,
    job_line,
    line_items,
    log_level,
    meters,
    metrics,
    span,
    tracks,
    when,
)
from app.jobs.types import Gpu, JobRecord, JobSpec, Machine, Usage
from app.training.draft import Draft
from app.training.run_reader import Series
from app.training.watch import RunSeen
from models.training.config import TrainConfig


def _record(state: str = "running", **more: object) -> JobRecord:
    spec = JobSpec("train", "push", {"data": "/recordings", "config": {"train": {"steps": 5}}, "again": True})
    return JobRecord("0007", Path("/jobs/0007"), spec, state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (40, "40 s"),
        (89.9, "90 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (7800, "2 h 10 min"),
        (274_000, "3 d 4 h"),
    ],
)
def test_a_span_is_read_at_a_glance(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_the_day_is_said_only_of_another_day() -> None:
    assert len(when(1_700_000_000, 1_700_000_000)) == 5
    assert len(when(1_700_000_000, 1_700_000_000 + 3 * 86400)) > 5
    assert when(None, 0) == ""


@pytest.mark.parametrize(
    ("record", "state", "mood"),
    [
        (_record(), "runs", "ok"),
        (_record(wanted="pause"), "is pausing", "ok"),
        (_record(silent_s=600.0), "silent", "warning"),
        (_record("interrupted", problem="killed\nmore"), "interrupted", "warning"),
        (_record("failed"), "failed", "alarm"),
        (_record("queued"), "waits", "idle"),
    ],
)
def test_a_state_is_said_in_words(record: JobRecord, state: str, mood: str) -> None:
    line = job_line(record, 0.0)
    assert (line.state, line.mood) == (state, mood)


def test_facts_leave_out_what_is_not_known() -> None:
    facts = dict(job_facts(_record(usage=Usage(1.5, 2 * 10**9)), "Training", None, 0.0))
    assert facts["Kind"] == "Training, job 0007"
    assert facts["Uses"] == "1.5 cores, 2.0 GB"
    assert facts["Again"] == "yes"
    assert "Ended" not in facts


def test_meters_name_every_gpu() -> None:
    gpu = Gpu("0", "H", 80 * 10**9, 40 * 10**9, 0.97)
    made = meters(Machine(4, 2.0, 8 * 10**9, 2 * 10**9, (gpu,)))
    assert [(meter.name, meter.used) for meter in made] == [("CPU", 0.5), ("Memory", 0.25), ("GPU 0", 0.5)]
    assert "97 % busy" in made[2].words
    assert meters(None) == []


def test_no_job_says_nothing_at_the_bottom() -> None:
    assert line_items([_record("done")]) == ()
    assert line_items([_record("queued"), _record("queued")])[0].text == "2 jobs wait"


def test_what_differs_between_runs_is_listed_after_what_came_of_them() -> None:
    one = RunSeen({"loss": Series(np.array([1.0]), np.array([0.5]))}, config={"a": 1, "b": 2})
    two = RunSeen({}, config={"a": 1, "b": 3})
    rows = dict(comparison([_record(), _record("done")], [one, two]).rows)
    assert rows["loss, last"] == ("0.5 at 1", "–")
    assert rows["b"] == ("2", "3")
    assert "a" not in rows


def test_how_a_tool_was_followed_in_a_dream_is_a_line_of_its_own() -> None:
    values = {"psnr": 24.12, "tool/followed": 0.917, "tool/position_mm": 3.14, "tool/confidence": 0.8,
              "tool/disagreement_px": 0.81, "tool/shown_disagreement_px": 0.4, "left/followed": 0.0,
              "left/shown_disagreement_px": 0.1}  # fmt: skip
    assert metrics(values) == "PSNR 24.1 dB"
    assert tracks(values) == (
        "tool: 92% followed · 3.1 mm · views 0.8 px apart (demo 0.4)",
        "left: 0% followed",
    )


def test_every_value_of_a_config_has_a_title_and_help_and_its_section() -> None:
    made = fields(Draft.of(TrainConfig()))
    assert len({field.name for field in made}) == len(made)
    assert all(field.title for field in made)
    assert made[-1].section == "THE MODEL"
    rate = next(field for field in made if field.name == "train.learning_rate")
    assert (rate.kind, rate.value, rate.published, rate.differs) == ("text", "1e-05", "1e-05", False)


def test_errors_stand_out_in_the_log() -> None:
    assert [log_level(line) for line in ("fine", "Traceback (most", "WARNING: x", "ValueError: y")] == [
        "info", "error", "warning", "error",
    ]  # fmt: skip
