"""A recorded demo as the clip that a tracker reads, and as training sees it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.datasets.exchange import ExportOptions, export_demos
from hardware.tools import BUILT_IN_TOOLS, load_tool
from models.data.annotations import AS_RECORDED, Annotation, Piece, write_annotation
from models.data.clips import StereoClip
from models.data.clips_dataset import StereoClips
from models.data.clips_tracking import camera_values, tool_sha256, tracking_clip
from models.data.demo import Demo
from models.data.episode_track import TRACK, read_episode_track, write_episode_track
from models.data.lerobot import read_lerobot
from models.data.masks import mask_of, write_masks
from models.data.masks_goals import recorded_goals
from models.data.photo import write_photo
from models.data.session_demo import open_session_demos
from models.data.text_files import read_table
from tests.models.data.memory_demo import MemoryDemo
from tests.models.data.recorded import record
from tests.models.data.sessions import SIZE, a_track, new_session

PUSHER = load_tool(BUILT_IN_TOOLS["pusher"])


def demos(session: Path) -> list[Demo]:
    return open_session_demos(session)


def test_the_clip_to_track_has_the_scene_first_and_the_clips_rate(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s")
    scene = np.full((SIZE[1], SIZE[0], 3), 7, np.uint8)
    write_photo(session / "episodes" / "000001" / "scene_top.png", scene)
    (demo,) = demos(session)
    dream, times = tracking_clip(demo, {"tool": PUSHER}, 6.0)
    assert [view.name for view in dream.views] == ["top"]  # "side" is not calibrated
    assert (dream.views[0].frames[0] == 7).all()
    # 2 s at 30 Hz: pictures 0, 5, 10 .. 55, and the photo before them
    assert np.allclose(times, np.arange(-1, 12) / 6, atol=1e-9)
    assert np.array_equal(dream.views[0].frames[1:], demo.pictures("top", range(0, 60, 5)))
    assert dream.placement == "calibrated"
    camera = demo.camera("top")
    assert camera is not None
    assert np.allclose(dream.T_world_view1, camera.T_world_cam)  # type: ignore[arg-type]
    assert dream.provenance["tools"] == {"tool": tool_sha256(PUSHER)}


def test_without_a_photo_the_first_picture_is_the_scene(tmp_path: Path) -> None:
    (demo,) = demos(new_session(tmp_path / "s"))
    dream, times = tracking_clip(demo, {"tool": PUSHER}, 30.0)
    assert len(dream) == len(times) == 60
    assert np.array_equal(dream.views[0].frames[0], demo.pictures("top", [0])[0])


def test_a_demo_that_cannot_be_tracked_says_why() -> None:
    with pytest.raises(ValueError, match=r"cameras: none of \['top', 'side'\] has a place in the world"):
        tracking_clip(MemoryDemo(), {"tool": PUSHER}, 6.0)


def test_a_track_tells_what_it_was_made_from(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s")
    folder = session / "episodes" / "000001"
    track, dream = a_track()
    made_from = {"cameras": [camera_values(view.camera) for view in dream.views], "program": "0.1.0"}
    write_episode_track(folder, track, dream, np.arange(20) / 10, made_from)
    table = read_table(folder / TRACK)
    assert table["provenance"] == made_from
    again = read_episode_track(folder)
    assert again is not None
    assert len(again.times) == 20


def test_another_tool_has_another_digest() -> None:
    moved = replace(PUSHER.mesh, vertices=PUSHER.mesh.vertices + 1e-6)
    assert tool_sha256(PUSHER) != tool_sha256(replace(PUSHER, mesh=moved))
    assert tool_sha256(PUSHER) == tool_sha256(replace(PUSHER, name="other", mass=0.3))


def test_the_scenes_photo_belongs_to_the_first_piece_alone(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s")
    folder = session / "episodes" / "000001"
    for name in ("top", "side"):
        write_photo(folder / f"scene_{name}.png", np.full((SIZE[1], SIZE[0], 3), 7, np.uint8))
    write_annotation(folder, Annotation((Piece(1, 0.5, 1.0), Piece(2, 1.0)), next_key=3))
    recipe = StereoClip(("top", "side"), size=SIZE)
    first, second = (sample for sample in (StereoClips(demos(session), recipe)[k] for k in (0, 1)))
    assert (first.frames[0] == 7).all()
    assert not (second.frames[0] == 7).all()
    assert first.times[0] == pytest.approx(-1 / 30)
    write_annotation(folder, AS_RECORDED)


def test_the_goal_of_every_push_is_where_the_last_one_left_the_object(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s", 1, 4, task="push-shape", seed=5, details={"step": "1 of 2"})
    new_session(session, 1, 4, task="push-shape", seed=5, details={"step": "2 of 2"})
    new_session(session, 1, 4, task="push-shape", seed=6, details={"step": "1 of 2"})
    for number in (1, 2, 3):
        mask = np.zeros((4, 6), bool)
        mask[number] = True
        write_masks(session / "episodes" / f"{number:06d}", [mask_of("top", 1.0, mask, "colour")])
    rows = [np.flatnonzero(recorded_goals(demo)["top"].any(axis=1)).tolist() for demo in demos(session)]
    assert rows == [[2], [2], [3]]
    assert recorded_goals(MemoryDemo()) == {}


def test_a_data_set_that_was_exported_gives_the_same_clips(tmp_path: Path) -> None:
    session = record(tmp_path / "session")
    out = tmp_path / "dataset"
    export_demos(open_session_demos(session), out, "lerobot", ExportOptions())
    recipe = StereoClip(("top", "side"), fps=10.0, size=SIZE)
    own, others = StereoClips(open_session_demos(session), recipe), StereoClips(read_lerobot(out), recipe)
    assert len(own) == len(others) == 2
    for k in range(2):
        assert np.array_equal(own[k].frames, others[k].frames)
        assert np.allclose(own[k].times, others[k].times, atol=1e-3)
        assert own[k].text == others[k].text
