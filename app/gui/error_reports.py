"""Errors reach a person: a toast says what failed, the log says why. Nothing modal, from any thread."""

import logging
import sys
import threading
import traceback
from types import TracebackType

from app.gui.mailbox import Mailbox
from widgets.log_view import LogView
from widgets.toasts import Level, Toasts

log = logging.getLogger(__name__)
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
        self.on_details = lambda: None
        self._before = (sys.excepthook, threading.excepthook)

    def install(self) -> None:
        """Take over until `remove`."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Give the hooks back."""
        logging.getLogger().removeHandler(self)
        sys.excepthook, threading.excepthook = self._before

    def emit(self, record: logging.LogRecord) -> None:
        text, level = self.format(record), level_of(record.levelno)
        self._mailbox.post(lambda: self._view.add(text, level))

    def say(self, text: str, level: Level = "info") -> None:
        """Show a toast, and keep it in the log. For the window's thread."""
        self._view.add(text, level)
        self._toasts.say(text, level, self.on_details if level == "error" else None)

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        print(details, file=sys.stderr)
        self._mailbox.post(lambda: self._show(error, details))

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, error: BaseException, details: str) -> None:
        self._view.add(details, "error")
        self._toasts.say(f"Something went wrong: {error or type(error).__name__}", "error", self.on_details)
