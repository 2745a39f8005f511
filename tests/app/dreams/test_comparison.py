"""Trackers side by side on one dream: what a person reads of it must be true."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.dreams.comparison import Trial, compare
from app.dreams.comparison_run import ComparisonRun
from app.dreams.session import DreamSession
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Tool
from models.data.errors import DreamFileError
from models.data.poses_file import write_poses
from models.evaluation.tracks import difference, middle, worst
from models.tracking.tool_points import tracked_centre
from models.tracking.yardstick import outline_agreement
from models.types import Dream, Hint, PoseSource, ToolTrack, Track
from tests.models.tracking.synthetic import clip, path, wedge

FRAMES = 4
JOB, TRACK_JOB = "tests.app.jobs:still_comparison", "tests.app.jobs:still_track"


@pytest.fixture(scope="module")
def scene() -> tuple[Dream, Array]:
    poses = path(FRAMES, np.array([0.02, 0.01, 0.6]), np.array([0.004, 0.0, 0.002]), 0.05)
    return clip({"tool": wedge()}, {"tool": poses}, hand=False), poses


def _track(name: str, poses: Array, lost: tuple[int, ...] = ()) -> Track:
    n = len(poses)
    source: tuple[PoseSource, ...] = tuple("lost" if t in lost else "tracked" for t in range(n))
    T = np.where(np.isin(np.arange(n), lost)[:, None, None], np.nan, poses)
    return Track("synthetic", {"tool": ToolTrack("tool", T, np.ones((n, 2)), np.zeros(n), source)}, tracker=name)


def test_a_shift_is_told_in_millimetres_and_in_pixels_of_each_view(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    aside = transform(np.eye(3), [0.006, 0, 0]) @ poses
    apart = difference(
        dream, dream.tools["tool"], _track("a", aside).tools["tool"], _track("b", poses).tools["tool"]
    )
    assert apart.mm == pytest.approx(np.full(FRAMES, 6.0))
    assert apart.deg == pytest.approx(np.zeros(FRAMES), abs=1e-6)
    assert apart.px == pytest.approx(np.full((FRAMES, 2), 3.0), abs=0.4)  # 300 px at 0.6 m


def test_a_turn_about_the_tracked_part_moves_it_nowhere(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    tool = dream.tools["tool"]
    c = tracked_centre(tool)
    R = rotation_from_vector([0.0, 0.0, 0.3])
    turned = poses @ transform(R, c - R @ c)
    apart = difference(dream, tool, _track("a", turned).tools["tool"], _track("b", poses).tools["tool"])
    assert apart.mm == pytest.approx(np.zeros(FRAMES), abs=1e-9)
    assert np.radians(apart.deg) == pytest.approx(np.full(FRAMES, 0.3))


def test_a_tool_that_looks_the_same_turned_half_round_is_not_told_to_be_turned(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    plain = dream.tools["tool"]
    half = np.diag([-1.0, -1.0, 1.0])
    tool = Tool(plain.name, plain.mesh, plain.T_flange_tool, plain.tip, symmetry=half[None])
    turned = poses @ transform(half, np.zeros(3))
    apart = difference(dream, tool, _track("a", turned).tools["tool"], _track("b", poses).tools["tool"])
    assert apart.deg == pytest.approx(np.zeros(FRAMES), abs=1e-6)


def test_a_frame_that_one_tracker_lost_counts_for_nothing(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    trials = [Trial("a", _track("a", poses)), Trial("b", _track("b", poses, lost=(1, 2)))]
    apart = compare(dream, trials).from_reference["b", "tool"]
    assert np.isnan(apart.mm).tolist() == [False, True, True, False]
    assert (middle(apart.mm), worst(apart.mm)) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert np.isnan(middle(np.full(3, np.nan)))


def test_trackers_are_held_against_the_first_that_found_anything_and_all_against_labels(
    scene: tuple[Dream, Array],
) -> None:
    dream, poses = scene
    trials = [
        Trial("broken", None, problem="no GPU"),
        Trial("a", _track("a", poses)),
        Trial("b", _track("b", poses)),
    ]
    labels = _track("labels", poses[:3])  # labels may end early
    result = compare(dream, trials, labels)
    assert result.reference == "a"
    assert set(result.from_reference) == {("b", "tool")}
    assert set(result.from_labels) == {("a", "tool"), ("b", "tool")}
    assert np.isnan(result.from_labels["a", "tool"].mm).tolist() == [False, False, False, True]
    with pytest.raises(ValueError, match=r"valid: \['tool'\]"):
        compare(dream, trials, Track("x", {"other": labels.tools["tool"]}))


def test_the_outline_measure_falls_where_a_track_is_off(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    poses = poses.copy()
    poses[0] = np.nan
    dream = clip({"tool": wedge(seed=1)}, {"tool": poses}, hand=False)
    good = outline_agreement(dream, _track("a", poses, lost=(0,)))["tool"]
    bad = outline_agreement(dream, _track("b", transform(np.eye(3), [0.02, 0, 0]) @ poses, lost=(0, 2)))["tool"]
    assert good.shape == (FRAMES, 2)
    assert np.isnan(good[0]).all()
    assert np.isnan(bad[2]).all()
    assert np.nanmin(good) > np.nanmax(bad) + 0.15


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def session(workspace: Workspace) -> Iterator[DreamSession]:
    session = DreamSession(workspace, Ledger(workspace.ledger), track_job=TRACK_JOB)
    session.open_example()
    session.retrack()
    assert session.wait(120)
    yield session
    session.close()


@pytest.fixture
def comparing(workspace: Workspace) -> Iterator[Callable[[DreamSession], ComparisonRun]]:
    run = ComparisonRun(workspace, job=JOB)

    def compare_now(session: DreamSession) -> ComparisonRun:
        assert session.folder is not None
        run.start(session.folder, ["stereo", "fusion", "megapose"], known=session.tracks_at_hand)
        assert run.wait(120)
        return run

    yield compare_now
    run.close()


def _height(session: DreamSession) -> float:
    assert session.track is not None
    return float(session.track.tools["left"].T_view1_tool[4, 2, 3])


def test_another_trackers_track_is_used_undone_and_used_again_after_a_restart(
    session: DreamSession, workspace: Workspace, comparing: Callable[[DreamSession], ComparisonRun]
) -> None:
    result = comparing(session).result
    assert result is not None
    assert result.trials[0].track is not None
    assert result.trials[0].track.seconds == 0.1  # it was there already
    assert [trial.problem for trial in result.trials] == ["", "", "MegaPose is not set up"]
    assert result.from_reference["fusion", "left"].mm[4] == pytest.approx(100.0)
    session.use_tracker("fusion", result.trials[1].track)
    assert (session.tracker, session.stale, _height(session)) == ("fusion", False, pytest.approx(0.8))
    session.undo()
    assert (session.tracker, session.stale, _height(session)) == ("stereo", False, pytest.approx(0.7))
    session.redo()
    session.close()
    again = DreamSession(workspace, Ledger(workspace.ledger), track_job=TRACK_JOB)
    again.open_example()
    assert (again.tracker, again.stale, _height(again)) == ("fusion", False, pytest.approx(0.8))
    again.undo()
    assert (again.tracker, _height(again)) == ("stereo", pytest.approx(0.7))
    again.close()


def test_a_box_drawn_later_is_tracked_by_the_tracker_in_use(session: DreamSession) -> None:
    session.use_tracker("fusion")
    assert session.stale
    session.retrack()
    assert session.wait(120)
    session.add_hint(Hint("left", "top", 4, (10.0, 10.0, 200.0, 200.0)))
    session.retrack()
    assert session.wait(120)
    assert session.track is not None
    assert (session.track.tracker, session.stale, _height(session)) == ("fusion", False, pytest.approx(0.81))


def test_a_comparison_that_cannot_be_is_refused_with_the_valid_values(
    session: DreamSession, workspace: Workspace, tmp_path: Path
) -> None:
    run, folder = ComparisonRun(workspace, job=JOB), session.folder
    assert folder is not None
    with pytest.raises(ValueError, match="two or more"):
        run.start(folder, ["stereo", "stereo"])
    with pytest.raises(ValueError, match=r"'nobody' is unknown; valid: .*stereo"):
        run.start(folder, ["stereo", "nobody"])
    with pytest.raises(DreamFileError, match="does not exist"):
        run.start(folder, ["stereo", "fusion"], labels=tmp_path / "none.json")
    (folder / "labels.json").write_text("{")
    with pytest.raises(DreamFileError, match=r"labels\.json"):
        run.start(folder, ["stereo", "fusion"])
    run.close()


def test_labels_beside_the_dream_are_taken_without_asking(
    session: DreamSession, comparing: Callable[[DreamSession], ComparisonRun]
) -> None:
    assert session.dream is not None
    assert session.track is not None
    assert session.folder is not None
    write_poses(session.folder / "labels.json", session.track, session.dream)
    result = comparing(session).result
    assert result is not None
    assert middle(result.from_labels["stereo", "left"].mm) == pytest.approx(0.0, abs=1e-6)
    assert middle(result.from_labels["fusion", "left"].mm) == pytest.approx(100.0)


def test_a_cancelled_comparison_leaves_no_result_and_no_complaint(
    session: DreamSession, workspace: Workspace
) -> None:
    run = ComparisonRun(workspace, job="tests.app.jobs:patient_comparison")
    assert session.folder is not None
    run.start(session.folder, ["stereo", "fusion"])
    while run.progress is None or run.progress[0] == 0:
        assert run.wait(0.1) is False
    run.cancel()
    assert run.wait(120)
    assert (run.result, run.message, run.progress) == (None, "", None)
    run.close()


def test_the_verb_compares_without_touching_the_folder(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.cli import main

    small = tmp_path / "dream"
    _save_small(small)
    before = {file: file.read_bytes() for file in small.rglob("*") if file.is_file()}
    out = tmp_path / "numbers.json"
    words = ["track", str(small), "--compare", "stereo", "fusion", "megapose", "--out", str(out), "--json"]
    assert main(["--workspace", str(workspace.root), *words]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["reference"] == "stereo"
    assert said["labels"] is True
    assert "1. git clone" in said["trackers"]["megapose"]["problem"]
    fusion = said["trackers"]["fusion"]["tools"]["tool"]
    assert fusion["found"] == FRAMES - 1
    assert np.nanmedian(np.array(fusion["from_labels"]["mm"], float)) < 4.0
    assert len(fusion["outline_iou"]["view1"]) == FRAMES
    assert json.loads(out.read_text())["trackers"].keys() == said["trackers"].keys()
    assert {file: file.read_bytes() for file in small.rglob("*") if file.is_file()} == before
    assert main(["--workspace", str(workspace.root), *words, "--tracker", "fusion"]) == 3


def _save_small(folder: Path) -> None:
    from models.data.dream_folder import save_dream

    poses = path(FRAMES, np.array([0.02, 0.01, 0.6]), np.array([0.006, -0.003, 0.002]), 0.05)
    poses[0] = np.nan
    dream = clip({"tool": wedge(seed=1)}, {"tool": poses})
    save_dream(dream, folder)
    write_poses(folder / "labels.json", _track("labels", poses, lost=(0,)), dream)
