"""What an export or import would do, and what it left, in a worker process, where alone the formats are loaded."""

import contextlib
from pathlib import Path

from app.datasets.exchange_orders import ExportOrder, Order, Outlook
from app.datasets.exchange_outlook import outlook
from app.datasets.exchange_part import throw_away
from app.worker import Cancel, Cancelled, Report
from hardware.recording.session import SESSION
from models.data.exchange import ExchangeStopped


def look(order: Order, report: Report, cancelled: Cancelled) -> Outlook:
    """Say what an order would do. Raises Cancel."""
    try:
        return outlook(order, report, cancelled)
    except ExchangeStopped as error:
        raise Cancel from error


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
