"""What a person reads of the steps towards a goal."""

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from app.dreams.goals import GoalScore, plane_views, table_goal
from app.dreams.horizon import Horizon, HorizonStep, aim_at
from app.dreams.table_witness import TableWitness
from app.execution.session import ExecutionSession
from app.gui.binders.horizon import shown
from app.ledger import Ledger
from app.workspace import open_workspace
from hardware.rig import load_rig
from hardware.world.tasks.layout import Verdict
from tests.app.dreams.made_up_scene import CONFIG, LAYOUT, made_up_scene
from widgets.horizon_strip import HorizonStrip


def test_steps_are_shown_with_their_scores_and_what_comes_next(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    ledger = Ledger(workspace.ledger)
    arms = ExecutionSession(load_rig("sim"), workspace, ledger)
    horizon, strip = Horizon(arms, ledger, TableWitness(arms.rig, lambda: None)), HorizonStrip()
    qtbot.addWidget(strip)
    try:
        assert shown(horizon) is None
        scene = made_up_scene()
        aim = aim_at(scene, CONFIG, table_goal(plane_views(scene, CONFIG), LAYOUT))
        horizon.begin(scene, made_up_scene, aim)
        assert shown(horizon) is None  # nothing was executed yet
        qtbot.waitUntil(lambda: horizon.pump() or horizon.start is not None, timeout=20_000)
        assert horizon.start is not None
        assert horizon.start.iou < 0.5
        scores = (GoalScore(0.7, np.radians(6)), GoalScore(0.5, np.radians(20)), GoalScore(0.0, float("nan")))
        horizon.steps = tuple(HorizonStep(scene.photos[0], scene.photos[0], s, None, None, "") for s in scores)
        found = shown(horizon)
        assert found is not None
        assert [card.title for card in found.cards] == ["before", "step 1", "step 2", "step 3"]
        assert [card.best for card in found.cards] == [False, True, False, False]
        assert [card.words for card in found.cards[1:]] == [
            "IoU 0.70 · 6° off", "IoU 0.50 · 20° off", "the object is not seen",
        ]  # fmt: skip
        assert (found.can_dream, found.can_end, found.can_look) == (True, True, False)
        assert found.words.startswith("Step 3 of 4 is done.")
        strip.show_steps(found)
        strip.show()
        with qtbot.waitSignal(strip.end_wanted):
            strip._end.click()
        horizon.end()
        found = shown(horizon)
        assert found is not None
        assert (found.can_dream, found.words) == (False, "Done: step 1 came nearest to the goal.")
    finally:
        horizon.close()
        arms.close()
        ledger.close()


def test_one_step_is_all_without_a_goal(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    ledger = Ledger(workspace.ledger)
    arms = ExecutionSession(load_rig("sim"), workspace, ledger)
    horizon = Horizon(arms, ledger, TableWitness(arms.rig, lambda: None))
    try:
        horizon.begin(made_up_scene(), made_up_scene)
        assert (horizon.most, horizon.aim, horizon.best) == (1, None, None)
        photo = made_up_scene().photos[0]
        verdict = Verdict(False, {"turn_deg": 12.0}, "turned by 12 degrees, contact kept")
        horizon.steps = (HorizonStep(photo, photo, None, verdict, None, ""),)
        horizon.end()
        found = shown(horizon)
        assert found is not None
        assert found.words == "Not done by the task's rule: turned by 12 degrees, contact kept."
        assert horizon.steps[0].record(1)["rule"] == {"success": False, "text": verdict.text, "turn_deg": 12.0}
    finally:
        horizon.close()
        arms.close()
        ledger.close()
