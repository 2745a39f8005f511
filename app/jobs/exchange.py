"""The jobs that export and import data sets. What they wrote is whole at every moment
(app/datasets/exchange_part.py), and the same call goes on with it: they may be ended anywhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.datasets.exchange import export_demos, import_demos
from app.datasets.exchange_orders import ExportOptions, chosen_demos, keys_of
from app.jobs.context import JobContext
from app.worker import Cancel
from models.data.exchange import ExchangeStopped
from models.data.exchange_sources import open_demos


def run_export(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Write a data set as a new folder; app/jobs/kinds.py has the arguments. Raises Cancel, as `export_demos`."""
    job.report(0.0, "reading the data set")
    options = ExportOptions(arguments.get("fps", 0.0), arguments.get("robot", ""))
    chosen = keys_of(arguments.get("demos", ()))
    demos = chosen_demos(chosen) if chosen else open_demos(Path(arguments["source"]))
    try:
        return export_demos(demos, Path(arguments["out"]), arguments["format"], options, job.report, job.cancelled)
    except ExchangeStopped as error:
        raise Cancel from error


def run_import(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Add demos to a session; app/jobs/kinds.py has the arguments. Raises Cancel, as `import_demos`."""
    job.report(0.0, "reading the data set")
    demos = open_demos(Path(arguments["source"]), fps=arguments.get("fps", 0.0))
    try:
        done = import_demos(demos, Path(arguments["out"]), job.report, job.cancelled)
    except ExchangeStopped as error:
        raise Cancel from error
    return {"episodes": len(done.episodes), "there already": len(done.there_already)}
