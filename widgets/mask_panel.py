"""The masks of a demo: where its object lies, which one is the goal, and the brush that corrects them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QSlider, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import button, label, row

SIZES = (2, 80)  # radius [px of the recorded picture]
_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class MaskLine:
    """A mask as texts. id: what the panel says when it is picked."""

    id: int
    camera: str
    time: str
    by: str
    strokes: str = ""
    goal: bool = False


class MaskPanel(QWidget):
    """`mask_picked(id)`, `remove_wanted(id)`, `find_wanted()`: look for the object in the pictures that are shown;
    `radius_changed(px)`; `closed()`."""

    mask_picked = Signal(int)
    remove_wanted = Signal(int)
    find_wanted = Signal()
    radius_changed = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note = label("", "muted", wrap=True)
        self._rows = QTreeWidget()
        self._rows.setHeaderLabels(["Camera", "Time", "By", "Strokes", ""])
        self._rows.setRootIsDecorated(False)
        self._rows.setUniformRowHeights(True)
        self._rows.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._rows.setAccessibleName("Masks")
        self._rows.itemClicked.connect(lambda item: self.mask_picked.emit(item.data(0, _KEY)))
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(*SIZES)
        self._size.setValue(16)
        self._size.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._size.setAccessibleName("Brush size")
        self._size.valueChanged.connect(self.radius_changed)
        find, self._remove, close = button("Find the object here"), button("Remove"), button("Done", "primary")
        find.clicked.connect(self.find_wanted)
        self._remove.setEnabled(False)
        self._rows.itemSelectionChanged.connect(self._follow_choice)
        self._remove.clicked.connect(lambda: self.remove_wanted.emit(self._chosen))
        close.clicked.connect(self.closed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._note)
        layout.addWidget(self._rows, 1)
        layout.addLayout(row(label("Brush", "muted"), self._size, find, self._remove, close))
        self.show_masks(())

    def show_masks(self, lines: Sequence[MaskLine]) -> None:
        """Show these masks in the order given."""
        self._note.setText(
            "The last mask of each camera is the goal that every step's clip shows."
            if lines
            else "No mask yet: find the object here, or paint over it. The last one of each camera is the goal "
            "that every step's clip shows."
        )
        self._rows.clear()
        for line in lines:
            texts = [line.camera, line.time, line.by, line.strokes, "goal" if line.goal else ""]
            made = QTreeWidgetItem(texts)
            made.setData(0, _KEY, line.id)
            self._rows.addTopLevelItem(made)

    @property
    def radius(self) -> int:
        """Of the brush [px of the recorded picture]."""
        return self._size.value()

    def change_radius(self, notches: int) -> None:
        """Larger or smaller by that many notches of an eighth."""
        self._size.setValue(round(self._size.value() * 1.25**notches) + notches)

    @Slot()
    def _follow_choice(self) -> None:
        self._remove.setEnabled(self._chosen is not None)

    @property
    def _chosen(self) -> int | None:
        items = self._rows.selectedItems()
        return int(items[0].data(0, _KEY)) if items else None


def main() -> None:
    """Show two masks, the second one the goal."""

    def make() -> QWidget:
        panel = MaskPanel()
        panel.show_masks(
            [MaskLine(0, "top", "0.40 s", "colour"), MaskLine(1, "top", "6.20 s", "colour", "2", True)]
        )
        return panel

    demo(make)


if __name__ == "__main__":
    main()
