"""Opening, correcting and tracking a dream, as the page and the verbs do it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.dreams.example import BUILT_IN
from app.dreams.session import DreamSession
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import load_track
from models.data.errors import DreamFileError
from models.types import Hint
from tests.models.data.published import write_published

BOX = Hint("left", "top", 4, (10.0, 10.0, 200.0, 200.0))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def session(workspace: Workspace) -> Iterator[DreamSession]:
    session = _open(workspace)
    session.open_example()
    yield session
    session.close()


def _open(workspace: Workspace) -> DreamSession:
    return DreamSession(workspace, Ledger(workspace.ledger), track_job="tests.app.jobs:still_track")


def _tracked(session: DreamSession) -> DreamSession:
    session.retrack()
    assert session.wait(120)
    assert session.message == ""
    return session


def _height(session: DreamSession) -> float:
    assert session.track is not None
    return float(session.track.tools["left"].T_view1_tool[4, 2, 3])


def test_a_track_is_kept_in_the_dreams_folder_and_in_the_ledger(
    session: DreamSession, workspace: Workspace
) -> None:
    heard: list[str] = []
    session.on_change(heard.append)
    _tracked(session)
    assert {"progress", "track"} <= set(heard)
    assert session.folder is not None
    assert load_track(session.folder) is not None
    kinds = [entry.kind for entry in Ledger(workspace.ledger).chain(session.track_id)]
    assert kinds == ["track", "dream"]


def test_a_box_makes_the_track_stale_until_it_is_tracked_again(session: DreamSession) -> None:
    _tracked(session)
    session.add_hint(BOX)
    assert session.stale
    _tracked(session)
    assert not session.stale
    assert _height(session) == pytest.approx(0.71)


def test_undo_brings_back_boxes_and_track_and_redo_both_again(session: DreamSession) -> None:
    _tracked(session)
    session.add_hint(BOX)
    _tracked(session)
    session.undo()
    assert (session.hints, session.stale, session.can_undo, session.can_redo) == ((), False, False, True)
    assert _height(session) == pytest.approx(0.70)
    session.redo()
    assert (session.hints, session.stale, _height(session)) == ((BOX,), False, pytest.approx(0.71))


def test_undo_still_works_after_a_restart(session: DreamSession, workspace: Workspace) -> None:
    _tracked(session)
    session.set_trim(2, 9)
    session.add_hint(BOX)
    _tracked(session)
    session.close()
    again = _open(workspace)
    again.open_example()
    assert (again.hints, again.trim, _height(again)) == ((BOX,), (2, 9), pytest.approx(0.71))
    again.undo()
    assert (again.hints, again.trim, _height(again)) == ((), (2, 9), pytest.approx(0.70))
    again.undo()
    assert again.trim == (0, len(again.dream or ()) - 1)
    again.close()


def test_the_worst_frame_is_the_least_confident_inside_the_trim(session: DreamSession) -> None:
    assert session.worst_frame() is None
    _tracked(session)
    worst = session.worst_frame()
    assert worst is not None
    assert (worst.t, worst.confidence) == (5, pytest.approx(0.2))
    session.set_trim(6, 12)
    worst = session.worst_frame()
    assert worst is not None
    assert worst.confidence == pytest.approx(0.9)


def test_what_cannot_be_is_refused_with_the_valid_values(session: DreamSession) -> None:
    with pytest.raises(ValueError, match="valid: 0 to 12"):
        session.add_hint(Hint("left", "top", 99, (0, 0, 1, 1)))
    with pytest.raises(ValueError, match="trim"):
        session.set_trim(3, 99)
    with pytest.raises(KeyError, match="top"):
        session.frame_at("bottom", 0)
    with pytest.raises(IndexError, match="0 to 12"):
        session.frame_at("top", 13)
    assert session.frame_at("top", 0).shape[2] == 3
    with pytest.raises(ValueError, match="no track yet"):
        session.make_plan(None)  # type: ignore[arg-type]


def test_a_dream_that_cannot_be_opened_leaves_the_open_one(session: DreamSession, tmp_path: Path) -> None:
    before = session.dream
    with pytest.raises(DreamFileError, match="does not exist"):
        session.open(tmp_path / "nothing")
    with pytest.raises(DreamFileError):
        session.open_dropped((tmp_path,))
    assert session.dream is before


def test_cancel_keeps_the_last_track(session: DreamSession) -> None:
    _tracked(session)
    session.add_hint(BOX)
    session.retrack()
    with pytest.raises(ValueError, match="already"):
        session.retrack()
    session.cancel()
    assert session.wait(120)
    assert _height(session) == pytest.approx(0.70) or not session.stale


def test_a_crash_while_tracking_is_said_and_the_next_try_works(session: DreamSession) -> None:
    session._track_job = "tests.app.jobs:crashing_track"
    session.retrack()
    assert session.wait(120)
    assert "ended unexpectedly" in session.message
    session.message, session._track_job = "", "tests.app.jobs:still_track"
    _tracked(session)


@pytest.mark.expects_warnings
def test_a_damaged_track_or_history_does_not_keep_a_dream_from_opening(workspace: Workspace) -> None:
    folder = workspace.dreams / "mine"
    shutil.copytree(BUILT_IN, folder)
    for name in ("track.json", "edits.json"):
        (folder / name).write_text("{")
    session = _open(workspace)
    session.open(folder)
    assert (session.track, session.hints) == (None, ())
    session.close()


@pytest.mark.expects_warnings
def test_a_track_of_another_dream_is_left_out(session: DreamSession) -> None:
    _tracked(session)
    assert session.folder is not None
    file = session.folder / "track.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"frames": 20}))
    session.open(session.folder)
    assert session.track is None or len(session.track.tools["left"]) == 13


def test_dropping_a_published_dream_imports_it_once(
    session: DreamSession, tmp_path: Path, workspace: Workspace
) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    published = write_published(folder)
    for view, scene in zip(("top", "side"), published.scenes, strict=True):
        scene.rename(folder / f"dream7_{view}.png")
    session.open_dropped((published.video,))
    first = session.folder
    session.open_dropped((folder,))
    assert session.folder == first == workspace.dreams / "dream7"
    published.calibration.unlink()
    with pytest.raises(DreamFileError, match="calibration"):
        session.open_dropped((published.video,))


def test_the_rest_of_a_paused_run_is_planned_from_where_it_stands(session: DreamSession) -> None:
    rig = load_rig("sim")
    session._track_job = "tests.app.jobs:moving_track"
    _tracked(session)
    for from_frame, first in ((None, 1.0), (6.3, 7.0)):
        session.make_plan(rig, first_run=False, from_frame=from_frame)
        assert session.wait(120)
        assert session.plan is not None, session.message
        assert np.nanmin(session.plan.clip_frame) == pytest.approx(first, abs=0.01)
    session.add_hint(BOX)
    assert session.plan is None
    with pytest.raises(ValueError, match="track it again"):
        session.make_plan(rig)
