"""Takes that a crash left behind: look at them, or throw them away."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from widgets.demo import demo
from widgets.panel import ElidedLabel, button, row
from widgets.record_values import UnfinishedRow
from widgets.theme import set_state


class UnfinishedBanner(QFrame):
    """Shows the first one, of which `recover_wanted(id)` and `discard_wanted(id)` speak; hidden without any."""

    recover_wanted = Signal(str)
    discard_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._id = ""
        set_state(self, role="banner", state="warning")
        self._text = ElidedLabel()
        self._recover = button("Recover and look at it", "primary")
        self._discard = button("Discard", "", "Into the trash; Ctrl+Z brings it back")
        for one in (self._recover, self._discard):
            one.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._recover.clicked.connect(lambda: self.recover_wanted.emit(self._id))
        self._discard.clicked.connect(lambda: self.discard_wanted.emit(self._id))
        layout = row(self._text, self._recover, self._discard)
        layout.setContentsMargins(14, 6, 8, 6)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    def show_unfinished(self, rows: Sequence[UnfinishedRow], busy: bool = False) -> None:
        """Offer the first of these; busy: not now."""
        self.setVisible(bool(rows))
        if rows:
            self._id = rows[0].id
            more = f"   (and {len(rows) - 1} more)" if len(rows) > 1 else ""
            self._text.setText(rows[0].text + more)
        self._recover.setEnabled(not busy)
        self._discard.setEnabled(not busy)


def main() -> None:
    """Show one."""

    def make() -> QWidget:
        banner = UnfinishedBanner()
        banner.show_unfinished([UnfinishedRow("7", "Take 7 of push-shape was cut off after 3.1 s.")])
        return banner

    demo(make)


if __name__ == "__main__":
    main()
