"""Exports and imports on page Demos: what would be kept and lost first, then in the background."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.datasets.desk import DatasetDesk
from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.exchange_orders import ExportOptions, ExportOrder, ImportOrder, Order, Outlook
from app.gui.binders.binder import Shell
from app.gui.binders.demos_tracking import job_busy
from app.jobs.types import JobError
from models.data.dataset_index import DemoKey
from widgets.exchange_form import Direction, ExchangeSaid, ExchangeWish
from widgets.pages.demos import DemosPage
from widgets.values import BusyState

FILES = "Data sets (*.hdf5 *.h5 *.zip);;All files (*)"


class DemosExchange:
    """A part of the demos' binder. see(): show the form; leave(): show the pictures again."""

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        exchange: ExchangeDesk,
        recordings: Path,
        shell: Shell,
        see: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        """recordings: where what is imported goes, unless a person says otherwise."""
        self._page, self._form, self._desk, self._exchange = page, page.exchange, desk, exchange
        self._recordings, self._shell, self._see = recordings, shell, see
        self._usual = ""  # the target that was proposed
        self._order: Order | None = None
        self._ended = ""
        self._told = False
        self._forget = exchange.on_change(self._changed)
        self._form.changed.connect(self._wished)
        self._form.path_wanted.connect(self._ask_path)
        self._form.start_wanted.connect(self._start)
        self._form.closed.connect(leave)
        self._form.go_on_wanted.connect(exchange.go_on)
        self._form.give_up_wanted.connect(exchange.give_up)
        page.table.chosen_changed.connect(self._chosen_changed)

    def close(self) -> None:
        self._forget()

    def open(self, direction: Direction) -> None:
        """Show the form of an export or an import."""
        self._ended = ""
        self._count()
        self._form.choose(everything=direction == "export" and len(self._page.table.chosen) < 2)
        self._see()
        self._form.show_unfinished(self._unfinished)
        self._usual = self._proposed(ExchangeWish(direction, form="lerobot"))
        self._form.show_direction(direction, self._usual)
        self._form.setFocus()

    def left(self) -> None:
        """The form is not seen any more."""
        self._order = None
        self._exchange.look(None)

    def tell(self) -> None:
        """Say once what a crash left half done."""
        if self._unfinished and not self._told:
            self._told = True
            self._shell.say(f"{self._unfinished} See Export or Import.", "warning")

    def pump(self) -> None:
        self._exchange.pump()

    def cancel(self) -> None:
        self._exchange.cancel()

    @property
    def busy(self) -> BusyState | None:
        """How far it is, None while nothing runs."""
        record = self._exchange.record
        return None if record is None else job_busy(record)

    # wished ----------------------------------------------------------------------------------------------------
    def _wished(self, wish: ExchangeWish) -> None:
        if self._page.seen != "exchange":
            return
        self._ended = ""
        if wish.out == self._usual and (proposed := self._proposed(wish)) != self._usual:
            self._usual = proposed
            self._form.take_path("out", proposed)
            wish = self._form.wish
        problem = _missing(wish)
        self._order = None if problem else self._ordered(wish)
        self._exchange.look(self._order)
        self._show(problem)

    def _ordered(self, wish: ExchangeWish) -> Order:
        if wish.direction == "import":
            return ImportOrder(Path(wish.source).expanduser(), Path(wish.out).expanduser(), wish.fps)
        fps = 0.0 if wish.form == "mcap" else wish.fps
        options = ExportOptions(fps, wish.robot if wish.form == "lerobot" else "")
        return ExportOrder(self._keys(wish.everything), Path(wish.out).expanduser(), wish.form, options)

    def _keys(self, everything: bool) -> tuple[DemoKey, ...]:
        usable = {row.key for row in self._desk.rows if row.usable}
        wanted: Sequence[DemoKey] = [row.key for row in self._desk.shown]
        return tuple(key for key in (wanted if everything else self._page.table.chosen) if key in usable)

    def _proposed(self, wish: ExchangeWish) -> str:
        """Return a target that is not there yet."""
        if wish.direction == "import":
            name = Path(wish.source).stem.split(".")[0] if wish.source else ""
            return _free(self._recordings / name) if name else ""
        folder = self._desk.folder
        return _free(folder.parent / f"{folder.name}-{wish.form}") if folder is not None else ""

    def _ask_path(self, which: str) -> None:
        if which == "file":
            found = self._shell.ask_file("A data set", FILES)
        else:
            found = self._shell.ask_folder("A folder to put it in" if which == "out" else "A data set")
        if not found:
            return
        if which == "out":
            name = Path(self._form.wish.out or self._usual or "demos").name
            is_export = self._form.wish.direction == "export"
            self._form.take_path("out", _free(Path(found) / name) if is_export else found)
        else:
            self._form.take_path("file" if which == "file" else "folder", found)

    def _start(self) -> None:
        order = self._order
        if order is None or self._exchange.running is not None:
            return
        self._ended = ""
        if isinstance(order, ImportOrder):
            self._desk.release(order.out, lambda: self._submit(order))
        else:
            self._submit(order)

    def _submit(self, order: Order) -> None:
        try:
            self._exchange.start(order)
        except JobError as error:
            self._shell.say(str(error), "warning")

    def _chosen_changed(self) -> None:
        if self._page.seen == "exchange":
            self._count()
            if isinstance(self._order, ExportOrder) and not self._form.wish.everything:
                self._wished(self._form.wish)

    # shown -----------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        exchange = self._exchange
        if topic == "unfinished":
            self._form.show_unfinished(self._unfinished)
        elif topic == "done" and exchange.ended is not None:
            self._ended = ended_text(exchange.ended, exchange.facts)
            if isinstance(exchange.ended, ImportOrder):
                self._imported(exchange.ended)
        elif topic == "failed" and exchange.ended is not None and exchange.problem:
            self._ended = f"{exchange.ended.text} failed: {exchange.problem}"
        if topic in ("outlook", "done", "failed", "progress"):
            self._show()

    def _imported(self, order: ImportOrder) -> None:
        folder = self._desk.folder
        if folder is None:
            self._desk.open(order.out)
        elif folder == order.out or folder in order.out.parents:
            self._desk.look_again()

    def _show(self, problem: str = "") -> None:
        if self._page.seen != "exchange":
            return
        found, running = self._exchange.outlook, self._exchange.running
        if running is not None:
            self._form.show_said(ExchangeSaid(f"{running.text} goes on: see the line above."))
        elif problem or self._order is None:
            self._form.show_said(ExchangeSaid(self._ended, problem="" if self._ended else problem))
        elif found is None:
            self._form.show_said(ExchangeSaid(looking=True))
        elif self._ended:  # what lies there now is what was just made
            self._form.show_said(ExchangeSaid(self._ended))
        else:
            self._form.show_said(said(found))

    def _count(self) -> None:
        self._form.show_counts(len(self._keys(everything=False)), len(self._keys(everything=True)))

    @property
    def _unfinished(self) -> str:
        order = self._exchange.unfinished
        return f"{order.text} stopped half way; it can go on after its last finished demo." if order else ""


