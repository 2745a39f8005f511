"""What the form of a new dream asks for, remembered and carried out; models and recorded scenes to choose from."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibration.moved_cameras import CameraWatch
from app.calibration.store import CalibrationStore
from app.dreams.example import example_folder
from app.dreams.new_dream import AS_IT_LIES, DREAM, EPISODE, REMEMBERED, Draft, Eyes, look, read_draft, remember
from app.dreams.recorded_scene import recorded_scenes
from app.dreams.scene import SceneRefused
from app.dreams.video_models import video_models
from app.workspace import Workspace, open_workspace
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session, described
from hardware.rig import load_rig
from hardware.stream import StreamInfo
from hardware.types import Frame
from models.data.dream_folder import load_dream
from models.data.errors import DreamFileError
from models.data.exchange_pictures import png
from models.video.config import small
from models.video.config_file import write_config
from tests.app.calibration.test_moved_cameras import scene as bare_scene
from tests.models.data.sessions import PLACED, STREAMS, write_episode
from tests.models.video.tiny import tiny

CONFIG = small(length=3, size=(192, 128))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


def model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_config(folder, CONFIG)
    return folder


def grey(_name: str) -> Frame:
    return Frame("any", 0, time.monotonic(), 0.0, np.full((448, 768, 3), 60, np.uint8))


def test_models_come_from_the_program_from_trainings_and_from_elsewhere(
    workspace: Workspace, tmp_path: Path
) -> None:
    shipped = model(tmp_path / "checkpoints" / "tabletop_push")
    run = workspace.trainings / "cups" / "checkpoints"
    older, newest = model(run / "step_000500"), model(run / "step_001000")
    (run / "step_002000").mkdir()  # one that has no model in it
    imported, other = model(workspace.root / "models" / "dreamitate"), model(tmp_path / "mine")
    found = video_models(workspace, [other], shipped.parent)
    assert [(m.path, m.origin) for m in found] == [
        (shipped, "shipped"), (newest, "trained"), (imported, "imported"), (other, "imported"),
    ]  # fmt: skip
    assert older not in [m.path for m in found]
    assert found[1].name == "cups · step_001000"
    assert found[0].about == "shipped · 2 views · 3 frames of 192x128"
    (other / "dreamdeck.toml").write_text("views = 'two'")
    broken = video_models(workspace, [other], shipped.parent)[-1]
    assert (broken.config, "dreamdeck.toml" in broken.about) == (None, True)


def test_what_was_asked_for_last_is_offered_again_but_not_its_scene(workspace: Workspace) -> None:
    asked = Draft("m", "dream:/x", "push-shape", 3, "push", 2, 9, 12, "cpu", "a box", ("/o",))
    remember(workspace.root, asked)
    assert read_draft(workspace.root) == replace(asked, source=Draft.source, text="", override="")
    assert asked.varied().seed == 11


@pytest.mark.parametrize("spoilt", ["", "[]", '{"steps": "many"}', '{"candidates": 0, "others": []}'])
def test_a_spoilt_memory_is_forgotten(workspace: Workspace, spoilt: str) -> None:
    (workspace.root / REMEMBERED).write_text(spoilt)
    assert read_draft(workspace.root) == Draft()


def test_a_field_that_is_written_wrong_names_what_is_valid() -> None:
    assert Draft().edited("candidates", "3").candidates == 3
    with pytest.raises(ValueError, match="candidates: 65"):
        _ = Draft(candidates=65).options


def test_the_scene_of_a_dream_can_be_dreamt_of_again(workspace: Workspace) -> None:
    folder = example_folder(workspace)
    dream = load_dream(folder)
    width, height = dream.views[0].camera.size
    config = small(length=3, size=(width, height))
    scene = look(Draft(source=f"{DREAM}:{folder}"), config, Eyes(load_rig(), grey), workspace.root)
    assert scene.placement == dream.placement
    assert scene.tools.keys() == dream.tools.keys()
    assert scene.pictures.shape == (2, height, width, 3)
    with pytest.raises(DreamFileError, match="it has 2"):
        look(Draft(source=f"{DREAM}:{folder}"), replace(config, views=1), Eyes(load_rig(), grey), workspace.root)


def test_an_arm_in_the_picture_is_refused_unless_somebody_says_why(workspace: Workspace) -> None:
    rig = load_rig()
    arm = rig.arms[0]
    over_table = {arm.name: np.zeros_like(arm.home)}
    eyes = Eyes(rig, grey, over_table)
    draft = Draft(task="rotation", table=AS_IT_LIES)
    with pytest.raises(SceneRefused, match="arm in the scene"):
        look(draft, CONFIG, eyes, workspace.root)
    scene = look(replace(draft, override="it is a photo of one"), CONFIG, eyes, workspace.root)
    assert scene.origin["override"] == "it is a photo of one"
    assert look(draft, CONFIG, Eyes(rig, grey), workspace.root).tools.keys() == {"left", "right"}


def test_a_camera_that_was_moved_is_refused_unless_somebody_says_why(workspace: Workspace) -> None:
    rig = load_rig()
    store = CalibrationStore(workspace.root, rig.name)
    store.keep_scene("top", bare_scene())
    watch = CameraWatch(rig, store)

    def pushed(name: str) -> Frame:
        return Frame(name, 0, time.monotonic(), 0.0, bare_scene(9))

    eyes, draft = Eyes(rig, pushed, moved=watch.look), Draft(task="rotation", table=AS_IT_LIES)
    with pytest.raises(SceneRefused, match="off by 9 px"):
        look(draft, CONFIG, eyes, workspace.root)
    assert look(replace(draft, override="a small one"), CONFIG, eyes, workspace.root).origin["override"]


def recorded(workspace: Workspace, streams: Sequence[StreamInfo]) -> Path:
    """Keep a demo with the photos of its bare scene; return its episode."""
    session = Session(workspace.recordings / "2026-03-01")
    session.lock()
    part, begun = session.begin(EpisodeNote("", 0, "rotation"))
    write_episode(part, 8, streams=streams)
    with open_episode(part) as reader:
        note = described(begun, reader, "0" * 64, (part / MCAP).stat().st_size)
    for camera in ("top", "side"):
        session.write_scene(part, f"scene_{camera}.png", png(np.full((64, 96, 3), 50, np.uint8)))
    kept = session.keep(part, replace(note, scene=("scene_top.png", "scene_side.png")))
    session.close()
    return kept


def test_the_bare_scene_before_a_demo_can_be_dreamt_of(workspace: Workspace) -> None:
    (workspace.recordings / "2026-03-01").mkdir(parents=True)
    side = StreamInfo("side", "camera", STREAMS[1].rate_hz, replace(PLACED, name="side"))
    recorded(workspace, (STREAMS[0], side, *STREAMS[2:]))
    recorded(workspace, STREAMS)  # nobody knew where its side camera stood
    unplaced, placed = recorded_scenes(workspace)
    assert (placed.task, placed.title) == ("rotation", "2026-03-01 #1 · rotation")
    config = tiny(size=(96, 64))
    draft = Draft(source=f"{EPISODE}:{placed.folder}", task="rotation")
    scene = look(draft, config, Eyes(load_rig(), grey), workspace.root)
    assert (scene.placement, [c.name for c in scene.cameras]) == ("calibrated", ["top", "side"])
    assert scene.tools.keys() == {"left", "right"}
    assert (scene.pictures == 50).all()
    with pytest.raises(DreamFileError, match="camera side: was not calibrated"):
        look(replace(draft, source=f"{EPISODE}:{unplaced.folder}"), config, Eyes(load_rig(), grey), workspace.root)


def test_no_recordings_are_no_recorded_scenes(workspace: Workspace) -> None:
    assert recorded_scenes(workspace) == []
