"""The tools of a dream side by side: colour, how much of each was tracked, how sure the tracker is here."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from widgets.demo import demo
from widgets.theme import color, confidence_level, font, level_color, tool_color
from widgets.values import ToolRow

_STATES = {"tracked": "ok", "hinted": "ok", "corrected": "ok", "interpolated": "warning", "lost": "alarm"}


class _ToolCard(QToolButton):
    """One tool; checked: boxes are drawn for it."""

    def __init__(self, tool: ToolRow) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(280, 52)
        self.tool = tool
        self.show_tool(tool)

    def show_tool(self, tool: ToolRow) -> None:
        self.tool = tool
        self.setAccessibleName(f"{tool.role} tool, {tool.state}")
        self.setToolTip(f"{tool.name}: boxes (B) are drawn for the tool chosen here")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        tool, painter = self.tool, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tool.color))
        painter.drawRoundedRect(10, 10, 6, self.height() - 20, 3, 3)
        self._write(painter, 26, 9, f"{tool.role.capitalize()} tool", "text", bold=True)
        share = f"{tool.found} of {tool.total} frames" if tool.total else ""
        self._write(painter, 26, 28, share if tool.state in _STATES else tool.state, "muted")
        if tool.confidence is None or tool.state not in _STATES:
            return
        painter.setPen(QColor(level_color(_STATES.get(tool.state, "idle"))))
        painter.setFont(font(13))
        right = Qt.AlignmentFlag.AlignRight
        painter.drawText(self.rect().adjusted(0, 9, -12, 0), right, tool.state)
        painter.setPen(QColor(level_color(confidence_level(tool.confidence))))
        drift = "" if tool.disagreement_px is None else f"  ·  {abs(tool.disagreement_px):.1f} px apart"
        painter.drawText(self.rect().adjusted(0, 28, -12, 0), right, f"{tool.confidence:.2f}{drift}")

    def _write(self, painter: QPainter, x: int, y: int, text: str, ink: str, bold: bool = False) -> None:
        painter.setPen(color(ink))
        painter.setFont(font(14 if bold else 13, bold))
        painter.drawText(x, y, self.width() - x, 20, Qt.AlignmentFlag.AlignLeft, text)


class ToolStrip(QWidget):
    """Emits `tool_picked` with the role of the tool that a person chooses."""

    tool_picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: dict[str, _ToolCard] = {}
        self._group = QButtonGroup(self)
        self._group.buttonClicked.connect(self._pick)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addStretch(1)

    @property
    def chosen(self) -> str:
        """The role of the chosen tool, empty where there is none."""
        return next((role for role, card in self._cards.items() if card.isChecked()), "")

    def show_tools(self, tools: Sequence[ToolRow]) -> None:
        """Show these tools; the choice stays where its tool stays."""
        if list(self._cards) != [tool.role for tool in tools]:
            self._rebuild(tools)
        for tool in tools:
            self._cards[tool.role].show_tool(tool)

    def choose(self, role: str) -> None:
        """Choose a tool as a person would."""
        if role in self._cards:
            self._cards[role].setChecked(True)
            self.tool_picked.emit(role)

    def _rebuild(self, tools: Sequence[ToolRow]) -> None:
        chosen = self.chosen
        for card in self._cards.values():
            self._group.removeButton(card)
            card.hide()
            card.deleteLater()
        self._cards = {tool.role: _ToolCard(tool) for tool in tools}
        for index, card in enumerate(self._cards.values()):
            self._group.addButton(card)
            self._layout.insertWidget(index, card)
        if self._cards:
            self._cards.get(chosen, next(iter(self._cards.values()))).setChecked(True)

    @Slot("QAbstractButton*")
    def _pick(self, card: QToolButton) -> None:
        if isinstance(card, _ToolCard):
            self.tool_picked.emit(card.tool.role)


def main() -> None:
    """Show one tracked tool."""

    def make() -> QWidget:
        strip = ToolStrip()
        strip.show_tools([ToolRow("left", "gripper", tool_color("left"), "tracked", 12, 13, 0.9, 2.1)])
        return strip

    demo(make)


if __name__ == "__main__":
    main()
