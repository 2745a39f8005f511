"""Runs one widget alone: `python -m widgets.checks_list`."""

from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QWidget

from widgets.theme import apply_theme


def demo(make: Callable[[], QWidget]) -> None:
    """Show the widget that make() returns until its window is closed."""
    app = QApplication([])
    apply_theme(app)
    widget = make()
    widget.show()
    app.exec()
