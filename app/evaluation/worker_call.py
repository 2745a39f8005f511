"""Jobs of the worker process, one after the other, for who has nothing else to do meanwhile."""

from collections.abc import Callable
from typing import Any

from app.dreams.dreaming import memory_told
from app.worker import Callbacks, Job, Report, Worker

POLL_S = 0.2


class JobFailed(RuntimeError):
    """A job of the worker failed, or its process ended; the message is for a person."""


def call(worker: Worker, job: Job, *arguments: object, say: Report, check: Callable[[], None]) -> Any:
    """Run a job and return its result. check: called now and then; what it raises ends the job.

    Raises JobFailed.
    """
    done: list[Any] = []
    failed: list[str] = []
    worker.submit(job, *arguments, callbacks=Callbacks(done.append, failed.append, say))
    try:
        while worker.busy:
            worker.wait(POLL_S)
            worker.pump()
            check()
    except BaseException:
        worker.close()  # a job that is half done is of no use to anybody
        raise
    if failed:
        raise JobFailed(memory_told(failed[0]))
    return done[0]
