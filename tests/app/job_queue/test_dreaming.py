"""Batch dreaming as a job: paused between dreams, gone on with, and known to the ledger."""

from pathlib import Path

import numpy as np
import pytest

from app.jobs import dream
from app.jobs.context import Paused
from app.ledger import Ledger
from app.settings import ledger_file
from app.verbs.options import closing
from app.workspace import Workspace
from models.data.dream_folder import is_dream_folder
from models.data.photo import write_photo
from models.video.config import small
from models.video.stereo import StereoVideoModel
from tests.app.job_queue.context import Context

CONFIG = small(length=3, size=(64, 64), widths=(32, 32, 64, 64))


@pytest.mark.slow
def test_dreams_of_photos_are_made_one_by_one_and_those_that_are_there_are_left(
    workspace: Workspace, tmp_path: Path
) -> None:
    StereoVideoModel.create(CONFIG, seed=1).save(tmp_path / "model")
    photos = [tmp_path / "top.png", tmp_path / "side.png"]
    for k, photo in enumerate(photos):
        write_photo(photo, np.full((64, 64, 3), (40 + 20 * k, 50, 90), np.uint8))
    out = tmp_path / "out"
    arguments = {
        "model": str(tmp_path / "model"),
        "out": str(out),
        "photos": [str(photo) for photo in photos],
        "candidates": 2,
        "seed": 5,
        "steps": 1,
        "device": "cpu",
    }
    with pytest.raises(Paused):
        dream.run(arguments, Context(workspace, tmp_path, after=1, then="pause"))
    assert [folder.name for folder in out.iterdir()] == ["seed-5"]
    written = (out / "seed-5" / "dream.toml").stat().st_mtime_ns
    context = Context(workspace, tmp_path)
    assert dream.run(arguments, context) == {"dreamt": 1, "were there": 1}
    assert all(is_dream_folder(out / f"seed-{seed}") for seed in (5, 6))
    assert (out / "seed-5" / "dream.toml").stat().st_mtime_ns == written
    assert context.told[-1][0] == 1.0
    with closing(Ledger(ledger_file(workspace))) as ledger:
        assert len(ledger.entries("dream")) == 2


def test_only_simulated_tables_can_be_dreamt_without_photos() -> None:
    with pytest.raises(ValueError, match="there is no such file; valid: a rig"):
        list(dream._scenes({"model": "m", "out": "o", "rig": "no-rig"}))
    tables = list(dream._scenes({"model": "m", "out": "o", "task": "sweeping", "tables": 2, "first_table": 3}))
    assert [str(wish.out) for wish in tables] == ["o/table-0003", "o/table-0004"]
