"""What a verb says: text for people or one JSON document on stdout, progress and logs on stderr; exit statuses."""

import json
import sys
from collections.abc import Mapping, Sequence

from models.data.text_files import to_json

DONE, USAGE, REFUSED, DEVICE, STOPPED = 0, 2, 3, 4, 5


class Refused(ValueError):
    """Input that cannot be used: exit 3."""


class StoppedByPerson(Exception):
    """A person said no, or stop: exit 5."""


class Output:
    """One verb's voice. With `as_json` nothing but the one document goes to stdout."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._shown = ""

    def result(self, values: Mapping[str, object], text: Sequence[str]) -> None:
        """Say what came out: the values as JSON, or the lines of text."""
        if self._as_json:
            print(json.dumps(json.loads(to_json({"ok": True, **values})), ensure_ascii=False), flush=True)
        else:
            print("\n".join(text), flush=True)

    def error(self, status: int, message: str, **fields: str) -> None:
        """Say what went wrong, on stderr, and with JSON also as the one document."""
        print(f"main.py: {message}", file=sys.stderr, flush=True)
        if self._as_json:
            error = {"status": status, "message": message, **{k: v for k, v in fields.items() if v}}
            print(json.dumps({"ok": False, "error": error}, ensure_ascii=False), flush=True)

    def progress(self, text: str) -> None:
        """Say how far it is, once per text."""
        if text != self._shown:
            self._shown = text
            print(text, file=sys.stderr, flush=True)
