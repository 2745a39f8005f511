"""An export for tests that does not listen to a cancel."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.datasets.exchange_part import Part, part_of
from app.jobs import kinds
from app.jobs.context import JobContext

TABLE = "tests.app.datasets.deaf_exchange:KINDS"
KINDS = {
    "export": replace(kinds.KINDS["export"], run="tests.app.datasets.deaf_exchange:run_export", grace_s=0.2),
}


def run_export(arguments: Mapping[str, Any], job: JobContext) -> None:
    """Begin, and go on for a minute whatever happens."""
    Part(part_of(Path(arguments["out"])), {})
    job.report(0.5, "half way")
    time.sleep(60)
