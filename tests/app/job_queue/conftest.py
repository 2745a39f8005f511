"""A workspace whose jobs end with the test."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.jobs.jobs import Jobs
from app.workspace import Workspace, open_workspace
from tests.app.job_queue.work import TABLE


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    yield open_workspace(tmp_path / "workspace")
    for process in psutil.process_iter(["cmdline"]):
        if any(str(tmp_path) in word for word in process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                process.kill()
                process.wait(30)


@pytest.fixture
def jobs(workspace: Workspace) -> Jobs:
    return Jobs(workspace, table=TABLE)
