"""A window that crashed or was killed is found at the next start, with its stack and the end of its log."""

import logging
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.crash import LOG, FlightRecorder
from app.problem_report import write_report
from app.workspace import open_workspace

PROGRAM = """
import ctypes, logging, os, signal, sys
from pathlib import Path
from app.crash import FlightRecorder
logging.getLogger().setLevel(logging.INFO)
FlightRecorder(Path(sys.argv[1])).start()
logging.getLogger("rig").info("the left arm is ready")
{end}
"""


def _run(logs: Path, end: str) -> int:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(end=end), str(logs)], cwd=root, check=False)
    return done.returncode


@pytest.mark.parametrize(
    ("end", "said"),
    [("ctypes.string_at(0)", "Segmentation fault"), ("os.kill(os.getpid(), signal.SIGKILL)", "it was killed")],
)
def test_a_crash_is_found_once_with_its_stack_and_the_last_lines_of_the_log(
    tmp_path: Path, end: str, said: str
) -> None:
    assert _run(tmp_path, end) < 0
    recorder = FlightRecorder(tmp_path)
    (report,) = recorder.start()
    recorder.stop()
    assert said in report.read_text()
    assert "the left arm is ready" in report.read_text()
    assert FlightRecorder(tmp_path).start() == ()


def test_a_window_that_was_closed_and_one_that_is_open_are_no_crashes(tmp_path: Path) -> None:
    recorder, handlers = FlightRecorder(tmp_path), list(logging.getLogger().handlers)
    assert recorder.start() == ()
    assert FlightRecorder(tmp_path)._logs.joinpath(LOG).is_file()
    assert list(tmp_path.glob("running-*")) != []
    recorder.stop()
    recorder.stop()
    assert list(tmp_path.glob("running-*")) == []
    assert logging.getLogger().handlers == handlers


@pytest.mark.expects_warnings
def test_a_folder_that_cannot_be_written_costs_the_record_not_the_window(tmp_path: Path) -> None:
    recorder = FlightRecorder(tmp_path / "nowhere")
    assert recorder.start() == ()
    recorder.stop()


def test_a_problem_report_holds_log_settings_and_versions_and_no_video(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "ws")
    (workspace.logs / LOG).write_text("the side camera dropped 2 frames")
    workspace.settings.write_text('[general]\nperson = "anna"\n')
    (workspace.dreams / "one").mkdir()
    (workspace.dreams / "one" / "top.mp4").write_bytes(b"video")
    report = write_report(workspace, tmp_path, "what was shown", {"display": "offscreen"})
    with zipfile.ZipFile(report) as archive:
        assert set(archive.namelist()) == {"versions.txt", "shown_log.txt", LOG, "settings.toml"}
        text = archive.read("versions.txt").decode()
    assert "display: offscreen" in text
    assert "PySide6-Essentials: 6." in text
    with pytest.raises(OSError, match="nowhere"):
        write_report(workspace, tmp_path / "nowhere", "", {})
