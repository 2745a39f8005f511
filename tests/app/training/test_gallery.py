"""What a run drew of held-out scenes: which steps there are, each picture in its place, damage left out."""

from pathlib import Path

import numpy as np
import pytest

from app.training.gallery import COPIED, DREAMT, SHOWN, cut, gallery_steps, read_dreams
from app.training.run_reader import read_flat
from models.training.run_folder import CONFIG, GALLERY
from tests.app.training.runs import SIZE, draw, new_run, sheet


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return new_run(tmp_path / "run")


def test_a_step_counts_once_all_its_pictures_are_there(run: Path) -> None:
    assert gallery_steps(run) == ()
    draw(run, 1000, {})
    draw(run, 200, {})
    (run / GALLERY / "step_000300").mkdir()
    (run / GALLERY / "step_x").mkdir()
    assert gallery_steps(run) == (200, 1000)


def test_every_picture_of_a_sheet_comes_in_its_place(run: Path) -> None:
    config = read_flat(run / CONFIG)
    draw(run, 500, {"a": sheet(2, 13), "b": sheet(2, 13, 100)})
    dreams = read_dreams(run, 500, config)
    assert [scene.name for scene in dreams.scenes] == ["demo a", "demo b"]
    assert dreams.metrics["psnr"] == 21.5
    shown, dreamt = dreams.scenes[0].rows[SHOWN], dreams.scenes[0].rows[DREAMT]
    assert len(shown) == len(dreamt) == 13
    assert shown[7].shape == (SIZE[1], 2 * SIZE[0], 3)
    assert (np.unique(shown[7][:, : SIZE[0]]), np.unique(shown[7][:, SIZE[0] :])) == ([7], [27])
    assert (np.unique(dreamt[7][:, : SIZE[0]]), np.unique(dreamt[7][:, SIZE[0] :])) == ([17], [37])


def test_a_sheet_that_was_shrunk_to_odd_sizes_is_still_cut_into_equal_pictures() -> None:
    shown, dreamt = cut(np.zeros((101, 333, 3), np.uint8), 2, 13)
    assert len({picture.shape for picture in (*shown, *dreamt)}) == 1
    assert len(shown) == 13


def test_while_the_picture_coder_learns_its_copies_are_called_so(run: Path) -> None:
    config = {**read_flat(run / CONFIG), "vae.steps": 600}
    draw(run, 600, {"a": sheet(2, 13)})
    assert set(read_dreams(run, 600, config).scenes[0].rows) == {SHOWN, COPIED}


def test_a_sheet_of_unknown_form_is_shown_whole(run: Path) -> None:
    draw(run, 500, {"a": sheet(1, 3)})
    (frames,) = read_dreams(run, 500, {}).scenes[0].rows.values()
    assert frames[0].shape == sheet(1, 3).shape


@pytest.mark.parametrize(
    "damaged", ["", "[]", '{"scenes": 3}', '{"scenes": [{"picture": "../../secret.png"}, 7]}', "[" * 9000]
)
def test_damaged_metrics_leave_an_empty_gallery(run: Path, damaged: str) -> None:
    draw(run, 500, {"a": sheet(2, 13)})
    (run / GALLERY / "step_000500" / "metrics.json").write_text(damaged)
    assert read_dreams(run, 500, {}).scenes == ()


def test_a_damaged_picture_is_left_out(run: Path) -> None:
    draw(run, 500, {"a": sheet(2, 13), "b": sheet(2, 13)})
    (run / GALLERY / "step_000500" / "a.png").write_bytes(b"no picture")
    assert [scene.name for scene in read_dreams(run, 500, {}).scenes] == ["demo b"]
