"""What a run writes is read while it grows: nothing twice, nothing that is damaged, steps of a resumed run once."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.training import run_reader
from app.training.run_reader import LAST, Metrics, Tail


def _line(step: int, **values: object) -> str:
    return json.dumps({"step": step, "time": 1e9 + step, "values": values}) + "\n"


def _read(metrics: Metrics) -> Metrics:
    while metrics.read():
        pass
    return metrics


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_a_run_that_has_not_written_yet_has_no_curves(file: Path) -> None:
    assert not _read(Metrics(file)).series


def test_lines_are_taken_in_as_they_come_also_half_of_one(file: Path) -> None:
    metrics = Metrics(file)
    whole, half = _line(1, loss=0.5), _line(2, loss=0.25)
    file.write_text(whole + half[:10])
    assert _read(metrics).series["loss"].steps.tolist() == [1]
    with file.open("a") as stream:
        stream.write(half[10:] + _line(3, loss=0.125, psnr={"demo 7": 21.5}))
    series = _read(metrics).series
    assert series["loss"].values.tolist() == [0.5, 0.25, 0.125]
    assert series["psnr/demo 7"].values.tolist() == [21.5]
    assert (metrics.step, metrics.skipped) == (3, 0)


@pytest.mark.parametrize(
    "damaged",
    [b"{\n", b"\x00\xff\xfe\n", b"[1, 2]\n", b'{"step": "4"}\n', b'{"loss": 1}\n', b'{"step": true}\n',
     b"[" * 5000 + b"\n", b'{"step": 2, "loss": 1' + b"0" * 400 + b"}\n"],
)  # fmt: skip
def test_a_damaged_line_is_skipped_and_counted(file: Path, damaged: bytes) -> None:
    file.write_bytes(_line(1, loss=1.0).encode() + damaged + _line(3, loss=0.5).encode())
    metrics = _read(Metrics(file))
    assert metrics.series["loss"].values.tolist() == [1.0, 0.5]
    assert metrics.skipped == 1


def test_what_is_no_number_leaves_a_hole(file: Path) -> None:
    file.write_text(
        '{"step": 1, "loss": NaN, "lr": null, "note": "x", "on": true}\n{"step": 2, "loss": Infinity}\n'
    )
    series = _read(Metrics(file)).series
    assert set(series) == {"loss", "lr"}
    assert np.isnan(series["loss"].values).all()


def test_a_resumed_run_writes_steps_again_and_they_are_shown_once(file: Path) -> None:
    file.write_text("".join(_line(step, loss=step) for step in range(10)) + _line(9, psnr=20))
    metrics = _read(Metrics(file))
    before = metrics.series["loss"]
    with file.open("a") as stream:
        stream.writelines(_line(step, loss=-step) for step in range(5, 8))
    series = _read(metrics).series
    assert series["loss"].values.tolist() == [0, 1, 2, 3, 4, -5, -6, -7]
    assert "psnr" not in series
    assert before.values.tolist() == list(range(10)), "what a page was shown does not change under it"


def test_a_file_that_was_cut_or_exchanged_is_read_from_its_beginning(file: Path) -> None:
    file.write_text("".join(_line(step, loss=1) for step in range(50)))
    metrics = _read(Metrics(file))
    file.write_text("".join(_line(step, loss=2) for step in range(20)))
    assert _read(metrics).series["loss"].values.tolist() == [2] * 20
    other = file.with_suffix(".new")
    other.write_text("".join(_line(step, loss=3) for step in range(40)))
    other.replace(file)
    assert _read(metrics).series["loss"].values.tolist() == [3] * 40


def test_a_large_file_is_read_in_pieces_and_only_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reader, "PIECE", 1000)
    file.write_text("".join(_line(step, loss=1 / (step + 1)) for step in range(500)))
    metrics = Metrics(file)
    pieces = 0
    while metrics.read():
        pieces += 1
    assert pieces == -(-file.stat().st_size // 1000)
    assert len(metrics.series["loss"].steps) == 500
    assert metrics.series["loss"] is metrics.series["loss"]


def test_a_line_without_an_end_is_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reader, "LONGEST", 2000)
    monkeypatch.setattr(run_reader, "PIECE", 500)
    file.write_text(_line(1, loss=1.0) + "x" * 5000 + "\n" + _line(2, loss=0.5))
    assert _read(Metrics(file)).series["loss"].values.tolist() == [1.0, 0.5]


def test_of_a_long_log_only_the_end_is_read_and_then_what_comes(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("".join(f"line {k}\n" for k in range(20_000)))
    tail = Tail(log, LAST)
    lines = tail.lines() or []
    assert lines[-1] == "line 19999"
    assert 1000 < len(lines) < 10_000
    assert lines[0].startswith("line ")
    with log.open("a") as stream:
        stream.write("one more\n")
    assert tail.lines() == ["one more"]
    assert tail.lines() is None
