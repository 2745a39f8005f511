"""Watches the runs that a page shows, in a thread of its own: curves, gallery and log as they grow."""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.training.gallery import Dreams, gallery_steps, read_dreams
from app.training.run_reader import LAST, Metrics, Series, Tail, read_flat
from models.training.run_folder import CONFIG, METRICS

EVERY_S, BREATH_S = 0.5, 0.004
KEPT_RUNS, KEPT_DREAMS, KEPT_LINES = 16, 12, 4000


@dataclass(frozen=True, eq=False)
class RunSeen:
    """What a run has written. steps: of its gallery, rising; skipped: damaged lines; whole: all of it is read;
    config: what it was told, by "section.field"."""

    series: Mapping[str, Series] = field(default_factory=dict)
    step: int = -1
    steps: tuple[int, ...] = ()
    skipped: int = 0
    whole: bool = False
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What is looked at: the folders of runs; of which of them, and at which step, -1: the newest, the dreams; the
    log files. Nothing: the thread rests, and what was seen stays."""

    runs: tuple[Path, ...] = ()
    gallery: Path | None = None
    step: int = -1
    logs: tuple[Path, ...] = ()


class RunWatch:
    """`look(wish)`; then read `runs`, `dreams`, `take_lines()` when `version` has changed. Ends with `close`."""

    def __init__(self) -> None:
        self._wish, self._ended = Wish(), False
        self._changed = threading.Condition()
        self._metrics: OrderedDict[Path, Metrics] = OrderedDict()
        self._kept: OrderedDict[tuple[Path, int], Dreams] = OrderedDict()
        self._tails: dict[Path, tuple[Tail, int]] = {}
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines_anew = False
        self.version = 0
        self.runs: Mapping[Path, RunSeen] = {}
        self.dreams: Dreams | None = None
        self._thread = threading.Thread(target=self._run, name="run watch", daemon=True)
        self._thread.start()

    def look(self, wish: Wish) -> None:
        """Watch this from now on."""
        with self._changed:
            if wish != self._wish:
                self._wish = wish
                self._changed.notify()

    def take_lines(self) -> tuple[bool, list[str]]:
        """Return the log's lines that came since the last call, and whether they are of a log that begins anew."""
        with self._changed:
            anew, lines = self._lines_anew, list(self._lines)
            self._lines_anew = False
            self._lines.clear()
        return anew, lines

    def close(self) -> None:
        """End the thread. Safe to call twice."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    # in the thread of its own ----------------------------------------------------------------------------------
    def _run(self) -> None:
        while not self._ended:
            wish = self._wish
            more = wish != Wish() and self._read(wish)
            with self._changed:
                if not self._ended and self._wish is wish:
                    # between the pieces of a large file too: the window's thread wants the interpreter as well
                    self._changed.wait(BREATH_S if more else EVERY_S)

    def _read(self, wish: Wish) -> bool:
        """Read a piece of everything; return whether there is more."""
        seen: dict[Path, RunSeen] = {}
        told = False
        for folder in wish.runs:
            metrics = self._of(folder)
            came = metrics.read()
            steps = gallery_steps(folder)
            before = self.runs.get(folder, RunSeen())
            config = before.config or read_flat(folder / CONFIG)
            if not came and before.whole and (before.steps, before.config) == (steps, config):
                seen[folder] = before
                continue
            seen[folder] = RunSeen(metrics.series, metrics.step, steps, metrics.skipped, not came, config)
            told |= not came  # a large file is shown once it is read
        told |= self.runs.keys() != seen.keys()
        self.runs = seen
        told |= self._read_dreams(wish, seen)
        more, came = self._read_logs(wish.logs)
        if told or came:
            self.version += 1
        return more or any(not run.whole for run in seen.values())

    def _of(self, folder: Path) -> Metrics:
        if folder not in self._metrics:
            self._metrics[folder] = Metrics(folder / METRICS)
        self._metrics.move_to_end(folder)
        while len(self._metrics) > max(KEPT_RUNS, len(self._wish.runs)):
            self._metrics.popitem(last=False)
        return self._metrics[folder]

    def _read_dreams(self, wish: Wish, seen: Mapping[Path, RunSeen]) -> bool:
        run = seen.get(wish.gallery) if wish.gallery is not None else None
        steps = run.steps if run is not None else ()
        step = wish.step if wish.step in steps else steps[-1] if steps else -1
        if wish.gallery is None or run is None or step < 0:
            changed, self.dreams = self.dreams is not None, None
            return changed
        key = (wish.gallery, step)
        if key not in self._kept:
            self._kept[key] = read_dreams(wish.gallery, step, run.config)
            while len(self._kept) > KEPT_DREAMS:
                self._kept.popitem(last=False)
        changed = self.dreams is not self._kept[key]
        self.dreams = self._kept[key]
        return changed

    def _read_logs(self, files: tuple[Path, ...]) -> tuple[bool, bool]:
        """Return whether there is more, and whether some came."""
        begins = tuple(self._tails) != files
        if begins:
            self._tails = {file: (Tail(file, LAST), 0) for file in files}
        lines: list[str] = []
        more = False
        for file, (tail, seen) in self._tails.items():
            came = tail.lines()
            if tail.begun_anew != seen:
                begins, self._tails[file] = True, (tail, tail.begun_anew)
                lines.clear()
            more |= came is not None
            lines += came or ()
        with self._changed:
            if begins:
                self._lines_anew = True
                self._lines.clear()
            self._lines.extend(lines)
        return more, begins or bool(lines)
