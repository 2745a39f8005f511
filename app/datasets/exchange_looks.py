"""Exports and imports as jobs of a worker process, where alone the libraries of these formats are loaded."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from app.datasets.exchange import export_demos, import_demos
from app.datasets.exchange_orders import ExportOrder, Order, Outlook, chosen_demos
from app.datasets.exchange_outlook import outlook
from app.datasets.exchange_part import throw_away
from app.worker import Cancel, Cancelled, Report
from hardware.recording.session import SESSION
from models.data.exchange import ExchangeStopped
from models.data.exchange_sources import open_demos


def look(order: Order, report: Report, cancelled: Cancelled) -> Outlook:
    """Say what an order would do. Raises Cancel."""
    try:
        return outlook(order, report, cancelled)
    except ExchangeStopped as error:
        raise Cancel from error


def carry_out(order: Order, report: Report, cancelled: Cancelled) -> Mapping[str, object]:
    """Do it; return what a person is told in the end. Raises Cancel: then nothing is left of it."""
    try:
        if isinstance(order, ExportOrder):
            demos = chosen_demos(order.demos)
            return export_demos(demos, order.out, order.form, order.options, report, cancelled)
        done = import_demos(open_demos(order.source, fps=order.fps), order.out, report, cancelled)
    except ExchangeStopped as error:
        raise Cancel from error
    return {"episodes": len(done.episodes), "there_already": len(done.there_already)}


def give_up(order: Order, _report: Report, _cancelled: Cancelled) -> Path:
    """Take away what a crash left of an order. Raises ExchangeRefused while another program fills it."""
    throw_away(order.part)
    if not isinstance(order, ExportOrder):
        _remove_empty_session(order.out)
    return order.part


def _remove_empty_session(folder: Path) -> None:
    """Take away a session that an import began; one with anything in it stays."""
    if any(any(place.iterdir()) for place in (folder / "episodes", folder / "trash") if place.is_dir()):
        return
    with contextlib.suppress(OSError):
        for name in (SESSION, ".lock"):
            (folder / name).unlink(missing_ok=True)
        for place in (folder / "episodes", folder / "trash", folder):
            place.rmdir()
