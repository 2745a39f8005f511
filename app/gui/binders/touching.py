"""Binds the wizards: the flange's pose comes from the arm link, the result goes to the tool or the calibration."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Slot

from app.execution.touching import Kind, Touching, save_table, table_words, tip_in_flange, tool_with_tip
from app.gui.binders.binder import Shell
from app.gui.program import Program
from app.tools.bench import ToolBench
from hardware.calibration.table_plane import PlaneResult
from hardware.calibration.tool_tip import TipResult
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig
from widgets.tool_library import ToolLibrary as LibraryView
from widgets.tool_values import Level, TouchSheet

_LOOK_EVERY_S = 0.15
_LEVELS: dict[str, Level] = {"good": "ok", "unchecked": "warning", "fair": "warning", "poor": "alarm"}
FlangePose = Callable[[str], Array | None]


class TouchBinder(QObject):
    """flange_pose(arm) says T_base_flange (4, 4) now, None while it is not known; it may be set."""

    def __init__(
        self, view: LibraryView, program: Program, shell: Shell, bench: ToolBench, shown: Callable[[], None]
    ) -> None:
        super().__init__(view)
        self._view, self._program, self._shell, self._bench, self._shown = view, program, shell, bench, shown
        self.flange_pose: FlangePose = self._measured
        self._kinematics: dict[str, ArmKinematics] = {}
        self._touching = Touching("tip")
        self._problem = ""
        self._looked = 0.0
        arms = program.rig.arms
        self._arm = arms[0].name if arms else ""
        view.touch.take_wanted.connect(self._take)
        view.touch.redo_wanted.connect(self._again)
        view.touch.remove_wanted.connect(self._remove)
        view.touch.save_wanted.connect(self._save)
        view.touch.closed.connect(self._close)
        view.touch.arm_chosen.connect(self._choose_arm)
        view.table_wanted.connect(lambda: self.begin("table"))

    def begin(self, kind: Kind) -> None:
        """Show a wizard from its first step. The table is touched with the tip of the chosen tool."""
        draft = self._bench.draft
        if draft is None:
            self._shell.say("Choose the tool that the arm holds first", "warning")
            return
        if kind == "tip" and self._bench.built_in:
            self._shell.say("Duplicate the built-in tool first; the tip is saved with the copy", "warning")
            return
        self._touching = Touching(kind, tip=tip_in_flange(draft.tool))
        self._problem = ""
        self._view.touch.show_arms(tuple(arm.name for arm in self._program.rig.arms), self._arm)
        self._view.show_problem("")
        self._view.show_touch(True)
        self._show()

    def tick(self) -> None:
        """Look where the flange is, now and then."""
        now = time.monotonic()
        if self._view.touching and now - self._looked > _LOOK_EVERY_S:
            self._looked = now
            self._show()

    def _measured(self, arm: str) -> Array | None:
        state = self._program.execution.arms.get(arm)
        if state is None or not np.isfinite(state.q).all():
            return None
        config = self._config(arm)
        if config.model not in self._kinematics:
            self._kinematics[config.model] = ArmKinematics.load(config.model)
        return np.asarray(self._kinematics[config.model].flange_pose(state.q))

    def _config(self, arm: str) -> ArmConfig:
        return next(config for config in self._program.rig.arms if config.name == arm)

    @Slot(str)
    def _choose_arm(self, arm: str) -> None:
        if arm != self._arm:
            self._arm = arm
            self._touching = replace(self._touching, poses=())
            self._show()

    @Slot()
    def _take(self) -> None:
        self._add(None)

    @Slot(int)
    def _again(self, at: int) -> None:
        self._add(at)

    def _add(self, at: int | None) -> None:
        pose = self.flange_pose(self._arm)
        if self._program.moving:
            self._problem = "The arm moves; let it stand still, then take the touch."
        elif pose is None:
            self._problem = "Where the flange is, is not known; connect the arms (Ctrl+Return)."
        else:
            self._change(lambda: self._touching.added(pose, at))
        self._show()

    @Slot(int)
    def _remove(self, at: int) -> None:
        self._change(lambda: self._touching.without(at))
        self._show()

    def _change(self, change: Callable[[], Touching]) -> None:
        self._problem = ""
        try:
            self._touching = change()
        except ValueError as error:
            self._problem = _sentence(str(error))

    @Slot()
    def _save(self) -> None:
        try:
            result = self._touching.result
            if isinstance(result, TipResult) and self._bench.draft is not None:
                self._save_tip(result)
            elif isinstance(result, PlaneResult):
                poses = self._touching.poses
                path = save_table(self._program.workspace.root, self._program.rig.name, self._arm, result, poses)
                self._shell.say(f"{path.name} is saved; it counts once the arms are connected again", "info")
        except (ValueError, OSError) as error:
            self._problem = _sentence(str(error))
            self._show()
            return
        self._close()

    def _save_tip(self, result: TipResult) -> None:
        draft = self._bench.draft
        if draft is None:
            return
        tool = tool_with_tip(draft.tool, result)
        note = f"tip touched with {self._arm}: {len(result.residual)} touches, {1e3 * result.rms:.2f} mm"
        self._bench.put(replace(draft, tool=tool, changes=(*draft.changes, note)), "the touched tip")
        self._bench.save()
        self._shell.say(f"The tip of {tool.name} is saved; Ctrl+Z takes it back", "info")

    @Slot()
    def _close(self) -> None:
        self._view.show_touch(False)
        self._shown()

    def _show(self) -> None:
        if not self._view.touching:
            return
        touching, pose = self._touching, self.flange_pose(self._arm)
        result, verdict, level = None, "", ""
        try:
            result = touching.result
        except ValueError as error:
            verdict, level = _sentence(str(error)), "alarm"
        if result is not None:
            verdict, level = result.words, _LEVELS[result.verdict]
            if isinstance(result, PlaneResult):
                verdict += " " + table_words(result, self._config(self._arm).T_world_base)
        if self._problem:
            verdict, level = self._problem, "alarm"
        tip = touching.kind == "tip"
        self._view.touch.show_sheet(
            TouchSheet(
                title="TOOL TIP, BY TOUCHING ONE POINT" if tip else "TABLE, BY TOUCHING IT",
                step=touching.step,
                touches=tuple(_rows(touching, result)),
                verdict=verdict,
                level=level,  # type: ignore[arg-type]
                live=_live(pose),
                can_take=pose is not None and not self._program.moving,
                can_save=result is not None and result.verdict != "poor",
            )
        )


def _rows(touching: Touching, result: TipResult | PlaneResult | None) -> list[str]:
    off = [None] * len(touching.poses) if result is None else list(result.residual)
    return [
        f"{k}   " + ("taken" if away is None else f"off by {1e3 * abs(away):.2f} mm")
        for k, away in enumerate(off, 1)
    ]


def _live(pose: Array | None) -> str:
    if pose is None:
        return "Flange: not known. Connect the arms."
    x, y, z = 1e3 * pose[:3, 3]
    return f"Flange now: {x:.1f}, {y:.1f}, {z:.1f} mm"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
