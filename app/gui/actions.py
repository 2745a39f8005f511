"""Every action of the program in one table: menus, toolbars, shortcuts and the palette are read from it."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence

from app.gui.fact_words import why_not
from app.gui.shortcuts import resolve

PAGES = ("rig", "record", "dream", "train", "inspect", "preferences")
FOOT = ("preferences",)  # at the foot of the rail, apart from the work
INNER = {"demos": "record"}  # pages behind one of the rail, with keys of their own


@dataclass(frozen=True)
class Action:
    """One thing a person can do.

    page: where it is offered, empty for everywhere; needs: facts that must hold, forbids: facts that must not (the
    binders say which facts hold); guarded: its key belongs to the key guard, which sees it before anybody else;
    repeats: a key that is held does it again and again.
    """

    id: str
    text: str
    shortcut: str = ""
    page: str = ""
    menu: str = "View"
    tip: str = ""
    needs: frozenset[str] = field(default_factory=frozenset)
    forbids: frozenset[str] = field(default_factory=frozenset)
    guarded: bool = False
    repeats: bool = True

    def enabled(self, page: str, facts: Set[str]) -> bool:
        """Return whether a person on `page` may do it while `facts` hold."""
        return self.page in ("", page) and self.needs <= facts and not self.forbids & facts

    def why_not(self, facts: Set[str]) -> str:
        """Return what stands in the way, for a person; "" where nothing does (but perhaps another page)."""
        return why_not(self.needs, self.forbids, facts)


def _row(id: str, text: str, shortcut: str = "", menu: str = "View", tip: str = "", when: str = "") -> Action:
    """`when` is a list of facts; one that starts with '-' must not hold. A page's actions carry its name first."""
    room = id.split(".")[0]
    words = when.split()
    return Action(
        id=id,
        text=text,
        shortcut=shortcut,
        page=room if room in (*PAGES, *INNER) else "",
        menu=menu,
        tip=tip,
        needs=frozenset(w for w in words if not w.startswith("-")),
        forbids=frozenset(w[1:] for w in words if w.startswith("-")),
        guarded=id == "motion.stop",
        repeats=room != "record",
    )


_HAND, _POSE = "track -moving -tracking", "correcting -moving -tracking"


def _nudges(page: str, when: str) -> Iterator[Action]:
    """Moves and turns of a tool along its axes by a step: the arrow keys, and Page up and down for z."""
    keys = {"x": ("Right", "Left"), "y": ("Up", "Down"), "z": ("PgUp", "PgDown")}
    for what, held in (("move", "Alt"), ("turn", "Alt+Shift")):
        for axis, pair in keys.items():
            for sign, word, key in zip("+-", ("plus", "minus"), pair, strict=True):
                text = f"{what.capitalize()} {sign}{axis}"
                tip = f"{text}: the chosen tool by a step"
                yield _row(f"{page}.{what}_{axis}_{word}", text, f"{held}+{key}", "Correct", tip, when)


_CORRECTIONS: tuple[Action, ...] = (
    _row("dream.correct", "Correct", "C", "Correct", "Drag the chosen tool in 3-D or in a view", _HAND),
    _row("dream.fine", "Fine", "F", "Correct", "A tenth of the usual step", _POSE),
    _row("dream.axes", "Tool or table axes", "G", "Correct", "Whose axes the handles follow", _POSE),
    _row("dream.before", "Before / after", "H", "Correct", "Show what the tracker said beside it", "track"),
    _row("dream.untracked", "Untracked", "X", "Correct", "This frame is wrong: interpolate, or trust again", _HAND),
    _row("dream.untracked_to", "Untracked to here", "Shift+X", "Correct", "From the last marked frame", _HAND),
    _row("dream.take_pose", "Put here", "N", "Correct", "Take the nearest frame's pose for this one", _HAND),
    _row("dream.split", "Split", "S", "Correct", "What comes from here on is tracked by itself", _HAND),
    _row("dream.restart", "Restart", "Shift+S", "Correct", "Track anew from the pose of this frame", _HAND),
    _row("dream.copy_view", "Copy box", "Y", "Correct", "Copy the box here to the other view", _HAND),
    _row("dream.corrections", "List corrections", "Ctrl+J", "Correct", "What was corrected, by whom", "dream"),
    *_nudges("dream", _POSE),
)

