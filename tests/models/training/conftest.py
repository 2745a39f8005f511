"""Demos, and a run that nobody disturbed."""

from pathlib import Path

import pytest

from tests.models.data.sessions import new_session
from tests.models.training.tiny import run, tiny


@pytest.fixture(scope="session")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of three short demos."""
    return new_session(tmp_path_factory.mktemp("demos") / "session", 3, 24)


@pytest.fixture(scope="session")
def undisturbed(demos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `tiny()` from its first step to its last."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    run(tiny(), demos, out)
    return out
