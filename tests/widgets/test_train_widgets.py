"""The parts of page Train by themselves: curves, dreams, jobs, the form."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from hardware.geometry import Array
from widgets.job_panel import JobPanel
from widgets.jobs_table import JobsTable
from widgets.question_strip import QuestionStrip
from widgets.train_field import TrainField
from widgets.train_form import TrainForm
from widgets.train_values import Comparison, DataChoice, FormField, FormState, GalleryScene, JobLine, RunCurves
from widgets.views.dream_gallery import DreamGallery
from widgets.views.loss_curves import POINTS, LossCurves, ValuesAxis, smoothed, thinned


# curves -----------------------------------------------------------------------------------------------------------
def _run(name: str, steps: Array, values: Array, **more: Array) -> RunCurves:
    return RunCurves(name, name, {"loss": (steps, values), **{k: (steps, v) for k, v in more.items()}})


def test_smoothing_begins_without_a_bias_and_passes_over_holes() -> None:
    assert smoothed(np.full(50, 3.0), 0.9) == pytest.approx(3.0)
    holed = smoothed(np.array([np.nan, 1.0, np.nan, 1.0]), 0.5)
    assert np.isnan(holed[0])
    assert holed[1:] == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, POINTS, POINTS + 1, 100_003])
def test_a_curve_of_any_length_is_thinned_to_its_means(count: int) -> None:
    steps, values = np.arange(float(count)), np.ones(count)
    thin_steps, means = thinned(steps, values, POINTS)
    assert len(thin_steps) == len(means) <= POINTS
    assert np.all(means == 1)
    if count:
        assert thin_steps[-1] == count - 1


def test_a_stretch_without_a_number_is_a_hole() -> None:
    values = np.ones(4 * POINTS)
    values[:8] = np.nan
    assert np.isnan(thinned(np.arange(4.0 * POINTS), values, POINTS)[1][:2]).all()


@pytest.fixture
def curves(qtbot: QtBot) -> LossCurves:
    made = LossCurves()
    qtbot.addWidget(made)
    made.resize(800, 360)
    made.show()
    return made


def test_each_run_is_named_with_what_it_says_last(curves: LossCurves) -> None:
    steps = np.arange(100.0)
    curves.show_runs([_run("first", steps, 1 / (steps + 1)), _run("second", steps[:50], np.full(50, 0.5))])
    words = [text for text, _, _ in curves._heading.words]
    assert words == ["— first", "0.01", "at 99", "— second", "0.5", "at 49"]
    curves.grab()


def test_a_run_of_zeros_negatives_and_holes_is_drawn_on_a_logarithmic_axis(curves: LossCurves) -> None:
    values = np.array([1.0, 0.0, -1.0, np.nan, 0.1])
    assert curves.logarithmic
    curves.show_runs([_run("a", np.arange(5.0), values)])
    curves.grab()
    curves.turn_log()
    assert not curves.logarithmic
    curves.grab()


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.3), (0.05, 0.7), (1e-5, 30.0)])
def test_the_axis_of_values_is_never_without_numbers(low: float, high: float) -> None:
    axis = ValuesAxis("left")
    for log in (False, True):
        axis.setLogMode(False, log)
        ends = (np.log10(low), np.log10(high)) if log else (low, high)
        (spacing, ticks), *_ = axis.tickValues(*ends, 200.0)
        said = [float(text) for text in axis.tickStrings(ticks, 1.0, spacing)]
        assert len(set(said)) >= 2
        assert all(0.99 * low <= value <= 1.01 * high for value in said)


def test_the_value_that_was_chosen_stays_when_another_run_is_looked_at(curves: LossCurves) -> None:
    steps = np.arange(10.0)
    curves.show_runs([_run("a", steps, steps, psnr=steps)])
    assert curves.value == "loss"
    curves.show_value("psnr")
    curves.show_runs([_run("b", steps, steps)])
    curves.show_runs([_run("c", steps, steps, psnr=2 * steps)])
    assert curves.value == "psnr"
    assert curves._heading.words[1][0] == "18"


def test_the_loss_of_the_stage_that_is_trained_is_drawn_unless_a_person_chose(curves: LossCurves) -> None:
    steps = np.arange(10.0)
    first = {"vae/gradient": (steps, steps), "vae/loss": (steps, steps)}
    curves.show_runs([RunCurves("a", "a", first)])
    assert curves.value == "vae/loss"
    curves.show_runs([RunCurves("a", "a", {**first, "video/loss": (steps, steps)})])
    assert curves.value == "video/loss"
    curves.show_value("vae/gradient")
    curves.show_runs([RunCurves("a", "a", {**first, "video/loss": (steps, steps)})])
    assert curves.value == "vae/gradient"


def test_runs_that_went_leave_no_curve_and_no_plot_is_made_anew(curves: LossCurves) -> None:
    steps = np.arange(10.0)
    curves.show_runs([_run(name, steps, steps + 1) for name in "abc"])
    curves.show_runs([_run("a", steps, steps + 1)])
    pairs = curves._pairs
    assert len(pairs) == 3
    assert [len(smooth.getData()[0] if smooth.getData()[0] is not None else ()) for _, smooth in pairs] == [
        10,
        0,
        0,
    ]


# dreams -----------------------------------------------------------------------------------------------------------
def _scene(name: str, length: int = 13) -> GalleryScene:
    frames = tuple(np.full((32, 96, 3), k, np.uint8) for k in range(length))
    return GalleryScene(name, {"what happened": frames, "dreamt": frames}, "PSNR 21.5 dB")


@pytest.fixture
def gallery(qtbot: QtBot) -> DreamGallery:
    made = DreamGallery()
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.show()
    return made


def test_new_dreams_are_followed_until_a_person_looks_back(gallery: DreamGallery, qtbot: QtBot) -> None:
    gallery.show_steps((100, 200))
    gallery.show_scenes(200, [_scene("a")])
    with qtbot.waitSignal(gallery.step_picked) as told:
        gallery.go(-1)
    assert told.args == [100]
    gallery.show_scenes(100, [_scene("a")])
    gallery.show_steps((100, 200, 300))
    assert gallery.step == 100
    with qtbot.waitSignal(gallery.step_picked) as told:
        gallery.go(2)
    assert told.args == [-1]
    gallery.show_scenes(300, [_scene("a")])
    gallery.show_steps((100, 200, 300, 400))
    assert gallery._slider.value() == 3


def test_what_is_said_of_dreams_is_whole_in_a_narrow_pane(gallery: DreamGallery) -> None:
    gallery.resize(360, 500)
    gallery.show_steps((100, 12_000))
    tracked = "tool: 92% followed · 3.1 mm · 4.2° · views 0.8 px apart (demo 0.4)"
    gallery.show_scenes(12_000, [replace(_scene("a"), tracks=(tracked,))], f"PSNR 21.5 dB · SSIM 0.81\n{tracked}")
    QApplication.processEvents()
    for said in (gallery._where, gallery._words):
        assert said.height() >= said.heightForWidth(said.width()) > 0
        assert said.fontMetrics().horizontalAdvance("step 12,000 · 2 of 2") <= said.width()


def test_dreams_play_only_while_they_are_seen(gallery: DreamGallery) -> None:
    gallery.show_steps((100,))
    gallery.show_scenes(100, [_scene(name) for name in "abcde"], "PSNR 21.5 dB")
    assert gallery._clock.isActive()
    gallery.grab()
    gallery.turn_play()
    assert not gallery._clock.isActive()
    gallery.turn_play()
    gallery.hide()
    assert not gallery._clock.isActive()


def test_an_empty_gallery_says_what_to_do(gallery: DreamGallery) -> None:
    gallery.show_steps((100,))
    gallery.show_scenes(100, [_scene("a")])
    gallery.show_steps((), "The first dreams come after step 1,000")
    assert (gallery.step, len(gallery.scenes)) == (-1, 0)
    gallery.grab()


# jobs -------------------------------------------------------------------------------------------------------------
def _lines(*ids: str) -> list[JobLine]:
    return [JobLine(id, f"job {id}", "train", "runs", "ok", 0.5) for id in ids]


def test_progress_does_not_move_what_is_chosen_and_a_new_job_does_not_either(qtbot: QtBot) -> None:
    table = JobsTable()
    qtbot.addWidget(table)
    table.show()
    told: list[str] = []
    table.picked.connect(told.append)
    table.show_lines(_lines("2", "1"))
    assert (table.current, told) == ("2", ["2"])
    table.selectRow(1)
    table.show_lines([replace(line, done=0.6) for line in _lines("2", "1")])
    table.show_lines(_lines("3", "2", "1"))
    assert (table.chosen, told) == (("1",), ["2", "1"])
    table.show_lines(_lines("3", "2"))
    assert table.current == "2"
    table.show_job("3")
    table.selectAll()
    assert table.chosen == ("3", "2")
    table.grab()
    table.show_lines([])
    assert (table.current, table.chosen) == ("", ())


def test_a_job_that_is_shown_is_chosen_whatever_key_is_held(qtbot: QtBot) -> None:
    held = Qt.KeyboardModifier.ControlModifier
    table = JobsTable()
    qtbot.addWidget(table)
    table.show()
    table.show_lines(_lines("1"))
    QTest.keyPress(table, Qt.Key.Key_Control, held)
    table.show_job("1")
    assert table.chosen == ("1",)
    table.step(0)
    assert table.chosen == ("1",)
    QTest.keyRelease(table, Qt.Key.Key_Control)


def test_facts_of_one_job_and_several_beside_each_other(qtbot: QtBot) -> None:
    panel = JobPanel()
    qtbot.addWidget(panel)
    panel.resize(500, 300)
    panel.show()
    panel.show_facts([("Data", "/a"), ("Worked", "3 min")], "it was killed")
    panel.show_comparison(Comparison(("a", "b"), (("train.steps", ("4", "5")),)))
    panel.grab()
    panel.show_facts([("Data", "/b")])
    assert panel.heading.text() == "THIS JOB"
    assert panel._problem.isHidden()
    panel.grab()


def test_a_question_is_refused_by_escape_and_by_a_hasty_return(qtbot: QtBot) -> None:
    strip = QuestionStrip()
    qtbot.addWidget(strip)
    strip.ask("Take it out?", "Take out", "Keep")
    strip.show()
    strip.activateWindow()
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        with qtbot.waitSignal(strip.refused):
            QTest.keyClick(strip, key)


# the form ---------------------------------------------------------------------------------------------------------
NUMBER = FormField("train.rate", "TRAINING", "Rate", "of the optimizer", "text", "1e-05", "1e-05")
SWITCH = FormField(
    "train.half", "TRAINING", "Half", "precision", "choice", "true", "true", choices={"true": "yes", "false": "no"}
)
PARTS = {"begin": "begin", "end": "end"}
CHOICE = FormField("clip.part", "CLIPS", "Part", "which part", "choice", "begin", choices=PARTS)


@pytest.fixture
def form(qtbot: QtBot) -> TrainForm:
    made = TrainForm(QAction("Start"), QAction("Back"))
    qtbot.addWidget(made)
    made.resize(1400, 800)
    made.show_form(FormState({"small": "small"}, "small", "one", "/a", fields=(NUMBER, SWITCH, CHOICE)))
    made.show()
    return made


def _field(form: TrainForm, name: str) -> TrainField:
    return next(row for row in form.findChildren(TrainField) if row.shown.name == name)


def test_every_kind_of_value_tells_what_a_person_gave(form: TrainForm, qtbot: QtBot) -> None:
    told: list[tuple[str, str]] = []
    form.edited.connect(lambda name, text: told.append((name, text)))
    line, half = _field(form, "train.rate").editor, _field(form, "train.half").editor
    assert isinstance(line, QLineEdit)
    assert isinstance(half, QComboBox)
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "2")
    half.activated.emit(1)
    assert told == [("train.rate", "2"), ("train.half", "false")]


def test_what_differs_is_marked_and_goes_back_with_one_click(form: TrainForm, qtbot: QtBot) -> None:
    row = _field(form, "train.rate")
    paper = next(b for b in row.findChildren(QPushButton))
    assert paper.isHidden()
    other = replace(NUMBER, value="1", differs=True)
    form.show_form(replace(form.state, fields=(other, SWITCH, CHOICE)))
    assert paper.text() == "published: 1e-05"
    assert form.state.differing == 1
    with qtbot.waitSignal(form.edited) as told:
        paper.click()
    assert told.args == ["train.rate", "1e-05"]


def test_a_wrong_value_is_said_beside_its_field_and_never_sifted_away(form: TrainForm) -> None:
    wrong = replace(NUMBER, value="-1", problem="-1; valid: 0 and more", differs=True)
    form.show_form(replace(form.state, fields=(wrong, SWITCH, CHOICE)))
    form._find.setText("part")
    row = _field(form, "train.rate")
    assert row.isVisibleTo(form)
    assert row._problem.text() == "-1; valid: 0 and more"
    assert not _field(form, "train.half").isVisibleTo(form)
    assert _field(form, "clip.part").isVisibleTo(form)
    assert form.state.problems == 1
    assert "Rate" in form._problem.text()
    form.grab()


def test_only_what_differs_can_be_looked_at(form: TrainForm) -> None:
    form.show_form(replace(form.state, fields=(NUMBER, replace(SWITCH, differs=True), CHOICE)))
    form._only.setChecked(True)
    shown = [row.shown.name for row in form.findChildren(TrainField) if row.isVisibleTo(form)]
    assert shown == ["train.half"]


def test_what_somebody_types_is_not_written_over(form: TrainForm, qtbot: QtBot) -> None:
    form.activateWindow()
    line = _field(form, "train.rate").editor
    assert isinstance(line, QLineEdit)
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    line.setText("2e")
    form.show_form(replace(form.state, fields=(replace(NUMBER, value="3"), SWITCH, CHOICE)))
    assert line.text() == "2e"


def test_a_data_set_is_chosen_and_stays_chosen(form: TrainForm, qtbot: QtBot) -> None:
    form.show_data([DataChoice("/a", "one", "3 demos"), DataChoice("/b", "two")])
    assert form._data.currentRow() == 0
    with qtbot.waitSignal(form.data_picked) as told:
        form._data.setCurrentRow(1)
    assert told.args == ["/b"]
    form.show_form(replace(form.state, data="/b"))
    form.show_data([DataChoice("/c", "three"), DataChoice("/a", "one"), DataChoice("/b", "two")])
    assert form._data.currentRow() == 2
    form.show_data([], "Record some demos first")
    assert form._data.count() == 1