_DREAMING: tuple[Action, ...] = (
    _row("dream.new", "New dream…", "Ctrl+N", "File", "How the task would go in a scene", "-moving -dreaming"),
    _row(
        "dream.start",
        "Dream",
        "Ctrl+D",
        "Dream",
        "Look at the scene and dream of it",
        "dream_form dream_ready -dreaming -moving",
    ),
    _row("dream.leave", "Back", "", "Dream", "To the dream, or to what can be opened", "dream_form"),
    _row("dream.model_folder", "Choose a model…", "", "Dream", "The folder of a video model", "dream_form"),
    _row("dream.give_up", "Stop dreaming", "Ctrl+Shift+X", "Dream", "What is dreamt stays", "dreaming"),
    _row("dream.vary", "Vary", "V", "Dream", "Dream the same with the next seeds", "varied -dreaming -moving"),
    _row("dream.keep", "Keep", "K", "Dream", "Keep the opened candidate for good, or no more", "candidate"),
    _row("dream.earlier", "Candidates before", "Ctrl+Shift+B", "Dream", "", "earlier -dreaming -moving"),
    *(
        _row(f"dream.pick_{n}", f"Candidate {n}", f"Alt+{n}", "Dream", "Open it", "candidates -moving")
        for n in range(1, 9)
    ),
)

_RECORDING: tuple[Action, ...] = (
    _row("cameras.open", "Turn on the cameras", "F8", "Rig", "All cameras and sensors", "-cameras -opening"),
    _row("cameras.close", "Turn off the cameras", "", "Rig", "", "cameras -recording -review"),
    _row("cameras.find", "Find devices", "", "Rig", "What is plugged in, as lines of a rig.toml", "-looking"),
    _row("calibrate.open", "Calibrate", "F9", "Rig", "Lenses and places of the cameras, with a printed board"),
    _row("record.next", "Next step", "Space", "Record", "Cameras on, scene picture, start, stop", "recordable"),
    _row(
        "record.pedal", "Foot pedal", "PgDown", "Record", "As Space; on a take under review it keeps", "recordable"
    ),
    _row("record.keep", "Keep", "Return", "Record", "Save the take", "review"),
    _row("record.discard", "Discard", "Backspace", "Record", "Into the trash; Ctrl+Z brings it back", "review"),
    _row("record.redo", "Again", "R", "Record", "Discard it and record the same once more", "review"),
    _row("record.undo", "Undo", "Ctrl+Z", "Edit", "Bring back the take that was discarded last", "discarded"),
    _row("record.task", "Task", "T", "Record", "Write another task; Return takes it", "cameras -recording -review"),
    _row("record.scene", "Scene picture", "S", "Record", "Take the bare scene's picture anew", "armed"),
    _row(
        "record.zero",
        "Zero the force",
        "Z",
        "Record",
        "What the force sensor measures now is 0 N: touch nothing",
        "cameras -recording -review force idle",
    ),
)

_CUT = "demo -demo_work"
_TRACKED = "demo demo_tracked -demo_work"
_DEMO_POSE = "demo_correcting -demo_work"

