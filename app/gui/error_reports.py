"""Errors reach a person: a toast says what failed, the log says why. Nothing modal, from any thread."""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from app.gui.mailbox import Mailbox
from widgets.log_view import LogView
from widgets.toasts import Level, Toasts

qt_log = logging.getLogger("qt")
_LEVELS: dict[int, Level] = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


def level_of(number: int) -> Level:
    """Return info, warning or error for a level of `logging`."""
    return _LEVELS[max((n for n in _LEVELS if n <= number), default=logging.INFO)]


class ErrorReports(logging.Handler):
    """A log handler and the program's excepthooks, from `install` to `remove`."""

    def __init__(self, mailbox: Mailbox, toasts: Toasts, view: LogView) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(name)s: %(message)s", "%H:%M:%S"))
        self._mailbox, self._toasts, self._view = mailbox, toasts, view
        self.on_details: Callable[[str], None] = lambda _text: None
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        self._qt_before: Callable[..., None] | None = None

    def install(self) -> None:
        """Take over until `remove`."""
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        sys.unraisablehook = self._unraisable
        self._qt_before = qInstallMessageHandler(_from_qt)
        logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Give the hooks back."""
        logging.getLogger().removeHandler(self)
        qInstallMessageHandler(self._qt_before)
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before

    def emit(self, record: logging.LogRecord) -> None:
        text, level = self.format(record), level_of(record.levelno)
        self._mailbox.post(lambda: self._view.add(text, level))

    def say(self, text: str, level: Level = "info") -> None:
        """Show a toast, and keep it in the log. For the window's thread."""
        self._view.add(text, level)
        self._toasts.say(text, level, partial(self.on_details, text) if level != "info" else None)

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        print(details, file=sys.stderr)
        _to_file(details)
        self._mailbox.post(lambda: self._show(error, details))

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def _unraisable(self, found: "sys.UnraisableHookArgs") -> None:
        """An error where nobody can catch it, such as while an object is thrown away."""
        if found.exc_value is not None:
            self._uncaught(found.exc_type, found.exc_value, found.exc_traceback)

    def _show(self, error: BaseException, details: str) -> None:
        self._view.add(details, "error")
        self._toasts.say(
            f"Something went wrong: {error or type(error).__name__}", "error", partial(self.on_details, details)
        )


def _to_file(details: str) -> None:
    """The log file has it as well; the window shows it by itself."""
    record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, "uncaught: %s", (details,), None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


def _from_qt(kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
    """Qt's own complaints go to the log: a person can do nothing about most of them."""
    serious = kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
    qt_log.log(logging.ERROR if serious else logging.DEBUG, "%s", text)
