"""What is left of a window that ended without closing: found at the next start, kept for a person to send on."""

import contextlib
import faulthandler
import json
import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

import psutil

log = logging.getLogger(__name__)
LOG, MARK, CRASH = "dreamdeck.log", "running", "crash"
_BYTES, _KEPT, _LINES, _MOST = 1_000_000, 2, 200, 20


class FlightRecorder:
    """Writes the log file of the workspace, and notes that this process runs, from `start` to `stop`.

    A crash of the interpreter writes its stack into the note. `start` returns the reports of processes that never
    came to their `stop`. A folder or disk that cannot be written costs the record, not the window.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._note = logs / f"{MARK}-{os.getpid()}.txt"
        self._file: TextIO | None = None
        self._handler: RotatingFileHandler | None = None
        self._before = False

    @property
    def log_file(self) -> Path:
        return self._logs / LOG

    def start(self) -> tuple[Path, ...]:
        """Begin to record; return a report for each earlier process that did not end well, the newest first."""
        try:
            crashes = tuple(
                _report(note, self.log_file) for note in self._logs.glob(f"{MARK}-*.txt") if _dead(note)
            )
            self._record()
        except OSError as error:
            log.warning("%s: nothing is recorded there: %s", self._logs, error)
            return ()
        return tuple(sorted(crashes, reverse=True))

    def stop(self) -> None:
        """End well. Safe to call twice."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
            self._handler = None
        if self._file is not None:
            faulthandler.enable() if self._before else faulthandler.disable()
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self._note.unlink()

    def _record(self) -> None:
        self._handler = RotatingFileHandler(self.log_file, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._handler.setLevel(logging.INFO)
        logging.getLogger().addHandler(self._handler)
        self._file = self._note.open("w", encoding="utf-8")
        mark = {"pid": os.getpid(), "born": psutil.Process().create_time(), "arguments": sys.argv[1:]}
        self._file.write(json.dumps(mark) + "\n")
        self._file.flush()
        self._before = faulthandler.is_enabled()
        faulthandler.enable(self._file)


def _dead(note: Path) -> bool:
    """Whether the process of a note is gone; another one may have got its number since."""
    try:
        mark = json.loads(note.read_text(encoding="utf-8").split("\n", 1)[0])
        return bool(abs(psutil.Process(int(mark["pid"])).create_time() - float(mark["born"])) > 1.0)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return True


def _report(note: Path, log_file: Path) -> Path:
    """Turn a note into a report with the end of the log; only the newest reports are kept."""
    when = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(note.stat().st_mtime))
    report = note.with_name(f"{CRASH}_{when}_{note.stem.rsplit('-', 1)[-1]}.txt")
    _mark, _, stack = note.read_text(encoding="utf-8", errors="replace").partition("\n")
    cause = stack.strip() or "No stack: it was killed, or the machine went off."
    report.write_text(f"{cause}\n\nThe end of the log:\n{tail(log_file)}", encoding="utf-8")
    note.unlink()
    for old in sorted(note.parent.glob(f"{CRASH}_*.txt"))[:-_MOST]:
        old.unlink()
    return report


def tail(file: Path, lines: int = _LINES) -> str:
    """Return the last lines of a text file, "" where there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 200 * lines))
            return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
