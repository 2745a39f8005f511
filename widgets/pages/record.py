"""Page Record: a person shows the task with both hands busy, and knows from two metres away whether it records."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from widgets.choice_form import ChoiceForm
from widgets.demo import demo
from widgets.gates_list import GatesList
from widgets.panel import Panel, label, scrolled
from widgets.plan_form import PlanForm
from widgets.record_banner import HIGHEST, LOWEST, RecordBanner
from widgets.record_values import (
    Choice,
    Fact,
    GateRow,
    RecordState,
    StreamRow,
    TakeRow,
    UnfinishedRow,
    VerdictRow,
)
from widgets.takes_strip import HEIGHT as TAKES_HEIGHT
from widgets.takes_strip import TakesStrip
from widgets.theme import color
from widgets.top_bar import TopBar
from widgets.transport import action_button
from widgets.unfinished_banner import UnfinishedBanner
from widgets.values import Chip
from widgets.verdict_list import VerdictList
from widgets.views.live_grid import LiveGrid

RECORD_ACTIONS = ("next", "keep", "discard", "redo", "undo", "demos")
RIM = 6  # the red frame round everything while it records
ASIDE = 400
_GAP = 8


class RecordPage(QWidget):
    """`grid` pulls pictures, live ones or those of the take under review. actions: RECORD_ACTIONS."""

    choice_changed = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.grid, self.banner, self.takes = LiveGrid(), RecordBanner(), TakesStrip()
        self.form, self.gates, self.verdicts = ChoiceForm(), GatesList(), VerdictList()
        self.plan = PlanForm()
        self.unfinished = UnfinishedBanner()
        self._recording = False
        self._bar = TopBar("Record", [action_button(actions[name]) for name in RECORD_ACTIONS])
        self._note = label("", "muted", wrap=True)
        self._budget = label("", "muted")
        self._budget.hide()
        self._gates_panel, self._verdicts_panel = Panel("BEFORE THE NEXT TAKE"), Panel("THIS TAKE")
        self._verdicts_panel.body.addWidget(self._note)
        self._verdicts_panel.body.addWidget(self.verdicts)
        self._gates_panel.body.addWidget(self.gates)
        self._verdicts_panel.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addWidget(self._body(), 1)
        self.grid.arranged.connect(self._share_room)

    @property
    def choice(self) -> Choice:
        """What a person has chosen to record next."""
        return self.form.choice

    def show_title(self, title: str, chips: Sequence[Chip] = ()) -> None:
        self._bar.show_title(title, chips)

    def show_state(self, state: RecordState) -> None:
        """Show whether it records: banner, frames, and what stands beside."""
        self.banner.show_state(state)
        recording = state.stage == "recording"
        if recording != self._recording:
            self._recording = recording
            self.update()
        self.grid.show_frame("stop" if recording else "")
        review = state.stage in ("review", "saving")
        self._verdicts_panel.setVisible(review)
        self._gates_panel.setVisible(not review and bool(self.gates.shown))

    def show_streams(self, rows: Sequence[StreamRow]) -> None:
        self.grid.show_streams(rows)

    def show_budget(self, fact: Fact) -> None:
        """The load of the rig's USB ports, in a line; an empty text hides it."""
        self._budget.setText(fact.text)
        self._budget.setToolTip(fact.tip)
        self._budget.setVisible(bool(fact.text))

    def show_choice(self, choice: Choice | None) -> None:
        """Show what the next take is of; None while nothing can be recorded."""
        self._choice_panel.setVisible(choice is not None)
        self._plan_panel.setVisible(choice is not None)
        self._aside.setVisible(choice is not None)
        if choice is not None:
            self.form.show_choice(choice)

    def show_gates(self, gates: Sequence[GateRow]) -> None:
        self.gates.show_gates(gates)

    def show_verdicts(self, verdicts: Sequence[VerdictRow], note: str) -> None:
        """What the checks say of the take under review; note: a sentence above them."""
        self._note.setText(note)
        self.verdicts.show_verdicts(verdicts)

    def show_takes(self, takes: Sequence[TakeRow]) -> None:
        self.takes.show_takes(takes)

    def show_unfinished(self, rows: Sequence[UnfinishedRow], busy: bool = False) -> None:
        self.unfinished.show_unfinished(rows, busy)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("stop" if self._recording else "background"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _body(self) -> QWidget:
        left = QVBoxLayout()
        left.setSpacing(_GAP)
        self._takes_panel = Panel("LAST TAKES")
        self._takes_panel.body.addWidget(self.takes)
        self._takes_panel.setFixedHeight(TAKES_HEIGHT + 52)
        for widget in (self.unfinished, self.banner):
            left.addWidget(widget)
        left.addWidget(self.grid, 1)
        left.addWidget(self._budget)
        left.addWidget(self._takes_panel)
        aside = QVBoxLayout()
        aside.setContentsMargins(0, 0, 6, 0)
        aside.setSpacing(_GAP)
        self._choice_panel = Panel("WHAT IS SHOWN")
        self._choice_panel.body.addWidget(self.form)
        self._choice_panel.hide()
        self._plan_panel = Panel("WHAT COMES NEXT")
        self._plan_panel.body.addWidget(self.plan)
        self._plan_panel.hide()
        for panel in (self._verdicts_panel, self._gates_panel, self._choice_panel, self._plan_panel):
            aside.addWidget(panel)
        aside.addStretch(1)
        inner = QWidget()
        inner.setLayout(aside)
        self._aside = scrolled(inner)
        self._aside.setFixedWidth(ASIDE)
        body = QWidget()
        body.setObjectName("page")
        across = QHBoxLayout(body)
        across.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        across.setSpacing(_GAP)
        across.addLayout(left, 1)
        across.addWidget(self._aside)
        rim = QWidget()
        outer = QVBoxLayout(rim)
        outer.setContentsMargins(RIM, RIM, RIM, RIM)
        outer.addWidget(body)
        self._inner = body
        return rim

    def _share_room(self) -> None:
        """What the cameras' pictures leave free belongs to the state: the word grows."""
        others = self._takes_panel.height() + (self.unfinished.height() if self.unfinished.isVisible() else 0)
        room = self._inner.height() - others - 5 * _GAP - self.grid.natural_height(self.grid.width())
        self.banner.setFixedHeight(min(max(room, LOWEST), HIGHEST))


def main() -> None:
    """Show a page that records two made-up cameras."""

    def make() -> QWidget:
        from widgets.views import made_up

        page = RecordPage({name: QAction(name.capitalize()) for name in RECORD_ACTIONS})
        page.grid.set_source(made_up.LiveCameras())
        facts = (Fact("30.0 fps", "ok"), Fact("age 31 ms"), Fact("0 drops", "ok"), Fact("skew 3 ms"))
        page.show_streams([StreamRow(name, facts=facts) for name in made_up.VIEWS])
        page.show_state(RecordState("recording", "REC", "Space or the pedal stops", 3.4, 37, 200))
        page.show_gates([GateRow("streams", "ok", "all streams run")])
        page.resize(1500, 800)
        return page

    demo(make)


if __name__ == "__main__":
    main()
