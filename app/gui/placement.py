"""Where the window opens: where it was, on the screen where it was, else as a whole on the nearest one."""

import json
from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QWidget

STATES = {"max": Qt.WindowState.WindowMaximized, "full": Qt.WindowState.WindowFullScreen}
SEEN = 0.6  # part of the window that must lie on a screen for it to stay where it was


def fitted(wanted: QRect, screens: Sequence[QRect]) -> QRect:
    """Return `wanted` where most of it is seen on one screen, else moved (and shrunk) into the nearest screen."""
    if not screens:
        return wanted
    area = max(1, wanted.width() * wanted.height())
    best = max(screens, key=lambda screen: _area(screen.intersected(wanted)))
    title_seen = any(screen.contains(wanted.left() + wanted.width() // 2, wanted.top() + 8) for screen in screens)
    if _area(best.intersected(wanted)) >= SEEN * area and title_seen:
        return wanted
    screen = min(screens, key=lambda screen: _distance(screen, wanted))
    width, height = min(wanted.width(), screen.width()), min(wanted.height(), screen.height())
    left = min(max(wanted.left(), screen.left()), screen.left() + screen.width() - width)
    top = min(max(wanted.top(), screen.top()), screen.top() + screen.height() - height)
    return QRect(left, top, width, height)


def place_of(window: QWidget) -> str:
    """Return where a window is, as text: its place while neither maximised nor full screen, and which it is."""
    normal = window.normalGeometry() if window.isMaximized() or window.isFullScreen() else window.geometry()
    kind = "full" if window.isFullScreen() else "max" if window.isMaximized() else "normal"
    return json.dumps([normal.left(), normal.top(), normal.width(), normal.height(), kind])


def put(window: QWidget, place: str) -> bool:
    """Put a window where `place_of` said; False where that text is broken."""
    try:
        left, top, width, height, kind = json.loads(place)
        wanted = QRect(int(left), int(top), int(width), int(height))
    except (ValueError, TypeError, OverflowError):
        return False
    if wanted.width() < 200 or wanted.height() < 150 or kind not in ("normal", "max", "full"):
        return False
    window.setGeometry(fitted(wanted, [screen.availableGeometry() for screen in QApplication.screens()]))
    if kind != "normal":
        window.setWindowState(window.windowState() | STATES[kind])
    return True


def _area(rect: QRect) -> int:
    return max(0, rect.width()) * max(0, rect.height()) if rect.isValid() else 0


def _distance(screen: QRect, wanted: QRect) -> float:
    """Squared distance of the window's middle from a screen, 0 within it."""
    middle = wanted.center()
    dx = max(screen.left() - middle.x(), 0, middle.x() - screen.right())
    dy = max(screen.top() - middle.y(), 0, middle.y() - screen.bottom())
    return float(dx * dx + dy * dy)