_DEMOS: tuple[Action, ...] = (
    _row("demos.open", "Open demos…", "Ctrl+O", "File", "A session, or a folder of sessions", "-demo_work"),
    _row("demos.import", "Import…", "Ctrl+I", "File", "From LeRobot, UMI, HDF5, videos, sessions, all or none"),
    _row(
        "demos.export",
        "Export…",
        "Ctrl+Shift+E",
        "File",
        "To LeRobot, UMI or MCAP; says first what is lost",
        "demos",
    ),
    _row(
        "demos.trash", "Trash", "Ctrl+Del", "Demos", "What was deleted: bring it back, or destroy it", "demos_open"
    ),
    _row("demos.play", "Play / pause", "Space", "Play", "", "demo -moving"),
    _row("demos.next", "Next picture", "Right", "Play", "", "demo"),
    _row("demos.previous", "Previous picture", "Left", "Play", "", "demo"),
    _row("demos.first", "First picture", "Home", "Play", "", "demo"),
    _row("demos.last", "Last picture", "End", "Play", "", "demo"),
    _row("demos.loop", "Loop", "L", "Play", "", "demo"),
    _row("demos.slower", "Slower", "[", "Play", "", "demo"),
    _row("demos.faster", "Faster", "]", "Play", "", "demo"),
    _row("demos.down", "Next demo", "Down", "Demos", "", "demos"),
    _row("demos.up", "Previous demo", "Up", "Demos", "", "demos"),
    _row("demos.all", "Choose all", "Ctrl+A", "Demos", "All that the filter shows", "demos"),
    _row("demos.filter", "Filter", "Ctrl+F", "Demos", "By words and fields, as task: tag: success:", "demos"),
    _row("demos.statistics", "Statistics", "G", "Demos", "Tasks, positions, lengths, near twins", "demos"),
    _row("demos.trim_start", "Trim start", "I", "Demos", "Leave out everything before this picture", _CUT),
    _row("demos.trim_end", "Trim end", "O", "Demos", "Leave out everything after this picture", _CUT),
    _row("demos.split", "Split", "S", "Demos", "Two demos: what comes from here on is one of its own", _CUT),
    _row(
        "demos.merge",
        "Merge",
        "M",
        "Demos",
        "Join it with the next part of its take; separate takes stay separate",
        f"{_CUT} demo_parts",
    ),
    _row("demos.mark", "Step mark", "K", "Demos", "A step of the task begins here; again: it does not", _CUT),
    _row("demos.success", "It succeeded", "Y", "Demos", "The chosen demos", _CUT),
    _row("demos.failure", "It failed", "N", "Demos", "The chosen demos", _CUT),
    _row("demos.unjudged", "Not judged", "U", "Demos", "The chosen demos", _CUT),
    _row("demos.instruction", "Instruction", "E", "Demos", "Write the chosen demos' instruction", _CUT),
    _row("demos.tags", "Tags", "T", "Demos", "Write the chosen demos' tags, with commas between", _CUT),
    _row("demos.as_recorded", "As recorded", "", "Demos", "Whole, with the labels of then", _CUT),
    _row("demos.track", "Track", "Ctrl+T", "Demos", "Follow the chosen demos' tools, in the background", _CUT),
    _row("demos.correct", "Correct track", "C", "Demos", "Drag its outline, draw boxes, mark frames", _TRACKED),
    _row(
        "demos.box", "Draw a box", "B", "Demos", "Here is the tool: what the box touches is tracked again", _TRACKED
    ),
    _row("demos.untracked", "Untracked", "X", "Demos", "Do not believe the track here; again: do", _TRACKED),
    _row("demos.untracked_to", "Untracked up to here", "Shift+X", "Demos", "Since the last marked frame", _TRACKED),
    _row("demos.take_pose", "Put here", "Shift+N", "Demos", "Take the nearest frame's pose for this one", _TRACKED),
    _row("demos.fine", "Fine", "F", "Demos", "A tenth of the usual way", _DEMO_POSE),
    *_nudges("demos", _DEMO_POSE),
    _row("demos.track_split", "Split track", "Shift+S", "Demos", "The tool is found anew from here on", _TRACKED),
    _row(
        "demos.track_restart",
        "Restart track",
        "Shift+R",
        "Demos",
        "Keep only this pose, follow it to both ends",
        _TRACKED,
    ),
    _row("demos.brush", "Masks", "P", "Demos", "Paint where the object lies; Ctrl+Z takes strokes back", _CUT),
    _row("demos.delete", "Delete", "Del", "Demos", "Into the session's trash; Ctrl+Z brings it back", _CUT),
    _row("demos.undo", "Undo", "Ctrl+Z", "Edit", "Also after a restart", "demo_undo -demo_work"),
    _row("demos.redo", "Redo", "Ctrl+Shift+Z", "Edit", "", "demo_redo -demo_work"),
)

