"""Several dreams of one scene: each tracked, planned and ranked by itself, kept or let go; and what goes wrong."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.dreams.candidate_session import CandidateSession
from app.dreams.candidates import BATCHES_KEPT, Batches, PlanFor
from app.dreams.dreaming import DreamOrder
from app.dreams.example import BUILT_IN
from app.dreams.scene import Scene
from app.dreams.session import DreamSession
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import is_dream_folder, load_dream
from models.data.errors import DreamFileError
from models.video.sample_options import SampleOptions

WAIT_S = 120.0


def scene() -> Scene:
    dream = load_dream(BUILT_IN)
    views = dream.views
    pictures = np.stack([view.frames[0] for view in views])
    poses = tuple(view.T_view1_view for view in views)
    cameras = tuple(view.camera for view in views)
    return Scene(cameras, poses, pictures, tuple(pictures), dream.T_world_view1, "calibrated", dream.tools)


def order(candidates: int = 2, seed: int = 3) -> DreamOrder:
    options = SampleOptions(steps=2, candidates=candidates, seed=seed)
    return DreamOrder(Path("model"), scene(), Path("unused"), "cups", options)


def plan_for() -> PlanFor:
    return PlanFor(load_rig())


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def session(workspace: Workspace) -> Iterator[CandidateSession]:
    session = opened(workspace)
    yield session
    session.close()


def opened(
    workspace: Workspace, dream: str = "copied_dream", track: str = "moving_track", module: str = "tests.app.jobs"
) -> CandidateSession:
    ledger = Ledger(workspace.ledger)
    return CandidateSession(workspace, ledger, dream_job=f"{module}:{dream}", track_job=f"{module}:{track}")


def dreamt(session: CandidateSession, asked: DreamOrder | None = None) -> CandidateSession:
    session.start("cups", lambda: asked or order(), plan_for)
    assert session.wait(WAIT_S)
    return session


def test_every_candidate_is_tracked_planned_and_ranked_by_itself(
    session: CandidateSession, workspace: Workspace
) -> None:
    heard: list[str] = []
    session.on_change(heard.append)
    dreamt(session)
    assert session.message == ""
    assert [(c.seed, c.state) for c in session.candidates] == [(3, "ready"), (4, "ready")]
    assert {"candidates", "progress"} <= set(heard)
    assert (session.progress, session.preview) == (None, None)
    for candidate in session.ranked:
        assert candidate.plan is not None
        assert candidate.figures is not None
        assert candidate.figures.found == 1.0
        assert candidate.picture is not None
        assert session.reason(candidate.seed)
    # alike in every figure: the earlier seed comes first
    assert [c.seed for c in session.ranked] == [3, 4]
    ledger = Ledger(workspace.ledger)
    assert [len(ledger.entries(kind)) for kind in ("dream", "track")] == [2, 2]
    ledger.close()


def test_a_candidate_opens_with_its_track_and_its_plan(session: CandidateSession, workspace: Workspace) -> None:
    best = dreamt(session, order(1)).ranked[0]
    review = DreamSession(workspace, Ledger(workspace.ledger))
    try:
        review.open(best.folder, best.plan)
        assert review.plan is best.plan
        assert review.track is not None
        review.set_trim(1, 5)
        assert review.plan is None
        other = best.plan and replace(best.plan, track_sha256="of another track")
        review.open(best.folder, other)
        assert review.plan is None
    finally:
        review.close()


def test_a_worker_that_dies_is_told_with_a_way_out_that_dreams_the_rest(workspace: Workspace) -> None:
    session = opened(workspace)
    try:
        dreamt(session, order(3, seed=12))
        assert [(c.seed, c.state) for c in session.candidates] == [(12, "ready"), (13, "failed"), (14, "failed")]
        assert "SIGKILL" in session.message
        assert "decode chunk 1" in session.message
        assert session.can_retry
        session._dream_job = "tests.app.jobs:patient_dream"
        session.retry()
        assert [c.state for c in session.candidates] == ["ready", "dreaming", "waiting"]
        assert session._order is not None
        assert session._order.options.decode_chunk == 1
        session.cancel()
        assert session.wait(WAIT_S)
        assert [c.seed for c in session.candidates] == [12]
    finally:
        session.close()


def test_a_cancel_keeps_what_is_dreamt_and_leaves_no_empty_batch(workspace: Workspace) -> None:
    session = opened(workspace, dream="patient_dream")
    try:
        session.start("cups", order, plan_for)
        while session.preview is None:
            session.pump()
        session.cancel()
        assert session.wait(WAIT_S)
        assert (session.candidates, session.batch, session.message) == ((), None, "")
        assert not list(workspace.dreams.iterdir())
    finally:
        session.close()


def test_a_candidate_that_cannot_be_tracked_stands_last_and_says_why(workspace: Workspace) -> None:
    session = dreamt(opened(workspace, track="fail"))
    try:
        assert [c.state for c in session.ranked] == ["failed", "failed"]
        assert "tracking failed" in session.reason(3)
        assert "tracking failed" in session.reason(4)
    finally:
        session.close()


def test_a_scene_that_is_refused_begins_nothing(session: CandidateSession, workspace: Workspace) -> None:
    def refused() -> DreamOrder:
        raise DreamFileError("scene", "arm in the scene", "top: the left arm covers 4 %", "move it out")

    session.start("cups", refused, plan_for)
    assert session.wait(WAIT_S)
    assert "move it out" in session.message
    assert (session.candidates, session.progress) == ((), None)
    assert not list(workspace.dreams.iterdir())


def test_an_earlier_batch_is_shown_again_with_what_was_kept(session: CandidateSession) -> None:
    first = dreamt(session, order(1)).batch
    session.keep(3)
    assert session.earlier is None
    dreamt(session, order(1, seed=8))
    assert session.earlier == first
    assert first is not None
    session.show(first, plan_for)
    assert session.wait(WAIT_S)
    (again,) = session.candidates
    assert (again.seed, again.state, again.kept, again.plan is not None) == (3, "ready", True, True)


@pytest.mark.expects_warnings
def test_what_nobody_keeps_goes_when_its_batch_is_an_old_one(tmp_path: Path) -> None:
    batches = Batches(tmp_path)
    made = [batches.new("cups") for _ in range(BATCHES_KEPT + 2)]
    for batch in made:
        for seed in (7, 8):
            folder = batch / f"seed-{seed}"
            folder.mkdir()
            (folder / "dream.toml").touch()
    batches.keep(made[0], 8)
    batches.prune()
    assert batches.all() == tuple(reversed([made[0], *made[2:]]))
    assert [is_dream_folder(made[0] / f"seed-{seed}") for seed in (7, 8)] == [False, True]
    (made[0] / "batch.json").write_text("spoilt")
    assert batches.kept(made[0]) == {8}  # nothing is deleted that nobody knows of
