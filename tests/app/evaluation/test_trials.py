"""The file of trials: what is in it survives a kill, and no other evaluation mixes with it."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from app.evaluation.trials import TRIALS, TrialFile, read_trials
from models.data.errors import DreamFileError
from tests.app.evaluation.rows import trial

SETUP: dict[str, object] = {"task": "push-shape", "seed": 7, "size": [192, 112], "rig": "sim"}


def test_trials_come_back_as_they_were_and_are_not_made_again(tmp_path: Path) -> None:
    file = TrialFile(tmp_path / "out", SETUP)
    kept = [trial("nothing"), trial("oracle", 3, 0.8, links=("plan", ""))]
    for one in kept:
        file.add(one)
    file.close()
    again = TrialFile(tmp_path / "out", dict(reversed(SETUP.items())))
    assert list(again.trials) == kept == list(read_trials(tmp_path / "out"))
    assert again.has("oracle", 3)
    assert not again.has("oracle", 0)
    again.close()


def _write_for_ever(out: Path) -> None:
    file = TrialFile(out, SETUP)
    for number in range(10**6):
        file.add(trial(number=number))


def test_a_kill_leaves_whole_trials(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(tmp_path,))
    writer.start()
    while len(read_trials(tmp_path) if (tmp_path / TRIALS).exists() else ()) < 3:
        writer.join(0.05)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    file = TrialFile(tmp_path, SETUP)
    assert [one.number for one in file.trials] == list(range(len(file.trials)))
    file.close()


def test_another_evaluation_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    TrialFile(tmp_path, SETUP).close()
    with pytest.raises(DreamFileError, match=r"seed.*7 of the trials that are there, now 8"):
        TrialFile(tmp_path, {**SETUP, "seed": 8})
    with pytest.raises(DreamFileError, match="weights_sha256"):
        TrialFile(tmp_path, {**SETUP, "weights_sha256": "abc"})


def test_two_at_once_do_not_write_into_each_other(tmp_path: Path) -> None:
    file = TrialFile(tmp_path, SETUP)
    with pytest.raises(DreamFileError, match="another evaluation runs here"):
        TrialFile(tmp_path, SETUP)
    file.close()


@pytest.mark.parametrize("line", ["{", "[]", '{"policy": "oracle"}', '{"steps": [{"speed": 1}]}'])
def test_a_broken_row_is_named(tmp_path: Path, line: str) -> None:
    TrialFile(tmp_path, SETUP).close()
    (tmp_path / TRIALS).write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(DreamFileError, match="line 1"):
        TrialFile(tmp_path, SETUP)


def test_a_trial_says_which_link_lost_it() -> None:
    assert trial(iou=0.8, links=("plan", "")).lost == ""
    assert trial("nothing").lost == ""
    assert trial(links=("", "")).lost == "execution"
    lost = trial(links=("track", "plan", "plan", ""))
    assert (lost.lost, lost.reason) == ("plan", "why plan")