def said(found: Outlook) -> ExchangeSaid:
    """Return what is shown of an outlook."""
    note = f"{found.demos} demos, {_length(found.seconds)}." if found.demos else ""
    if found.there_already and found.there_already < found.demos:
        note += f" {found.there_already} of them are there already and are left out."
    if found.resumed:
        note += " A half-done one lies here: it goes on after its last finished demo."
    room = ""
    if found.room is not None:
        room = f"It takes up to {_size(found.room.needed)} meanwhile; {_size(found.room.free)} are free."
    ready = not found.refusal
    return ExchangeSaid(note, found.kept, found.lost, room, found.refusal, ready, go_on=found.resumed and ready)


def ended_text(order: Order, facts: Mapping[str, object]) -> str:
    """Return what a person is told in the end."""
    if isinstance(order, ImportOrder):
        same = facts.get("there already")
        more = f"; {same} were there already" if same else ""
        return f"{facts.get('episodes')} demos imported into {order.out}{more}"
    lines = [f"{facts.get('episodes')} demos exported to {order.out}"]
    coded = facts.get("coded")
    if facts.get("copied"):
        lines.append(f"{facts['copied']} videos are the recording's bit by bit")
    if isinstance(coded, Mapping) and coded:
        least = facts.get("least_db")
        worst = f", {least:.1f} dB and better" if isinstance(least, float) else ""
        lines.append("Coded anew: " + "; ".join(f"{count} because {why}" for why, count in coded.items()) + worst)
    return "\n".join(lines)


def _missing(wish: ExchangeWish) -> str:
    if wish.direction == "import" and not wish.source:
        return "Choose a file (.hdf5, .zarr.zip) or a folder (LeRobot, videos, sessions) to import."
    return "" if wish.out else "Say where to put it."


def _free(path: Path) -> str:
    """Return a path that is not there yet, this one or one numbered after it."""
    taken = (path if n == 1 else path.with_name(f"{path.name}-{n}") for n in range(1, 1000))
    return str(next((candidate for candidate in taken if not candidate.exists()), path))


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} minutes"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
