"""A page sees what its runs write while they write it, and only of those that it looks at."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.training import run_reader
from app.training.watch import RunWatch, Wish
from tests.app.training.runs import draw, new_run, note, sheet


@pytest.fixture
def watch() -> Iterator[RunWatch]:
    made = RunWatch()
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = new_run(tmp_path / "run")
    note(made, 1, loss=0.5)
    return made


def _until(there: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.005)


def _steps(watch: RunWatch, run: Path) -> list[float]:
    seen = watch.runs.get(run)
    return seen.series["loss"].steps.tolist() if seen is not None and "loss" in seen.series else []


def test_curves_grow_while_a_run_writes_them(watch: RunWatch, run: Path) -> None:
    watch.look(Wish((run,)))
    _until(lambda: _steps(watch, run) == [1])
    seen = watch.version
    note(run, 2, loss=0.25)
    _until(lambda: _steps(watch, run) == [1, 2] and watch.version > seen)
    assert watch.runs[run].config["train.steps"] == 16384


def test_nothing_new_changes_no_version(watch: RunWatch, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.watch.EVERY_S", 0.01)
    watch.look(Wish((run,), run, logs=(run / "log.txt",)))
    _until(lambda: _steps(watch, run) == [1] and watch.runs[run].whole)
    time.sleep(0.05)
    seen = watch.version
    time.sleep(0.15)
    assert watch.version == seen


def test_a_large_run_is_shown_once_all_of_it_is_read(
    watch: RunWatch, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_reader, "PIECE", 4000)
    for step in range(2, 2000):
        note(run, step, loss=1 / step)
    watch.look(Wish((run,)))
    _until(lambda: len(_steps(watch, run)) == 1999 and watch.runs[run].whole)


def test_the_newest_dreams_are_shown_unless_an_older_step_is_wanted(watch: RunWatch, run: Path) -> None:
    for step in (100, 200):
        draw(run, step, {"a": sheet(2, 13)})
    watch.look(Wish((run,), run))
    _until(lambda: watch.dreams is not None and watch.dreams.step == 200)
    watch.look(Wish((run,), run, 100))
    _until(lambda: watch.dreams is not None and watch.dreams.step == 100)
    watch.look(Wish((run,), run, 12345))
    _until(lambda: watch.dreams is not None and watch.dreams.step == 200)
    watch.look(Wish((run,)))
    _until(lambda: watch.dreams is None)


def test_a_log_is_followed_and_another_one_begins_anew(watch: RunWatch, tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("one\ntwo\nthr")
    told: list[tuple[bool, list[str]]] = []

    def lines(last: str) -> bool:
        told.append(watch.take_lines())
        return last in told[-1][1]

    watch.look(Wish(logs=(first,)))
    _until(lambda: lines("two"))
    assert told[-1] == (True, ["one", "two"])
    with first.open("a") as file:
        file.write("ee\n")
    _until(lambda: lines("three"))
    assert told[-1] == (False, ["three"])
    second.write_text("other\n")
    watch.look(Wish(logs=(second,)))
    _until(lambda: lines("other"))
    assert told[-1] == (True, ["other"])


def test_who_looks_at_nothing_reads_nothing(watch: RunWatch, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.watch.EVERY_S", 0.01)
    watch.look(Wish((run,)))
    _until(lambda: _steps(watch, run) == [1])
    watch.look(Wish())
    time.sleep(0.05)
    note(run, 2, loss=0.25)
    time.sleep(0.1)
    assert _steps(watch, run) == [1]
    watch.look(Wish((run,)))
    _until(lambda: _steps(watch, run) == [1, 2])
