"""MegaPose in an environment of its own: an emulated one, in a real process, behind the real worker script."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from hardware.geometry import Array, inverse, rotation_angle
from models.tracking.megapose import Patience, confidence, make, tracker
from models.tracking.megapose_files import LabelledPose, pose_rows
from models.tracking.megapose_setup import STEPS, WEIGHT_FILES, WEIGHTS, MegaPoseSetup, NotSetUp, find_setup
from models.tracking.stereo_tracker import ALARM_LEVEL, Cancelled
from models.tracking.trackers import TrackerChoice, TrackFunction
from models.tracking.worker_link import WorkerError
from models.types import Dream, Hint
from tests.models.tracking.synthetic import clip, path, wedge

EMULATED = Path(__file__).parent / "emulated_megapose.py"
FRAMES, COMES_IN = 5, 1
Start = Callable[..., TrackFunction]


@pytest.fixture(scope="module")
def scene() -> tuple[Dream, dict[str, Array]]:
    """Two tools over the table; nothing yet in frame 0."""
    step = np.array([0.006, -0.004, 0.003])
    poses = {
        "left": path(FRAMES, np.array([0.09, 0.03, 0.60]), step, 0.05),
        "right": path(FRAMES, np.array([-0.12, 0.02, 0.62]), step, -0.04),
    }
    for each in poses.values():
        each[:COMES_IN] = np.nan
    return clip({"left": wedge(seed=1), "right": wedge(mirrored=True, seed=2)}, poses, hand=False), poses


@pytest.fixture
def start(scene: tuple[Dream, dict[str, Array]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return what makes a tracker with an emulated MegaPose: start(fault="", lost=frames that it cannot see)."""
    dream, poses = scene

    def make_one(fault: str = "", lost: tuple[int, ...] = (), refine_s: float = 60.0) -> TrackFunction:
        truth = {
            f"view{v}": {role: [_two(dream, v, T, t in lost) for t, T in enumerate(poses[role])] for role in poses}
            for v in range(2)
        }
        about = {"truth": truth, "fault": fault, "pids": str(tmp_path / "pids")}
        monkeypatch.setenv("EMULATED", json.dumps(about))
        setup = MegaPoseSetup(Path(sys.executable), tmp_path)
        return tracker([sys.executable, EMULATED], setup, Patience(refine=refine_s))

    return make_one


def _two(dream: Dream, view: int, T: Array, lost: bool) -> object:
    if lost or not np.isfinite(T).all():
        return None
    return pose_rows([LabelledPose("", inverse(dream.views[view].T_view1_view) @ T)])[0]["TWO"]


