"""What a new training can be made of."""

import shutil
from pathlib import Path

import pytest

from app.jobs.types import JobRecord
from app.training.choices import CONFIGS, DataSet, data_sets, free_folder, start_config, starts
from app.training.draft import Draft
from app.training.order import cloned_config, needs_gpu, train_spec
from app.workspace import open_workspace
from models.data.errors import DreamFileError
from models.training.config import TrainConfig
from tests.models.data.sessions import new_session


def test_sessions_are_offered_newest_first_after_all_of_them_together(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    assert data_sets(recordings) == []
    first = new_session(recordings / "2026-01-01", episodes=2, count=8)
    (only,) = data_sets(recordings)
    assert (only.path, only.demos) == (first, 2)
    shutil.copytree(first, recordings / "2026-01-02")
    (recordings / "notes").mkdir()
    found = data_sets(recordings)
    assert [one.name for one in found] == ["All recordings", "2026-01-02", "2026-01-01"]
    assert (found[0].demos, found[0].path) == (4, recordings)
    assert found[0].about.startswith("4 demos")


def test_every_config_that_comes_with_the_program_can_be_begun_from() -> None:
    names = starts()
    assert next(iter(names)) == "tabletop_small", "what everybody can train comes first"
    for name in names:
        assert Draft.of(start_config(name)).usable
    assert not [row.key for row in Draft.of(start_config("dreamitate")).rows if row.differs]
    with pytest.raises(DreamFileError, match="dreamitate"):
        start_config("none", CONFIGS)


def test_no_two_trainings_share_a_folder(tmp_path: Path) -> None:
    assert free_folder(tmp_path, "Push shape / 1!").name == "push-shape---1"
    (tmp_path / "a").mkdir()
    assert free_folder(tmp_path, "a").name == "a-2"
    assert free_folder(tmp_path, "../..").parent == tmp_path


def test_a_clone_is_told_what_its_original_was(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    config = Draft.of(TrainConfig()).edit("train.steps", "7").edit("model.size", "192, 128").config
    spec = train_spec(config, "push", tmp_path, workspace, gpus=False)
    assert not spec.needs_gpu
    assert spec.out is not None
    assert not spec.out.exists()
    assert cloned_config(JobRecord("0001", tmp_path, spec, "queued")) == (config, tmp_path)
    assert needs_gpu(config, gpus=True)


def test_failures_are_counted_apart(tmp_path: Path) -> None:
    one = DataSet(tmp_path, "x", {"push": 6, "sweep": 2}, {"push": 4})
    assert (one.usable("", True), one.usable("push", True), one.usable("push", False)) == (4, 2, 6)
    assert one.about == "8 demos · push 6, sweep 2 · 4 failed"
