"""A config says what it is, refuses what it cannot be, and comes back from its file as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.data.clips import TimeIds
from models.data.errors import DreamFileError
from models.training.config import (
    ClipSettings,
    TrainConfig,
    config_text,
    form_rows,
    locked_differences,
    read_config,
)
from models.training.settings import SettingError
from models.video.config import PUBLISHED

CONFIGS = Path(__file__).parents[3] / "assets" / "configs"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_the_published_config_differs_from_the_paper_in_nothing() -> None:
    config = read_config(CONFIGS / "dreamitate.toml")
    assert config.model == PUBLISHED
    assert not [row.key for row in form_rows(config) if row.differs]


def test_another_task_is_held_against_what_is_published_for_it() -> None:
    config = read_config(CONFIGS / "dreamitate.toml", ["clip.task=sweeping"])
    assert [row.key for row in form_rows(config) if row.differs] == [
        "model.fps",
        "model.time_ids.fps",
        "clip.duration_s",
    ]


def test_the_small_configs_train_their_own_picture_coder_and_have_a_small_net() -> None:
    config = read_config(CONFIGS / "tabletop_small.toml")
    assert config.vae.steps > 0
    assert not config.start
    assert config.model.size == (192, 128)
    pushing = read_config(CONFIGS / "tabletop_push.toml")
    assert (pushing.clip.task, pushing.recipe.zoom) == ("push-shape", pushing.model.zoom)


def test_a_config_comes_back_from_its_file(tmp_path: Path) -> None:
    config = replace(
        TrainConfig(start="somewhere"), clip=ClipSettings("rotation", ("top", "side"), 1.5, "spread", True),
        model=replace(PUBLISHED, time_ids=TimeIds(5, 100, 0.1), size=(192, 128)),
    )  # fmt: skip
    assert read_config(written(tmp_path, config_text(config))) == config


def test_set_changes_fields_of_every_kind(tmp_path: Path) -> None:
    path = written(tmp_path, "[train]\nsteps = 5\n")
    texts = ["train.steps=7", "train.learning_rate=1", "clip.views=['a', 'b']", "model.size=[64, 64]",
             "data.successes_only=false", "clip.task=push-shape", "model.unet.layers=1"]  # fmt: skip
    config = read_config(path, texts)
    assert (config.train.steps, config.train.learning_rate) == (7, 1.0)
    assert (config.clip.views, config.model.size, config.model.unet.layers) == (("a", "b"), (64, 64), 1)
    assert (config.data.successes_only, config.clip.task) == (False, "push-shape")


@pytest.mark.parametrize(
    ("text", "field", "valid"),
    [
        ("[train]\nbatch = 0\n", "train.batch", "1 and more"),
        ("[train]\nbatch = 1.5\n", "train.batch", "a whole number"),
        ("[train]\nbatch = true\n", "train.batch", "a whole number"),
        ("[train]\nlearning_rat = 1\n", "train.learning_rat", "learning_rate"),
        ("[train]\nema = 1.5\n", "train.ema", "0 to"),
        ("[train]\nlearning_rate = nan\n", "train.learning_rate", "0 and more"),
        ("[train]\ntrainable = 'some'\n", "train.trainable", "attention, all"),
        ("[trian]\n", "trian", "train"),
        ("train = 3\n", "train", "a table"),
        ("[model]\nsize = [100, 100]\n", "model.size", "multiples of 64"),
        ("[model.unet]\nwidths = [30]\n", "model.unet.widths", "multiples of 32"),
        ("[clip]\nviews = ['top']\n", "clip.views", "2 (model.views), or none"),
        ("[model]\narrangement = 'window'\n", "model.arrangement", "clip"),
        ("[train]\nsteps = 0\n", "train.steps", "vae.steps"),
        ("[vae]\ncrop = 60\n", "vae.crop", "a multiple of 8, at most 448"),
        ("[train]\nweight_decay = 0.1\n", "train.weight_decay", "adamw"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_valid(tmp_path: Path, text: str, field: str, valid: str) -> None:
    with pytest.raises(DreamFileError) as error:
        read_config(written(tmp_path, text))
    assert error.value.field == field
    assert valid in str(error.value)
    assert "config.toml" in str(error.value)


@pytest.mark.parametrize("text", ["train.steps", "=5", "train..steps=5", "seed.a=5"])
def test_a_wrong_override_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DreamFileError):
        read_config(written(tmp_path, "seed = 1\n"), [text])


def test_every_field_of_the_form_has_help_and_a_valid_published_value() -> None:
    rows = form_rows(TrainConfig())
    assert len({row.key for row in rows}) == len(rows)
    assert not [row.key for row in rows if not row.setting.help]
    chosen = [row.setting for row in rows if row.setting.choices and row.setting.published]
    assert all(setting.published in setting.choices for setting in chosen)


def test_a_run_must_keep_its_layout_but_may_change_its_length() -> None:
    began = TrainConfig()
    goes_on = replace(
        began,
        model=replace(began.model, fps=5.0),
        clip=ClipSettings(views=("left", "right")),
        train=replace(began.train, steps=99),
    )
    found = locked_differences(goes_on, began)
    assert [text.partition(":")[0] for text in found] == ["model.fps", "clip.views"]
    assert "6.0" in found[0]


def test_a_section_made_in_code_is_checked_too() -> None:
    with pytest.raises(SettingError, match=r"clip\.part"):
        ClipSettings(part="middle")