def _nothing_left(tmp_path: Path) -> bool:
    """Whether worker and the renderer that it started are gone, zombies too."""
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 60
    while any(map(_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(_alive, pids)) and not psutil.pid_exists(pids[0])


def _alive(pid: int) -> bool:
    """The renderer is nobody's child here: whoever adopts it buries it, in its own time."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_both_views_poses_become_one_track_of_each_tool(
    scene: tuple[Dream, dict[str, Array]], start: Start, tmp_path: Path
) -> None:
    dream, poses = scene
    said: list[tuple[float, str]] = []
    track = start()(dream, progress=lambda done, text: said.append((done, text)))
    assert track.tracker == "megapose"
    for role, tool in track.tools.items():
        assert tool.source == ("lost", *["tracked"] * (FRAMES - 1))
        assert np.abs(tool.T_view1_tool[1:, :3, 3] - poses[role][1:, :3, 3]).max() < 0.004
        assert rotation_angle(tool.T_view1_tool[1:, :3, :3], poses[role][1:, :3, :3]).max() < 1e-3
        assert (tool.frame_confidence[1:] > ALARM_LEVEL).all()
    assert said[0] == (0.0, "MegaPose is starting")
    assert any("view2: MegaPose follows left" in text for _, text in said)
    assert _nothing_left(tmp_path)


def test_a_frame_in_which_it_sees_nothing_is_lost_and_the_next_one_is_found_again(
    scene: tuple[Dream, dict[str, Array]], start: Start
) -> None:
    track = start(lost=(3,))(scene[0])
    for tool in track.tools.values():
        assert tool.source == ("lost", "tracked", "tracked", "lost", "tracked")


def test_a_persons_box_is_where_it_starts(scene: tuple[Dream, dict[str, Array]], start: Start) -> None:
    dream, poses = scene
    hints = []
    for view in dream.views:
        p = (inverse(view.T_view1_view) @ poses["left"][2])[:3, 3]
        u, v = (view.camera.K @ p)[:2] / p[2]
        hints.append(Hint("left", view.name, 2, (u - 30, v - 30, u + 30, v + 30)))
    track = start()(dream, hints=hints)
    assert track.tools["left"].source == ("lost", "tracked", "hinted", "tracked", "tracked")
    assert track.tools["right"].source[2] == "tracked"
    assert track.hints == tuple(hints)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("crash@hello", "ended unexpectedly .signal SIGKILL.; it said last: a last word"),
        ("crash@refine", "ended unexpectedly .signal SIGKILL."),
        ("silence@refine", "no answer to 'refine' within 1 s"),
        ("garbage@estimate", "not the protocol: 'Loading checkpoint shards"),
        ("an endless line@load", "not the protocol: a line of over"),
        ("bent poses@refine", "refine: object 0: quaternion .* has length 18, not 1"),
        ("other protocol", "speaks protocol 99; valid: 1"),
    ],
)
def test_a_broken_worker_is_told_and_leaves_nothing_behind(
    scene: tuple[Dream, dict[str, Array]], start: Start, tmp_path: Path, fault: str, says: str
) -> None:
    with pytest.raises(WorkerError, match=says):
        start(fault, refine_s=1.0 if "silence" in fault else 60.0)(scene[0])
    assert _nothing_left(tmp_path)


@pytest.mark.parametrize(("fault", "says"), [("no weights", "checkpoint"), ("no GPU", "CUDA")])
def test_what_is_missing_on_the_other_side_is_told_with_the_way_to_get_it(
    scene: tuple[Dream, dict[str, Array]], start: Start, tmp_path: Path, fault: str, says: str
) -> None:
    with pytest.raises(NotSetUp, match=rf"(?s){says}.*1\. git clone"):
        start(fault)(scene[0])
    assert _nothing_left(tmp_path)


def test_a_cancel_ends_a_worker_that_does_not_listen(
    scene: tuple[Dream, dict[str, Array]], start: Start, tmp_path: Path
) -> None:
    deaf = tmp_path / "pids.deaf"
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        start("silence@refine", refine_s=600.0)(scene[0], cancelled=deaf.exists)
    assert time.monotonic() - begin < 200
    assert _nothing_left(tmp_path)


def test_an_interpreter_that_is_none_is_told(scene: tuple[Dream, dict[str, Array]], tmp_path: Path) -> None:
    nothing = MegaPoseSetup(tmp_path, tmp_path)
    with pytest.raises(WorkerError, match="cannot be started"):
        tracker([tmp_path / "python3.9"], nothing)(scene[0])


def _settings(tmp_path: Path) -> dict[str, str]:
    for weights in WEIGHTS:
        folder = tmp_path / "megapose-models" / weights
        folder.mkdir(parents=True)
        for name in WEIGHT_FILES:
            (folder / name).touch()
    return {"megapose_python": sys.executable, "megapose_data": str(tmp_path)}


def test_an_environment_without_megapose_is_told_by_the_real_worker(
    scene: tuple[Dream, dict[str, Array]], tmp_path: Path
) -> None:
    choice = TrackerChoice("megapose", settings=_settings(tmp_path))
    with pytest.raises(NotSetUp, match="No module named 'megapose'"):
        make(choice)(scene[0])


def test_every_way_of_not_being_set_up_says_what_to_do(tmp_path: Path) -> None:
    good = _settings(tmp_path)
    assert find_setup(good).missing_weights == []
    for key, value, says in (
        ("megapose_python", "", "setting megapose_python is empty"),
        ("megapose_data", "", "setting megapose_data is empty"),
        ("megapose_python", str(tmp_path / "nowhere"), "not a file"),
        ("megapose_data", str(tmp_path / "nowhere"), "not a folder"),
    ):
        with pytest.raises(NotSetUp, match=says) as told:
            find_setup(good | {key: value})
        assert all(step in str(told.value) for step in STEPS)
    os.remove(tmp_path / "megapose-models" / WEIGHTS[1] / WEIGHT_FILES[1])
    with pytest.raises(NotSetUp, match=r"weights are missing: .*refiner-rgb-653307694/checkpoint\.pth\.tar"):
        find_setup(good)


def test_the_authors_limit_of_the_score_is_the_alarm_level() -> None:
    assert confidence(np.array([0.0, 0.8, 1.0])).tolist() == [0.0, ALARM_LEVEL, 1.0]
