"""A video model's config: which frames it makes, and that a hand-edited file fails loudly."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.data.clips import MultiViewWindow, StereoClip
from models.data.errors import DreamFileError
from models.video.config import PUBLISHED, PUBLISHED_TEXT, VIDEO_POLICY, UNetShape, VideoConfig, small
from models.video.config_file import NAME, read_config, write_config


def test_the_published_layout_is_that_of_the_clips_it_is_trained_on() -> None:
    assert PUBLISHED.layout == StereoClip().layout
    assert len(PUBLISHED.layout) == 25
    assert [PUBLISHED.layout[i] for i in PUBLISHED.kept] == [(v, t) for v in (0, 1) for t in range(1, 13)]


def test_the_window_of_video_policy_shows_the_same_cameras_in_the_same_order() -> None:
    cameras = [camera for camera, _ in MultiViewWindow().layout]
    assert [view for view, _ in VIDEO_POLICY.layout] == cameras
    assert len(VIDEO_POLICY.kept) == 24


@pytest.mark.parametrize("views", [1, 2, 3, 4])
def test_every_view_keeps_equally_many_frames(views: int) -> None:
    config = replace(PUBLISHED, views=views, length=5)
    kept = [config.layout[i] for i in config.kept]
    assert kept == [(view, t) for view in range(views) for t in range(1, 5)]


@pytest.mark.parametrize("config", [PUBLISHED, PUBLISHED_TEXT, VIDEO_POLICY, small(views=4, length=3)])
def test_a_config_comes_back_from_its_file_as_it_was(config: VideoConfig, tmp_path: Path) -> None:
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config


@pytest.mark.parametrize(
    ("was", "is_", "field", "valid"),
    [
        ("views = 2", "views = 5", "views", "1 to 4"),
        ("views = 2", 'views = "two"', "views", "int"),
        ("length = 13", "length = 1", "length", "2 to 1000"),
        ('conditioning = "image"', 'conditioning = "sound"', "conditioning", "image, text"),
        ("size = [192, 128]", "size = [100, 128]", "size", "multiples of 64"),
        ("size = [192, 128]", "size = [192]", "size", "2 values"),
        ("heads = [1, 2, 4, 4]", "heads = [1, 2, 3, 4]", "unet.heads", "divide"),
        ("widths = [32, 64, 128, 128]", "widths = [32, 64, 100, 128]", "unet.widths", "multiples of 32"),
        ("fps = 6.0", "fps = 6.0\nspeed = 3", "speed", "views, length"),
        ("fps = 6.0", "fps = nan", "fps", ""),
        ("zoom = 1.0", "zoom = 0.5", "zoom", "1 to 4"),
        ("layers = 2\nlatent", "layers = 0\nlatent", "vae.layers", "over 0"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_valid(
    was: str, is_: str, field: str, valid: str, tmp_path: Path
) -> None:
    write_config(tmp_path, small())
    text = (tmp_path / NAME).read_text()
    assert was in text
    (tmp_path / NAME).write_text(text.replace(was, is_, 1))
    with pytest.raises(DreamFileError) as error:
        read_config(tmp_path)
    assert error.value.field == field
    assert valid in error.value.valid


def test_shapes_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValueError, match="attention"):
        UNetShape(attention=(True,))
    with pytest.raises(ValueError, match="views"):
        replace(PUBLISHED, views=0)
