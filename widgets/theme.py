"""One palette and one stylesheet for the whole window; colours by name for what is painted by hand.

Widgets set properties (`role`, `state`) or object names that assets/themes/window.qss knows, never a style of
their own. A theme is a palette; what keeps a colour for longer than one painting restyles itself in `changeEvent`
(QEvent.PaletteChange).
"""

import tomllib
from pathlib import Path
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

THEMES = Path(__file__).parent.parent / "assets" / "themes"
ICONS = THEMES.parent / "icons"
NAMES = ("dark", "light", "contrast")
COLORS: dict[str, str] = tomllib.loads((THEMES / "dark.toml").read_text(encoding="utf-8"))
_FAMILIES = ["Inter", "Noto Sans", "DejaVu Sans"]
_TOOLS = ("tool_left", "tool_right", "tool_3", "tool_4")


def color(name: str, alpha: float = 1.0) -> QColor:
    """Return a colour of the palette by name, alpha 0..1. KeyError lists the names."""
    if name not in COLORS:
        raise KeyError(f"the theme has no colour {name!r}; it has {sorted(COLORS)}")
    value = QColor(COLORS[name])
    value.setAlphaF(alpha)
    return value


def tool_color(role: str, index: int = 0) -> str:
    """Return the "#rrggbb" of a tool: left and right have their own, others go by their index."""
    return COLORS.get(f"tool_{role}") or COLORS[_TOOLS[(index + 2) % len(_TOOLS)]]


def level_color(level: str) -> str:
    """Return the "#rrggbb" of a state: ok, warning, alarm; anything else is muted."""
    return COLORS[level] if level in ("ok", "warning", "alarm") else COLORS["muted"]


def confidence_level(confidence: float) -> str:
    """Return the state that a tracking confidence 0..1 stands for: ok, warning or alarm."""
    return "ok" if confidence >= 0.7 else "warning" if confidence >= 0.5 else "alarm"


def font(pixels: int = 14, bold: bool = False) -> QFont:
    """Return the interface font for hand-painted text."""
    value = QFont()
    value.setFamilies(_FAMILIES)
    value.setPixelSize(pixels)
    value.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return value


def stylesheet() -> str:
    """Return the stylesheet with the palette filled in."""
    return Template((THEMES / "window.qss").read_text(encoding="utf-8")).substitute(COLORS, icons=ICONS.as_posix())


def palette_of(theme: str) -> dict[str, str]:
    """Return a theme's colours by name. Raises ValueError that lists the themes."""
    if theme not in NAMES:
        raise ValueError(f"theme: {theme!r} is unknown; valid: {list(NAMES)}")
    return tomllib.loads((THEMES / f"{theme}.toml").read_text(encoding="utf-8"))


def apply_theme(app: QApplication, theme: str = "dark") -> None:
    """Dress the whole application: before the first window, and whenever a person chooses another theme."""
    COLORS.update(palette_of(theme))
    if app.styleSheet() == stylesheet():
        return
    if not app.styleSheet():  # each of these dresses every widget anew: once is enough
        app.setStyle("Fusion")
        app.setFont(font())
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, name in {
        roles.Window: "background",
        roles.WindowText: "text",
        roles.Base: "well",
        roles.AlternateBase: "panel",
        roles.Text: "text",
        roles.Button: "raised",
        roles.ButtonText: "text",
        roles.ToolTipBase: "raised",
        roles.ToolTipText: "text",
        roles.PlaceholderText: "faint",
        roles.Highlight: "accent",
        roles.HighlightedText: "rail",
        roles.Link: "accent",
    }.items():
        palette.setColor(role, color(name))
    app.setPalette(palette)
    palette.setColor(roles.Window, color("border").lighter(140))  # Fusion's frame is this, darkened by as much
    app.setPalette(palette, "QAbstractSpinBox")  # type: ignore[arg-type]  # PySide takes a str, its stub says bytes
    app.setStyleSheet(stylesheet())


def set_state(widget: QWidget, **properties: str) -> None:
    """Set style properties such as role or state and have the stylesheet look again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def main() -> None:
    """Show a few dressed widgets."""
    from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout

    app = QApplication([])
    apply_theme(app)
    window = QWidget()
    window.setObjectName("page")
    layout = QVBoxLayout(window)
    for role in ("title", "heading", "muted", "chip", "big"):
        layout.addWidget(_dressed(QLabel(role.capitalize()), role), alignment=Qt.AlignmentFlag.AlignLeft)
    for role in ("", "primary", "approve", "stop"):
        layout.addWidget(_dressed(QPushButton(role.capitalize() or "Plain"), role))
    window.show()
    app.exec()


def _dressed(widget: QWidget, role: str) -> QWidget:
    set_state(widget, role=role)
    return widget


if __name__ == "__main__":
    main()