_TRAIN: tuple[Action, ...] = (
    _row("train.new", "New training…", "N", "Train", "Choose demos and a config", "-train_form"),
    _row("train.start", "Start training", "Ctrl+S", "Train", "Put it into the queue", "train_form train_ready"),
    _row("train.back", "Back to the jobs", "", "Train", "What was written stays", "train_form"),
    _row("train.pause", "Pause", "P", "Train", "It saves all it needs, and ends its process", "job_goes"),
    _row("train.resume", "Resume", "R", "Train", "Go on from what was saved", "job_rests"),
    _row("train.cancel", "Cancel", "Ctrl+.", "Train", "End the chosen jobs; what they saved stays", "job_open"),
    _row("train.retry", "Try again", "T", "Train", "Once more, from what was saved", "job_failed"),
    _row("train.clone", "Clone…", "C", "Train", "A new one that is told the same", "job_training"),
    _row("train.folder", "Open its folder", "Ctrl+O", "Train", "Checkpoints, or what else it made", "job"),
    _row("train.remove", "Take out", "Del", "Train", "Of the list, with its log; what was made stays", "job_still"),
    _row("train.down", "Next job", "Down", "Train", "", "job"),
    _row("train.up", "Previous job", "Up", "Train", "", "job"),
    _row("train.all", "Choose all jobs", "Ctrl+A", "Train", "To compare them", "job"),
    _row("train.log_axis", "Logarithmic axis", "G", "Train", "", "job"),
    _row("train.smoother", "Smoother", "]", "Train", "", "job"),
    _row("train.rougher", "Less smooth", "[", "Train", "", "job"),
    _row("train.fit", "Show all of the curves", "F", "Train", "", "job"),
    _row("train.later", "Later dreams", "Right", "Train", "What was dreamt at the next step", "job_dreams"),
    _row("train.earlier", "Earlier dreams", "Left", "Train", "What was dreamt at the step before", "job_dreams"),
    _row("train.play", "Play / pause", "Space", "Train", "The dreams of the gallery", "job_dreams -moving"),
)

