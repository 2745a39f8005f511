"""An export for tests that does not listen to a cancel."""

import time

from app.datasets.exchange_jobs import give_up
from app.datasets.exchange_orders import Order
from app.datasets.exchange_part import Part
from app.worker import Cancelled, Report

__all__ = ["carry_out", "give_up"]


def carry_out(order: Order, report: Report, _cancelled: Cancelled) -> None:
    """Begin, and go on for a minute whatever happens."""
    Part(order.part, {})
    report(0.5, "half way")
    time.sleep(60)
