"""What a bulk edit would change, demo by demo, before anything is changed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.demos_values import Preview, PreviewRow
from widgets.panel import button, label, row


class BulkPreview(QWidget):
    """`accepted()` or `refused()`. Return accepts, Esc refuses."""

    accepted = Signal()
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._title, self._note = label("", "title", wrap=True), label("", "muted", wrap=True)
        self._rows = QTreeWidget()
        self._rows.setHeaderLabels(["No.", "Now", "Then"])
        self._rows.setRootIsDecorated(False)
        self._rows.setUniformRowHeights(True)
        self._rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = self._rows.header()
        head.setStretchLastSection(True)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._rows.setColumnWidth(1, 200)
        yes, no = button("Change them", "primary"), button("Leave them")
        yes.clicked.connect(self.accepted)
        no.clicked.connect(self.refused)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._title)
        layout.addWidget(self._note)
        layout.addWidget(self._rows, 1)
        layout.addLayout(row(yes, no, 1))

    def show_preview(self, preview: Preview) -> None:
        self._title.setText(preview.title)
        same = f"{preview.unchanged} stay as they are." if preview.unchanged else ""
        more = f"The first {len(preview.rows)} are listed, {preview.more} more follow." if preview.more else ""
        self._note.setText(" ".join(text for text in (same, more, "One undo takes all of it back.") if text))
        self._rows.clear()
        for item in preview.rows:
            made = QTreeWidgetItem([item.number, item.before, item.after])
            made.setToolTip(1, item.before)
            made.setToolTip(2, item.after)
            self._rows.addTopLevelItem(made)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.refused.emit()
        else:
            super().keyPressEvent(event)


def main() -> None:
    """Show a change of two demos."""

    def make() -> QWidget:
        view = BulkPreview()
        rows = [PreviewRow("7", "task rotation", "task scooping"), PreviewRow("8", "no tags", "tags slow")]
        view.show_preview(Preview("Label 2 demos", rows, unchanged=1))
        return view

    demo(make)


if __name__ == "__main__":
    main()