ACTIONS: tuple[Action, ...] = (
    _row("go.rig", "Rig", "Ctrl+1", "Go", "Cameras and arms: are they there, are they well?"),
    _row("go.record", "Record", "Ctrl+2", "Go", "Record a person doing the task"),
    _row("go.demos", "Demos", "Ctrl+Shift+D", "Go", "Look through what was recorded: cut, label, throw away"),
    _row("go.dream", "Dream", "Ctrl+3", "Go", "Look at a dream, approve it, let the arms do it"),
    _row("go.train", "Train", "Ctrl+4", "Go", "Teach a video model"),
    _row("go.inspect", "Inspect", "Ctrl+5", "Go", "What ran, how it went and where it came from"),
    _row("go.preferences", "Settings", "Ctrl+,", "Go", "Preferences: theme, shortcuts, limits, layouts"),
    _row("motion.stop", "Stop", "Esc", "Motion", "Stop all arms now. Not a safety-rated stop.", "arms"),
    _row("motion.pause", "Pause", "Ctrl+Space", "Motion", "Hold still; going on needs a fresh approval", "moving"),
    _row("view.palette", "Find an action…", "Ctrl+K", "View", "Search everything you can do"),
    _row("view.log", "Log", "Ctrl+L", "View", "Show or hide the log"),
    _row("view.reset_layout", "Reset the layout of this page", "", "View"),
    _row("log.open", "Open the log file", "", "Help", "In the program that this machine uses for text"),
    _row("log.report", "Report a problem…", "", "Help", "A zip with log, settings and versions; no video"),
    _row("view.fullscreen", "Full screen", "F11", "View"),
    _row("app.quit", "Quit", "Ctrl+Q", "File", "", "-moving"),
    _row(
        "arms.connect",
        "Connect arms",
        "Ctrl+Return",
        "Rig",
        "Start and connect every arm of the rig",
        "rig_arms -arms -connecting",
    ),
    _row("arms.disconnect", "Disconnect arms", "", "Rig", "", "arms -moving"),
    _row(
        "arms.clear",
        "Clear errors",
        "Ctrl+E",
        "Rig",
        "Clear what the controllers report",
        "error -moving -connecting",
    ),
    _row("arms.by_hand", "Move an arm by hand", "Ctrl+M", "Rig", "Hold a stick or a key to jog; saved poses; home"),
    _row("rig.enable", "Enable", "", "Rig", "Switch the chosen arm's motors on", "arms -moving"),
    _row("rig.home", "Home", "", "Rig", "Plan the chosen arm's way home; it goes once approved", "arms -moving"),
    _row("rig.home_all", "All home", "", "Rig", "Plan the way home of all arms together", "arms -moving"),
    _row("rig.park", "Park", "", "Rig", "Plan the chosen arm's way to where it rests", "arms park -moving"),
    _row("rig.grip_open", "Open", "Ctrl+Shift+O", "Rig", "Open the chosen arm's gripper", "arms gripper -moving"),
    _row(
        "rig.grip_close", "Close", "Ctrl+Shift+C", "Rig", "Close the chosen arm's gripper", "arms gripper -moving"
    ),
    _row("rig.go_to_pose", "Go to", "", "Rig", "Plan the way to the chosen saved pose", "arms pose -moving"),
    _row(
        "rig.save_pose", "Save", "", "Rig", "Save where the arm stands under the name written here", "arms -moving"
    ),
    _row("rig.delete_pose", "Delete", "", "Rig", "Forget the chosen saved pose", "pose"),
    _row("tools.show", "Tool library", "Ctrl+Shift+L", "Rig", "Import, check and change what the arms hold"),
    _row("tools.import", "Import a tool…", "Ctrl+Shift+I", "Rig", "A CAD file: STL, OBJ, PLY or 3MF", "-moving"),
    *_RECORDING,
    *_DREAMING,
    _row("dream.open", "Open dream…", "Ctrl+O", "File", "Open a dream folder", "-moving -busy"),
    _row("dream.example", "Open the built-in example", "Ctrl+B", "File", "", "-moving -busy"),
    _row(
        "dream.import", "Import…", "Ctrl+I", "File", "Video, two scene photos, calibration, meshes", "-moving -busy"
    ),
    _row("dream.track", "Track again", "Ctrl+T", "Dream", "Track every tool anew", "dream -moving -busy"),
    _row("dream.cancel", "Cancel", "Ctrl+.", "Dream", "Cancel what is being worked on", "busy"),
    _row("dream.compare", "Compare trackers", "Ctrl+Shift+T", "Dream", "Hold trackers against each other", "dream"),
    _row("dream.box", "Draw box", "B", "Dream", "Draw a box round the chosen tool", "dream -moving -busy"),
    *_CORRECTIONS,
    _row("dream.trim_start", "Trim start", "I", "Dream", "Leave out everything before this frame", "track -moving"),
    _row("dream.trim_end", "Trim end", "O", "Dream", "Leave out everything after this frame", "track -moving"),
    _row("dream.undo", "Undo", "Ctrl+Z", "Edit", "", "undo -moving -tracking"),
    _row("dream.redo", "Redo", "Ctrl+Shift+Z", "Edit", "", "redo -moving -tracking"),
    _row("dream.play", "Play / pause", "Space", "Play", "", "dream -moving"),
    _row("dream.next", "Next frame", "Right", "Play", "", "dream"),
    _row("dream.previous", "Previous frame", "Left", "Play", "", "dream"),
    _row("dream.first", "First frame", "Home", "Play", "", "dream"),
    _row("dream.last", "Last frame", "End", "Play", "", "dream"),
    _row("dream.worst", "Worst frame", "W", "Play", "Go to the frame that deserves a look first", "track"),
    _row("dream.loop", "Loop", "L", "Play", "", "dream"),
    _row("dream.slower", "Slower", "[", "Play", "", "dream"),
    _row("dream.faster", "Faster", "]", "Play", "", "dream"),
    _row("dream.plan", "Plan", "P", "Motion", "Work out how the arms would do it", "track -moving -busy"),
    _row("dream.rehearse", "Rehearse", "R", "Motion", "Play the plan with ghosts; nothing moves", "plan -moving"),
    _row(
        "dream.approve", "Approve", "A", "Motion", "Go to the approve button; hold it for a second", "plan -moving"
    ),
    _row("dream.execute", "Execute", "Ctrl+G", "Motion", "The arms do the approved plan", "approved -moving -busy"),
    *_DEMOS,
    *_TRAIN,
    _row("inspect.refresh", "Refresh", "F5", "Inspect", "Read the ledger again"),
    _row("inspect.open_dream", "Open its dream", "Ctrl+D", "Inspect", "", "run -moving"),
    _row("inspect.video", "Play the cameras' video", "V", "Inspect", "", "video"),
)


