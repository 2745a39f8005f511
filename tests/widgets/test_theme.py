"""Every theme has all colours, and its words can be read."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QDoubleSpinBox, QLineEdit
from pytestqt.qtbot import QtBot

from widgets.icons import icon
from widgets.theme import COLORS, NAMES, apply_theme, palette_of, stylesheet


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF()]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(ink: str, ground: str) -> float:
    """Contrast ratio, WCAG 2.1: 1 to 21."""
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_every_theme_names_the_same_colours(name: str) -> None:
    assert palette_of(name).keys() == palette_of("dark").keys()


@pytest.mark.parametrize("name", NAMES)
def test_words_of_every_theme_can_be_read(name: str) -> None:
    colors = palette_of(name)
    grounds = [colors[g] for g in ("background", "rail", "panel", "well")]
    assert min(contrast(colors["text"], g) for g in grounds) >= 12  # from two metres
    assert min(contrast(colors["muted"], g) for g in (*grounds, colors["raised"])) >= 5.5
    for state in ("ok", "warning", "alarm"):
        assert min(contrast(colors[state], g) for g in grounds) >= 4.5
        assert contrast(colors["text"], colors[f"{state}_dim"]) >= 4.5
    assert contrast(colors["rail"], colors["accent"]) >= 4.5
    assert contrast(colors["on_stop"], colors["stop"]) >= 4.5


def test_a_theme_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'pink' is unknown; valid: \['dark', 'light', 'contrast'\]"):
        palette_of("pink")


def test_icons_follow_the_theme_without_being_made_anew(qapp: QApplication) -> None:
    made = icon("rig")
    dark = made.pixmap(QSize(48, 48)).toImage()
    try:
        apply_theme(qapp, "light")
        assert made.pixmap(QSize(48, 48)).toImage() != dark
        assert COLORS["panel"] in stylesheet()
    finally:
        apply_theme(qapp, "dark")
    assert made.pixmap(QSize(48, 48)).toImage() == dark
    assert made.pixmap(QSize(48, 48), QIcon.Mode.Disabled).toImage() != dark


def test_a_number_can_be_read_in_a_field_with_and_without_buttons(qtbot: QtBot) -> None:
    apply_theme(QApplication.instance())  # type: ignore[arg-type]
    for buttons in (QAbstractSpinBox.ButtonSymbols.UpDownArrows, QAbstractSpinBox.ButtonSymbols.NoButtons):
        field = QDoubleSpinBox(buttonSymbols=buttons)
        qtbot.addWidget(field)
        field.resize(120, 32)
        field.show()
        (text,) = field.findChildren(QLineEdit)
        assert text.x() >= 2
        assert text.width() >= 80
