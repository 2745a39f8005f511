"""A dream that is dropped anywhere on the window is meant for page Dream."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class DropTarget(QObject):
    """An event filter for the window: what no page takes itself arrives here. take(paths as texts) on a drop."""

    def __init__(self, window: QWidget, take: Callable[[list[str]], None]) -> None:
        super().__init__(window)
        self._take = take
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() not in _DRAGS:
            return False
        drop = cast(QDropEvent, event)
        paths = [str(Path(url.toLocalFile())) for url in drop.mimeData().urls() if url.isLocalFile()]
        if not paths:
            return False
        drop.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._take(paths)
        return True
