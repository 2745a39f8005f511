from pathlib import Path

import pytest

from models.data.imports import read_dreamitate
from models.types import Dream
from tests.models.data.published import Published, write_published


@pytest.fixture
def published(tmp_path: Path) -> Published:
    folder = tmp_path / "published"
    folder.mkdir()
    return write_published(folder)


@pytest.fixture
def dream(published: Published) -> Dream:
    return read_dreamitate(published.video, published.scenes, published.calibration, published.tools)
