"""What a person writes into the form of a training: every mistake at its field, nothing else lost."""

import sys
from subprocess import run

import pytest

from app.training.draft import Draft, text_of, value_of
from models.training.config import TrainConfig, form_rows


def _row(draft: Draft, key: str):  # type: ignore[no-untyped-def]
    return next(row for row in draft.rows if row.key == key)


@pytest.fixture
def draft() -> Draft:
    return Draft.of(TrainConfig())


def test_a_value_is_taken_and_marked_as_different_from_the_papers(draft: Draft) -> None:
    assert not _row(draft, "train.learning_rate").differs
    edited = draft.edit("train.learning_rate", "2e-5").edit("train.steps", "400")
    assert edited.config.train.learning_rate == 2e-5
    assert edited.config.train.steps == 400
    assert _row(edited, "train.learning_rate").differs
    assert (_row(edited, "train.steps").published, _row(edited, "train.steps").text) == ("16384", "400")
    assert edited.usable


def test_the_same_number_written_another_way_does_not_differ(draft: Draft) -> None:
    row = _row(draft.edit("train.learning_rate", "0,00001"), "train.learning_rate")
    assert (row.differs, row.problem, row.text) == (False, "", "0,00001")


def test_several_mistakes_are_each_said_at_their_field_and_the_rest_is_kept(draft: Draft) -> None:
    edited = draft.edit("train.steps", "many").edit("train.learning_rate", "-1").edit("seed", "7")
    edited = edited.edit("train.schedule", "round")
    assert not edited.usable
    assert set(edited.problems) == {"train.steps", "train.learning_rate", "train.schedule"}
    assert "whole number" in edited.problems["train.steps"]
    assert "0 and more" in edited.problems["train.learning_rate"]
    assert _row(edited, "train.steps").text == "many"
    assert edited.config.seed == 7
    mended = edited.edit("train.steps", "40").edit("train.learning_rate", "0.1").edit("train.schedule", "cosine")
    assert mended.usable
    assert (mended.config.train.steps, mended.config.train.learning_rate) == (40, 0.1)


def test_a_value_that_contradicts_another_is_said_too(draft: Draft) -> None:
    edited = draft.edit("train.steps", "0")
    assert "train.steps" in edited.problems
    assert edited.edit("vae.steps", "10").usable


def test_numbers_of_the_networks_can_be_written(draft: Draft) -> None:
    edited = draft.edit("model.size", "192, 128")
    assert edited.config.model.size == (192, 128)
    wrong = draft.edit("model.size", "191, 128")
    assert wrong.problems
    assert wrong.config.model.size == draft.config.model.size


def test_back_to_what_it_was_leaves_no_edit(draft: Draft) -> None:
    assert not draft.edit("train.steps", "400").edit("train.steps", "16384").edits


@pytest.mark.parametrize("row", form_rows(TrainConfig()), ids=lambda row: row.key)
def test_every_value_of_a_config_is_read_back_as_it_is_written(row) -> None:  # type: ignore[no-untyped-def]
    read = value_of(text_of(row.value), row.kind)
    assert (tuple(read) if isinstance(read, list) else read) == row.value


def test_an_unknown_field_is_refused(draft: Draft) -> None:
    with pytest.raises(ValueError, match=r"train\.speed"):
        draft.edit("train.speed", "1")


def test_the_window_needs_no_torch_for_the_form_and_the_curves() -> None:
    code = (
        "import sys; import app.training.draft, app.training.watch, app.training.choices, app.training.order; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0
