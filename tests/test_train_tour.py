"""What a researcher does first: a model trained from the window alone, closed and killed meanwhile."""

from pathlib import Path

import pytest

from tests.train_tour import record_demos, take_tour

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1200)]
SHORT = {
    "data.held_out": "2", "data.successes_only": "false", "vae.steps": "10", "train.steps": "40", "save.every": "5",
    "gallery.every": "10", "gallery.scenes": "1", "gallery.steps": "2",
}  # fmt: skip


def test_a_small_model_is_trained_from_the_window_through_a_closed_window_and_a_kill(tmp_path: Path) -> None:
    record_demos(tmp_path, 6)
    pictures = take_tour(tmp_path, SHORT, limit_s=600.0)
    assert list(pictures)[-1] == "train-6-done"
    (run,) = (tmp_path / "trainings").iterdir()
    assert (run / "checkpoints" / "step_000050").is_dir()