def find(words: str, actions: tuple[Action, ...] = ACTIONS) -> list[Action]:
    """Return the actions that hold every word, those that begin with the first word before the others."""
    wanted = words.lower().split()

    def rank(action: Action) -> tuple[int, str]:
        return (0 if wanted and action.text.lower().startswith(wanted[0]) else 1, action.text)

    def haystack(action: Action) -> str:
        return f"{action.text} {action.tip} {action.page} {action.menu} {action.shortcut}".lower()

    return sorted((a for a in actions if all(word in haystack(a) for word in wanted)), key=rank)


class ActionBoard(QObject):
    """The table as live QActions. `wanted(id)`: what a person asked for; facts and page decide what is enabled."""

    wanted = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = {row.id: row for row in ACTIONS}
        self._page = PAGES[2]
        self._facts: frozenset[str] = frozenset()
        self._keys = self.usual_keys
        self._live = {row.id: self._make(row) for row in ACTIONS}
        for row in ACTIONS:
            self._show_keys(row)
        self._refresh()

    def __getitem__(self, id: str) -> QAction:
        return self._live[id]

    def __iter__(self) -> Iterator[tuple[Action, QAction]]:
        return ((self._rows[id], action) for id, action in self._live.items())

    @property
    def usual_keys(self) -> dict[str, str]:
        """The table's keys by id."""
        return {row.id: row.shortcut for row in ACTIONS}

    @property
    def pages(self) -> dict[str, str]:
        """Where each action is offered, "" for everywhere."""
        return {row.id: row.page for row in ACTIONS}

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys that hold now, by id; "" for none."""
        return self._keys

    def set_shortcuts(self, chosen: Mapping[str, str]) -> tuple[str, ...]:
        """Take a person's keys, the usual ones for all others; return what could not be used, in sentences."""
        guarded = {row.id for row in ACTIONS if row.guarded}
        wishes = {id: keys for id, keys in chosen.items() if id not in guarded}
        before, (self._keys, problems) = self._keys, resolve(self.usual_keys, wishes, self.pages)
        for row in ACTIONS:
            if before[row.id] != self._keys[row.id]:
                self._show_keys(row)
        fixed = tuple(f"shortcut of {id}: the keys of Stop are fixed; dropped" for id in chosen.keys() & guarded)
        return problems + fixed

    def show_page(self, page: str) -> None:
        """Offer the actions of that page."""
        self._page = page
        self._refresh()

    def show_facts(self, facts: Set[str]) -> None:
        """Offer what is possible while these facts hold."""
        if facts != self._facts:
            self._facts = frozenset(facts)
            self._refresh()

    def trigger(self, id: str) -> None:
        """Do it as if chosen by hand, when it is enabled."""
        self._live[id].trigger()

    def _make(self, row: Action) -> QAction:
        action = QAction(row.text, self)
        action.setObjectName(row.id)
        action.setAutoRepeat(row.repeats)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.triggered.connect(self._tell)
        return action

    def _show_keys(self, row: Action) -> None:
        keys, action = self._keys[row.id], self._live[row.id]
        if not row.guarded:
            action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{row.tip or row.text}  ({keys})" if keys else row.tip or row.text)

    @Slot()
    def _tell(self) -> None:
        self.wanted.emit(self.sender().objectName())

    def _refresh(self) -> None:
        for row, action in self:
            action.setEnabled(row.enabled(self._page, self._facts))
