"""The queue of demos to track: one after the other, problems kept, cancel, and what the verb says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import main
from app.datasets.library import Dataset
from app.datasets.tracking import DemoTracking, track_order
from app.tools.library import ToolLibrary
from hardware.recording.note import NOTE, EpisodeNote, read_note
from hardware.recording.session import Session
from models.data.annotations import AS_RECORDED, Mark, marked, read_annotation, write_annotation
from models.data.episode_track import TRACK
from models.data.masks import MASKS
from tests.hardware.recording.test_mcap_log import write
from tests.models.data.sessions import new_session


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    session = Session(tmp_path / "dataset")
    session.lock()
    for task in ("push-shape", "push-shape", "juggling"):
        folder, note = session.begin(EpisodeNote("", 0, task))
        write(folder)
        note, _ = session.recover(folder)
        session.keep(folder, note)
    session.close()
    return tmp_path / "dataset"


def episodes(dataset: Path) -> list[Path]:
    return sorted((dataset / "episodes").iterdir())


def test_a_task_says_its_tools_and_its_rate(dataset: Path, tmp_path: Path) -> None:
    library = ToolLibrary(tmp_path)
    order = track_order(episodes(dataset)[0], library)
    assert (list(order.tools), order.tools["tool"].name, order.fps) == (["tool"], "pusher.toml", 6.0)
    assert not order.whole
    other = track_order(episodes(dataset)[2], library, tools={"left": "brush"}, fps=5.0)
    assert (other.tools["left"].name, other.fps) == ("brush.toml", 5.0)
    with pytest.raises(ValueError, match="nobody said with which tools 'juggling'"):
        track_order(episodes(dataset)[2], library)
    with pytest.raises(ValueError, match=r"tools.tool: is neither .* 'pusher'"):
        track_order(episodes(dataset)[0], library, tools={"tool": "hammer"})
    with pytest.raises(ValueError, match="fps: 0"):
        track_order(episodes(dataset)[0], library, fps=0)


def test_a_scooper_is_tracked_as_a_whole_because_the_hand_covers_its_handle(dataset: Path, tmp_path: Path) -> None:
    episode = episodes(dataset)[0]
    note = read_note(episode / NOTE)
    (episode / NOTE).write_text(replace(note, task="scooping").text())
    order = track_order(episode, ToolLibrary(tmp_path))
    assert (order.tools["tool"].name, order.whole) == ("scooper.toml", True)


def test_episodes_are_tracked_one_after_the_other_and_a_problem_stays_with_its_own(
    dataset: Path, tmp_path: Path
) -> None:
    library, tracking = ToolLibrary(tmp_path), DemoTracking(job="tests.app.jobs:track_or_fail")
    told: list[str] = []
    tracking.on_change(told.append)
    orders = [track_order(e, library, tools={"tool": "pusher"}) for e in episodes(dataset)]
    try:
        tracking.add(orders)
        tracking.add(orders)  # those that wait stay where they are
        assert [item.state for item in tracking.queue] == ["running", "waiting", "waiting"]
        assert tracking.wait(120)
        states = [item.state for item in tracking.queue]
        assert states == ["done", "failed", "done"]
        assert "000002" in tracking.queue[1].problem
        assert tracking.queue[0].tools["tool"].found == 12
        assert "progress" in told
        tracking.clear()
        assert tracking.queue == ()
    finally:
        tracking.close()


@pytest.mark.parametrize("job", ["patient_episode", "deaf_episode"])
def test_what_runs_and_what_waits_can_be_cancelled(dataset: Path, tmp_path: Path, job: str) -> None:
    library, tracking = ToolLibrary(tmp_path), DemoTracking(job=f"tests.app.jobs:{job}")
    orders = [track_order(e, library, tools={"tool": "pusher"}) for e in episodes(dataset)]
    try:
        tracking.add(orders[:2])
        while not tracking.queue[0].text:
            tracking.pump()
        tracking.cancel(orders[1].episode)
        tracking.cancel(orders[0].episode)
        assert tracking.wait(120)
        assert [item.state for item in tracking.queue] == ["cancelled", "cancelled"]
        tracking.add(orders)  # once more, and the process is there again
        tracking.cancel_all()
        assert tracking.wait(120)
        assert [item.state for item in tracking.queue[2:]] == ["cancelled"] * 3
        assert not any((e / TRACK).exists() for e in episodes(dataset))
    finally:
        tracking.close()


def test_a_worker_that_dies_costs_one_episode(dataset: Path, tmp_path: Path) -> None:
    library, tracking = ToolLibrary(tmp_path), DemoTracking(job="tests.app.jobs:die_in_the_second")
    try:
        tracking.add([track_order(e, library, tools={"tool": "pusher"}) for e in episodes(dataset)])
        assert tracking.wait(120)
        assert [item.state for item in tracking.queue] == ["done", "failed", "done"]
        assert "SIGKILL" in tracking.queue[1].problem
    finally:
        tracking.close()


def test_the_verb_refuses_what_it_cannot_track_before_it_begins(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: object) -> tuple[int, str]:
        status = main(["dataset", "track", *map(str, words), "--workspace", str(tmp_path / "w"), "--json"])
        return status, json.loads(capsys.readouterr().out)["error"]["message"]

    assert call(tmp_path / "nowhere")[0] == 3
    status, message = call(dataset)
    assert (status, "juggling" in message) == (3, True)
    assert "[9]" in call(dataset, "--episodes", 9)[1]
    assert "ROLE=NAME" in call(dataset, "--tools", "pusher")[1]


def test_masks_and_steps_are_found_without_the_window_and_steps_can_be_undone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = new_session(tmp_path / "session", 1, 8, task="push-shape")
    folder = session / "episodes" / "000001"

    def call(*words: object) -> dict[str, object]:
        assert main(["dataset", *map(str, words), "--workspace", str(tmp_path / "w"), "--json"]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    assert list(call("masks", session)["found"]) == [str(folder)]  # type: ignore[call-overload]
    assert (folder / MASKS).exists()
    assert call("masks", session)["found"] == {}  # what a person may have brushed stays
    write_annotation(folder, marked(AS_RECORDED, [Mark(0.1)]))
    assert call("steps", session)["steps"] == {}
    assert call("steps", session, "--again")["steps"] == {str(folder): []}
    assert read_annotation(folder).marks == ()
    dataset = Dataset(session)
    try:
        assert dataset.undo() == "step marks"
        assert [mark.t for mark in read_annotation(folder).marks] == [0.1]
    finally:
        dataset.close()
    assert (
        main(["dataset", "steps", str(session), "--again", "--camera", "nose", "--workspace", str(tmp_path)]) == 3
    )
