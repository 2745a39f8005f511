"""The form of a new dream: what it shows, and what it tells of what a person writes."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from widgets.dream_form import NO_MODEL, NewDreamForm
from widgets.dream_values import AS_IT_LIES, DreamForm, Option
from widgets.views.made_up import MadeUpSource

SHOWN = DreamForm(
    models=(Option("/a", "small", "shipped · 2 views"), Option("/b", "large")),
    model="/a",
    sources=(Option("live", "now"),),
    source="live",
    tasks=(Option("push-shape", "push-shape"),),
    task="push-shape",
    table=AS_IT_LIES,
    look="Look",
)


@pytest.fixture
def form(qtbot: QtBot) -> NewDreamForm:
    made = NewDreamForm({name: QAction(name) for name in ("start", "leave", "model_folder")})
    qtbot.addWidget(made)
    made.show_form(SHOWN)
    made.show()
    return made


def texts(form: NewDreamForm) -> str:
    return "\n".join(label.text() for label in form.findChildren(QLabel) if label.isVisible())


def test_without_a_model_it_says_where_models_come_from(form: NewDreamForm) -> None:
    form.show_form(DreamForm())
    assert NO_MODEL in texts(form)
    assert "main.py model import" in texts(form)


def test_what_does_not_matter_is_not_asked(form: NewDreamForm) -> None:
    assert "shipped · 2 views" in texts(form)
    assert "In words" not in texts(form)
    assert "Override" not in texts(form)
    form.show_form(DreamForm(models=SHOWN.models, model="/b", text="", override="", problem="an arm is in the way"))
    assert "In words" in texts(form)
    assert "Override" in texts(form)
    assert "an arm is in the way" in texts(form)
    assert "Table" not in texts(form)


def test_every_change_is_told_by_the_name_of_its_field(form: NewDreamForm) -> None:
    heard: list[tuple[str, str]] = []
    form.edited.connect(lambda name, text: heard.append((name, text)))
    form._candidates.setValue(2)
    form._table.setValue(3)
    form._model.activated.emit(1)
    QTest.keyClicks(form._text, "ab")
    assert heard == [("candidates", "2"), ("table", "3"), ("model", "/b"), ("text", "a"), ("text", "ab")]


def test_what_is_shown_is_not_told_back(form: NewDreamForm) -> None:
    heard: list[str] = []
    form.edited.connect(lambda name, _text: heard.append(name))
    form.show_form(DreamForm(models=SHOWN.models, model="/b", candidates=7, seed=9, steps=12, table=4))
    assert heard == []
    assert (form._candidates.value(), form._seed.value(), form._steps.value()) == (7, 9, 12)


def test_the_scene_is_shown_as_the_model_will_see_it(form: NewDreamForm) -> None:
    source = MadeUpSource()
    picture = source.frame_at("top", 0.0)
    assert picture is not None
    form.show_pictures({"top": picture, "side": picture})
    assert list(form.views) == ["top", "side"]
    assert "Look at the scene to see" not in texts(form)
    form.show_pictures({})
    assert not form.views
    assert "Look at the scene to see" in texts(form)
