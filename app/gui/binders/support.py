"""What helps when something went wrong: the log file, the problem report, the test of a tracker."""

import logging
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices, QGuiApplication

from app.crash import LOG
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.mailbox import Mailbox
from app.problem_report import write_report
from app.settings import tracker_settings
from app.workspace import Workspace
from widgets.toasts import Level

log = logging.getLogger(__name__)
_TEST_S = 60.0
_IMPORT = "import megapose, sys; print(sys.version.split()[0])"


class SupportBinder(QuietBinder):
    """Slow things happen in one thread of its own; the window hears of them by notes. shown(): the log as shown."""

    def __init__(self, workspace: Workspace, shell: Shell, mailbox: Mailbox, shown: Callable[[], str]) -> None:
        super().__init__()
        self._workspace, self._shell, self._mailbox, self._shown = workspace, shell, mailbox, shown
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="support")
        self._trial: subprocess.Popen[str] | None = None
        self._closed = False

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"log.open": self._open_log, "log.report": self.report}

    def tick(self) -> None:
        """What is ready comes by the mailbox."""

    def close(self) -> None:
        self._closed = True
        if self._trial is not None:
            self._trial.kill()
        self._background.shutdown(wait=True, cancel_futures=True)

    def report(self) -> None:
        """Write a problem report into the workspace and say where it is."""
        facts = {"Qt": qVersion(), "display": QGuiApplication.platformName(), "screens": _screens()}
        shown = self._shown()
        self._background.submit(self._report, shown, facts)

    def test(self, _name: str = "") -> None:
        """Try whether MegaPose can be used: its interpreter, its package, its weights."""
        self._shell.say("Trying MegaPose; this may take a minute", "info")
        self._background.submit(self._test)

    def _open_log(self) -> None:
        file = self._workspace.logs / LOG
        if not file.is_file() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(file))):
            self._shell.say(f"Open it by hand: {file}", "info")

    def _say(self, text: str, level: Level) -> None:
        self._mailbox.post(lambda: self._shell.say(text, level))

    # in the thread of its own ----------------------------------------------------------------------------------
    def _report(self, shown: str, facts: Mapping[str, str]) -> None:
        try:
            file = write_report(self._workspace, self._workspace.root, shown, facts)
        except OSError as error:
            self._say(f"The problem report could not be written: {error}", "error")
            return
        self._say(f"Problem report, without any video: {file}", "info")

    def _test(self) -> None:
        text, level = self._try_megapose()
        if not self._closed:
            self._say(text, level)

    def _try_megapose(self) -> tuple[str, Level]:
        settings = tracker_settings(self._workspace)
        python, data = settings["megapose_python"], Path(settings["megapose_data"]).expanduser()
        if not python:
            return "MegaPose: choose the python of its environment first", "warning"
        try:
            version = self._import_there(str(Path(python).expanduser()))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return f"MegaPose does not work: {error}", "error"
        if not settings["megapose_data"] or not (data / "megapose-models").is_dir():
            return f"MegaPose is there (Python {version}), but {data} holds no megapose-models", "warning"
        return f"MegaPose is there: Python {version}, weights in {data}", "info"

    def _import_there(self, python: str) -> str:
        self._trial = subprocess.Popen(
            [python, "-c", _IMPORT],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            out, problem = self._trial.communicate(timeout=_TEST_S)
        finally:
            self._trial.kill()
            self._trial.wait()
        if self._trial.returncode:
            raise ValueError(f"{python}: {(problem.strip() or 'no answer').splitlines()[-1]}")
        return out.strip()


def _screens() -> str:
    """Return such as "2560x1440 at 1.5"."""
    screens = QGuiApplication.screens()
    return ", ".join(f"{s.size().width()}x{s.size().height()} at {s.devicePixelRatio():g}" for s in screens)
